"""New outcomes from stored scores after a threshold changed, against raw SQLite that copies the same rows."""

from __future__ import annotations

import random
import shutil
import sqlite3
import statistics
import subprocess
import time
from itertools import islice
from pathlib import Path

import orjson
from common import CACHE, HOLDFAST, arguments, corpus, run_watched

from holdfast.db import samples, verdicts
from holdfast.db.models import SampleVerdicts, Status, Verdict
from holdfast.db.packing import Recorded
from holdfast.db.store import Store
from holdfast.reviewer.pipeline.stack_run import result_of
from holdfast.verifiers.outcomes import settle
from holdfast.verifiers.stack import Part, Stack

NAMES = ("length_outlier", "repetition", "required_fields")
_CHUNK = 5_000


def judged_project(samples_: int) -> Path:
    """A project whose samples have scores spread evenly from 0 to 1, some 2 % of them flagged; made once."""
    folder = CACHE / f"scored-{samples_}"
    if folder.exists():
        return folder
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    who = ["--project", str(part), "--user", "lead-1"]
    subprocess.run([*HOLDFAST, "init", str(part), "--user", "lead-1"], check=True, stdout=subprocess.DEVNULL)
    ingest = ["ingest", str(corpus(samples_)), "--batch", "b", "--provenance", "synthetic", "--map", "external_id=id"]
    subprocess.run([*HOLDFAST, *ingest, *who], check=True, stdout=subprocess.DEVNULL)
    with Store.open(part / "holdfast.db") as store:
        _score_all(store, stack_of(0.99))
        store.read().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    part.rename(folder)
    return folder


def stack_of(limit: float) -> Stack:
    """The stack with one limit for both scores."""
    options = {"flag_at": limit}
    return Stack([Part(name, options if name != "required_fields" else {}) for name in NAMES])


def settings_of(limit: float) -> str:
    """The same stack as `holdfast.toml` has it."""
    return (
        f"[verifiers]\nenabled = {orjson.dumps(NAMES).decode()}\n"
        f"[verifiers.length_outlier]\nflag_at = {limit}\n[verifiers.repetition]\nflag_at = {limit}\n"
    )


def _score_all(store: Store, stack: Stack) -> None:
    chance = random.Random(1)
    specs = stack.specs()
    run = verdicts.begin_run(store, specs=specs, actor="lead-1")
    pending = samples.each(store, status=Status.PENDING)
    while chunk := list(islice(pending, _CHUNK)):
        verdicts.record(store, run, [_scored(stack, stored, chance) for stored in chunk])
    verdicts.complete_run(store, run, actor="lead-1")


def _scored(stack: Stack, stored: samples.Stored, chance: random.Random) -> Recorded:
    found = []
    for member in stack.members:
        score = Verdict.score(round(chance.random(), 3), code="odd", message="is odd", span=(0, 4))
        found.append(settle(score, member.name, member.settings.thresholds))
    made = SampleVerdicts(stored.uid, tuple(found))
    recorded = result_of(stored.id, stack.specs(), made, stored.sample.provenance, audit=False).recorded
    assert recorded is not None
    return recorded


def raw_seconds(folder: Path) -> float:
    """Copy every verdict row and point its sample's state at the copy, in transactions of 500, with SQLite alone."""
    copy = CACHE / "raw-rederive.db"
    shutil.copyfile(folder / "holdfast.db", copy)
    connection = sqlite3.connect(copy, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -65536"):
        connection.execute(f"PRAGMA {pragma}")
    start = time.perf_counter()
    (last_id,) = connection.execute("SELECT max(id) FROM verdicts").fetchone()
    for after in range(0, last_id, 500):
        connection.execute("BEGIN IMMEDIATE")
        rows = connection.execute(
            "SELECT sample_id, run_id, audit, outcome, outcomes, row_hash FROM verdicts WHERE id > ? AND id <= ?",
            (after, min(after + 500, last_id)),
        ).fetchall()
        insert = (
            "INSERT INTO verdicts (sample_id, run_id, audit, outcome, outcomes, row_hash) VALUES (?, ?, ?, ?, ?, ?)"
        )
        connection.executemany(insert, rows)
        states = [(last_id + after + at, row[0]) for at, row in enumerate(rows, start=1)]
        connection.executemany("UPDATE states SET verdict_id = ? WHERE sample_id = ?", states)
        connection.execute("COMMIT")
    connection.close()
    seconds = time.perf_counter() - start
    for leftover in CACHE.glob("raw-rederive.db*"):
        leftover.unlink()
    return seconds


def derive_seconds(folder: Path, limit: float) -> float:
    """`holdfast verify` on a copy of the project, after its limit was changed."""
    copy = CACHE / "rederive"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    (copy / "holdfast.toml").write_text(settings_of(limit))
    seconds = run_watched([*HOLDFAST, "verify", "--project", str(copy), "--user", "lead-1", "--json"]).seconds
    shutil.rmtree(copy)
    return seconds


def main() -> None:
    """Run pairs; print medians."""
    chosen = arguments("outcomes under a new threshold")
    folder = judged_project(chosen.samples)
    seconds, ratios = [], []
    for _ in range(chosen.runs):
        raw, ours = raw_seconds(folder), derive_seconds(folder, 0.98)
        seconds.append(ours)
        ratios.append(ours / raw)
        print(f"  raw {raw:.1f} s, holdfast verify {ours:.1f} s")
    print(
        f"new outcomes of {chosen.samples:,} samples after a threshold changed: {statistics.median(seconds):.1f} s "
        f"(goal ≤ 30 s for 1,000,000), {statistics.median(ratios):.2f} × raw SQLite that copies the rows"
    )


if __name__ == "__main__":
    main()
