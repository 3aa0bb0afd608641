"""The queue's order over its life: made, learned anew, interrupted, repaired; and what it promises to each item."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filling import decide, ingest, judge, make_sample
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.db import decisions, queue
from holdfast.db.check import check
from holdfast.db.decisions import Submission
from holdfast.db.errors import Refused
from holdfast.db.gold import set_gold
from holdfast.db.locks import take
from holdfast.db.models import Choice, Outcome, Status
from holdfast.db.orderings import Pace, newest_ordering, newest_verdict, outdated, place_of, rerank, state_of
from holdfast.db.replay import repair
from holdfast.db.reviewed import reviewed
from holdfast.db.samples import each
from holdfast.db.states import QueueEntry
from holdfast.db.store import Store
from holdfast.reviewer.pipeline import ordering
from holdfast.reviewer.pipeline.ordering import bring_up_to_date, due, start_in_background
from holdfast.reviewer.pipeline.verify import entry_of, verify
from holdfast.reviewer.project import Project

LEAD = "lead-1"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.init(tmp_path / "project", shared=False, user=LEAD)


@pytest.fixture
def store(project: Project) -> Iterator[Store]:
    """The project's store with 40 samples of three sources that wait."""
    with project.store() as store:
        fill(store, 40)
        yield store


def fill(store: Store, count: int, *, first: int = 0, audit: float = 0.0) -> None:
    """Flag the first of so many new samples, let the rest pass but for those that the audit draws."""
    found = [make_sample(number, model=f"model-{number % 3}") for number in range(first, first + count)]
    ingest(store, found, batch=f"from {first}".replace(" ", "-"))
    chance = random.Random(first)
    drawn = [number for number in range(first + 1, first + count + 1) if chance.random() < audit]
    outcomes = {number: chance.choice((Outcome.FLAG, Outcome.ERROR)) for number in range(first + 1, first + count + 1)}
    judge(store, {**outcomes, **{number: Outcome.PASS for number in drawn if number % 2}}, audit=drawn)


def reorder(project: Project, store: Store) -> ordering.Reordered:
    done = bring_up_to_date(project, store, actor=LEAD, now=True)
    assert done is not None
    return done


def order(store: Store) -> list[int]:
    return [row.sample_id for row in queue.listing(store)]


def entries(store: Store) -> dict[int, QueueEntry]:
    """The places by sample; the codes of findings are the verify run's, which `judge` stands for."""
    return {row.sample_id: replace(row.entry, reasons=()) for row in queue.listing(store)}


def decide_some(store: Store, count: int, *, seed: int = 0) -> None:
    chance = random.Random(seed)
    for sample_id in order(store)[:count]:
        decide(store, sample_id, chance.choice(("accept", "reject")))


def test_every_item_is_ranked_by_the_ordering_with_terms_that_add_up(project: Project, store: Store) -> None:
    done = reorder(project, store)
    assert (done.new, done.ranked) == (True, 40)
    for entry in entries(store).values():
        assert entry.version == done.ordering.version
        assert sum(value for _, value in entry.why) == pytest.approx(entry.priority, abs=1e-9)
    again = reorder(project, store)
    assert (again.new, again.ranked, again.ordering) == (False, 0, done.ordering)


def test_a_claimed_item_keeps_its_place_until_it_is_free(project: Project, store: Store) -> None:
    claim = queue.claim(store, reviewer="annotator-1")
    assert claim is not None
    reorder(project, store)
    assert entries(store)[claim.sample_id] == replace(claim.entry, reasons=())
    queue.release(store, [claim.token])
    assert reorder(project, store).ranked == 1
    assert entries(store)[claim.sample_id].version == 1


def test_an_item_claimed_while_its_place_was_found_keeps_the_old_one(project: Project, store: Store) -> None:
    reorder(project, store)
    held = queue.claim(store, reviewer="annotator-1")
    assert held is not None
    before = entries(store)
    rerank(store, [place_of(held.sample_id, replace(held.entry, priority=0.0), newest_verdict(store))])
    assert entries(store) == before


