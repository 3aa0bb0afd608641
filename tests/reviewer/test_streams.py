"""What annotators are given beside the queue: who is given what, and what becomes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filling import revise
from streaming import AUDITED, DAY, GOLD, SAMPLES, Clock, all_streams, answer, claimed, config, make_gold

from holdfast.db import decisions, gold, queue, reviewed
from holdfast.db.decisions import Submission
from holdfast.db.errors import Refused
from holdfast.db.models import Choice, Role, Status, Stream
from holdfast.db.personal import Kind
from holdfast.db.samples import load, tallies
from holdfast.db.store import Store
from holdfast.db.users import add_user
from holdfast.reviewer.config import Config
from holdfast.reviewer.pipeline import queue as work
from holdfast.reviewer.pipeline.documents import show
from holdfast.reviewer.pipeline.quota import quota
from holdfast.reviewer.policy.streams import Shares, opinions_on, sequence, slot


@pytest.fixture
def now() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, now: Clock) -> Iterator[Store]:
    with all_streams(tmp_path / "holdfast.db", now) as store:
        yield store


def test_gold_is_no_data(store: Store) -> None:
    waits = {row.sample_id for row in queue.listing(store)}
    assert waits == set(range(1, 41))
    counted = Counter({tally.status: tally.samples for tally in tallies(store)})
    assert counted[Status.GOLD] == len(GOLD)
    assert quota(store, Config().quota).sources[0].available == SAMPLES - len(GOLD)


def test_gold_that_was_decided_is_gold_and_data_again_when_it_is_retired(store: Store) -> None:
    set_up = config()
    claim = claimed(store, set_up)
    answer(store, set_up, claim, "annotator-1")
    make_gold(store, claim.sample_id)
    assert load(store, claim.sample_id).status is Status.GOLD
    assert claim.sample_id not in {one.sample_id for one in reviewed.reviewed(store)}
    gold.retire_gold(store, claim.sample_id, actor="lead-1")
    assert load(store, claim.sample_id).status is Status.APPROVED
    with pytest.raises(Refused, match="no gold sample"):
        gold.retire_gold(store, claim.sample_id, actor="lead-1")


def test_what_an_edit_has_replaced_cannot_be_gold(store: Store) -> None:
    claim = queue.claim_sample(store, 1, reviewer="annotator-1")
    edit = Submission(1, "annotator-1", Choice.EDIT, claim.token, revision=revise(store, 1, "better"))
    decisions.decide(store, edit)
    with pytest.raises(Refused, match="revision"):
        gold.set_gold(store, 1, actor="lead-1", verdict=Choice.ACCEPT)


def test_answers_to_gold_measure_reviewers_and_change_nothing_else(store: Store) -> None:
    set_up = config(gold_share=0.5)
    for user in ("annotator-1", "annotator-2"):
        while (claim := work.claim(store, set_up, user=user)) is not None:
            answer(store, set_up, claim, user)
    answers = gold.gold_answers(store)
    assert {one.reviewer for one in answers} == {"annotator-1"}  # the second found the queue empty
    assert {one.right for one in answers} == {True, False}
    assert all(one.right == (one.expected is Choice.ACCEPT) for one in answers)
    assert [load(store, one).status for one in GOLD] == [Status.GOLD] * len(GOLD)
    assert {one.sample_id for one in reviewed.reviewed(store)} == set(range(1, 41))


def test_gold_is_rotated_and_rests_for_a_week(store: Store, now: Clock) -> None:
    set_up = config(gold_share=0.5)
    rounds: list[list[int]] = []
    for _ in range(2):
        seen: list[int] = []
        while (claim := work.claim(store, set_up, user="annotator-1")) is not None:
            if claim.kind == "gold":
                seen.append(claim.sample_id)
                answer(store, set_up, claim, "annotator-1")
            else:
                answer(store, set_up, claim, "annotator-1", Choice.SKIP)
                now.step(30)
            if len(seen) == len(GOLD):
                break
        rounds.append(seen)
        assert len(seen) == len(set(seen))
        now.step(8 * DAY)
    assert rounds[0] == rounds[1] != sorted(rounds[0])


def test_leads_are_not_measured(store: Store) -> None:
    set_up = config(gold_share=0.5)
    given = [claimed(store, set_up, "lead-1") for _ in range(30)]
    assert {one.kind for one in given} == {"queue"}
    with pytest.raises(Refused, match="known"):
        decisions.decide(store, Submission(GOLD[0], "lead-1", Choice.ACCEPT))


def test_several_people_hold_the_same_gold_sample_with_leases_of_their_own(store: Store, now: Clock) -> None:
    claims = [queue.claim_sample(store, GOLD[0], reviewer=f"annotator-{one}", lease_seconds=60) for one in (1, 2)]
    now.step(50)
    assert queue.heartbeat(store, [one.token for one in claims], lease_seconds=60) == {one.token for one in claims}
    assert queue.release(store, [claims[0].token]) == 1
    now.step(50)
    assert queue.heartbeat(store, [one.token for one in claims]) == {claims[1].token}
    assert queue.release_all(store, "annotator-2") == 1


def test_a_late_answer_to_gold_is_kept_as_one(store: Store, now: Clock) -> None:
    claim = queue.claim_sample(store, GOLD[0], reviewer="annotator-1", lease_seconds=60)
    now.step(61)
    queue.claim(store, reviewer="annotator-2")
    receipt = decisions.decide(store, Submission(GOLD[0], "annotator-1", Choice.ACCEPT, claim.token))
    assert (receipt.late, receipt.kind, receipt.status) == (True, "gold", Status.GOLD)


def test_a_killed_session_gets_back_what_it_held_beside_the_queue(store: Store, monkeypatch: Any) -> None:
    monkeypatch.setattr("holdfast.db.queue.os.getpid", lambda: 2**22 + 1)  # no process has this number
    lost = queue.claim_sample(store, GOLD[0], reviewer="annotator-1", session=True)
    monkeypatch.undo()
    taken = work.claim(store, config(), user="annotator-1", session=True)
    assert taken is not None
    assert (taken.sample_id, taken.kind) == (lost.sample_id, "gold")
    assert taken.token != lost.token


def test_own_decisions_come_again_after_a_day_once_and_change_nothing(store: Store, now: Clock) -> None:
    set_up = config(rereview_share=0.5)
    for _ in range(20):
        answer(store, set_up, claimed(store, set_up), "annotator-1")
    first = {one.sample_id for one in decisions.decisions_by(store, "annotator-1")}
    assert all(claimed(store, set_up, "annotator-1").sample_id not in first for _ in range(3))
    queue.release_all(store, "annotator-1")
    now.step(DAY + 1)
    again = []
    while (claim := work.claim(store, set_up, user="annotator-1")) is not None:
        again += [claim.sample_id] if claim.kind == "rereview" else []
        answer(store, set_up, claim, "annotator-1", Choice.REJECT)
    assert 0 < len(again) < 20
    assert len(again) == len(set(again))
    assert set(again) < first
    assert {load(store, one).status for one in again} == {Status.APPROVED}
    assert work.claim(store, set_up, user="annotator-2") is None
    streams = {one.stream for one in decisions.decisions_by(store, "annotator-1") if one.kind == "rereview"}
    assert streams == {Stream.REREVIEW}


def test_an_undone_second_look_is_due_again(store: Store, now: Clock) -> None:
    claim = queue.claim_sample(store, 1, reviewer="annotator-1")
    decisions.decide(store, Submission(1, "annotator-1", Choice.ACCEPT, claim.token, again=True))
    now.step(DAY + 1)
    again = queue.claim_sample(store, 1, reviewer="annotator-1")
    assert again.kind == "rereview"
    decisions.decide(store, Submission(1, "annotator-1", Choice.REJECT, again.token))
    assert queue.claim_sample(store, 1, reviewer="annotator-1").kind == "queue"
    queue.release_all(store, "annotator-1")
    decisions.undo(store, reviewer="annotator-1")
    assert queue.claim_sample(store, 1, reviewer="annotator-1").kind == "rereview"
    decisions.redo(store, reviewer="annotator-1")
    assert queue.claim_sample(store, 1, reviewer="annotator-1").kind == "queue"


def test_opinions_come_from_different_people_until_there_are_enough(store: Store) -> None:
    set_up = config(overlap_share=1.0, overlap_reviewers=3)
    people = [f"annotator-{number}" for number in range(4)]
    given: Counter[int] = Counter()
    seen: set[tuple[str, int]] = set()
    while claims := [(one, claim) for one in people if (claim := work.claim(store, set_up, user=one)) is not None]:
        for person, claim in claims:
            assert (person, claim.sample_id) not in seen
            seen.add((person, claim.sample_id))
            given[claim.sample_id] += 1
            answer(store, set_up, claim, person)
    assert given == dict.fromkeys(range(1, 41), 3)


def test_a_disagreement_goes_to_the_leads(store: Store) -> None:
    set_up = config(overlap_share=1.0)
    first = claimed(store, set_up, "annotator-1")
    answer(store, set_up, first, "annotator-1")
    other = queue.claim_sample(store, first.sample_id, reviewer="annotator-2")
    assert other.kind == "second"
    receipt = answer(store, set_up, other, "annotator-2", Choice.REJECT)
    assert (receipt.status, receipt.second_opinion) == (Status.REJECTED, False)
    assert load(store, first.sample_id).status is Status.ESCALATED
    assert claimed(store, set_up, "lead-1").sample_id == first.sample_id


def test_an_undone_first_decision_asks_nobody_for_an_opinion(store: Store) -> None:
    set_up = config(overlap_share=1.0)
    first = claimed(store, set_up, "annotator-1")
    answer(store, set_up, first, "annotator-1")
    other = queue.claim_sample(store, first.sample_id, reviewer="annotator-2")
    decisions.undo(store, reviewer="annotator-1")
    answer(store, set_up, other, "annotator-2", Choice.REJECT)  # it is the first one now
    assert load(store, first.sample_id).status is Status.REJECTED
    assert queue.claim_sample(store, first.sample_id, reviewer="annotator-1").kind == "second"


def test_a_late_opinion_is_a_second_one(store: Store, now: Clock) -> None:
    set_up = config(overlap_share=1.0)
    first = claimed(store, set_up, "annotator-1")
    answer(store, set_up, first, "annotator-1")
    other = queue.claim_sample(store, first.sample_id, reviewer="annotator-2", lease_seconds=60)
    now.step(61)
    receipt = answer(store, set_up, other, "annotator-2")
    assert (receipt.late, receipt.second_opinion) == (True, True)
    assert {one.kind for one in decisions.decisions_of(store, first.sample_id)} == {"first", "second"}


def test_a_skip_returns_what_the_audit_drew_after_an_hour(store: Store, now: Clock) -> None:
    set_up = config()
    for sample_id in range(1, 36):
        decisions.decide(store, Submission(sample_id, "annotator-2", Choice.ACCEPT))
    for _ in AUDITED:
        answer(store, set_up, claimed(store, set_up), "annotator-1", Choice.SKIP)
    assert work.claim(store, set_up, user="annotator-1") is None
    now.step(3601)
    assert {claimed(store, set_up).sample_id for _ in AUDITED} == set(AUDITED)


def test_slots_have_their_shares() -> None:
    shares = Shares(0.04, 0.02, 0.25, 3)
    drawn = Counter(slot("annotator-1", number, shares) for number in range(20_000))
    assert drawn["gold"] == pytest.approx(800, abs=120)
    assert drawn["rereview"] == pytest.approx(392, abs=100)
    assert drawn["second"] == pytest.approx(6667, abs=300)
    assert [slot("annotator-2", number, shares) for number in range(300)] != [
        slot("annotator-1", number, shares) for number in range(300)
    ]
    left: dict[Kind, int] = {"queue": 500, "gold": 3, "rereview": 9, "second": 7}
    given = Counter(kind for _, kind in sequence("annotator-1", 0, shares, left))
    assert given == left
    assert opinions_on("0" * 64, Shares(overlap=1.0, opinions=3)) == 3


def test_who_becomes_a_lead_holds_no_gold_any_more(store: Store) -> None:
    held = queue.claim_sample(store, GOLD[0], reviewer="annotator-1", session=True)
    add_user(store, name="annotator-1", role=Role.LEAD, actor="lead-1")
    assert queue.heartbeat(store, [held.token]) == set()
    assert show(store, GOLD[0], "annotator-1")["status"] == "gold"


def test_nobody_holds_a_sample_twice(store: Store) -> None:
    set_up = config()
    first = claimed(store, set_up, "annotator-1")
    decisions.decide(store, Submission(first.sample_id, "annotator-1", Choice.ACCEPT, first.token, opinions=2))
    held = queue.claim_sample(store, first.sample_id, reviewer="annotator-2")
    assert held.kind == "second"
    decisions.undo(store, reviewer="annotator-1")
    assert claimed(store, set_up, "annotator-2").sample_id != first.sample_id
    assert claimed(store, set_up, "annotator-3").sample_id == first.sample_id
