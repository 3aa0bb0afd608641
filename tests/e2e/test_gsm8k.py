"""The main job on real data: ingest, verify, decide, export, check; and how `check` finds what was altered."""

from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "gsm8k_solutions.jsonl.gz"
HOLDFAST = Path(sys.executable).with_name("holdfast")

pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not here")

MAPPING = {
    "prompt": "prompt",
    "response": "response",
    "reference": "reference",
    "model": "source.model",
    "group": "extra.group",
    "external_id": "id",
}


Decided = tuple[Path, list[tuple[dict[str, Any], dict[str, Any]]]]


def holdfast(folder: Path, *arguments: str, status: int = 0) -> str:
    """Run the installed command; returns what it printed."""
    command = [str(HOLDFAST), *arguments, "--project", str(folder), "--user", "lead-1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def read(folder: Path, *arguments: str, status: int = 0) -> Any:
    return json.loads(holdfast(folder, *arguments, "--json", status=status))


def ingest(folder: Path) -> dict[str, Any]:
    mapping = [part for field, path in MAPPING.items() for part in ("--map", f"{field}={path}")]
    options = ("--batch", "gsm8k", "--provenance", "synthetic", "--drop", "labels", *mapping)
    report: dict[str, Any] = read(folder, "ingest", str(DATA), *options)
    return report


@pytest.fixture(scope="module")
def originals() -> dict[str, dict[str, Any]]:
    with gzip.open(DATA, "rt", encoding="utf-8") as file:
        return {record["id"]: record for record in map(json.loads, file)}


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory, originals: dict[str, dict[str, Any]]) -> Path:
    folder = tmp_path_factory.mktemp("gsm8k")
    holdfast(folder, "init", str(folder))
    # Running 1,292 programs is measured where their check is tested.
    enabled = [entry["name"] for entry in read(folder, "verifiers") if entry["name"] != "program_answer"]
    (folder / "holdfast.toml").write_text(f"[verifiers]\nenabled = {json.dumps(enabled)}\n", encoding="utf-8")
    report = ingest(folder)
    assert {key: report[key] for key in ("batch", "read", "new", "known", "quarantined")} == {
        "batch": "gsm8k", "read": len(originals), "new": len(originals), "known": 0, "quarantined": 0,
    }  # fmt: skip
    verified = read(folder, "verify")
    assert verified["verified"] == len(originals)
    assert verified["errors"] == 0
    return folder


def decisions(folder: Path) -> list[dict[str, Any]]:
    """500 decisions on the top of the queue: three in five accepted, one edited, one rejected."""
    lines = holdfast(folder, "queue", "--all", "--limit", "500", "--jsonl").splitlines()
    made: list[dict[str, Any]] = []
    for number, item in enumerate(map(json.loads, lines)):
        ref = f"{item['batch']}/{item['external_id']}" if number % 2 else item["uid"]
        if number % 5 == 0:
            made.append({"ref": ref, "verdict": "reject", "reason": "factual"})
        elif number % 5 == 1:
            made.append({"ref": ref, "verdict": "edit", "response": f"{number} \u00d7 \U0001f9ee\r\nA: {number}\n"})
        else:
            made.append({"ref": ref, "verdict": "accept"})
    return made


@pytest.fixture(scope="module")
def decided(ingested: Path) -> Decided:
    """The project after 500 decisions, and each decision with the sample it was made on."""
    made = decisions(ingested)
    samples = [read(ingested, "show", decision["ref"]) for decision in made[:25]]
    file = ingested / "decisions.jsonl"
    file.write_text("".join(json.dumps(decision) + "\n" for decision in made), encoding="utf-8")
    assert read(ingested, "decide", "--from", str(file)) == {"decided": 500, "refused": [], "late": 0}
    return ingested, list(zip(made, samples, strict=False))


def test_the_export_holds_exactly_what_was_approved(decided: Decided, originals: dict[str, dict[str, Any]]) -> None:
    folder, _ = decided
    out = folder / "approved.jsonl"
    manifest = read(folder, "export", str(out), "--approved", "--format", "jsonl")
    rows = [json.loads(line) for line in out.read_bytes().splitlines()]
    assert len(rows) == manifest["samples"] == 400
    assert manifest["counts"] == {"human": 0, "human-edited": 100, "synthetic": 300, "unknown": 0}
    assert manifest["over_cap"] is True
    for row in rows:
        if row["provenance"] == "synthetic":
            original = originals[row["external_id"]]
            assert row["response"] == original["response"]
            assert row["decision"]["verdict"] == "accept"
        else:
            original = originals[row["external_id"].removesuffix("#2")]
            assert row["response"].startswith(f"{row['response'].split()[0]} \u00d7")
            assert row["response"].endswith("\n")
            assert (row["provenance"], row["decision"]["verdict"]) == ("human-edited", "edit")
            assert 0 < row["edit_share"] <= 1
            assert len(row["parents"]) == 1
        assert row["prompt"] == original["prompt"]
        assert (row["reference"], row["model"]) == (original["reference"], original["source"]["model"])
    assert read(folder, "check") == {"ok": True, "problems": []}