def test_items_of_equal_priority_come_by_uid(project: Project, store: Store) -> None:
    reorder(project, store)
    uids = {stored.id: stored.uid for stored in each(store)}
    waiting = [(-entry.priority, uids[sample_id]) for sample_id, entry in entries(store).items()]
    assert waiting == sorted(waiting)
    assert len({priority for priority, _ in waiting}) < len(waiting)


def test_sources_take_turns_before_anything_is_learned(project: Project, store: Store) -> None:
    reorder(project, store)
    models = {stored.id: stored.sample.model for stored in each(store)}
    first = [models[sample_id] for sample_id in order(store)[:12]]
    for start in range(0, 12, 3):
        assert len(set(first[start : start + 3])) == 3


def test_what_the_audit_drew_lies_all_over_the_queue(project: Project) -> None:
    with project.store() as store:
        fill(store, 400, audit=0.25)
        reorder(project, store)
        audited = {stored.id for stored in each(store) if stored.audit}
        at = [place for place, sample_id in enumerate(order(store)) if sample_id in audited]
        assert len(at) == len(audited)
        assert 0.4 < sum(at) / len(at) / 400 < 0.6
        assert {entry.p_shown is None for one, entry in entries(store).items() if one in audited} == {False}


@settings(max_examples=6)
@given(st.integers(0, 10_000))
def test_every_item_is_reached_though_others_come(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    project = Project.init(tmp_path_factory.mktemp("starving") / "project", shared=False, user=LEAD)
    chance = random.Random(seed)
    with project.store() as store:
        # Too few to learn from: that takes processes, and as many looks.
        fill(store, 20, audit=0.2)
        total, looks = 20, 0
        while (claim := queue.claim(store, reviewer=LEAD, lead=True)) is not None:
            choice = chance.choice((Choice.ACCEPT, Choice.REJECT, Choice.ESCALATE))
            decisions.decide(store, Submission(claim.sample_id, LEAD, choice, token=claim.token))
            looks += 1
            if looks % 10 == 0:
                if total < 40:
                    fill(store, 10, first=total, audit=0.2)
                    total += 10
                reorder(project, store)
            assert looks <= 2 * total * 2
        left = {stored.status for stored in each(store) if stored.audit or stored.status is Status.FLAGGED}
        assert left <= {Status.APPROVED, Status.REJECTED, Status.ESCALATED}


def test_the_same_history_gives_the_same_order(project: Project, store: Store, tmp_path: Path) -> None:
    other = Project.init(tmp_path / "other", shared=False, user=LEAD)
    with other.store() as twin:
        fill(twin, 40)
        for one, where in ((project, store), (other, twin)):
            reorder(one, where)
            decide_some(where, 15)
            reorder(one, where)
        assert entries(store) == entries(twin)
        assert order(store) == order(twin)
        assert state_of(store, 2) == state_of(twin, 2)


def test_an_order_does_not_depend_on_orders_before_it(project: Project, store: Store, tmp_path: Path) -> None:
    other = Project.init(tmp_path / "other", shared=False, user=LEAD)
    with other.store() as twin:
        fill(twin, 40)
        reorder(project, store)
        decided = order(store)[:15]
        for where in (store, twin):
            for sample_id in decided:
                decide(where, sample_id, "reject" if sample_id % 3 else "accept")
        reorder(project, store)
        reorder(other, twin)
        assert order(store) == order(twin)
        assert [entry.why for entry in entries(store).values()] == [entry.why for entry in entries(twin).values()]


def test_lost_places_come_back_as_the_newest_ordering_has_them(project: Project, store: Store) -> None:
    decide_some(store, 8)
    reorder(project, store)
    before = entries(store)
    with store.write() as connection:
        connection.execute("DELETE FROM queue WHERE sample_id % 2")
    repair(store, entry_of(store))
    assert entries(store) == before
    assert list(check(store)) == []


def test_an_interrupted_ordering_is_taken_up_again(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.reviewer.pipeline.ordering.BRISK", Pace(10, 0))
    real, left = Store.write, [3]

    def write(self: Store) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return real(self)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", write)
        with pytest.raises(KeyboardInterrupt):
            reorder(project, store)
    assert 0 < len(outdated(store, 1)) < 40
    done = reorder(project, store)
    assert not done.new
    assert 0 < done.ranked < 40
    assert len(outdated(store, 1)) == 0


def test_an_ordering_is_due_after_enough_new_decisions(project: Project, store: Store) -> None:
    assert due(project.config.review, store)
    reorder(project, store)
    decide_some(store, 24)
    assert not due(project.config.review, store)
    assert bring_up_to_date(project, store, actor=LEAD) is not None
    assert newest_version(store) == 1
    decisions.undo(store, reviewer="annotator-1")
    assert due(project.config.review, store)
    bring_up_to_date(project, store, actor=LEAD)
    assert newest_version(store) == 2


def newest_version(store: Store) -> int:
    newest = newest_ordering(store)
    assert newest is not None
    return newest.version


def test_an_ordering_is_due_when_a_tenth_more_was_judged_or_settings_change(project: Project, store: Store) -> None:
    reorder(project, store)
    fill(store, 3, first=40)
    bring_up_to_date(project, store, actor=LEAD)
    assert newest_version(store) == 1
    fill(store, 3, first=43)
    bring_up_to_date(project, store, actor=LEAD)
    assert newest_version(store) == 2
    (project.root / "holdfast.toml").write_text("[ordering]\ncost_of_bad = 9\n")
    bring_up_to_date(Project(project.root), store, actor=LEAD)
    assert newest_version(store) == 3
    (project.root / "holdfast.toml").write_text('[ordering]\ncost_of_bad = 9\n[quota]\nmax_ratio = "2.0"\n')
    bring_up_to_date(Project(project.root), store, actor=LEAD)
    bring_up_to_date(Project(project.root), store, actor=LEAD)
    assert newest_version(store) == 4
    assert {entry.version for entry in entries(store).values()} == {4}


def test_child_processes_give_the_order_that_this_process_gives(
    project: Project, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reorder(project, store)
    other = Project.init(tmp_path / "other", shared=False, user=LEAD)
    with other.store() as twin:
        fill(twin, 40)
        monkeypatch.setattr(ordering, "INLINE_SAMPLES", 0)
        reorder(other, twin)
        assert entries(store) == entries(twin)


def test_a_background_process_orders_the_queue(project: Project, store: Store) -> None:
    assert start_in_background(project, store, actor=LEAD)
    _, status = os.waitpid(ordering._started.pop(), 0)
    assert status == 0
    assert {entry.version for entry in entries(store).values()} == {1}
    assert not start_in_background(project, store, actor=LEAD)


def test_nobody_starts_another_process_from_the_instant_that_one_is_started(project: Project, store: Store) -> None:
    assert start_in_background(project, store, actor=LEAD)
    with pytest.raises(Refused):
        take(store.path, "order")
    assert not start_in_background(project, store, actor=LEAD)
    (pid,) = ordering._started
    os.kill(pid, signal.SIGKILL)
    os.waitpid(ordering._started.pop(), 0)
    assert reorder(project, store).ranked == 40


def test_files_of_the_current_folder_are_not_run(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    (project.root / "random.py").write_text("raise SystemExit(3)\n")
    assert start_in_background(project, store, actor=LEAD)
    _, status = os.waitpid(ordering._started.pop(), 0)
    assert status == 0
    assert newest_version(store) == 1
    (project.root / "selectors.py").write_text("raise SystemExit(3)\n")
    monkeypatch.setattr(ordering, "INLINE_SAMPLES", 0)
    decide_some(store, 1)
    assert reorder(project, store).new


def test_without_processes_to_spare_the_order_stays_as_it_is(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise BlockingIOError("no process to spare")

    monkeypatch.setattr(os, "posix_spawn", refuse)
    assert not start_in_background(project, store, actor=LEAD)
    os.close(take(store.path, "order"))


def test_what_was_judged_since_it_was_ranked_is_ranked_once_more(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = rerank
    judged: list[int] = []

    def later(store: Store, rows: Sequence[tuple[object, ...]], *, pace: Pace) -> None:
        if not judged:
            judged.append(order(store)[0])
            judge(store, {judged[0]: Outcome.ERROR})
        real(store, rows, pace=pace)

    before = {row.sample_id: row.entry for row in queue.listing(store)}
    monkeypatch.setattr(ordering, "rerank", later)
    assert reorder(project, store).ranked == 41
    after = entries(store)[judged[0]]
    expected = entry_of(store)(judged[0])
    assert expected is not None
    assert after == replace(expected, reasons=())
    assert after != before[judged[0]]


def test_what_is_escalated_without_a_place_gets_one(project: Project, store: Store) -> None:
    ingest(store, [make_sample(99)], batch="passing")
    judge(store, {41: Outcome.PASS})
    reorder(project, store)
    assert not due(project.config.review, store)
    decide(store, 41, "escalate")
    assert entries(store)[41].why == ()
    assert due(project.config.review, store)
    bring_up_to_date(project, store, actor=LEAD)
    assert entries(store)[41].why
    assert not due(project.config.review, store)
    assert newest_version(store) == 1


def test_gold_and_second_opinions_teach_nothing(project: Project, store: Store) -> None:
    decide_some(store, 10)
    known = {one.sample_id for one in reviewed(store)}
    decided = decisions.decisions_by(store, "annotator-1", limit=1)[0].sample_id
    decisions.decide(store, Submission(decided, "annotator-2", Choice.REJECT, second_opinion=True))
    waiting = order(store)[-1]
    set_gold(store, waiting, actor=LEAD, verdict=Choice.REJECT)
    assert {one.sample_id for one in reviewed(store)} == known
    assert reorder(project, store).ordering.report["decisions"] == 10
    assert waiting not in order(store)


def test_an_altered_ordering_is_found(project: Project, store: Store) -> None:
    reorder(project, store)
    connection = sqlite3.connect(store.path)
    connection.execute("DROP TRIGGER orderings_no_update")
    connection.execute("UPDATE orderings SET report = replace(report, 'learned', 'leamed')")
    connection.commit()
    connection.close()
    assert ("ordering", "ordering 1 was altered: it is not what its event covers") in [
        (problem.kind, problem.detail) for problem in check(store)
    ]


def test_near_duplicates_have_one_that_stands_for_them(tmp_path: Path) -> None:
    project = Project(Project.init(tmp_path / "near", shared=False, user=LEAD).root)
    (project.root / "holdfast.toml").write_text(
        '[verifiers]\nenabled = ["near_duplicate"]\n[review]\naudit_share = 0\n'
    )
    words = [f"word{number}" for number in range(60)]
    texts = [" ".join(words[:40]) + f" {number}" for number in range(5)] + [" ".join(words[40:])]
    samples = [make_sample(0, messages=make_sample(0).with_response(text)) for text in texts]
    stands, waits = "stands for 4 near-duplicates", "another stands for its near-duplicates"

    def why(store: Store) -> list[list[str]]:
        return [[term for term, _ in row.entry.why] for row in queue.listing(store)]

    with project.store() as store:
        ingest(store, samples)
        verify(project, store, actor=LEAD)
        first, *others = why(store)
        assert stands in first
        assert [waits in terms for terms in others] == [True] * 3
        decide(store, order(store)[0], "accept")
        reorder(project, store)
        assert [waits in terms for terms in why(store)] == [True] * 3
