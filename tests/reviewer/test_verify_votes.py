"""Votes that come after a sample was verified: the verifiers that read votes look again, and no other one."""

from __future__ import annotations

from pathlib import Path

import pytest
from verify_desk import CHECKS, Desk, fill

from holdfast.db.models import Vote
from holdfast.db.replay import repair
from holdfast.db.samples import each
from holdfast.db.votes import record_votes
from holdfast.reviewer import trust
from holdfast.reviewer.pipeline.verify import entry_of

VOTED = """
@verifier(layer="agreement", version="1", votes=True)
def voted(sample: Sample, ctx: Context, *, flag_at: Threshold = above(0.5)) -> Verdict:
    note(sample)
    votes = ctx.votes(sample)
    return Verdict.score(sum(vote.label == "bad" for vote in votes) / len(votes)) if votes else Verdict.abstain()
"""
BOTH = "enabled = []\nfiles = ['checks.py:counted', 'checks.py:voted']"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A project of six verified samples, with one verifier that reads votes and one that does not."""
    made = Desk(tmp_path / "project")
    made.checks.write_text(CHECKS + VOTED)
    trust.trust(made.checks)
    made.configure(BOTH)
    fill(made, range(6))
    made.verify()
    made.ran()
    return made


def vote(desk: Desk, response: str, *labels: str) -> None:
    """Store votes on the sample with this response, each of another judge."""
    with desk.project.store() as store:
        (found,) = (stored.id for stored in each(store) if stored.sample.response == response)
        votes = [(found, Vote(f"judge-{number}", label=label)) for number, label in enumerate(labels)]
        record_votes(store, votes, actor="lead-1")


def test_only_what_reads_votes_runs_again_and_only_on_what_was_voted_on(desk: Desk) -> None:
    vote(desk, "answer 2", "bad", "bad", "good")
    report = desk.verify()
    assert (report.verified, report.rejudged) == (0, 1)
    assert desk.ran() == ["answer 2"]
    status, _, verdicts = desk.outcomes()["answer 2"]
    assert (status, [name for name, *_ in verdicts]) == ("flagged", ["counted", "voted"])
    assert desk.verify().rejudged == 0
    assert desk.ran() == []
    assert desk.is_sound()


def test_a_new_limit_and_new_votes_together(desk: Desk) -> None:
    vote(desk, "answer 2", "bad", "bad", "good")
    vote(desk, "answer 3", "bad", "bad", "bad")
    desk.configure(BOTH + "\n[verifiers.voted]\nflag_at = 0.7")
    report = desk.verify()
    assert (report.verified, report.rederived, report.rejudged) == (0, 6, 2)
    outcomes = desk.outcomes()
    assert [outcomes[f"answer {number}"][0] for number in (2, 3)] == ["passed", "flagged"]
    assert desk.is_sound()


def test_a_run_of_other_verifiers_alone_leaves_the_new_votes_to_be_read(desk: Desk) -> None:
    vote(desk, "answer 2", "bad")
    desk.configure(BOTH + "\n[verifiers.counted]\nbad = 4")
    desk.verify("counted")
    assert desk.outcomes()["answer 2"][0] == "passed"
    assert desk.verify().rejudged == 1
    assert desk.outcomes()["answer 2"][0] == "flagged"


def test_samples_with_votes_are_looked_at_again_after_a_repair(desk: Desk) -> None:
    vote(desk, "answer 2", "bad")
    with desk.project.store() as store:
        repair(store, entry_of(store))
    assert desk.verify().rejudged == 1
    assert desk.is_sound()


def test_a_verifier_that_is_named_alone_reads_its_new_votes(desk: Desk) -> None:
    vote(desk, "answer 2", "bad")
    desk.ran()
    report = desk.verify(f"{desk.checks}:voted")
    assert (report.verified, report.rejudged) == (0, 1)
    assert desk.ran() == ["answer 2"]
    assert desk.outcomes()["answer 2"][0] == "flagged"
    assert desk.verify().rejudged == 0
    assert desk.is_sound()


def test_votes_that_another_verifier_reads_too_are_left_for_it(desk: Desk) -> None:
    desk.checks.write_text(CHECKS + VOTED + VOTED.replace("def voted", "def voted_too"))
    trust.trust(desk.checks)
    desk.configure(BOTH.replace("voted'", "voted', 'checks.py:voted_too'"))
    assert desk.verify().verified == 6
    vote(desk, "answer 2", "bad")
    desk.ran()
    assert desk.verify(f"{desk.checks}:voted").rejudged == 1
    assert desk.ran() == ["answer 2"]
    assert desk.verify().rejudged == 1
    assert desk.ran() == ["answer 2", "answer 2"]
    assert desk.verify().rejudged == 0


LEARNED = """
@verifier(layer="agreement", version="1", votes=True)
def learned(sample: Sample, ctx: Context) -> Verdict:
    state = ctx.state("learned")
    return Verdict.abstain() if state is None else Verdict.score(10 * state + len(ctx.votes(sample)))

@learned.fit
def _size(samples):
    return sum(1 for _ in samples)
"""


def test_what_reads_votes_goes_by_what_it_learned_whatever_else_has_changed(desk: Desk) -> None:
    files = "enabled = []\nfiles = ['checks.py:learned', 'checks.py:corpus']"
    desk.checks.write_text(CHECKS + LEARNED)
    trust.trust(desk.checks)
    desk.configure(files)
    desk.verify()
    desk.configure(files, "audit_share = 1.0")
    vote(desk, "answer 2", "bad")
    assert desk.verify().rejudged == 1
    assert desk.outcomes()["answer 2"] == (
        "passed",
        False,
        (("corpus", "pass", 6.0, ()), ("learned", "pass", 61.0, ())),
    )
    fill(desk, range(6, 8))
    desk.verify(f"{desk.checks}:corpus", batch="b6")
    vote(desk, "answer 3", "bad")
    desk.verify()
    assert [value for name, _, value, _ in desk.outcomes()["answer 3"][2] if name == "learned"] == [61.0]
