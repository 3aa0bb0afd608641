"""Deciding, undoing and redoing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from filling import decide, flagged_store, ingest, judge, make_sample, revise

from holdfast.db import decisions, events, exports, queue, samples, users
from holdfast.db.check import check
from holdfast.db.errors import Refused
from holdfast.db.models import Choice, Outcome, Role, Status
from holdfast.db.store import Store


def status(store: Store, sample_id: int) -> Status:
    return samples.load(store, sample_id).status


@pytest.fixture
def flagged(store: Store) -> Store:
    users.add_user(store, name="lead-1", role=Role.LEAD, actor="lead-1")
    return flagged_store(store)


@pytest.fixture(autouse=True)
def sound(store: Store) -> Iterator[None]:
    """Whatever a test did, projections agree with the log."""
    yield
    assert list(check(store)) == []


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("accept", Status.APPROVED),
        ("reject", Status.REJECTED),
        ("skip", Status.FLAGGED),
        ("escalate", Status.ESCALATED),
    ],
)
def test_each_choice_gives_its_status_and_undo_takes_it_back(flagged: Store, choice: str, expected: Status) -> None:
    receipt = decide(flagged, 1, choice)
    assert receipt.status is expected
    assert status(flagged, 1) is expected
    (undone,) = decisions.undo(flagged, reviewer="annotator-1")
    assert (undone.seq, undone.choice) == (receipt.seq, choice)
    assert status(flagged, 1) is Status.FLAGGED
    (redone,) = decisions.redo(flagged, reviewer="annotator-1")
    assert redone.seq == receipt.seq
    assert status(flagged, 1) is expected
    assert decisions.redo(flagged, reviewer="annotator-1") == []


def test_an_edit_supersedes_the_original_and_approves_the_revision(flagged: Store) -> None:
    receipt = decide(flagged, 1, "edit", revision=revise(flagged, 1, "better"))
    assert status(flagged, 1) is Status.SUPERSEDED
    revision = samples.load(flagged, samples.resolve(flagged, "b/0"))
    assert revision.uid == receipt.revision_uid
    assert (revision.external_id, revision.status, revision.edit_share) == ("0#2", Status.APPROVED, 0.25)
    assert revision.sample.parents == (samples.load(flagged, 1).uid,)
    assert samples.children_of(flagged, samples.load(flagged, 1).uid) == [revision.id]
    decisions.undo(flagged, reviewer="annotator-1")
    assert (status(flagged, 1), status(flagged, revision.id)) == (Status.FLAGGED, Status.SUPERSEDED)
    assert samples.resolve(flagged, "b/0") == 1
    again = decide(flagged, 1, "edit", revision=revise(flagged, 1, "better"))
    assert again.revision_uid == receipt.revision_uid
    assert status(flagged, revision.id) is Status.APPROVED


def test_a_second_decision_is_refused_unless_it_is_a_second_opinion(flagged: Store) -> None:
    decide(flagged, 1, "accept")
    plain = decisions.Submission(1, "annotator-2", Choice.REJECT)
    with pytest.raises(Refused, match="second-opinion"):
        decisions.decide(flagged, plain)
    opinion = decisions.Submission(1, "annotator-2", Choice.REJECT, second_opinion=True)
    receipt = decisions.decide(flagged, opinion)
    assert (receipt.second_opinion, receipt.status) == (True, Status.ESCALATED)
    assert decide(flagged, 1, "reject", reviewer="lead-1").status is Status.REJECTED
    assert [decision.kind for decision in decisions.decisions_of(flagged, 1)] == ["first", "second", "adjudication"]


def test_agreeing_second_opinions_leave_the_decision_as_it_is(flagged: Store) -> None:
    decide(flagged, 1, "accept")
    opinion = decisions.Submission(1, "annotator-2", Choice.ACCEPT, second_opinion=True)
    assert decisions.decide(flagged, opinion).status is Status.APPROVED


def test_another_reviewers_item_is_refused(flagged: Store) -> None:
    queue.claim_sample(flagged, 1, reviewer="annotator-1")
    with pytest.raises(Refused, match="annotator-1 holds"):
        decisions.decide(flagged, decisions.Submission(1, "annotator-2", Choice.ACCEPT))


def test_a_late_decision_is_kept_as_a_second_opinion(flagged: Store, clock: Any) -> None:
    claim = queue.claim(flagged, reviewer="annotator-1", lease_seconds=60)
    assert claim is not None
    clock.step(61)
    late = decisions.Submission(claim.sample_id, "annotator-1", Choice.ACCEPT, token=claim.token)
    receipt = decisions.decide(flagged, late)
    assert (receipt.late, receipt.second_opinion, receipt.status) == (True, True, Status.FLAGGED)
    other = queue.claim(flagged, reviewer="annotator-2")
    assert other is not None
    assert other.sample_id == claim.sample_id
    assert decide(flagged, claim.sample_id, "reject", reviewer="annotator-2").status is Status.ESCALATED


def test_only_leads_get_escalated_items(flagged: Store) -> None:
    decide(flagged, 2, "escalate")
    given = [queue.claim(flagged, reviewer="annotator-2") for _ in range(5)]
    assert [claim.sample_id for claim in given if claim is not None] == [1, 3, 4, 5]
    lead = queue.claim(flagged, reviewer="lead-1", lead=True)
    assert lead is not None
    assert lead.sample_id == 2


def test_undo_goes_back_any_number_of_steps_and_only_through_own_decisions(flagged: Store) -> None:
    for sample_id in (1, 2, 3):
        decide(flagged, sample_id, "accept")
    decide(flagged, 4, "reject", reviewer="annotator-2")
    assert [undone.sample_id for undone in decisions.undo(flagged, reviewer="annotator-1", steps=9)] == [3, 2, 1]
    assert status(flagged, 4) is Status.REJECTED
    assert [redone.sample_id for redone in decisions.redo(flagged, reviewer="annotator-1", steps=2)] == [1, 2]
    decide(flagged, 5, "accept")
    assert decisions.redo(flagged, reviewer="annotator-1") == []


def test_a_second_opinion_against_anothers_edit_escalates_it(flagged: Store) -> None:
    receipt = decide(flagged, 1, "edit", revision=revise(flagged, 1, "better"))
    revision_id = samples.resolve(flagged, receipt.revision_uid or "")
    for reviewer, choice, expected in (
        ("annotator-2", Choice.ACCEPT, Status.APPROVED),
        ("annotator-3", Choice.REJECT, Status.ESCALATED),
    ):
        opinion = decisions.Submission(revision_id, reviewer, choice, second_opinion=True)
        given = decisions.decide(flagged, opinion)
        assert (given.second_opinion, given.status) == (True, expected)
    decisions.undo(flagged, reviewer="annotator-3")
    assert status(flagged, revision_id) is Status.APPROVED
    assert list(check(flagged)) == []


def test_undo_is_refused_while_a_later_decision_rests_on_the_revision(flagged: Store) -> None:
    receipt = decide(flagged, 1, "edit", revision=revise(flagged, 1, "better"))
    revision_id = samples.resolve(flagged, receipt.revision_uid or "")
    opinion = decisions.Submission(revision_id, "annotator-2", Choice.REJECT, second_opinion=True)
    decisions.decide(flagged, opinion)
    with pytest.raises(Refused, match="annotator-2 decided the edited revision"):
        decisions.undo(flagged, reviewer="annotator-1")
    decisions.undo(flagged, reviewer="annotator-2")
    assert len(decisions.undo(flagged, reviewer="annotator-1")) == 1


def test_redo_is_refused_when_somebody_decided_meanwhile(flagged: Store) -> None:
    decide(flagged, 1, "accept")
    decisions.undo(flagged, reviewer="annotator-1")
    decide(flagged, 1, "reject", reviewer="annotator-2")
    with pytest.raises(Refused, match="meanwhile"):
        decisions.redo(flagged, reviewer="annotator-1")


def test_undo_marks_exports_that_used_the_decision_stale(flagged: Store) -> None:
    decide(flagged, 1, "accept")
    exports.record_export(
        flagged, actor="lead-1", path="out.jsonl", head=events.head(flagged), root="", counts={}, format="jsonl"
    )
    decide(flagged, 2, "accept")
    decisions.undo(flagged, reviewer="annotator-1")
    assert [export.stale for export in exports.exports(flagged)] == [False]
    decisions.undo(flagged, reviewer="annotator-1")
    assert [export.stale for export in exports.exports(flagged)] == [True]


def test_statuses_that_verdicts_give(store: Store) -> None:
    ingest(store, [make_sample(n, provenance=kind) for n, kind in enumerate(["synthetic", "synthetic", "human"])])
    judge(store, {1: Outcome.FAIL, 2: Outcome.FAIL, 3: Outcome.FAIL}, audit=[2])
    assert [status(store, n) for n in (1, 2, 3)] == [Status.REJECTED, Status.FLAGGED, Status.FLAGGED]
    assert [row.sample_id for row in queue.listing(store)] == [2, 3]


def test_a_person_can_overrule_an_automatic_reject(store: Store) -> None:
    ingest(store, [make_sample(1)])
    judge(store, {1: Outcome.FAIL})
    assert decide(store, 1, "accept").status is Status.APPROVED
    decisions.undo(store, reviewer="annotator-1")
    assert status(store, 1) is Status.REJECTED
    assert queue.waiting(store) == 0


def test_passed_audit_items_wait_and_other_passed_ones_do_not(store: Store) -> None:
    ingest(store, [make_sample(1), make_sample(2)])
    judge(store, {1: Outcome.PASS, 2: Outcome.PASS}, audit=[2])
    assert [row.sample_id for row in queue.listing(store)] == [2]
    decide(store, 2, "accept")
    assert queue.waiting(store) == 0


def test_new_verdicts_never_overrule_a_person(flagged: Store) -> None:
    decide(flagged, 1, "accept")
    judge(flagged, {1: Outcome.FAIL, 2: Outcome.PASS})
    assert (status(flagged, 1), status(flagged, 2)) == (Status.APPROVED, Status.PASSED)
    assert [row.sample_id for row in queue.listing(flagged)] == [3, 4, 5]


def test_a_skipped_item_stays_away_from_its_reviewer_for_an_hour(flagged: Store, clock: Any) -> None:
    decide(flagged, 1, "skip")
    mine, other = queue.claim(flagged, reviewer="annotator-1"), queue.claim(flagged, reviewer="annotator-2")
    assert mine is not None
    assert other is not None
    assert (mine.sample_id, other.sample_id) == (2, 1)
    queue.release(flagged, [mine.token, other.token])
    clock.step(3601)
    again = queue.claim(flagged, reviewer="annotator-1")
    assert again is not None
    assert again.sample_id == 1


def test_a_second_opinion_that_disagrees_with_an_edit_makes_its_revision_a_case_for_leads(flagged: Store) -> None:
    receipt = decide(flagged, 1, "edit", revision=revise(flagged, 1, "better"))
    revision_id = samples.resolve(flagged, receipt.revision_uid or "")
    for choice, expected in ((Choice.ACCEPT, Status.APPROVED), (Choice.REJECT, Status.ESCALATED)):
        opinion = decisions.Submission(revision_id, "annotator-2", choice, second_opinion=True)
        made = decisions.decide(flagged, opinion)
        assert (made.second_opinion, made.status) == (True, expected)
    with pytest.raises(Refused, match="a lead decides it"):
        decisions.decide(flagged, decisions.Submission(revision_id, "annotator-2", Choice.ACCEPT))
    assert decide(flagged, revision_id, "accept", reviewer="lead-1").status is Status.APPROVED
    assert list(check(flagged)) == []


def test_what_another_holds_is_not_decided_in_the_name_of_a_second_opinion(flagged: Store) -> None:
    queue.claim_sample(flagged, 1, reviewer="annotator-1")
    with pytest.raises(Refused, match="annotator-1 holds"):
        decisions.decide(flagged, decisions.Submission(1, "annotator-2", Choice.ACCEPT, second_opinion=True))


def test_a_lease_that_ended_holds_nobody_up(flagged: Store, clock: Any) -> None:
    decide(flagged, 1, "accept")
    queue.claim_sample(flagged, 1, reviewer="annotator-2", lease_seconds=60)
    with pytest.raises(Refused, match="annotator-2 holds"):
        decisions.undo(flagged, reviewer="annotator-1")
    clock.step(61)
    assert len(decisions.undo(flagged, reviewer="annotator-1")) == 1
    assert len(decisions.redo(flagged, reviewer="annotator-1")) == 1


@pytest.mark.parametrize("outcome", [Outcome.PASS, Outcome.FAIL, Outcome.FLAG])
@pytest.mark.parametrize("due", [True, False])
def test_new_verdicts_leave_a_claim_to_its_holder(store: Store, outcome: Outcome, due: bool) -> None:
    flagged_store(store, 2) if due else ingest(store, [make_sample(0), make_sample(1)])
    claim = queue.claim_sample(store, 1, reviewer="annotator-1")
    judge(store, {1: outcome})
    assert list(check(store)) == []
    submission = decisions.Submission(1, "annotator-1", Choice.REJECT, token=claim.token)
    receipt = decisions.decide(store, submission)
    assert (receipt.late, receipt.status) == (False, Status.REJECTED)
    assert list(check(store)) == []


@pytest.mark.parametrize("verified", [True, False])
def test_an_edit_that_makes_a_text_which_was_ingested_too(store: Store, verified: bool) -> None:
    flagged_store(store, 1)
    revision = revise(store, 1, "better")
    ingest(store, [revision.sample], batch="c")
    twin = samples.resolve(store, "c/0")
    if verified:
        judge(store, {twin: Outcome.FLAG}, audit=[twin])
    decide(store, 1, "edit", revision=revision)
    assert status(store, twin) is Status.APPROVED
    assert list(check(store)) == []
    decisions.undo(store, reviewer="annotator-1")
    assert status(store, twin) is Status.PASSED  # as the verdict on the edit has it: nobody has decided it
    assert list(check(store)) == []


def test_an_export_is_stale_only_if_it_saw_the_decision(flagged: Store) -> None:
    head = events.head(flagged)
    decide(flagged, 1, "accept")
    exports.record_export(flagged, actor="lead-1", path="out", head=head, root="", counts={}, format="jsonl")
    decisions.undo(flagged, reviewer="annotator-1")
    assert [export.stale for export in exports.exports(flagged)] == [False]
