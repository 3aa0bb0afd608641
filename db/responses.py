"""Judges' replies, each kept to the letter with what it cost, and the account of what calls may cost."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from holdfast.db.store import Store


@dataclass(frozen=True, slots=True)
class Response:
    """A model's answer to a request, known by the request's SHA-256; `cost` is in billionths of a US dollar.

    `uids` are the samples that were shown, in order; `status` is `parsed`, or why it gave no vote.
    """

    request_hash: str
    model: str
    served: str | None
    uids: tuple[str, ...]
    status: str
    finish: str | None
    tokens_in: int | None
    tokens_out: int | None
    cost: int | None
    reply: str


def add_response(connection: sqlite3.Connection, response: Response, *, at: str) -> None:
    """Keep an answer, inside a write transaction; the first one to a request stays."""
    connection.execute(
        """INSERT OR IGNORE INTO responses (request_hash, model, served, uids, status, finish, tokens_in, tokens_out,
        cost, reply, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            response.request_hash, response.model, response.served, orjson.dumps(response.uids).decode(),
            response.status, response.finish, response.tokens_in, response.tokens_out, response.cost, response.reply,
            at,
        ),
    )  # fmt: skip


def responses_to(store: Store, request_hashes: Sequence[str]) -> dict[str, Response]:
    """The answers that are known to requests, by their hash."""
    rows = store.read().execute(
        """SELECT request_hash, model, served, uids, status, finish, tokens_in, tokens_out, cost, reply FROM responses
        WHERE request_hash IN (SELECT value FROM json_each(?))""",
        (orjson.dumps(list(request_hashes)).decode(),),
    )
    return {row["request_hash"]: Response(**{**dict(row), "uids": tuple(orjson.loads(row["uids"]))}) for row in rows}


def reserve(connection: sqlite3.Connection, request_hash: str, model: str, greatest: int | None, *, at: str) -> int:
    """Note that a call is about to start that costs so much at most (None: not known); returns its reservation."""
    cursor = connection.execute(
        "INSERT INTO spending (request_hash, model, greatest, at) VALUES (?, ?, ?, ?)",
        (request_hash, model, greatest, at),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def settle(connection: sqlite3.Connection, reservation: int, cost: int | None) -> None:
    """Put a call's real cost (None: not known) in the place of its greatest one."""
    connection.execute("UPDATE spending SET cost = coalesce(?, 0) WHERE id = ? AND cost IS NULL", (cost, reservation))


def spent(store: Store) -> int:
    """What all calls cost together; those whose end is not known count at their greatest cost."""
    (total,) = store.read().execute("SELECT sum(coalesce(cost, greatest, 0)) FROM spending").fetchone()
    return int(total or 0)


def lost_calls(store: Store) -> int:
    """How many calls were started and never settled: their process was killed."""
    (count,) = store.read().execute("SELECT count(*) FROM spending WHERE cost IS NULL").fetchone()
    return int(count)
