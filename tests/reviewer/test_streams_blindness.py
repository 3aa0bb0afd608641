"""Nothing tells annotators the streams apart: on screen, in documents, in counts, in what they may do."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from filling import ingest, judge, make_sample, revise
from streaming import AUDITED, DAY, GOLD, SAMPLES, Clock, all_streams, answer, claimed, config, listed, make_gold

from holdfast.db import decisions, queue
from holdfast.db.check import check
from holdfast.db.decisions import Submission
from holdfast.db.errors import Refused
from holdfast.db.models import Choice, Outcome, Status, Stream
from holdfast.db.queue import Claim
from holdfast.db.samples import load
from holdfast.db.states import QueueEntry
from holdfast.db.store import Store
from holdfast.reviewer.config import Config
from holdfast.reviewer.pipeline import queue as work
from holdfast.reviewer.pipeline.blindness import is_gone, shown_p_bad, shown_why, told_alike
from holdfast.reviewer.pipeline.decide import Ask, decide
from holdfast.reviewer.pipeline.desk import Answer
from holdfast.reviewer.pipeline.documents import show
from holdfast.reviewer.pipeline.history import history
from holdfast.reviewer.pipeline.lineage import document as lineage
from holdfast.reviewer.pipeline.review import ReviewDesk
from holdfast.reviewer.pipeline.status import status, tallies_of
from holdfast.reviewer.project import Project

NAMES = ("gold", "rereview", "overlap", "audit", "second")


@pytest.fixture
def now() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, now: Clock) -> Iterator[Store]:
    with all_streams(tmp_path / "holdfast.db", now) as store:
        yield store


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
    set_up = config(gold_share=0.25, overlap_share=0.5)
    with store.write() as connection:  # uneven, so that an item beside the queue has room to stand out
        connection.execute("UPDATE queue SET priority = round(50.0 / sample_id + sample_id % 7, 6)")
    for _ in range(12):
        answer(store, set_up, claimed(store, set_up, "annotator-2"), "annotator-2")
    rows = [(row["uid"], row["priority"], row["p_bad"]) for row in listed(store, set_up)]
    priorities = [priority for _, priority, _ in rows]
    assert priorities == sorted(priorities, reverse=True)
    given = []
    ahead: list[Claim] = []
    while (claim := work.claim(store, set_up, user="annotator-1")) is not None or ahead:
        if claim is not None:
            ahead.append(claim)
            entry = claim.entry
            given.append((claim.uid, entry.priority, shown_p_bad(entry, lead=False)))
            assert [row["priority"] for row in listed(store, set_up)] == priorities[len(given) - len(ahead) :]
        if claim is None or len(ahead) == 3:
            answer(store, set_up, ahead.pop(0), "annotator-1")
    assert given == rows


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


@pytest.mark.parametrize("asked", [False, True])
def test_what_looks_undecided_is_decided_without_a_claim(store: Store, now: Clock, asked: bool) -> None:
    set_up = config(gold_share=0.25, rereview_share=0.5, overlap_share=1.0)
    for user in ("annotator-1", "annotator-2"):
        for _ in range(12):
            answer(store, set_up, claimed(store, set_up, user), user)
    now.step(DAY + 1)
    receipts: Counter[tuple[Status, bool, str]] = Counter()
    for row in listed(store, set_up):
        sample_id = int(row["external_id"]) + 1
        ask = Ask(sample_id, Choice.REJECT, second_opinion=asked)
        told = decide(store, ask, reviewer="annotator-1", judge=lambda _: pytest.fail("no edit"))
        receipts[told.status, told.second_opinion, told.kind] += 1
        with pytest.raises(Refused, match="decided already"):
            decisions.decide(store, Submission(sample_id, "annotator-1", Choice.ACCEPT))
    assert list(receipts) == [(Status.REJECTED, False, "first")]
    kinds = {one.kind for one in decisions.decisions_by(store, "annotator-1")}
    assert kinds == {"first", "gold", "rereview", "second"}


def test_gold_can_be_decided_without_a_claim_while_it_looks_undecided(store: Store, now: Clock) -> None:
    decisions.decide(store, Submission(1, "annotator-1", Choice.ACCEPT))
    decisions.decide(store, Submission(GOLD[0], "annotator-1", Choice.ACCEPT))
    make_gold(store, 1)
    now.step(8 * DAY)
    assert show(store, GOLD[0], "annotator-1")["status"] == "flagged"
    assert decisions.decide(store, Submission(GOLD[0], "annotator-1", Choice.ACCEPT)).kind == "gold"
    assert show(store, 1, "annotator-1")["status"] == "approved"
    with pytest.raises(Refused, match="decided already"):
        decisions.decide(store, Submission(1, "annotator-1", Choice.REJECT))


def edited(store: Store, sample_id: int, user: str, **asked: Any) -> int:
    claim = queue.claim_sample(store, sample_id, reviewer=user)
    revision = revise(store, sample_id, f"better {sample_id}")
    decisions.decide(store, Submission(sample_id, user, Choice.EDIT, claim.token, revision=revision, **asked))
    found = store.read().execute("SELECT max(id) FROM samples").fetchone()
    return int(found[0])


def test_edits_of_gold_look_like_other_edits(store: Store) -> None:
    def counts() -> Counter[Status]:
        return Counter({tally.status: tally.samples for tally in tallies_of(store, "annotator-1")})

    stood = [counts()]
    revisions = []
    for sample_id in (1, GOLD[0]):
        revisions.append(edited(store, sample_id, "annotator-1"))
        stood.append(counts())
    ordinary, gold_edit = (after - before for before, after in itertools.pairwise(stood))
    assert ordinary == gold_edit == {Status.APPROVED: 1, Status.SUPERSEDED: 1}
    assert [show(store, one, "annotator-1")["status"] for one in revisions] == ["approved"] * 2
    assert [show(store, one, "annotator-2")["status"] for one in revisions] == ["hidden"] * 2


def test_what_others_made_of_a_sample_is_told_nobody_who_is_to_decide_it(store: Store) -> None:
    revision = edited(store, 1, "annotator-1", opinions=2)
    for user, told in (("annotator-1", ["superseded", "approved"]), ("annotator-2", ["flagged"])):
        assert [node["status"] for node in lineage(store, load(store, 1), user)["nodes"]] == told
    assert is_gone("superseded", show(store, 1, "annotator-1")["status"])
    assert not is_gone("superseded", show(store, 1, "annotator-2")["status"])
    assert not is_gone("approved", show(store, revision, "annotator-2")["status"])


def test_who_undoes_a_decision_is_told_the_same_place_again(store: Store) -> None:
    set_up = config(gold_share=0.5)
    while (claim := claimed(store, set_up)).kind != "gold":
        answer(store, set_up, claim, "annotator-1")
    answer(store, set_up, claim, "annotator-1")
    decisions.undo(store, reviewer="annotator-1")
    again = queue.claim_sample(store, claim.sample_id, reviewer="annotator-1")
    assert (again.entry.priority, again.entry.p_shown) == (claim.entry.priority, claim.entry.p_shown)
    first, second, *_ = (row.entry.priority for row in queue.listing(store) if row.reviewer is None)
    by_name = queue.claim_sample(store, GOLD[-1], reviewer="annotator-1")
    assert by_name.entry.priority == pytest.approx(first + (first - second) / 2, abs=1e-6)
