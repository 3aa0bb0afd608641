"""Handing out the approved samples."""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
import rfc8785
from click.testing import Result

from holdfast.db.merkle import merkle_root
from holdfast.reviewer.project import Project

Run = Callable[..., Result]
Read = Callable[..., Any]

EDITED = "a better answer\u2028\x00\n"


@pytest.fixture
def decided(project: Project, run: Run) -> Project:
    """A project whose samples 0 and 1 are accepted, 2 edited, 3 rejected."""
    for number, verdict in ((0, "accept"), (1, "accept"), (3, "reject")):
        run("decide", f"b/{number}", verdict)
    run("decide", "--from", "-", stdin=json.dumps({"ref": "b/2", "verdict": "edit", "response": EDITED}))
    return project


def exported(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def manifest_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.with_name(f"{path.name}.manifest.json").read_bytes())
    return found


def test_exactly_the_approved_texts_are_written_to_the_letter(decided: Project, run: Run, read: Read) -> None:
    out = decided.root / "out.jsonl"
    run("export", str(out), "--approved", "--format", "jsonl")
    rows = {row["external_id"]: row for row in exported(out)}
    assert {name: row["response"] for name, row in rows.items()} == {
        "0": "answer 0",
        "1": "answer 1",
        "2#2": EDITED,
    }
    assert rows["2#2"]["decision"]["verdict"] == "edit"
    assert rows["1"]["decision"]["reviewer"] == "lead-1"
    for name, row in rows.items():
        shown = read("show", f"b/{name}")
        assert row == {key: shown[key] for key in row}


def test_the_manifest_says_what_was_written(decided: Project, run: Run) -> None:
    out = decided.root / "out.jsonl"
    printed = json.loads(run("export", str(out), "--approved", "--json").stdout)
    manifest = manifest_of(out)
    assert printed == manifest
    assert out.with_name("out.jsonl.manifest.json").read_bytes() == rfc8785.dumps(manifest) + b"\n"
    assert manifest["mix"] is None
    assert manifest["counts"] == {"human": 1, "human-edited": 1, "synthetic": 1, "unknown": 0}
    assert (manifest["ratio"], manifest["over_cap"]) == (2, True)
    uids = sorted(row["uid"] for row in exported(out))
    assert manifest["root"] == merkle_root(bytes.fromhex(uid) for uid in uids)
    assert manifest["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert manifest["bytes"] == out.stat().st_size
    assert set(manifest["log_head"]) == {"size", "root"}


def test_over_the_cap_a_hand_over_is_written_with_a_warning(decided: Project, run: Run) -> None:
    result = run("export", str(decided.root / "out.jsonl"), "--approved")
    assert "over the cap of 1.0" in result.stderr
    (decided.root / "holdfast.toml").write_text('[quota]\nmax_ratio = "2.5"\n', encoding="utf-8")
    result = run("export", str(decided.root / "more.jsonl"), "--approved")
    assert result.stderr == ""


def test_nothing_is_overwritten_without_force(decided: Project, run: Run) -> None:
    out = decided.root / "out.jsonl"
    out.write_text("mine", encoding="utf-8")
    assert "--force" in run("export", str(out), "--approved", status=1).stderr
    assert out.read_text(encoding="utf-8") == "mine"
    run("export", str(out), "--approved", "--force")
    assert len(exported(out)) == 3
    out.unlink()
    assert "manifest.json: exists already" in run("export", str(out), "--approved", status=1).stderr


def test_a_full_disk_leaves_nothing_behind(decided: Project, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = sorted(decided.root.iterdir())
    monkeypatch.setattr("os.fsync", full)
    message = run("export", str(decided.root / "out.jsonl"), "--approved", status=1).stderr
    assert "No space left on device" in message
    assert "out.jsonl" in message
    monkeypatch.undo()
    monkeypatch.chdir(decided.root)
    assert sorted(path for path in decided.root.iterdir() if path.suffix != ".db-shm") == before
    assert run("check").exit_code == 0


def test_the_samples_never_stand_without_their_manifest(
    decided: Project, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies between the two renames."""
    out = decided.root / "out.jsonl"
    rename, named = Path.replace, list[str]()

    def die_at_the_second(self: Path, target: Path) -> Path:
        if named:
            raise KeyboardInterrupt
        named.append(target.name)
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", die_at_the_second)
    run("export", str(out), "--approved", "--format", "jsonl", status=130)
    assert (named, out.exists()) == ([f"{out.name}.manifest.json"], False)


def test_an_undone_decision_is_no_longer_exported(decided: Project, run: Run) -> None:
    run("undo")
    out = decided.root / "out.jsonl"
    run("export", str(out), "--approved")
    assert [row["external_id"] for row in exported(out)] == ["0", "1"]
    run("redo")
    run("export", str(out), "--approved", "--force")
    assert [row["external_id"] for row in exported(out)] == ["0", "1", "2#2"]


def test_an_empty_hand_over_is_a_file_too(project: Project, run: Run) -> None:
    run("export", str(project.root / "none.jsonl"), "--approved")
    assert (project.root / "none.jsonl").read_bytes() == b""
    assert manifest_of(project.root / "none.jsonl")["ratio"] == 0


def test_say_what_to_export(project: Project, run: Run) -> None:
    assert "--approved" in run("export", "x.jsonl", status=2).stderr
    run("export", "x", "--approved", "--format", "xml", status=2)


def test_a_cut_log_is_found_by_an_earlier_manifest(decided: Project, run: Run, read: Read) -> None:
    run("export", str(decided.root / "out.jsonl"), "--approved")
    assert read("check") == {"ok": True, "problems": []}
    manifest = decided.root / "out.jsonl.manifest.json"
    altered = json.loads(manifest.read_bytes())
    altered["log_head"]["root"] = "0" * 64
    manifest.write_bytes(rfc8785.dumps(altered))
    problem = read("check", status=1)["problems"][0]
    assert "out.jsonl.manifest.json" in problem["detail"]