def test_nothing_rejected_superseded_or_undecided_is_handed_out(decided: Decided, tmp_path: Path) -> None:
    folder, made = decided
    holdfast(folder, "export", str(tmp_path / "again.jsonl"), "--approved")
    uids = {json.loads(line)["uid"]: json.loads(line) for line in (tmp_path / "again.jsonl").read_bytes().splitlines()}
    for decision, sample in made:
        if decision["verdict"] == "accept":
            assert uids[sample["uid"]]["response"] == sample["response"]
        else:
            assert sample["uid"] not in uids
        if decision["verdict"] == "edit":
            (revision,) = [row for row in uids.values() if sample["uid"] in row["parents"]]
            assert revision["response"] == decision["response"]


def test_the_same_file_again_adds_nothing(decided: Decided) -> None:
    folder, _ = decided
    report = ingest(folder)
    assert (report["new"], report["quarantined"]) == (0, 0)
    assert read(folder, "check")["ok"] is True


ALTERATIONS = {
    "text": (
        "samples",
        "UPDATE samples SET messages = replace(messages, 'A', 'B') WHERE id = 17",
        ("sample", "row"),
    ),
    "label": ("occurrences", "UPDATE occurrences SET label = 'wrong' WHERE id = 18", ("row",)),
    "reference": ("occurrences", "UPDATE occurrences SET reference = 'wrong' WHERE id = 19", ("row",)),
    "verdict": ("verdicts", "UPDATE verdicts SET outcome = 'fail' WHERE id = 20", ("verdict",)),
    "finding": ("findings", "UPDATE findings SET message = 'nothing' WHERE id = 1", ("verdict",)),
    "event": (
        "events",
        "UPDATE events SET payload = replace(payload, 'factual', 'unsafe') WHERE type = 'decision.made'",
        ("event",),
    ),
    "tail": ("events", "DELETE FROM events WHERE seq > (SELECT max(seq) - 3 FROM events)", ("log-head",)),
    "status": ("states", "UPDATE states SET status = 'approved' WHERE sample_id = 5", ("projection",)),
}


@pytest.mark.parametrize("what", ALTERATIONS)
def test_check_says_where_a_store_was_altered(decided: Decided, tmp_path: Path, what: str) -> None:
    folder, _ = decided
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    table, statement, kinds = ALTERATIONS[what]
    with sqlite3.connect(copy / "holdfast.db") as connection:
        saved = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,)
        ).fetchall()
        for name, _ in saved:
            connection.execute(f"DROP TRIGGER {name}")
        assert connection.execute(statement).rowcount > 0
        for _, sql in saved:
            connection.execute(sql)
    connection.close()
    report = read(copy, "check", status=1)
    assert report["ok"] is False
    assert {problem["kind"] for problem in report["problems"]} & set(kinds), report["problems"][:5]
    assert all(problem["detail"] for problem in report["problems"])


def test_a_byte_flipped_in_the_file_itself_is_found(decided: Decided, tmp_path: Path) -> None:
    folder, made = decided
    copy = tmp_path / "copy"
    holdfast(folder, "backup", str(tmp_path / "copy.db"))
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("holdfast.db*"))
    data = bytearray((tmp_path / "copy.db").read_bytes())
    text = made[0][1]["response"].encode()[:24]
    at = data.index(text)
    data[at] ^= 1
    (copy / "holdfast.db").write_bytes(data)
    report = read(copy, "check", status=1)
    assert "sample" in {problem["kind"] for problem in report["problems"]}


def test_repair_rebuilds_what_follows_from_the_log(decided: Decided, tmp_path: Path) -> None:
    folder, _ = decided
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    before = read(copy, "status")
    with sqlite3.connect(copy / "holdfast.db") as connection:
        connection.execute("UPDATE states SET status = 'approved'")
        connection.execute("DELETE FROM decisions WHERE seq % 2 = 0")
        connection.execute("DELETE FROM queue")
        connection.execute("DELETE FROM tallies")
    connection.close()
    assert read(copy, "check", status=1)["ok"] is False
    assert read(copy, "check", "--repair") == {"ok": True, "problems": []}
    after = read(copy, "status")
    assert {key: after[key] for key in ("statuses", "sources", "due")} == {
        key: before[key] for key in ("statuses", "sources", "due")
    }
