"""The audit over a store: what counts, what it says of the rest, and what annotators see of it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import pytest
from filling import decide, ingest, judge, make_sample, revise

from holdfast.db import decisions, verdicts
from holdfast.db.gold import set_gold
from holdfast.db.models import Choice, Layer, Outcome, Role, SampleVerdicts, Verdict, VerifierSpec
from holdfast.db.packing import Recorded
from holdfast.db.store import Store
from holdfast.db.users import add_user
from holdfast.reviewer.config import Config
from holdfast.reviewer.pipeline.audit import audit

PASS, FLAG, FAIL = Outcome.PASS, Outcome.FLAG, Outcome.FAIL
FLAGGED, PASSED, FAILED = range(1, 9), range(9, 19), (19, 20)
DRAWN = (1, 2, 9, 10, 11, 12, 19)


class Clock(Protocol):
    """The clock of `store`."""

    def step(self, seconds: float = 1.0) -> datetime: ...


@pytest.fixture
def judged(store: Store) -> Store:
    """20 samples of one source: 8 flagged, 10 passed, 2 failed; the audit drew 2, 4 and 1 of them."""
    add_user(store, name="lead-1", role=Role.LEAD, actor="lead-1")
    ingest(store, [make_sample(number) for number in range(20)])
    outcomes = {**dict.fromkeys(FLAGGED, FLAG), **dict.fromkeys(PASSED, PASS), **dict.fromkeys(FAILED, FAIL)}
    judge(store, outcomes, audit=DRAWN)
    return store


def said(store: Store, choices: Mapping[int, str], *, reviewer: str = "annotator-1") -> None:
    """Decide samples by row id; an edit replaces the response."""
    for sample_id, choice in choices.items():
        revision = revise(store, sample_id, f"better {sample_id}") if choice == "edit" else None
        decide(store, sample_id, choice, reviewer=reviewer, revision=revision)


def read(store: Store, *, by: str = "source", user: str = "lead-1") -> dict[str, Any]:
    """The audit's document."""
    return audit(store, Config(), user, by=by)


EVERY_DRAWN = {1: "accept", 2: "edit", 9: "accept", 10: "accept", 11: "accept", 12: "reject", 19: "reject"}
BESIDE = {3: "reject", 4: "reject", 5: "accept"}


def test_the_estimate_by_hand(judged: Store) -> None:
    said(judged, {**EVERY_DRAWN, **BESIDE})
    found = read(judged)["overall"]
    assert (found["n"], found["reviewed"], found["audited"]) == (20, 10, 7)
    # Flagged: 1 of 2 drawn are good, so 3 of the other 6, as one is known to be; passed: 3 of 4; failed: none of 1.
    assert found["strict_rate"] == pytest.approx((1 + 3 + 3 + 6 * 0.75 + 0) / 20)
    # With edits both drawn ones are usable; of the other six at most four are, since two were rejected.
    assert found["usable_rate"] == pytest.approx((2 + 4 + 3 + 6 * 0.75) / 20)
    assert found["low"] <= found["strict_rate"] <= found["high"]
    assert found["high"] - found["low"] > 0.25


def test_without_audited_decisions_there_is_no_rate_and_the_interval_says_so(judged: Store) -> None:
    said(judged, BESIDE)
    found = read(judged)
    assert (found["overall"]["strict_rate"], found["overall"]["usable_rate"]) == (None, None)
    assert found["overall"]["low"] < 0.1
    assert found["overall"]["high"] > 0.8
    assert found["verifiers"][0]["precision"] is None
    assert found["verifiers"][0]["recall"] is None


def test_nothing_at_all(store: Store) -> None:
    add_user(store, name="lead-1", role=Role.LEAD, actor="lead-1")
    found = read(store)
    assert found["overall"] == {
        "n": 0, "reviewed": 0, "audited": 0, "strict_rate": None, "low": 0.0, "high": 1.0, "usable_rate": None,
    }  # fmt: skip
    assert found["rows"] == found["verifiers"] == found["gold"] == []
    assert found["agreement"]["items"] == 0


def test_what_no_check_has_seen_is_counted_and_unknown(judged: Store) -> None:
    said(judged, EVERY_DRAWN)
    ingest(judged, [make_sample(number) for number in range(100, 150)], batch="new", signature="t")
    found = read(judged, by="batch")
    assert found["unverified"] == 50
    assert found["overall"]["n"] == 70
    assert [(row["key"], row["strict_rate"] is None) for row in found["rows"]] == [("b", False), ("new", True)]
    assert found["overall"]["high"] - found["overall"]["low"] > 0.5


