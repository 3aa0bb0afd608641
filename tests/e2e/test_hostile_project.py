"""A project full of hostile samples: nothing of them steers the terminal, all is shown, nothing is changed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from terminal import ATTACKS, capture, steering

from holdfast.reviewer.sanitise import terminal_text

HOLDFAST = str(Path(sys.executable).with_name("holdfast"))
TEXTS = [text for text in ATTACKS if "\ud800" not in text]  # a lone surrogate is no text: it goes into quarantine
SIZE = (50, 200)


def holdfast(folder: Path, *arguments: str) -> str:
    """Run the installed command into a pipe; returns what it printed."""
    command = [HOLDFAST, *arguments, "--project", str(folder), "--user", "lead-1"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def on_terminal(folder: Path, *arguments: str) -> str:
    """Run the installed command on a terminal; returns what arrived there, which is nothing but text and line ends."""
    command = [HOLDFAST, *arguments, "--project", str(folder), "--user", "lead-1"]
    written = capture(command, [], cwd=folder, size=SIZE)
    assert steering(written, SIZE) <= {"\r", "\n"}
    return written.decode().replace("\r\n", "\n")


def uids_in(folder: Path) -> list[str]:
    lines = holdfast(folder, "queue", "--all", "--jsonl").split("\n")
    return [json.loads(line)["uid"] for line in lines if line]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with every attack as prompt, response and all else that a record may hold, ingested and verified."""
    folder = tmp_path_factory.mktemp("hostile")
    records = [
        {"id": f"{number} {text}", "prompt": text, "response": f"answer {text}", "reference": text, "label": text,
         "task": text, "note": text}
        for number, text in enumerate(ATTACKS)
    ]  # fmt: skip
    source = folder / "in\x1b[31m\u202e.jsonl"
    source.write_text("\n".join(map(json.dumps, records)) + '\n{"id": "\x1b[2J\x9b\u202e\n')
    holdfast(folder, "init")
    options = ("--batch", "b", "--provenance", "synthetic", "--model", "m\x1b[31m")
    holdfast(folder, "ingest", str(source), *options, "--map", "external_id=id", "--map", "label=label")
    holdfast(folder, "verify")
    return folder


def test_show_is_safe_and_complete(folder: Path) -> None:
    uids = uids_in(folder)
    assert len(uids) == len(TEXTS)
    shown = "".join(on_terminal(folder, "show", uid) for uid in uids)
    for text in TEXTS:
        assert shown.count(terminal_text(text)) >= 4
    on_terminal(folder, "show", uids[0], "--json")


@pytest.mark.parametrize(
    "command",
    [
        ("queue", "--all"),
        ("queue", "--all", "--jsonl"),
        ("quarantine",),
        ("quarantine", "--json"),
        ("search", "answer"),
        ("search", "answer", "--json"),
        ("next",),
        ("verdicts",),
        ("status",),
        ("quota",),
    ],
    ids=" ".join,
)
def test_no_sample_steers_the_terminal_of_a_command(folder: Path, command: tuple[str, ...]) -> None:
    assert on_terminal(folder, *command)


def test_what_is_exported_is_what_was_ingested(folder: Path) -> None:
    decisions = folder / "decisions.jsonl"
    decisions.write_text("\n".join(json.dumps({"ref": uid, "verdict": "accept"}) for uid in uids_in(folder)))
    holdfast(folder, "decide", "--from", str(decisions), "--second-opinion")
    holdfast(folder, "export", str(folder / "out.jsonl"), "--approved")
    records = [json.loads(line) for line in (folder / "out.jsonl").read_bytes().split(b"\n") if line]
    assert sorted(record["prompt"] for record in records) == sorted(TEXTS)
    assert sorted(record["response"] for record in records) == sorted(f"answer {text}" for text in TEXTS)


def desk_over(folder: Path, texts: list[str]) -> bytes:
    """One sample that holds every text in every place, seen in all views, panes and the editor of the review desk."""
    together, line = "\n".join(texts), "".join(texts)
    record = {"id": line, "prompt": together, "response": together, "reference": together, "label": line, "task": line}
    (folder / "in.jsonl").write_text(json.dumps(record))
    holdfast(folder, "init")
    options = ("--batch", "b", "--provenance", "synthetic", "--model", line.replace("\0", "\x1b"))
    holdfast(folder, "ingest", str(folder / "in.jsonl"), *options, "--map", "external_id=id", "--map", "label=label")
    holdfast(folder, "verify")
    steps = [
        ("RESPONSE ○", "t"),
        ("RENDERED", "t"),
        ("RAW", "2"),
        ("RAW", "3"),
        ("RAW", "4"),
        ("RAW", "h"),
        ("HISTORY", "q"),
        ("1 findings", "e"),
        ("letters are typed", "zzz"),
        ("zzz", "\x1b"),
        ("letters are commands", "q"),
        ("1 findings", "q"),
    ]
    return capture([HOLDFAST, "review", "--user", "lead-1"], steps, cwd=folder, size=SIZE)


def test_no_sample_steers_the_terminal_of_the_review_desk(tmp_path: Path) -> None:
    (tmp_path / "harmless").mkdir()
    (tmp_path / "hostile").mkdir()
    harmless = steering(desk_over(tmp_path / "harmless", ["harmless ␛[2J text"] * len(TEXTS)), SIZE)
    assert steering(desk_over(tmp_path / "hostile", TEXTS), SIZE) <= harmless
