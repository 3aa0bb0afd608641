"""Votes at the desk and in documents: leads see them, annotators after an answer of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from filling import ingest, make_sample

from holdfast.db.filters import HIDDEN_CODE
from holdfast.db.models import Choice, Severity, Status, Vote
from holdfast.db.store import Store
from holdfast.db.votes import record_votes
from holdfast.reviewer.cli import main
from holdfast.reviewer.pipeline.desk import Answer, ClaimedItem
from holdfast.reviewer.pipeline.review import ReviewDesk
from holdfast.reviewer.pipeline.shown_votes import HIDDEN_MESSAGE, HIDDEN_TERM, verdict_of
from holdfast.reviewer.pipeline.verify import verify
from holdfast.reviewer.project import Project

VOTES = (
    Vote("kelp-1", family="kelp", label="B", score=3, max=10, reason="the other is better founded"),
    Vote("wrack-1", label="B", score=5, max=10),
    Vote("model-a-judge", family="family-a", label="A"),
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Sample 0 says A where two of its judges say B; sample 1 has no votes."""
    project = Project.init(tmp_path / "project", shared=False, user="lead-1")
    with project.store() as store:
        ingest(store, [make_sample(number, label="A", family="family-a") for number in range(2)])
        record_votes(store, [(1, vote) for vote in VOTES], actor="lead-1")
        verify(project, store, actor="lead-1", verifiers=["label_votes"])
    return project


@pytest.fixture
def store(project: Project) -> Iterator[Store]:
    with project.store() as store:
        yield store


def claimed(project: Project, reviewer: str) -> tuple[ReviewDesk, ClaimedItem]:
    desk = ReviewDesk.open(project, reviewer=reviewer)
    code = "label-disputed" if reviewer == "lead-1" else HIDDEN_CODE
    item = desk.claim(where=f"label_votes:{code}")
    assert item is not None
    return desk, item


def test_a_lead_sees_the_votes(project: Project) -> None:
    desk, item = claimed(project, "lead-1")
    desk.close()
    votes = item.votes
    assert votes is not None
    assert (votes.hidden, votes.count) == (False, 3)
    assert votes.tally == "2 B · 1 A · mean 4 of 10 (3 to 5)"
    assert votes.entropy == pytest.approx(0.918296, abs=1e-6)
    assert [(row.judge, row.verdict) for row in votes.rows] == [
        ("kelp-1", "B, 3/10"),
        ("wrack-1", "B, 5/10"),
        ("model-a-judge (of its own family)", "A"),
    ]
    (finding,) = item.findings
    assert finding.message == "both models say B; the sample says A (one of its own family not counted)"


def test_an_annotator_sees_that_there_are_votes_and_no_more(project: Project) -> None:
    desk, item = claimed(project, "annotator-1")
    assert item.votes is not None
    assert (item.votes.hidden, item.votes.rows, item.votes.count, item.votes.tally) == (True, (), 0, "")
    (finding,) = item.findings
    assert (finding.code, finding.message, finding.severity) == (HIDDEN_CODE, HIDDEN_MESSAGE, Severity.WARN)
    assert HIDDEN_TERM in [term.name for term in item.why]
    assert not any("label" in term.name for term in item.why)
    desk.decide(item, Answer(Choice.ACCEPT))
    again = desk.claim(uid=item.uid)
    assert again is not None
    assert again.votes is not None
    assert len(again.votes.rows) == 3
    assert again.findings[0].code == "label-disputed"
    desk.close()


def test_a_screen_shows_the_beginning_of_what_is_too_long_for_it(project: Project, store: Store) -> None:
    record_votes(store, [(1, Vote("j" * 10**6, label="\n".join("x" * 10**6), reason="r" * 10**6))], actor="lead-1")
    desk, item = claimed(project, "lead-1")
    desk.close()
    assert item.votes is not None
    row = item.votes.rows[-1]
    assert max(len(row.judge), len(row.verdict), len(item.votes.tally)) < 300
    assert len(row.reason) == 4000


def test_a_sample_without_votes_has_none_to_hide(project: Project, store: Store) -> None:
    desk = ReviewDesk.open(project, reviewer="annotator-1")
    uid = store.read().execute("SELECT uid FROM samples WHERE id = 2").fetchone()[0]
    item = desk.claim(uid=uid)
    desk.close()
    assert item is not None
    assert item.votes is None


def read(project: Project, *arguments: str, user: str) -> str:
    command = [*arguments, "--project", str(project.root), "--user", user]
    return CliRunner().invoke(main, command, catch_exceptions=False).stdout