def test_an_edited_sample_counts_once_as_edited(judged: Store) -> None:
    said(judged, {1: "edit"})
    (revision,) = judged.read().execute("SELECT revision_id FROM decisions").fetchone()
    said(judged, {9: "accept"})
    decisions.decide(
        judged,
        decisions.Submission(
            revision, "annotator-1", Choice.EDIT, revision=revise(judged, revision, "best"), second_opinion=True
        ),
    )
    found = read(judged)
    assert (found["overall"]["n"], found["overall"]["reviewed"], found["overall"]["audited"]) == (20, 2, 2)
    assert found["rows"][0]["n"] == 20


def test_undone_decisions_skips_and_open_escalations_are_no_decisions(judged: Store) -> None:
    said(judged, {1: "skip", 2: "escalate", 9: "accept", 10: "reject"})
    decisions.undo(judged, reviewer="annotator-1")
    found = read(judged)
    assert (found["overall"]["reviewed"], found["overall"]["audited"]) == (1, 1)
    assert found["audit_stream"]["drawn"] == 7
    assert found["audit_stream"]["left"] == 6


def test_an_adjudication_replaces_what_it_overrules(judged: Store) -> None:
    said(judged, {1: "reject", 9: "accept", 10: "accept", 11: "accept", 12: "escalate"})
    said(judged, {12: "reject"}, reviewer="lead-1")
    decisions.decide(judged, decisions.Submission(9, "annotator-2", Choice.REJECT, second_opinion=True))
    assert read(judged)["overall"]["audited"] == 5
    assert read(judged, by="reviewer")["rows"][0]["strict_rate"] == 0.75
    before = read(judged)["overall"]["strict_rate"]
    said(judged, {9: "reject"}, reviewer="lead-1")
    assert read(judged)["overall"]["strict_rate"] < before


def test_what_checks_reject_without_a_look_counts_and_is_judged_by_those_drawn(store: Store) -> None:
    add_user(store, name="lead-1", role=Role.LEAD, actor="lead-1")
    ingest(store, [make_sample(number) for number in range(20)])
    judge(store, {number: FAIL if number <= 10 else PASS for number in range(1, 21)}, audit=(1, 2, 11, 12))
    said(store, {1: "accept", 2: "reject", 11: "accept", 12: "accept"})
    found = read(store)
    assert found["overall"]["n"] == 20
    assert found["overall"]["strict_rate"] == pytest.approx((5 + 10) / 20)
    (verifier,) = found["verifiers"]
    assert (verifier["flagged"], verifier["precision"], verifier["recall"]) == (10, 0.5, 1.0)


def test_gold_is_no_data(judged: Store) -> None:
    said(judged, EVERY_DRAWN)
    for sample_id in (1, 20):
        set_gold(judged, sample_id, actor="lead-1", verdict=Choice.REJECT)
    found = read(judged)
    assert (found["overall"]["n"], found["overall"]["audited"]) == (18, 6)
    assert found["verifiers"][0]["flagged"] == 8
    assert read(judged, by="reviewer")["rows"][0]["n"] == 6
    assert read(judged, by="week")["rows"][0]["n"] == 6


def test_verifiers_are_judged_by_what_the_audit_drew(judged: Store) -> None:
    said(judged, {**EVERY_DRAWN, **BESIDE})
    (verifier,) = read(judged)["verifiers"]
    # 4 of the 8 flagged and both failed ones are bad, 2.5 of the 10 that passed.
    assert verifier["verifier"] == "length"
    assert (verifier["flagged"], verifier["reviewed"], verifier["audited"]) == (10, 6, 3)
    assert verifier["precision"] == pytest.approx(0.6)
    assert verifier["recall"] == pytest.approx(6 / 8.5, abs=1e-6)
    assert verifier["precision_low"] < 0.6 < verifier["precision_high"]
    (row,) = read(judged, by="verifier")["rows"]
    assert row["strict_rate"] == pytest.approx(0.4)
    assert row["low"] + verifier["precision_high"] == pytest.approx(1)


def test_a_check_that_broke_has_flagged_nothing(store: Store) -> None:
    add_user(store, name="lead-1", role=Role.LEAD, actor="lead-1")
    ingest(store, [make_sample(number) for number in range(2)])
    specs = (VerifierSpec("breaks", "1", Layer.FORMAT), VerifierSpec("flags", "1", Layer.FORMAT))
    run = verdicts.begin_run(store, specs=specs, actor="lead-1")
    twice = Verdict.found([*Verdict.flag("a", "a").findings, *Verdict.flag("b", "b").findings])
    uids = [row[0] for row in store.read().execute("SELECT uid FROM samples ORDER BY id")]
    verdicts.record(
        store,
        run,
        [
            Recorded.of(place, SampleVerdicts(uid, (Verdict.error("oh"), twice)), False, None)
            for place, uid in enumerate(uids, 1)
        ],
    )
    verdicts.complete_run(store, run, actor="lead-1")
    assert [(row["verifier"], row["flagged"]) for row in read(store)["verifiers"]] == [("flags", 2)]


