"""`verify`, `verifiers`, `verdicts` and `trust`, as a user runs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from holdfast.reviewer.project import Project

Run = Callable[..., Result]
Read = Callable[..., Any]

CHECKS = """
from holdfast.verifiers import PASS, Context, Sample, Verdict, verifier

@verifier(layer="oracle", version="1")
def no_todo(sample: Sample, ctx: Context, *, word: str = "TODO") -> Verdict:
    '''Flag responses that leave a TODO behind.'''
    at = sample.response.find(word)
    return PASS if at < 0 else Verdict.flag("todo-left", f"contains {word!r}", span=(at, at + len(word)))
"""
RESPONSES = ["4", "The answer is 4, TODO check.", "", "donâ€™t know", "4"]
SIX = ["empty_or_placeholder", "encoding_damage", "length_outlier", "near_duplicate", "repetition", "required_fields"]
PLUGIN = Path(__file__).parent.parent / "plugin_example"


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> Project:
    """A project with a batch `qa` of five synthetic samples that nothing has judged yet."""
    project = Project.init(tmp_path / "fresh", shared=False, user="lead-1")
    monkeypatch.chdir(project.root)
    rows = [
        {"prompt": "What is 2 + 2?", "response": response, "model": f"model-{number % 2}", "id": str(number)}
        for number, response in enumerate(RESPONSES)
    ]
    Path("qa.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    Path("checks.py").write_text(CHECKS)
    run("ingest", "qa.jsonl", "--batch", "qa", "--provenance", "synthetic", "--map", "external_id=id")
    return project


def configure(project: Project, text: str) -> None:
    """Write the project's settings, with no audit so that statuses speak of verdicts alone."""
    (project.root / "holdfast.toml").write_text(f"[review]\naudit_share = 0.0\n{text}")


def verdicts(run: Run, *arguments: str) -> list[dict[str, Any]]:
    """The lines of `verdicts --jsonl`."""
    return [json.loads(line) for line in run("verdicts", "--jsonl", *arguments).stdout.splitlines()]


def test_verify_reports_what_it_did(fresh: Project, read: Read) -> None:
    configure(fresh, f"[verifiers]\nenabled = {SIX}")
    report = read("verify")
    assert report.pop("seconds") >= 0
    assert sorted(report.pop("by_verifier")) == SIX
    counts = {"verified": 4, "passed": 2, "flagged": 1, "rejected": 1, "errors": 0}
    assert report == {**counts, "rederived": 0, "rejudged": 0, "left": 0}
    again = read("verify")
    assert (again["verified"], again["passed"], again["flagged"]) == (0, 0, 0)


def test_a_verifier_of_a_file_runs_when_it_is_named(fresh: Project, run: Run, read: Read) -> None:
    configure(fresh, "[verifiers.no_todo]\nword = 'check'\n[verifiers]\nfiles = ['checks.py:no_todo']")
    refused = run("verify", status=1)
    assert "holdfast trust checks.py" in refused.stderr
    report = read("verify", "--verifier", "./checks.py:no_todo")
    assert report["by_verifier"] == {"no_todo": {"pass": 3, "flag": 1, "fail": 0, "abstain": 0, "error": 0}}
    (line,) = [line for line in verdicts(run, "--verifier", "no_todo") if line["outcome"] == "flag"]
    assert line["findings"] == [
        {"code": "todo-left", "severity": "warn", "message": "contains 'check'", "span": [22, 27], "of": "response"}
    ]


def test_a_trusted_file_runs_with_the_rest_until_it_changes(fresh: Project, run: Run, read: Read) -> None:
    configure(fresh, "[verifiers]\nfiles = ['checks.py:no_todo']")
    assert "trusted" in run("trust", "checks.py").stdout
    assert "no_todo" in read("verify")["by_verifier"]
    Path("checks.py").write_text(CHECKS + "\n# changed\n")
    assert "not trusted as it is now" in run("verify", status=1).stderr
    run("trust", "nothing.py", status=2)


def test_every_installed_verifier_runs_unless_the_settings_name_others(fresh: Project, read: Read) -> None:
    configure(fresh, "")
    installed = {entry["name"] for entry in read("verifiers")}
    assert set(SIX) < installed
    report = read("verify")
    assert set(report["by_verifier"]) == installed
    assert (report["verified"], report["errors"]) == (4, 0)


def test_verdicts_lists_every_current_verdict(fresh: Project, run: Run) -> None:
    configure(fresh, f"[verifiers]\nenabled = {SIX}")
    run("verify")
    lines = verdicts(run)
    assert {tuple(sorted(line)) for line in lines} == {
        ("batch", "external_id", "findings", "layer", "outcome", "score", "uid", "verifier", "version")
    }
    empty = [line for line in lines if line["external_id"] == "2"]
    assert [(line["verifier"], line["outcome"]) for line in empty] == [("empty_or_placeholder", "fail")]
    assert len([line for line in lines if line["external_id"] == "0"]) == 6
    assert verdicts(run, "--batch", "qa") == lines
    assert verdicts(run, "--batch", "other") == []
    (damaged,) = [line for line in lines if line["verifier"] == "encoding_damage" and line["outcome"] == "flag"]
    assert damaged["findings"][0]["span"] == [3, 6]
    assert "mojibake" in run("verdicts").stdout


def test_an_audited_failure_waits_for_a_person(fresh: Project, read: Read) -> None:
    report = read("verify")
    assert (report["rejected"], report["flagged"]) == (0, 2)
    queue = read("queue")
    assert {item["stream"] for item in queue} == {"flagged", "audit"}
    for item in queue:
        assert sum(term["value"] for term in item["why"]) == pytest.approx(item["priority"])
    for item in read("queue", user="annotator-1"):
        assert not any("audit" in term["term"] for term in item["why"])


