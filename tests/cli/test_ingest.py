"""`holdfast ingest` and `holdfast quarantine` as a user runs them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from holdfast.reviewer.project import Project

Run = Callable[..., Result]

PAIRS = b'{"prompt": "P1", "response": "R1", "by": "human"}\n{"prompt": "P2", "response": "R2", "by": "synthetic"}\n'
BAD = b'{"prompt": "P3", "response": "\x1b[2J\n{"prompt": "P4", "response": "\xff"}\n'


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    project = Project.init(tmp_path / "empty", shared=False, user="lead-1")
    monkeypatch.chdir(project.root)
    return project


@pytest.fixture
def file(empty: Project) -> Path:
    path = empty.root / "a.jsonl"
    path.write_bytes(PAIRS + BAD)
    return path


def test_ingest_says_what_it_did(run: Run, read: Callable[..., Any], file: Path) -> None:
    result = run("ingest", str(file), "--batch", "b", "--provenance", "synthetic")
    assert result.stdout.startswith("batch b: 4 read, 2 new, 0 known, 2 quarantined in ")
    assert "holdfast quarantine --batch b" in result.stderr
    document = read("ingest", str(file), "--batch", "b", "--provenance", "synthetic")
    assert list(document) == ["batch", "read", "new", "known", "quarantined", "seconds"]
    assert (document["read"], document["new"], document["known"], document["quarantined"]) == (4, 0, 2, 2)


def test_ingest_reads_standard_input_with_every_option(run: Run, read: Callable[..., Any], empty: Project) -> None:
    line = '{"q": "Q", "a": {"text": "A"}, "extra": 1, "secret": 2}'
    document = read(
        "ingest", "-", "--batch", "b", "--provenance", "synthetic", "--model", "m", "--family", "f", "--generation",
        "2", "--domain", "d", "--task", "t", "--licence", "MIT", "--map", "prompt=q", "--map", "response=a.text",
        "--drop", "secret", stdin=line,
    )  # fmt: skip
    assert document["new"] == 1
    (shown,) = _exported(empty)
    assert (shown.sample.prompt, shown.sample.response) == ("Q", "A")
    assert (shown.sample.model, shown.sample.family, shown.sample.generation) == ("m", "f", 2)
    assert (shown.sample.domain, shown.sample.task, shown.sample.licence) == ("d", "t", "MIT")
    assert shown.sample.metadata == {"extra": 1}


def _exported(project: Project) -> list[Any]:
    from holdfast.db.samples import each

    with project.store() as store:
        return list(each(store))


@pytest.mark.parametrize(("options", "reason"), [
    ((), "does not say who wrote its response; give --provenance"),
    (("--provenance", "robot"), "robot"),
    (("--provenance", "human", "--map", "respones=a"), "did you mean 'response'"),
    (("--provenance", "human", "--format", "alpca"), "did you mean 'alpaca'"),
    (("--provenance", "human", "--generation", "-1"), "generation"),
])  # fmt: skip
def test_wrong_usage_is_status_2_and_writes_nothing(
    run: Run, empty: Project, file: Path, options: tuple[str, ...], reason: str
) -> None:
    result = run("ingest", str(file), "--batch", "b", *options, status=2)
    assert reason in result.stderr
    assert _exported(empty) == []


def test_a_batch_needs_a_name(run: Run, file: Path) -> None:
    run("ingest", str(file), status=2)
    run("ingest", str(file), "--batch", "no spaces", "--provenance", "human", status=2)
    run("ingest", "none.jsonl", "--batch", "b", "--provenance", "human", status=2)


def test_a_strict_ingest_that_fails_is_status_1(run: Run, empty: Project, file: Path) -> None:
    result = run("ingest", str(file), "--batch", "b", "--provenance", "human", "--strict", status=1)
    assert "2 records cannot be read, so nothing was ingested" in result.stderr
    assert f"{file}:3: malformed JSON" in result.stderr
    assert _exported(empty) == []
    assert run("quarantine").stdout == ""


def test_paths_that_no_record_has_are_noted(run: Run, file: Path) -> None:
    result = run("ingest", str(file), "--batch", "b", "--map", "provenance=by", "--drop", "lables")
    assert "none of the first records has 'lables' (--drop)" in result.stderr


def test_quarantine_lists_what_could_not_be_read(run: Run, read: Callable[..., Any], file: Path) -> None:
    run("ingest", str(file), "--batch", "b", "--map", "provenance=by")
    text = run("quarantine").stdout
    assert f"{file}:3: malformed JSON" in text
    assert "\x1b" not in text
    assert "␛[2J" in text
    first, second = read("quarantine", "--batch", "b")
    assert (first["batch"], first["file"], first["line"]) == ("b", str(file), 3)
    assert (first["raw"], first["raw_bytes"]) == ('{"prompt": "P3", "response": "\x1b[2J', 34)
    assert "invalid UTF-8" in second["reason"]
    assert base64.b64decode(second["raw_base64"]) == b'{"prompt": "P4", "response": "\xff"}'
    rows = [json.loads(line) for line in run("quarantine", "--jsonl").stdout.splitlines()]
    assert rows == [first, second]
    assert read("quarantine", "--batch", "other") == []
