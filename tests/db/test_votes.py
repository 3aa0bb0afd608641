"""Judges' votes: kept whole, covered by the log."""

from __future__ import annotations

import sqlite3

import pytest
from filling import ingest, make_sample

from holdfast.db.check import check
from holdfast.db.models import Vote
from holdfast.db.store import Store
from holdfast.db.votes import record_votes, votes_of

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