def test_verifiers_lists_them_with_their_options(fresh: Project, run: Run, read: Read) -> None:
    configure(
        fresh,
        "[verifiers]\nenabled = ['repetition']\nfiles = ['checks.py:no_todo']\n[verifiers.repetition]\nflag_at = 0.7",
    )
    run("trust", "checks.py")
    entries = {entry["name"]: entry for entry in read("verifiers")}
    layers = [entry["layer"] for entry in entries.values()]
    assert layers == sorted(layers, key=["format", "consistency", "agreement", "oracle"].index)
    assert entries["no_todo"]["layer"] == "oracle"
    assert entries["repetition"]["thresholds"] == {"flag_at": {"above": 0.7}}
    assert entries["repetition"]["enabled"]
    assert not entries["length_outlier"]["enabled"]
    assert entries["no_todo"]["options"] == {"word": "TODO"}
    assert entries["no_todo"]["summary"] == "Flag responses that leave a TODO behind."
    shown = run("verifiers").stdout
    assert "flag_at = {above = 0.7}" in shown
    assert 'word = "TODO"' in shown


def test_verifiers_says_how_often_people_agreed(fresh: Project, run: Run, read: Read) -> None:
    configure(fresh, "[verifiers]\nenabled = ['encoding_damage', 'required_fields']")
    run("verify")
    assert {entry["learned"] for entry in read("verifiers")} == {None}
    run("decide", "qa/3", "reject")
    entries = {entry["name"]: entry for entry in read("verifiers")}
    assert entries["encoding_damage"]["learned"]["decided"] == 1
    assert entries["encoding_damage"]["learned"]["precision"] == 1.0
    assert entries["required_fields"]["learned"] is None
    assert "right in 100% of 1 decisions (21% to 100%)" in run("verifiers").stdout
    run("undo")
    assert {entry["learned"] for entry in read("verifiers")} == {None}


def test_verifiers_needs_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Read) -> None:
    monkeypatch.chdir(tmp_path)
    assert {"repetition", "near_duplicate"} <= {entry["name"] for entry in read("verifiers")}


@pytest.mark.parametrize(
    ("settings", "arguments", "words"),
    [
        ("", ["--verifier", "repetitoin"], "did you mean 'repetition'?"),
        ("", ["--verifier", "checks.py:no_tood"], "did you mean 'no_todo'?"),
        ("", ["--verifier", "missing.py:x"], "missing.py"),
        ("", ["--workers", "0"], "--workers"),
        ("[verifiers.repetition]\nflga_at = 1", [], "did you mean 'flag_at'?"),
        ("[verifiers.repetition]\nflag_at = 'high'", [], "[verifiers.repetition] flag_at = 'high'"),
    ],
)
def test_wrong_usage_is_named(fresh: Project, run: Run, settings: str, arguments: list[str], words: str) -> None:
    configure(fresh, settings)
    assert words in run("verify", *arguments, status=2).stderr


def holdfast(*arguments: str, packages: Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command in a process that finds more packages."""
    environment = {**os.environ, "PYTHONPATH": str(packages)}
    command = [str(Path(sys.executable).with_name("holdfast")), *arguments, "--user", "lead-1"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == status, done.stderr
    return done


def test_a_verifier_of_another_package_runs_once_it_is_installed(fresh: Project, tmp_path: Path) -> None:
    source, packages = tmp_path / "source", tmp_path / "packages"
    shutil.copytree(PLUGIN, source)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation",
         "--disable-pip-version-check", "--target", str(packages), str(source)],
        check=True, capture_output=True,
    )  # fmt: skip
    Path("more.jsonl").write_text(json.dumps({"prompt": "Why?", "response": "Sorry, no idea."}) + "\n")
    holdfast("ingest", "more.jsonl", "--batch", "more", "--provenance", "synthetic", packages=packages)
    listed = holdfast("verifiers", packages=packages).stdout
    assert "no_apology  format  version 2  holdfast-example 1.2.0" in listed
    configure(fresh, "[verifiers.no_apology]\nwords = ['Sorry']")
    report = json.loads(holdfast("verify", "--json", packages=packages).stdout)
    assert report["verified"] == 5
    assert report["by_verifier"]["no_apology"]["flag"] == 1
    lines = holdfast("verdicts", "--jsonl", "--verifier", "no_apology", packages=packages).stdout.splitlines()
    (flagged,) = [line for line in map(json.loads, lines) if line["outcome"] == "flag"]
    assert (flagged["version"], flagged["findings"][0]["span"]) == ("2", [0, 5])


def test_a_broken_package_is_left_out_unless_it_is_asked_for(fresh: Project, tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    meta = packages / "broken_checks-0.1.dist-info"
    meta.mkdir(parents=True)
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-checks\nVersion: 0.1\n")
    (meta / "entry_points.txt").write_text("[holdfast.verifiers]\nsnapped = broken_checks:snapped\n")
    done = holdfast("verify", "--json", packages=packages)
    assert json.loads(done.stdout)["verified"] == 4
    assert "warning: verifier 'snapped' of broken-checks 0.1 cannot be loaded: ModuleNotFoundError" in done.stderr
    for settings in ("[verifiers]\nenabled = ['snapped']", "[verifiers.snapped]\nword = 'x'"):
        configure(fresh, settings)
        assert "cannot be loaded" in holdfast("verify", packages=packages, status=2).stderr
