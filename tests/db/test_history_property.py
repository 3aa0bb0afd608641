"""Any history leaves a sound store, and its projections can be lost and rebuilt."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from filling import ingest as ingest_samples
from filling import judge, make_sample, revise
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from holdfast.db import approvals, decisions, events, exports, gold, history, queue, replay, samples, users
from holdfast.db.check import check
from holdfast.db.errors import Refused
from holdfast.db.models import Choice, Outcome, Role, Sample, Status
from holdfast.db.personal import Kind
from holdfast.db.search import search
from holdfast.db.states import UNRANKED
from holdfast.db.store import Store

PEOPLE = st.sampled_from(["annotator-1", "annotator-2", "lead-1"])
PLACES = st.integers(0, 7)
CHOICES = st.sampled_from(Choice)
ASKED = st.fixed_dictionaries({"again": st.booleans(), "opinions": st.sampled_from([None, 2, 3])})
LEASE = 60.0


class History(RuleBasedStateMachine):
    """Several people and commands at one store."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.instant = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
        self.store = Store.create(Path(self.folder.name) / "holdfast.db", now=lambda: self.instant)
        self.claims: list[tuple[str, queue.Claim]] = []
        self.batches = 0

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @initialize()
    def begin(self) -> None:
        users.add_user(self.store, name="lead-1", role=Role.LEAD, actor="lead-1")
        ingest_samples(self.store, [make_sample(number) for number in range(4)])

    def at(self, place: int) -> int:
        """The row id of some visible sample."""
        ids = [stored.id for stored in samples.each(self.store)]
        return ids[place % len(ids)]

    @rule(numbers=st.lists(st.integers(0, 5), max_size=3), edits=st.lists(PLACES, max_size=1))
    def ingest(self, numbers: list[int], edits: list[int]) -> None:
        self.batches += 1
        batch = f"batch-{self.batches}"
        given: list[Sample] = [make_sample(number) for number in numbers]
        given += [revise(self.store, self.at(place), "better").sample for place in edits]
        ingest_samples(self.store, given, batch=batch)

    @rule(
        outcomes=st.dictionaries(PLACES, st.sampled_from([*list(Outcome)[:3], Outcome.ERROR]), min_size=1, max_size=4),
        audit=st.lists(PLACES, max_size=2),
    )
    def verify(self, outcomes: dict[int, Outcome], audit: list[int]) -> None:
        drawn = {self.at(place) for place in audit}
        kept = {stored.id for stored in samples.each(self.store) if stored.audit}
        judge(self.store, {self.at(place): outcome for place, outcome in outcomes.items()}, audit=[*drawn, *kept])

    @rule(place=PLACES, verdict=st.sampled_from([Choice.ACCEPT, Choice.REJECT]))
    def set_gold(self, place: int, verdict: Choice) -> None:
        try:
            gold.set_gold(self.store, self.at(place), actor="lead-1", verdict=verdict)
        except Refused:
            return

    @rule(place=PLACES)
    def retire_gold(self, place: int) -> None:
        found = gold.gold(self.store)
        if found:
            gold.retire_gold(self.store, found[place % len(found)].sample_id, actor="lead-1")

    @rule(person=PEOPLE, kinds=st.permutations(["queue", "gold", "rereview", "second"]))
    def claim(self, person: str, kinds: list[Kind]) -> None:
        lead = person == "lead-1"
        tried = tuple(kind for kind in kinds if not (lead and kind == "gold"))
        claim = queue.claim(self.store, reviewer=person, lease_seconds=LEASE, lead=lead, slots=lambda _: (tried, 0.5))
        if claim is not None:
            self.claims.append((person, claim))

    @rule(person=PEOPLE, place=PLACES)
    def claim_one(self, person: str, place: int) -> None:
        try:
            claim = queue.claim_sample(
                self.store, self.at(place), reviewer=person, lease_seconds=LEASE, lead=person == "lead-1"
            )
        except Refused:
            return
        self.claims.append((person, claim))

    @rule(seconds=st.sampled_from([1, 30, 90, 90_000, 700_000]))
    def wait(self, seconds: int) -> None:
        self.instant += timedelta(seconds=seconds)

    @rule(place=PLACES, choice=CHOICES, text=st.sampled_from(["better", "other"]), asked=ASKED)
    def decide_claimed(self, place: int, choice: Choice, text: str, asked: dict[str, Any]) -> None:
        if self.claims:
            person, claim = self.claims.pop(place % len(self.claims))
            self.decide(claim.sample_id, person, choice, text, token=claim.token, **asked)

    @rule(person=PEOPLE, place=PLACES, choice=CHOICES, text=st.sampled_from(["better", "other"]), second=st.booleans())
    def decide_at_once(self, person: str, place: int, choice: Choice, text: str, second: bool) -> None:
        self.decide(self.at(place), person, choice, text, second_opinion=second)

    def decide(self, sample_id: int, person: str, choice: Choice, text: str, **more: Any) -> None:
        revision = revise(self.store, sample_id, text) if choice is Choice.EDIT else None
        try:
            decisions.decide(self.store, decisions.Submission(sample_id, person, choice, revision=revision, **more))
        except Refused:
            return

    @rule(place=PLACES)
    def release(self, place: int) -> None:
        if self.claims:
            queue.release(self.store, [self.claims.pop(place % len(self.claims))[1].token])

    @rule(person=PEOPLE, steps=st.integers(1, 3))
    def undo(self, person: str, steps: int) -> None:
        try:
            decisions.undo(self.store, reviewer=person, steps=steps)
        except Refused:
            return

    @rule(person=PEOPLE, steps=st.integers(1, 3))
    def redo(self, person: str, steps: int) -> None:
        try:
            decisions.redo(self.store, reviewer=person, steps=steps)
        except Refused:
            return

    @rule(places=st.lists(PLACES, min_size=1, max_size=4))
    def approve_without_a_look(self, places: list[int]) -> None:
        list(approvals.grant(self.store, [self.at(place) for place in places], actor="lead-1", proof={"bad": 0}))

    @rule(places=st.lists(PLACES, min_size=1, max_size=4))
    def take_approvals_back(self, places: list[int]) -> None:
        list(approvals.revoke(self.store, [self.at(place) for place in places], actor="lead-1", why="off"))

    @rule()
    def export(self) -> None:
        head = events.head(self.store)
        exports.record_export(self.store, actor="lead-1", path="out", head=head, root="", counts={}, format="jsonl")

    @invariant()
    def it_is_sound(self) -> None:
        assert list(check(self.store)) == []

    @invariant()
    def one_decision_counts(self) -> None:
        twice = self.store.read().execute(
            """SELECT sample_id FROM decisions WHERE kind = 'first' AND undone_seq IS NULL AND verdict <> 'skip'
            GROUP BY sample_id HAVING count(*) > 1"""
        )
        assert twice.fetchall() == []

    @invariant()
    def gold_is_no_data(self) -> None:
        for one in gold.gold(self.store):
            assert samples.load(self.store, one.sample_id).status is Status.GOLD
            assert one.sample_id not in [row.sample_id for row in queue.listing(self.store) if row.reviewer is None]

    @invariant()
    def what_is_given_beside_the_queue_changes_no_status(self) -> None:
        made = [one for stored in samples.each(self.store) for one in decisions.decisions_of(self.store, stored.id)]
        for one in made:
            if one.kind in ("gold", "rereview"):
                counts = history.deciding(self.store, [one.sample_id]).get(one.sample_id)
                assert counts is None or counts.seq != one.seq

    @invariant()
    def text_and_edit_do_not_both_stand(self) -> None:
        both = self.store.read().execute(
            """SELECT child.id FROM samples child JOIN states edited ON edited.sample_id = child.id
            JOIN lineage l ON l.child_id = child.id JOIN samples parent ON parent.uid = l.parent_uid
            JOIN states original ON original.sample_id = parent.id
            WHERE child.ingest_id IS NULL AND edited.status NOT IN ('superseded', 'gold')
            AND original.status NOT IN ('superseded', 'gold')"""
        )
        assert both.fetchall() == []

    @rule()
    def lose_and_repair(self) -> None:
        before = self.seen()
        with self.store.write() as connection:
            for table in (
                "decisions",
                "gold",
                "rereviews",
                "overlaps",
                "states",
                "tallies",
                "users",
                "exports",
                "queue",
            ):
                connection.execute(f"DELETE FROM {table}")
            connection.execute("INSERT INTO sample_search (sample_search) VALUES ('delete-all')")
        replay.repair(self.store, lambda _: UNRANKED)
        assert self.seen() == before
        self.claims.clear()

    def seen(self) -> Any:
        """Everything that is projected, but who holds what and in which order."""
        stored = list(samples.each(self.store))
        return {
            "statuses": [(one.uid, one.status, one.audit, one.verdict_id) for one in stored],
            "decisions": [decisions.decisions_of(self.store, one.id) for one in stored],
            "due": sorted(
                tuple(row)
                for row in self.store.read().execute(
                    """SELECT q.sample_id, pool FROM queue q JOIN states st ON st.sample_id = q.sample_id
                    WHERE state <> 'done' AND (st.status IN ('flagged', 'escalated')
                    OR (st.status = 'passed' AND st.audit))"""
                )
            ),
            "tallies": samples.tallies(self.store),
            "gold": gold.gold(self.store),
            "asked": [
                [tuple(row) for row in self.store.read().execute(f"SELECT * FROM {table} ORDER BY sample_id")]
                for table in ("rereviews", "overlaps")
            ],
            "users": users.users(self.store),
            "exports": exports.exports(self.store),
            "approved": (approvals.granted(self.store), approvals.approved(self.store)),
            "found": len(search(self.store, "question")),
        }


TestHistory = History.TestCase
TestHistory.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
