"""What annotators are given beside the queue: nothing tells it from the rest, and it leaks nowhere."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from filling import ingest, judge, make_sample, revise

from holdfast.db import decisions, gold, queue, reviewed
from holdfast.db.check import check
from holdfast.db.decisions import Submission
from holdfast.db.errors import Refused
from holdfast.db.models import Choice, Outcome, Role, Status, Stream
from holdfast.db.personal import Kind
from holdfast.db.queue import Claim
from holdfast.db.samples import load, tallies
from holdfast.db.states import QueueEntry
from holdfast.db.store import Store
from holdfast.db.users import add_user
from holdfast.reviewer.config import Config, ReviewConfig
from holdfast.reviewer.pipeline import queue as work
from holdfast.reviewer.pipeline.blindness import shown_why, told_alike
from holdfast.reviewer.pipeline.decide import Ask, decide
from holdfast.reviewer.pipeline.desk import Answer
from holdfast.reviewer.pipeline.documents import queue_item, show
from holdfast.reviewer.pipeline.gold import gold_lines
from holdfast.reviewer.pipeline.history import history
from holdfast.reviewer.pipeline.quota import quota
from holdfast.reviewer.pipeline.review import ReviewDesk
from holdfast.reviewer.pipeline.status import status, tallies_of
from holdfast.reviewer.policy.streams import Shares, opinions_on, sequence, slot
from holdfast.reviewer.project import Project

SAMPLES = 60
GOLD = range(41, 61)
AUDITED = range(36, 41)
DAY = 86_400.0
NAMES = ("gold", "rereview", "overlap", "audit", "second")

Step = Callable[..., datetime]


class Clock:
    """A clock that stands still until it is stepped."""

    def __init__(self) -> None:
        self.instant = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.instant

    def step(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


@pytest.fixture
def now() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, now: Clock) -> Iterator[Store]:
    """Samples 1 to 35 flagged, 36 to 40 drawn by the audit, 41 to 60 gold: the even ones good."""
    with Store.create(tmp_path / "holdfast.db", now=now) as store:
        add_user(store, name="lead-1", role=Role.LEAD, actor="lead-1")
        ingest(store, [make_sample(number) for number in range(SAMPLES)])
        outcomes = dict.fromkeys(range(1, 36), Outcome.FLAG) | dict.fromkeys(range(36, 61), Outcome.PASS)
        judge(store, outcomes, audit=AUDITED)
        make_gold(store, *GOLD)
        yield store
        assert list(check(store)) == []


def make_gold(store: Store, *sample_ids: int) -> None:
    lines = [
        json.dumps({"ref": f"b/{one - 1}", "verdict": "reject" if one % 2 else "accept"}).encode() for one in sample_ids
    ]
    report = gold_lines(store, lines, actor="lead-1")
    assert (report.changed, report.refused) == (len(sample_ids), [])


def config(**shares: Any) -> Config:
    given = {"gold_share": 0.0, "rereview_share": 0.0, "overlap_share": 0.0, **shares}
    return Config(review=ReviewConfig(**given))


def answer(store: Store, set_up: Config, claim: Claim, user: str, choice: Choice = Choice.ACCEPT) -> Any:
    ask = Ask(claim.sample_id, choice, claim.token)
    return decide(store, ask, reviewer=user, judge=lambda _: ((), None), shares=Shares.of(set_up.review))  # type: ignore[arg-type,return-value]


def claimed(store: Store, set_up: Config, user: str = "annotator-1") -> Claim:
    claim = work.claim(store, set_up, user=user)
    assert claim is not None
    return claim


def listed(store: Store, set_up: Config, user: str = "annotator-1") -> list[dict[str, Any]]:
    return [queue_item(store, stored, row, user=user) for row, stored in work.items(store, set_up, user=user)]


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


def everything_shown(store: Store, set_up: Config, claim: Claim, user: str) -> dict[str, Any]:
    """All that an annotator can read about a claimed item."""
    rows = {row["uid"]: row for row in listed(store, set_up, user)}
    return {
        "show": show(store, claim.sample_id, user),
        "item": rows[claim.uid],
        "history": [
            [str(value) for value in (event.actor, event.what)]
            for event in history(store, load(store, claim.sample_id), user)
        ],
        "status": status(store, set_up, user),
    }


def shape(document: Any) -> Any:
    """Keys and types of a JSON document."""
    if isinstance(document, dict):
        return {key: shape(value) for key, value in document.items() if key != "sources"}
    if isinstance(document, list):
        return [shape(value) for value in document[:1]]
    return type(document).__name__


def test_nothing_tells_the_streams_apart(store: Store, now: Clock) -> None:
    set_up = config(gold_share=0.25, rereview_share=0.5, overlap_share=0.5)
    for _ in range(12):
        answer(store, set_up, claimed(store, set_up), "annotator-1")
        answer(store, set_up, claimed(store, set_up, "annotator-2"), "annotator-2")
    now.step(DAY + 1)
    seen: dict[str, list[dict[str, Any]]] = {}
    while (claim := work.claim(store, set_up, user="annotator-1")) is not None:
        stream = "audit" if claim.sample_id in AUDITED else claim.kind
        document = json.loads(json.dumps(everything_shown(store, set_up, claim, "annotator-1"), default=str))
        receipt = answer(store, set_up, claim, "annotator-1")
        seen.setdefault(stream, []).append({**document, "receipt": [receipt.status, receipt.kind, receipt.late]})
    assert set(seen) == {"queue", "audit", "gold", "rereview", "second"}
    told = [{key: document[key] for key in ("show", "item", "history")} for kind in seen.values() for document in kind]
    for document in told:
        text = json.dumps(document).replace('"answer ', "")
        assert not [name for name in NAMES if name in text]
        assert document["item"]["stream"] == "review"
        assert document["item"]["status"] == document["show"]["status"] == "flagged"
        assert document["show"]["decision"] is None
        assert document["show"]["decisions"] == document["show"]["votes"] == "hidden"
        assert document["history"] == []
        assert document["item"]["claimed"] is True
        total = sum(term["value"] for term in document["item"]["why"])
        assert total == pytest.approx(document["item"]["priority"], abs=1e-6)
    receipts = {tuple(document["receipt"]) for kind in seen.values() for document in kind}
    assert receipts == {(Status.APPROVED, "first", False)}
    flagged = [shape({**one, "item": {**one["item"], "findings": [], "reasons": []}}) for one in seen["queue"]]
    for kind in ("gold", "rereview", "second", "audit"):
        for document in seen[kind]:
            assert {**shape(document)["item"], "findings": [], "reasons": []} == flagged[0]["item"]
            assert shape(document)["status"] == flagged[0]["status"]


def test_every_decision_takes_one_from_what_waits(store: Store) -> None:
    set_up = config(gold_share=0.25, overlap_share=0.5)
    left = work.waiting(store, set_up, user="annotator-1")
    assert left == len(listed(store, set_up)) > 40
    while (claim := work.claim(store, set_up, user="annotator-1")) is not None:
        before = Counter({tally.status: tally.samples for tally in tallies_of(store, "annotator-1")})
        assert claim.uid in [row["uid"] for row in listed(store, set_up)]
        assert work.waiting(store, set_up, user="annotator-1") == left
        answer(store, set_up, claim, "annotator-1")
        left -= 1
        assert work.waiting(store, set_up, user="annotator-1") == left == len(listed(store, set_up))
        after = Counter({tally.status: tally.samples for tally in tallies_of(store, "annotator-1")})
        assert after - before == {Status.APPROVED: 1}
        assert before - after == {Status.FLAGGED: 1}
    assert left == 0


def test_the_listing_is_the_order_in_which_items_are_given(store: Store) -> None:
    set_up = config(gold_share=0.25)
    order = [row["uid"] for row in listed(store, set_up)]
    priorities = [row["priority"] for row in listed(store, set_up)]
    assert priorities == sorted(priorities, reverse=True)
    given = []
    while (claim := work.claim(store, set_up, user="annotator-1")) is not None:
        given.append(claim.uid)
        answer(store, set_up, claim, "annotator-1")
    assert given == order


def test_a_filter_tells_no_streams_apart(store: Store) -> None:
    set_up = config(gold_share=0.5)
    everything = {row["uid"] for row in listed(store, set_up)}
    for where, met in (("status:flagged", everything), ("status:gold", set()), ("status:passed", set())):
        rows = work.items(store, set_up, user="annotator-1", where=where)
        assert {stored.uid for _, stored in rows} == met
        assert work.waiting(store, set_up, user="annotator-1", where=where) == len(met)
    assert work.claim(store, set_up, user="annotator-1", where="status:gold") is None
    taken = [work.claim(store, set_up, user="annotator-1", where="answer") for _ in range(20)]
    assert {one.kind for one in taken if one is not None} == {"queue", "gold"}


def test_a_batch_narrows_what_is_given_beside_the_queue_too(store: Store) -> None:
    set_up = config(gold_share=0.5)
    ingest(store, [make_sample(number) for number in range(100, 103)], batch="other", signature="t")
    judge(store, dict.fromkeys(range(SAMPLES + 1, SAMPLES + 4), Outcome.FLAG))
    taken = []
    while (claim := work.claim(store, set_up, user="annotator-1", batch="other")) is not None:
        taken.append(claim.sample_id)
    assert taken == [SAMPLES + 1, SAMPLES + 2, SAMPLES + 3]


def test_after_gold_an_annotator_reads_what_was_said(store: Store) -> None:
    claim = queue.claim_sample(store, GOLD[0], reviewer="annotator-1")
    answer(store, config(), claim, "annotator-1", Choice.REJECT)
    other = queue.claim_sample(store, GOLD[0], reviewer="annotator-2")
    answer(store, config(), other, "annotator-2")
    shown = show(store, GOLD[0], "annotator-1")
    assert (shown["status"], shown["decision"]["verdict"]) == ("rejected", "reject")
    assert [(one["reviewer"], one["kind"]) for one in shown["decisions"]] == [("annotator-1", "first")]
    assert show(store, GOLD[0], "annotator-3")["status"] == "flagged"
    with pytest.raises(Refused, match="decided already"):
        decisions.decide(store, Submission(GOLD[0], "annotator-1", Choice.ACCEPT))
    told = show(store, GOLD[0], "lead-1")
    assert (told["status"], {one["kind"] for one in told["decisions"]}) == ("gold", {"gold"})


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


def test_the_terms_add_up_without_those_that_tell(store: Store) -> None:
    why = (("any sample", 0.4), ("length: odd", 1.1), ("little is known of its source", 0.1), ("audit", -0.7))
    entry = QueueEntry(Stream.AUDIT, 0.9, 0.5, why, ("odd",), 0.2)
    alike = told_alike(entry)
    assert [name for name, _ in alike] == ["length: odd", "little is known of its source"]
    assert sum(value for _, value in alike) == pytest.approx(0.9, abs=1e-9)
    assert shown_why(store, entry, lead=True, blind=False) == why
    assert told_alike(QueueEntry(Stream.AUDIT, 0.9, 0.1, (("any sample", 0.4), ("audit", 0.5)), ())) == (
        ("any sample", 0.9),
    )
    assert {field.name for field in fields(QueueEntry)} >= {"p_shown"}


def test_the_desk_treats_all_streams_alike(tmp_path: Path) -> None:
    project = Project.init(tmp_path / "project", shared=False, user="lead-1")
    (project.root / "holdfast.toml").write_text("[review]\ngold_share = 0.5\noverlap_share = 1.0\n")
    project = Project.find(project.root)
    with project.store() as store:
        ingest(
            store, [make_sample(0, provenance="human", model=None), *(make_sample(number) for number in range(1, 13))]
        )
        judge(store, dict.fromkeys(range(1, 14), Outcome.FLAG))
        make_gold(store, *range(8, 14))
    desk = ReviewDesk.open(project, reviewer="annotator-1")
    items = [item for _ in range(10) if (item := desk.claim()) is not None]
    gold_ids = {item.sample_id for item in items} & set(range(8, 14))
    assert gold_ids
    assert len(desk.heartbeat([item.token for item in items])) == len(items)
    assert {(item.status, item.stream, item.history_count) for item in items} == {(Status.FLAGGED, "review", 0)}
    assert {hit.status for hit in desk.search("", 100)} == {Status.FLAGGED}
    for item in items:
        before = desk.progress()
        receipt = desk.decide(item, Answer(Choice.ACCEPT))
        after = desk.progress()
        assert (receipt.status, receipt.second_opinion, receipt.late) == (Status.APPROVED, False, False)
        assert (after.left, after.decided_today) == (before.left - 1, before.decided_today + 1)
        assert before.quota is not None
        assert after.quota is not None
        assert after.quota.used == before.quota.used + item.quota_weight
        undone = desk.undo()
        assert undone is not None
        assert undone.item is not None
        assert (undone.item.status, undone.item.history_count) == (Status.FLAGGED, 1)
        assert [event.detail for event in desk.history(item.uid)] == ["undone since"]
        assert desk.redo() is not None
        assert desk.my_decisions(1)[0].uid == item.uid
    held = desk.claim()
    desk.close()
    with project.store() as store:
        assert held is not None
        assert store.read().execute("SELECT count(*) FROM personal").fetchone()[0] == 0
        assert store.read().execute("SELECT count(*) FROM queue WHERE state = 'claimed'").fetchone()[0] == 0
        assert list(check(store)) == []