def test_rows_of_reviewers_are_about_their_own_decisions_on_drawn_samples(judged: Store) -> None:
    said(judged, {1: "accept", 9: "accept", 3: "reject", 4: "reject"})
    said(judged, {2: "reject", 10: "reject", 5: "accept"}, reviewer="annotator-2")
    first, second = read(judged, by="reviewer")["rows"]
    assert (first["key"], first["n"], first["reviewed"], first["audited"]) == ("annotator-1", 4, 4, 2)
    assert (first["strict_rate"], second["strict_rate"]) == (1.0, 0.0)
    assert first["low"] < 1.0 == first["high"]


def test_drawn_samples_count_for_as_many_as_they_were_drawn_from(store: Store) -> None:
    """A small batch is drawn in full and a large one in part; a reviewer's rate is about both as they are."""
    add_user(store, name="lead-1", role=Role.LEAD, actor="lead-1")
    ingest(store, [make_sample(number) for number in range(4)], batch="small")
    ingest(store, [make_sample(number) for number in range(100, 136)], batch="large", signature="t")
    judge(store, dict.fromkeys(range(1, 41), PASS), audit=[1, 2, 3, 4, 5, 6, 7, 8])
    said(store, {**dict.fromkeys(range(1, 5), "reject"), **dict.fromkeys(range(5, 9), "accept")})
    assert read(store)["overall"]["strict_rate"] == pytest.approx(0.9)
    assert read(store, by="reviewer")["rows"][0]["strict_rate"] == pytest.approx(0.9)
    assert [row["strict_rate"] for row in read(store, by="batch")["rows"]] == [1.0, 0.0]


def test_weeks_begin_on_mondays(judged: Store, clock: Clock) -> None:
    said(judged, {1: "accept"})
    clock.step(6 * 24 * 3600)
    said(judged, {2: "reject"})
    clock.step(24 * 3600)
    said(judged, {9: "accept"})
    rows = read(judged, by="week")["rows"]
    assert [(row["key"], row["n"], row["strict_rate"]) for row in rows] == [("2026-W02", 2, 0.5), ("2026-W03", 1, 1.0)]


def test_parts_of_a_project(store: Store) -> None:
    add_user(store, name="lead-1", role=Role.LEAD, actor="lead-1")
    ingest(
        store,
        [
            make_sample(1, model="b", generation=10, domain="maths"),
            make_sample(2, model="a", generation=2),
            make_sample(3, model=None, generation=0, provenance="human"),
        ],
    )
    judge(store, dict.fromkeys((1, 2, 3), PASS))
    assert [row["key"] for row in read(store, by="model")["rows"]] == ["a", "b", None]
    assert [row["key"] for row in read(store, by="generation")["rows"]] == [0, 2, 10]
    assert [row["key"] for row in read(store, by="domain")["rows"]] == ["maths", None]
    assert len(read(store, by="source")["rows"]) == 3
    for by in ("model", "generation", "domain", "source", "batch"):
        assert sum(row["n"] for row in read(store, by=by)["rows"]) == 3


def test_agreement_is_over_samples_that_two_people_decided(judged: Store) -> None:
    said(judged, {1: "accept", 2: "reject", 3: "accept", 4: "reject", 5: "escalate"})
    for sample_id, choice in {1: "accept", 2: "reject", 3: "reject"}.items():
        submission = decisions.Submission(sample_id, "annotator-2", Choice(choice), second_opinion=True)
        decisions.decide(judged, submission)
    found = read(judged)["agreement"]
    assert found["items"] == 3
    assert found["raw"] == pytest.approx(2 / 3, abs=1e-6)
    assert found["alpha"] == pytest.approx(1 - 5 * 2 / 18, abs=1e-6)
    assert found["kappa"] == pytest.approx(0.4)
    # A lead who settles it has seen both opinions, and is no third one.
    said(judged, {3: "reject"}, reviewer="lead-1")
    assert read(judged)["agreement"] == found


