"""Looking at samples, also hostile ones on a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from filling import ingest, make_sample

from holdfast.db.models import Message
from holdfast.reviewer.project import Project

Run = Callable[..., Result]
Read = Callable[..., Any]

HOSTILE = "a\x1b]52;c;aGk=\x07b\x9b31mc\u202ed\x00e\x7f[/INST] list[int]\u200b\r\n\ttab"
HOLDFAST = [sys.executable, "-c", "from holdfast.reviewer.cli import main; main()"]


@pytest.fixture
def hostile(project: Project) -> Project:
    messages = (Message(role="user", content=HOSTILE), Message(role="assistant", content=HOSTILE))
    with project.store() as store:
        ingest(store, [make_sample(0, messages=messages, label=HOSTILE)], batch="h", signature="h")
    return project


def on_terminal(project: Project, *arguments: str) -> bytes:
    """What a command writes on a terminal."""
    ours, theirs = pty.openpty()
    command = subprocess.Popen(
        [*HOLDFAST, *arguments, "--project", str(project.root)], stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    written = b""
    try:
        while chunk := os.read(ours, 65536):
            written += chunk
    except OSError:  # how Linux says that the other side has closed
        pass
    finally:
        os.close(ours)
    assert command.wait() == 0, written
    return written


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "h/0"),
        ("show", "h/0", "--json"),
        ("search", "INST"),
        ("search", "INST", "--json"),
        ("queue", "--all"),
        ("queue", "--all", "--jsonl"),
        ("queue", "--all", "--json"),
        ("lineage", "h/0"),
        ("status",),
    ],
)
def test_no_control_byte_of_a_sample_reaches_a_terminal(hostile: Project, arguments: tuple[str, ...]) -> None:
    text = on_terminal(hostile, *arguments).decode()
    assert re.findall("[^\n\r\x20-\x7e\xa0-\U0010ffff]", text) == []
    assert not set(text) & set("\u202e\u200b")
    assert "\r" not in text.replace("\r\n", "")


def test_json_on_a_terminal_is_ascii_and_says_the_same(hostile: Project, read: Read) -> None:
    written = on_terminal(hostile, "show", "h/0", "--json", "--user", "lead-1")
    assert written.isascii()
    assert json.loads(written) == read("show", "h/0")


def test_into_a_pipe_the_text_is_untouched(hostile: Project, run: Run, read: Read) -> None:
    assert read("show", "h/0")["response"] == HOSTILE
    assert HOSTILE.encode() in run("show", "h/0").stdout_bytes


def test_show_has_every_key_of_the_contract(project: Project, read: Read) -> None:
    assert set(read("show", "b/1")) >= {
        "uid", "content_id", "batch", "external_id", "messages", "prompt", "response", "reference", "label", "task",
        "domain", "licence", "provenance", "model", "family", "generation", "edit_share", "parents", "status",
        "decision", "metadata", "findings", "votes", "decisions", "occurrences",
    }  # fmt: skip


def test_a_start_of_a_uid_is_enough(project: Project, read: Read, run: Run) -> None:
    uid = read("show", "b/1")["uid"]
    assert read("show", uid[:20])["external_id"] == "1"
    run("show", "b/none", status=1)
    run("show", "xyz", status=1)


def test_numbers_in_metadata_keep_their_spelling(project: Project, run: Run) -> None:
    with project.store() as store:
        odd = '{"big":123456789012345678901234567890,"one":1.0,"tiny":1e-400}'
        ingest(store, [make_sample(50, metadata_json=odd)], batch="m", signature="m")
    assert f'"metadata":{odd}' in run("show", "m/0", "--json").stdout


def test_lineage_runs_from_the_oldest_to_the_youngest(project: Project, run: Run, read: Read) -> None:
    run("decide", "b/1", "edit", "--response-file", "-", stdin="new")
    found = read("lineage", "b/1")
    assert [node["external_id"] for node in found["nodes"]] == ["1", "1#2"]
    assert found["edges"] == [{"parent": found["nodes"][0]["uid"], "child": found["nodes"][1]["uid"]}]
    assert run("lineage", "b/1", "--dot").stdout.startswith("digraph lineage {")
    assert run("lineage", found["nodes"][0]["uid"]).stdout.count("\n") == 2


def test_a_parent_that_the_store_does_not_hold_is_named(project: Project, read: Read) -> None:
    with project.store() as store:
        ingest(store, [make_sample(60, parents=("ab" * 32,))], batch="p", signature="p")
    assert read("lineage", "p/0")["nodes"][0] == {"uid": "ab" * 32, "held": False}


def test_search_finds_words_and_phrases(project: Project, read: Read, run: Run) -> None:
    assert [hit["external_id"] for hit in read("search", "question", "3")] == ["3"]
    assert read("search", '"answer 4"')[0]["external_id"] == "4"
    assert len(read("search", "question", "--limit", "2")) == 2
    assert "No sample" in run("search", "unheard-of").stdout


def test_only_leads_add_users(project: Project, run: Run, read: Read) -> None:
    run("user", "add", "annotator-2", "--role", "annotator")
    assert "only leads add users" in run("user", "add", "x", "--role", "lead", user="annotator-2", status=1).stderr
    run("user", "add", "annotator-2", "--role", "lead")
    assert {user["name"]: user["role"] for user in read("user", "list")}["annotator-2"] == "lead"


def test_a_backup_is_a_private_copy_that_overwrites_nothing(project: Project, run: Run, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    run("backup", str(target))
    assert target.stat().st_mode & 0o777 == 0o600
    assert "never overwritten" in run("backup", str(target), status=1).stderr
    copied = Project.init(tmp_path / "copied", shared=False, user="lead-1")
    target.replace(copied.store_path)
    assert json.loads(run("check", "--json", "--project", str(copied.root)).stdout) == {"ok": True, "problems": []}


def test_a_group_takes_project_and_user_before_its_command(project: Project, run: Run, tmp_path: Path) -> None:
    shown = subprocess.run(
        [*HOLDFAST, "user", "--project", str(project.root), "--reviewer", "lead-1", "list"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "lead-1" in shown.stdout


@pytest.mark.parametrize(
    "settings",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_no_locale_stops_a_command(project: Project, run: Run, settings: dict[str, str]) -> None:
    record = {"id": "日/1", "prompt": "日本 \u2028", "response": "żółć"}
    source = project.root / "in.jsonl"
    source.write_text(json.dumps(record))
    run("ingest", str(source), "--batch", "h", "--provenance", "human", "--map", "external_id=id")
    for arguments in (("show", "h/日/1"), ("search", "日本"), ("lineage", "h/日/1"), ("queue", "--all")):
        done = subprocess.run(
            [*HOLDFAST, *arguments], cwd=project.root, env={**os.environ, **settings}, capture_output=True
        )
        assert (done.returncode, done.stderr) == (0, b"")


def test_a_reference_that_is_no_text_is_wrong_usage(project: Project) -> None:
    done = subprocess.run([*HOLDFAST, b"show", b"b/\xff"], cwd=project.root, capture_output=True)
    assert done.returncode == 2
    assert b"not UTF-8" in done.stderr


def test_a_snippet_shows_all_of_the_text_around_a_word(project: Project) -> None:
    with project.store() as store:
        messages = (Message(role="user", content="a"), Message(role="assistant", content="needle\x85\u2028end"))
        ingest(store, [make_sample(0, messages=messages)], batch="h", signature="h")
    written = on_terminal(project, "search", "needle").decode()
    assert "⟨U+0085⟩⟨U+2028⟩end" in written