def test_documents_hide_what_rests_on_votes(project: Project) -> None:
    for user, code, listed in (("lead-1", "label-disputed", True), ("annotator-1", HIDDEN_CODE, False)):
        (item,) = json.loads(read(project, "queue", "--json", "--filter", f"label_votes:{code}", user=user))
        assert [finding["code"] for finding in item["findings"]] == [code]
        assert ("label-disputed" in item["reasons"]) == listed
        assert sum(term["value"] for term in item["why"]) == pytest.approx(item["priority"])
        shown = json.loads(read(project, "show", "b/0", "--json", user=user))
        assert [finding["code"] for finding in shown["findings"]] == [code]
        assert (shown["votes"] == "hidden") != listed


def test_a_filter_finds_what_rests_on_votes_by_no_more_than_is_shown(project: Project) -> None:
    for filter in ("label_votes:label-disputed", "code:label-*", "verifier:label_votes code:label-disputed"):
        assert len(json.loads(read(project, "queue", "--json", "--filter", filter, user="lead-1"))) == 1
        assert json.loads(read(project, "queue", "--json", "--filter", filter, user="annotator-1")) == []
        assert json.loads(read(project, "queue", "--json", "--all", "--filter", filter, user="annotator-1")) == []
        assert json.loads(read(project, "next", "--json", "--filter", filter, user="annotator-1")) is None
    for filter in (f"code:{HIDDEN_CODE}", "verifier:label_votes", "severity:warn"):
        assert len(json.loads(read(project, "queue", "--json", "--filter", filter, user="annotator-1"))) == 1


def test_verdicts_that_rest_on_votes_are_hidden_until_an_own_decision(project: Project) -> None:
    def lines(user: str) -> dict[str, tuple[str, float | None, list[str]]]:
        printed = read(project, "verdicts", "--batch", "b", "--verifier", "label_votes", "--jsonl", user=user)
        found = map(json.loads, printed.splitlines())
        return {
            one["external_id"]: (one["outcome"], one["score"], [each["code"] for each in one["findings"]])
            for one in found
        }

    assert lines("lead-1") == {"0": ("flag", 1.0, ["label-disputed"]), "1": ("abstain", None, [])}
    assert lines("annotator-1") == {"0": (HIDDEN_CODE, None, []), "1": (HIDDEN_CODE, None, [])}
    assert "label-disputed" not in read(project, "verdicts", user="annotator-1")
    read(project, "decide", "b/0", "accept", user="annotator-1")
    assert lines("annotator-1") == {"0": ("flag", 1.0, ["label-disputed"]), "1": (HIDDEN_CODE, None, [])}


def test_what_a_file_of_the_project_says_of_votes_is_hidden_too(project: Project, store: Store) -> None:
    checks = project.root / "checks.py"
    checks.write_text(
        "from holdfast.verifiers import Context, Sample, Verdict, verifier\n\n\n"
        '@verifier(layer="agreement", version="1", votes=True)\n'
        "def ours(sample: Sample, ctx: Context) -> Verdict:\n"
        '    return Verdict.flag("three-votes", f"{len(ctx.votes(sample))} votes")\n'
    )
    verify(project, store, actor="lead-1", verifiers=[f"{checks}:ours"])
    assert "three-votes" in read(project, "queue", "--json", user="lead-1")
    for command in (("queue", "--json"), ("show", "b/0", "--json"), ("verdicts", "--jsonl")):
        assert "three-votes" not in read(project, *command, user="annotator-1")


def test_show_prints_the_votes(project: Project) -> None:
    text = read(project, "show", "b/0", user="lead-1")
    assert "vote  kelp-1 B, 3/10: the other is better founded" in text
    assert "kelp-1" not in read(project, "show", "b/0", user="annotator-1")


def test_votes_on_a_verified_sample_have_its_vote_checks_run_again(project: Project, store: Store) -> None:
    assert verify(project, store, actor="lead-1").verified == 2
    assert verify(project, store, actor="lead-1").verified == 0
    record_votes(store, [(2, Vote("kelp-1", label="B")), (2, Vote("wrack-1", label="B"))], actor="lead-1")
    report = verify(project, store, actor="lead-1")
    assert (report.verified, report.rejudged) == (0, 1)
    statuses = [row[0] for row in store.read().execute("SELECT status FROM states ORDER BY sample_id")]
    assert statuses == [Status.FLAGGED, Status.FLAGGED]


@pytest.mark.parametrize(
    ("vote", "words"),
    [
        (Vote("j", winner="A", order="A"), "prefers this one"),
        (Vote("j", winner="A", order="B"), "prefers the other one"),
        (Vote("j", winner="tie", order="B"), "a tie"),
        (Vote("j", winner="B"), "B wins"),
        (Vote("j", criterion="style", score=0.5, max=1, confidence=0.9), "style: 0.5/1 (confidence 0.9)"),
        (Vote("j", reason="?"), "its reply could not be read"),
    ],
)
def test_votes_in_words(vote: Vote, words: str) -> None:
    assert verdict_of(vote) == words
