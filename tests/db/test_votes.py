"""Judges' votes: kept whole, covered by the log."""

from __future__ import annotations

import sqlite3

import pytest
from filling import decide, flagged_store, ingest, judge, make_sample, revise

from holdfast.db import events
from holdfast.db.check import check
from holdfast.db.decisions import undo
from holdfast.db.errors import NotFound
from holdfast.db.models import Outcome, Vote
from holdfast.db.references import resolve_many
from holdfast.db.samples import resolve
from holdfast.db.selection import judged
from holdfast.db.store import Store
from holdfast.db.votes import newest_vote_id, record_votes, votes_of, votes_of_many

KEEP = Vote("judge-1", family="kelp", score=8.5, max=10, label="keep", reason="clear — and right", order="first")
DROP = Vote("judge-2", label="drop")


@pytest.fixture
def voted(store: Store) -> Store:
    ingest(store, [make_sample(1), make_sample(2)])
    assert record_votes(store, [(1, KEEP), (1, DROP), (2, KEEP)], actor="lead-1") == 3
    return store


def test_votes_come_back_as_they_were_given(voted: Store) -> None:
    assert votes_of(voted, 1) == [KEEP, DROP]
    assert list(check(voted)) == []


def test_the_same_vote_again_adds_nothing_and_another_one_adds_up(voted: Store) -> None:
    other = Vote("judge-1", label="drop")
    assert record_votes(voted, [(1, KEEP), (1, other)], actor="lead-1") == 1
    assert votes_of(voted, 1) == [KEEP, DROP, other]
    assert list(check(voted)) == []


@pytest.mark.parametrize("change", ["UPDATE votes SET label = 'keep' WHERE id = 2", "DELETE FROM votes WHERE id = 3"])
def test_altered_votes_are_found(voted: Store, change: str) -> None:
    connection = sqlite3.connect(voted.path)
    for trigger in ("votes_no_update", "votes_no_delete"):
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.execute(change)
    connection.commit()
    connection.close()
    assert [problem.kind for problem in check(voted)] != []
    assert {problem.kind for problem in check(voted)} == {"vote"}


def test_votes_are_append_only(voted: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="append-only"), voted.write() as connection:
        connection.execute("UPDATE votes SET score = 1")


def test_each_import_is_covered_on_its_own(voted: Store) -> None:
    for number in range(3):
        record_votes(voted, [(1 + number % 2, Vote(f"judge-{number}", score=number, max=10))], actor="lead-1")
    imports = [event.payload["new"] for event in events.each(voted) if event.type == "votes.imported"]
    assert imports == [3, 1, 1, 1]
    assert list(check(voted)) == []


def test_a_vote_that_no_import_covers_is_found(voted: Store) -> None:
    with voted.write() as connection:
        connection.execute("INSERT INTO votes (sample_id, judge, row_hash) VALUES (1, 'x', X'00')")
    assert {problem.kind for problem in check(voted)} == {"vote"}


def test_votes_on_verified_samples_make_them_stale(store: Store) -> None:
    ingest(store, [make_sample(number) for number in range(3)])
    judge(store, {1: Outcome.PASS, 2: Outcome.PASS})
    record_votes(store, [(1, KEEP), (3, KEEP)], actor="lead-1")
    assert {(group.stack_id, group.stale, group.samples) for group in judged(store)} == {
        (None, False, 1),
        (1, False, 1),
        (1, True, 1),
    }


def test_a_vote_that_comes_while_a_sample_is_judged_is_still_to_be_read(store: Store) -> None:
    ingest(store, [make_sample(0), make_sample(1)])
    judge(store, {1: Outcome.PASS, 2: Outcome.PASS})
    record_votes(store, [(1, KEEP), (2, KEEP)], actor="lead-1")
    read_until = newest_vote_id(store)
    record_votes(store, [(2, DROP)], actor="lead-1")
    judge(store, {1: Outcome.PASS, 2: Outcome.PASS}, newest_vote=read_until)
    assert [(group.stale, group.samples, group.last_id) for group in judged(store)] == [(False, 1, 1), (True, 1, 2)]


def test_votes_on_a_revision_are_read_again_when_the_same_edit_is_made_again(store: Store) -> None:
    flagged_store(store, 1)
    decide(store, 1, "edit", revision=revise(store, 1, "better"))
    record_votes(store, [(2, KEEP)], actor="lead-1")
    judge(store, {2: Outcome.FLAG}, newest_vote=newest_vote_id(store))
    assert [group.stale for group in judged(store)] == [False]
    undo(store, reviewer="annotator-1")
    decide(store, 1, "edit", revision=revise(store, 1, "better"))
    assert [(group.stale, group.last_id) for group in judged(store)] == [(True, 2)]
    assert list(check(store)) == []


def test_votes_of_many_samples(voted: Store) -> None:
    assert votes_of_many(voted, [1, 2, 99]) == {1: (KEEP, DROP), 2: (KEEP,)}


def test_many_references_name_what_each_names_alone(store: Store) -> None:
    flagged_store(store, 4)
    decide(store, 1, "edit", revision=revise(store, 1, "better"))
    uid = store.read().execute("SELECT uid FROM samples WHERE id = 2").fetchone()[0]
    known = ["b/0", "b/1", uid, uid[:20], "b/3"]
    assert resolve_many(store, known) == {ref: resolve(store, ref) for ref in known}
    assert resolve_many(store, ["b/0"])["b/0"] == 5
    unknown = ["b/9", "zz", "f" * 64, "none/0", "b/\0", "/", ""]
    assert all(isinstance(found, NotFound) for found in resolve_many(store, unknown).values())
