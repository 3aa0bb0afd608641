"""Verdicts that stand in another run just as they are, and those that are to be given again."""

from __future__ import annotations

from dataclasses import replace

from filling import SPECS, VERDICTS, decide, flagged_store, judge, revise

from holdfast.db.check import check
from holdfast.db.models import Choice, Outcome
from holdfast.db.replay import repair
from holdfast.db.selection import judged
from holdfast.db.standing import mark_stale
from holdfast.db.store import Store
from holdfast.db.track_record import decided_findings
from holdfast.db.verdicts import begin_run, carry, complete_run, current

OTHER = (replace(SPECS[0], thresholds={"flag_at": {"above": 2.0}}),)


def current_rows(store: Store) -> list[tuple[str, int]]:
    """Uid and verdict of each sample."""
    rows = store.read().execute(
        "SELECT s.uid, st.verdict_id FROM states st JOIN samples s ON s.id = st.sample_id ORDER BY s.id"
    )
    return [(row[0], row[1]) for row in rows]


def test_carried_verdicts_say_what_they_said(store: Store) -> None:
    flagged_store(store, 2)
    run = begin_run(store, specs=OTHER, actor="lead-1")
    carry(store, run, current_rows(store))
    complete_run(store, run, actor="lead-1")
    for sample_id in (1, 2):
        (found,) = current(store, sample_id)
        assert (found.spec, found.verdict) == (OTHER[0], VERDICTS[Outcome.FLAG])
    assert list(check(store)) == []


def test_a_verdict_that_is_no_longer_the_newest_is_not_carried(store: Store) -> None:
    flagged_store(store, 2)
    decide(store, 1, "edit", revision=revise(store, 1, "better"))
    outdated = current_rows(store)
    judge(store, {3: Outcome.FAIL}, audit=[3])
    run = begin_run(store, specs=OTHER, actor="lead-1")
    carry(store, run, outdated)
    complete_run(store, run, actor="lead-1")
    assert [current(store, sample_id)[0].spec for sample_id in (2, 3)] == [OTHER[0], SPECS[0]]
    assert current(store, 3)[0].verdict == VERDICTS[Outcome.FAIL]
    assert list(check(store)) == []


def test_what_is_to_be_looked_at_again_still_is_after_a_repair(store: Store) -> None:
    flagged_store(store, 3)
    mark_stale(store, [current_rows(store)[1][0][:16]])
    repair(store, lambda _: None)
    assert [(group.stale, group.samples, group.last_id) for group in judged(store)] == [(False, 2, 3), (True, 1, 2)]


def test_a_check_that_broke_has_no_part_in_the_track_record(store: Store) -> None:
    flagged_store(store, 3)
    judge(store, {2: Outcome.ERROR, 3: Outcome.FAIL})
    for sample_id in (1, 2, 3):
        decide(store, sample_id, "reject")
    assert decided_findings(store) == {("length", Choice.REJECT): 2}
