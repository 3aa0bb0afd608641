"""Judges' votes: each opinion is kept, none overwrites another."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from itertools import islice

import orjson

from holdfast.db import events
from holdfast.db.merkle import merkle_root
from holdfast.db.models import Vote
from holdfast.db.store import Store, text_of
from holdfast.db.users import ensure_user

_COLUMNS = "judge, family, criterion, score, max, label, winner, confidence, reason, position"


def record_votes(store: Store, votes: Sequence[tuple[int, Vote]], *, actor: str) -> int:
    """Store votes on samples by row id, in one transaction with a `votes.imported` event; returns how many were new.

    The event's Merkle root covers the new votes. Samples that were verified before they came are marked stale.
    """
    with store.write() as connection:
        return add_votes(connection, votes, actor=actor, at=text_of(store.now()))


def add_votes(connection: sqlite3.Connection, votes: Sequence[tuple[int, Vote]], *, actor: str, at: str) -> int:
    """What `record_votes` does, inside the caller's write transaction."""
    uids = _uids(connection, {sample_id for sample_id, _ in votes})
    (before,) = connection.execute("SELECT coalesce(max(id), 0) FROM votes").fetchone()
    connection.executemany(
        f"""INSERT OR IGNORE INTO votes (sample_id, {_COLUMNS}, row_hash)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        ((sample_id, *astuple(vote), vote_hash(uids[sample_id], vote)) for sample_id, vote in votes),
    )
    rows = connection.execute("SELECT row_hash FROM votes WHERE id > ? ORDER BY id", (before,)).fetchall()
    if rows:
        ensure_user(connection, actor, at=at)
        payload = {"new": len(rows), "root": merkle_root(row[0] for row in rows)}
        events.append(connection, at=at, actor=actor, type="votes.imported", payload=payload)
        connection.execute(
            "UPDATE states SET stale = 1 WHERE sample_id IN (SELECT sample_id FROM votes WHERE id > ?)", (before,)
        )
    return len(rows)


def votes_of(store: Store, sample_id: int) -> list[Vote]:
    """The votes on a sample, oldest first."""
    rows = store.read().execute(f"SELECT {_COLUMNS} FROM votes WHERE sample_id = ? ORDER BY id", (sample_id,))
    return [Vote(*row) for row in rows]


def newest_vote_id(store: Store) -> int:
    """The row id of the newest vote; 0 without any."""
    return int(store.read().execute("SELECT coalesce(max(id), 0) FROM votes").fetchone()[0])


def votes_of_many(store: Store, sample_ids: Iterable[int]) -> dict[int, tuple[Vote, ...]]:
    """The votes on samples by row id, oldest first; samples without any are left out."""
    rows = store.read().execute(
        f"SELECT sample_id, {_COLUMNS} FROM votes WHERE sample_id IN (SELECT value FROM json_each(?)) ORDER BY id",
        (orjson.dumps(list(sample_ids)).decode(),),
    )
    found: dict[int, tuple[Vote, ...]] = {}
    for row in rows:
        found[row[0]] = (*found.get(row[0], ()), Vote(*row[1:]))
    return found


def vote_hash(uid: str, vote: Vote) -> bytes:
    """SHA-256 over the sample's uid and everything that the vote says."""
    # SQLite gives numbers back as reals, and -0.0 as 0.0: 10 and 10.0 are one vote.
    values = [value + 0.0 if isinstance(value, int | float) else value for value in astuple(vote)]
    return hashlib.sha256(orjson.dumps((uid, *values))).digest()


def altered(connection: sqlite3.Connection) -> list[str]:
    """Judges and uids of votes that are not as they were stored."""
    rows = connection.execute(
        f"SELECT s.uid, v.row_hash, {_COLUMNS} FROM votes v JOIN samples s ON s.id = v.sample_id ORDER BY v.id"
    )
    return [f"{row['judge']} on {row['uid'][:16]}" for row in rows if vote_hash(row[0], Vote(*row[2:])) != row[1]]


def uncovered(connection: sqlite3.Connection) -> bool:
    """Whether the votes are not, import by import, those that the log's `votes.imported` events cover."""
    digests = (bytes(row[0]) for row in connection.execute("SELECT row_hash FROM votes ORDER BY id"))
    imports = connection.execute("SELECT payload FROM events WHERE type = 'votes.imported' ORDER BY seq")
    for payload in (orjson.loads(row[0]) for row in imports):
        if merkle_root(islice(digests, payload["new"])) != payload["root"]:
            return True
    return next(digests, None) is not None


def _uids(connection: sqlite3.Connection, sample_ids: Iterable[int]) -> dict[int, str]:
    wanted = orjson.dumps(list(sample_ids)).decode()
    return dict(
        connection.execute("SELECT id, uid FROM samples WHERE id IN (SELECT value FROM json_each(?))", (wanted,))
    )