def test_annotators_see_no_stream_no_others_and_no_number_that_moves_with_a_decision(
    judged: Store, clock: Clock
) -> None:
    said(judged, {**EVERY_DRAWN, **BESIDE})
    today = read(judged, by="reviewer", user="annotator-1")
    assert (today["overall"]["reviewed"], today["rows"]) == (0, [])
    clock.step(24 * 3600)
    said(judged, {6: "accept"}, reviewer="annotator-2")
    found = read(judged, by="reviewer", user="annotator-1")
    assert found["until"] == "2026-01-06T00:00:00.000000Z"
    assert [row["key"] for row in found["rows"]] == ["annotator-1"]
    assert found["overall"]["reviewed"] == 10
    assert found["overall"]["strict_rate"] == pytest.approx(11.5 / 20)
    assert read(judged, by="reviewer", user="annotator-2")["rows"] == []
    for hidden in ("audit_stream", "ordering", "gold", "auto_approve"):
        assert hidden not in found
        assert hidden in read(judged)
    assert not any("audited" in part for part in (found["overall"], *found["rows"], *found["verifiers"]))
    assert "repeated" not in found["agreement"]
    decisions.undo(judged, reviewer="annotator-1", steps=5)
    assert read(judged, by="reviewer", user="annotator-1") == found


def test_a_queue_worked_off_from_the_top_leaves_the_estimate_where_the_truth_is(store: Store) -> None:
    """Flagged samples over-sampled, the worst first, over the real tables; the raw rate is far off."""
    add_user(store, name="lead-1", role=Role.LEAD, actor="lead-1")
    chance = random.Random(8)
    size = 300
    flagged = {number: number <= 100 for number in range(1, size + 1)}
    truth = {number: chance.random() < (number / 125 if flagged[number] else 0.95) for number in flagged}
    drawn = sorted(chance.sample(sorted(flagged), 60))
    ingest(store, [make_sample(number) for number in range(size)])
    judge(store, {number: FLAG if flagged[number] else PASS for number in flagged}, audit=drawn)
    looked_at = sorted({*drawn, *range(1, 61)})
    said(store, {number: "accept" if truth[number] else "reject" for number in looked_at})
    found = read(store)["overall"]
    true_rate = sum(truth.values()) / size
    assert abs(sum(truth[number] for number in looked_at) / len(looked_at) - true_rate) > 0.1
    assert abs(found["strict_rate"] - true_rate) < 0.06
    assert found["low"] <= true_rate <= found["high"]


def test_rows_do_not_depend_on_what_was_decided_first(judged: Store, tmp_path: Any) -> None:
    other = Store.create(tmp_path / "other.db", now=judged.now)
    with other:
        add_user(other, name="lead-1", role=Role.LEAD, actor="lead-1")
        ingest(other, [make_sample(number) for number in range(20)])
        outcomes = {**dict.fromkeys(FAILED, FAIL), **dict.fromkeys(PASSED, PASS), **dict.fromkeys(FLAGGED, FLAG)}
        judge(other, outcomes, audit=DRAWN)
        everything: Sequence[tuple[int, str]] = list({**EVERY_DRAWN, **BESIDE}.items())
        said(judged, dict(everything))
        said(other, dict(reversed(everything)))
        assert read(other) == read(judged)


def test_what_joins_a_batch_later_is_drawn_at_another_share(store: Store) -> None:
    """The first file of a batch is drawn in full for the least number of a source, and is worse than the second."""
    add_user(store, name="lead-1", role=Role.LEAD, actor="lead-1")
    ingest(store, [make_sample(number) for number in range(20)])
    ingest(store, [make_sample(number) for number in range(100, 280)], signature="t", first=20)
    judge(store, dict.fromkeys(range(1, 201), PASS), audit=range(1, 41))
    said(store, {**dict.fromkeys(range(1, 21), "reject"), **dict.fromkeys(range(21, 41), "accept")})
    assert read(store)["overall"]["strict_rate"] == pytest.approx(0.9)
    assert read(store, by="reviewer")["rows"][0]["strict_rate"] == pytest.approx(0.9)
    assert [row["strict_rate"] for row in read(store, by="batch")["rows"]] == [0.9]


def test_a_file_that_nobody_has_looked_into_is_not_taken_for_like_those_before_it(store: Store) -> None:
    add_user(store, name="lead-1", role=Role.LEAD, actor="lead-1")
    ingest(store, [make_sample(number) for number in range(100)])
    ingest(store, [make_sample(number) for number in range(100, 180)], signature="t", first=100)
    judge(store, dict.fromkeys(range(1, 181), PASS), audit=[*range(1, 21), *range(101, 121)])
    said(store, dict.fromkeys(range(1, 21), "accept"))
    found = read(store)["overall"]
    assert found["low"] < 0.6
    assert found["high"] > 0.9
    said(store, dict.fromkeys(range(101, 121), "reject"))
    assert read(store)["overall"]["strict_rate"] == pytest.approx(100 / 180, abs=1e-6)
