"""`holdfast ingest` killed at any statement: nothing half-visible, and the next command, whichever it is, goes on."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from holdfast.db import ingests, samples
from holdfast.db.check import check
from holdfast.db.search import search
from holdfast.db.store import Store

HOLDFAST = Path(sys.executable).with_name("holdfast")
RECORDS = 32_000
BAD_EVERY, TWICE_EVERY = 7, 11
KILLS = 3

KILLED_AT = """
import os, signal, sys
from holdfast.db.store import Store
from holdfast.reviewer.cli import main

left = int(sys.argv.pop(1))
read = Store.read

def count(statement):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def traced(store):
    connection = read(store)
    connection.set_trace_callback(count)
    return connection

Store.read = traced
try:
    main()
finally:
    print(-left, file=sys.stderr)
"""
"""The command, killed at the statement of that number (0: never, but the statements are counted)."""


def record(number: int) -> str:
    """Every seventh record cannot be read; every eleventh holds what the one before it holds."""
    if number % BAD_EVERY == 0:
        return "not JSON"
    text = number - 1 if number % TWICE_EVERY == 0 else number
    return json.dumps({"prompt": f"question {text}", "response": f"answer {text} " * 20, "external_id": f"id{number}"})


def write(path: Path, records: int) -> Path:
    """A file of so many records; the largest is read by a process of its own."""
    path.write_text("".join(f"{record(number)}\n" for number in range(records)), encoding="utf-8")
    return path


def ingest(folder: Path, file: Path, *, killed_at: int = 0) -> tuple[dict[str, Any] | None, int]:
    """Run the command; its report (None: it was killed) and how many statements it ran."""
    options = ["ingest", str(file), "--batch", file.stem, "--provenance", "synthetic", "--json"]
    command = [sys.executable, "-c", KILLED_AT, str(killed_at), *options, "--project", str(folder), "--user", "lead-1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == -signal.SIGKILL:
        return None, killed_at
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), int(done.stderr.split()[-1])


def project(folder: Path, *, filled: bool) -> Path:
    subprocess.run([HOLDFAST, "init", folder, "--user", "lead-1"], capture_output=True, check=True)
    if filled:
        ingest(folder, write(folder / "earlier.jsonl", 100))
    return folder


def contents(store: Store) -> dict[str, Any]:
    """What anybody can see of the samples."""
    return {
        "samples": [(one.uid, one.batch, one.external_id) for one in samples.each(store)],
        "aside": [(one.batch, one.line, one.raw) for one in ingests.quarantine(store)],
        "tallies": samples.tallies(store),
        "found": len(search(store, "answer", limit=10 * RECORDS)),
    }


@pytest.mark.parametrize(("filled", "records"), [(False, RECORDS), (True, RECORDS // 8)])
def test_after_kills_the_same_command_ends_as_if_nothing_had_happened(
    tmp_path: Path, filled: bool, records: int
) -> None:
    file = write(tmp_path / "b.jsonl", records)
    quiet, killed = (project(tmp_path / name, filled=filled) for name in ("quiet", "killed"))
    expected, statements = ingest(quiet, file)
    chance = random.Random(7)
    for _ in range(KILLS):
        before = contents_of(killed)
        assert ingest(killed, file, killed_at=chance.randrange(100, statements // KILLS))[0] is None
        assert contents_of(killed) == before
    report, _ = ingest(killed, file)
    assert report is not None
    assert expected is not None
    assert {**report, "seconds": 0} == {**expected, "seconds": 0}
    assert contents_of(killed) == contents_of(quiet)


@pytest.mark.parametrize("filled", [False, True])
def test_after_a_kill_another_command_finds_nothing_of_it(tmp_path: Path, filled: bool) -> None:
    file, other = write(tmp_path / "b.jsonl", 6_000), write(tmp_path / "c.jsonl", 2_000)
    quiet, killed = (project(tmp_path / name, filled=filled) for name in ("quiet", "killed"))
    expected, _ = ingest(quiet, other)
    assert ingest(killed, file, killed_at=5_000)[0] is None
    assert ingest(killed, other, killed_at=400)[0] is None  # in the middle of discarding what the first one left
    report, _ = ingest(killed, other)
    assert report is not None
    assert expected is not None
    assert {**report, "seconds": 0} == {**expected, "seconds": 0}
    assert contents_of(killed) == contents_of(quiet)


def contents_of(folder: Path) -> dict[str, Any]:
    with Store.open(folder / "holdfast.db") as store:
        assert list(check(store)) == []
        return contents(store)
