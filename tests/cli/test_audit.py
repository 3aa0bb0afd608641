"""`holdfast audit`: as text, as JSON and as a page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import Result
from filling import decide, ingest, judge, make_sample

from holdfast.db.models import Outcome
from holdfast.db.orderings import save_ordering
from holdfast.reviewer.project import Project

Run = Callable[..., Result]
Read = Callable[..., Any]

HOSTILE = 'x</td><script>alert(1)</script>&"\x1b[31m\u202eevil'


@pytest.fixture
def decided(project: Project) -> Project:
    """The audited sample, one flagged one and one more are decided."""
    with project.store() as store:
        decide(store, 7, "accept")
        decide(store, 2, "reject")
        decide(store, 8, "accept", reviewer="lead-1")
    return project


def test_the_document(decided: Project, read: Read) -> None:
    found = read("audit")
    assert set(found["overall"]) >= {"n", "reviewed", "strict_rate", "low", "high", "usable_rate"}
    assert (found["overall"]["n"], found["overall"]["reviewed"], found["overall"]["audited"]) == (10, 3, 1)
    assert all(set(row) == {"key", *found["overall"]} for row in found["rows"])
    (verifier,) = found["verifiers"]
    assert set(verifier) >= {"verifier", "flagged", "precision", "precision_low", "precision_high", "recall"}
    assert set(found["agreement"]) >= {"alpha", "ac1", "kappa", "items"}
    assert found["audit_stream"]["drawn"] == 1
    assert found["auto_approve"]["holds"] is False
    assert found["gold"] == []


@pytest.mark.parametrize("by", ["model", "generation", "batch", "domain", "verifier", "reviewer", "source", "week"])
def test_every_way_to_break_it_down(decided: Project, run: Run, read: Read, by: str) -> None:
    found = read("audit", "--by", by)
    assert found["by"] == by
    assert found["rows"]
    lines = run("audit", "--by", by).stdout.splitlines()
    assert any(line.startswith(f"By {by} ") for line in lines)
    assert max(len(line) for line in lines) <= 80


def test_no_other_way(decided: Project, run: Run) -> None:
    assert "--by" in run("audit", "--by", "mood", status=2).output


def test_before_there_is_anything_to_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, read: Read) -> None:
    project = Project.init(tmp_path / "empty", shared=False, user="lead-1")
    monkeypatch.chdir(project.root)
    assert "holdfast ingest" in run("audit").stdout
    with project.store() as store:
        ingest(store, [make_sample(1)])
        judge(store, {1: Outcome.FLAG})
    text = run("audit").stdout
    assert "Nothing has been decided yet" in text
    assert "%" not in text
    assert read("audit")["overall"]["strict_rate"] is None
    run("audit", "--html", "empty.html")
    assert "Nothing has been decided yet" in (project.root / "empty.html").read_text()


def test_too_few_audited_decisions_are_no_estimate(decided: Project, run: Run) -> None:
    text = run("audit").stdout
    assert "Drawn at random: 1 of the decided ones" in text
    assert "Too few of them for an estimate" in text


def test_annotators_learn_nothing_of_the_draw(decided: Project, run: Run) -> None:
    text = run("audit", user="annotator-1").stdout
    assert "Drawn at random" not in text
    assert "drawn" not in text
    assert "As of " in text


def test_how_the_learned_order_did_stands_beside_the_rule(decided: Project, run: Run, read: Read) -> None:
    scores = {"brier": 0.061, "log_loss": 0.21, "auc": 0.91}
    held_out = {
        "n": 20, **scores, **{f"rule_{name}": value + 0.02 for name, value in scores.items()},
        "reliability": [{"p": 0.1, "rate": 0.05, "n": 10}, {"p": 0.7, "rate": 0.8, "n": 10}],
    }  # fmt: skip
    report = {"decisions": 100, "bad": 20, "learned": True, "blend": 0.5, "trained_on": 100, "held_out": held_out}
    with decided.store() as store:
        save_ordering(store, log_size=1, report=orjson.dumps(report), state=b"{}", actor="lead-1")
    assert read("audit")["ordering"]["held_out"] == held_out
    text = run("audit").stdout
    assert "learned from 100 decisions" in text
    assert re.search(r"this order +0\.061 +0\.210 +0\.91\n +the rule +0\.081 +0\.230 +0\.93", text)
    assert re.search(r"said bad, in % +10 +70\n +were bad +5 +80", text)
    assert max(len(line) for line in text.splitlines()) <= 80
    run("audit", "--html", "audit.html")
    assert "learned from 100 decisions" in (decided.root / "audit.html").read_text()
    assert "ordering" not in read("audit", user="annotator-1")


class Page(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        """Gather the text."""
        self.text += data


def test_hostile_names_are_text(decided: Project, run: Run) -> None:
    with decided.store() as store:
        ingest(store, [make_sample(100, model=HOSTILE, domain="two\nlines")], batch="hostile", signature="t")
        judge(store, {11: Outcome.PASS}, audit=[11])
        decide(store, 11, "accept")
    for by in ("model", "domain", "source"):
        text = run("audit", "--by", by).stdout
        assert not set(text) & {"\x1b", "\u202e"}
        run("audit", "--by", by, "--html", f"{by}.html")
        written = (decided.root / f"{by}.html").read_text(encoding="utf-8")
        assert not set(written) & {"\x1b", "\u202e"}
        page = Page(written)
        assert not page.tags & {"script", "link", "img", "iframe", "a"}
        assert not any(name.startswith("on") or name in ("src", "href") for name in page.attributes)
    assert "<script>alert(1)</script>" in Page((decided.root / "model.html").read_text(encoding="utf-8")).text
    assert re.search(r"^two␊lines ", run("audit", "--by", "domain").stdout, re.MULTILINE)


def test_a_page_replaces_nothing_unless_told_to(decided: Project, run: Run) -> None:
    page = decided.root / "audit.html"
    page.write_text("mine")
    assert "--force" in run("audit", "--html", "audit.html", status=1).output
    assert page.read_text() == "mine"
    run("audit", "--html", "audit.html", "--force", "--by", "week")
    assert "Acceptance by week" in page.read_text()
    assert "prefers-color-scheme: dark" in page.read_text()
    assert list(decided.root.glob(".audit.html*")) == []
    assert "nothing was written" in run("audit", "--html", "missing/audit.html", status=1).output


def test_a_page_never_takes_the_place_of_a_pipe_or_a_device(decided: Project, run: Run) -> None:
    os.mkfifo(decided.root / "pipe")
    assert "a device or a pipe" in run("audit", "--html", "pipe", "--force", status=1).output
    assert (decided.root / "pipe").is_fifo()


def test_a_page_and_the_document_at_once(decided: Project, read: Read) -> None:
    assert read("audit", "--html", "audit.html")["by"] == "source"
    assert (decided.root / "audit.html").exists()


def test_the_command_does_without_scikit_learn(decided: Project) -> None:
    script = (
        "import sys; from holdfast.reviewer.cli import main\n"
        "main(['audit', '--user', 'lead-1'], standalone_mode=False)\n"
        "assert 'scipy' in sys.modules and 'sklearn' not in sys.modules and 'textual' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], cwd=decided.root, check=True, stdout=subprocess.DEVNULL)
