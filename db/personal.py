"""Items that one reviewer is given beside the queue: gold, own decisions to be made again, second opinions.

Several people may hold the same one. A claim is a lease with a token, by the rules of the queue.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson

from holdfast.db.leases import is_alive
from holdfast.db.models import Stream
from holdfast.db.store import Store, instant_of, text_of

Kind = Literal["queue", "gold", "rereview", "second"]
STREAM_OF: dict[str, Stream] = {"gold": Stream.GOLD, "rereview": Stream.REREVIEW, "second": Stream.OVERLAP}

REST = timedelta(days=7)
"""How long a gold sample is kept from whoever has answered it."""
AGAIN_AFTER = timedelta(days=1)
"""How long after a decision its reviewer may be shown the sample again."""

_NOT_MINE = """NOT EXISTS (SELECT 1 FROM personal p WHERE p.sample_id = {0}.sample_id AND p.reviewer = :reviewer)
    AND NOT EXISTS (SELECT 1 FROM queue q WHERE q.sample_id = {0}.sample_id AND q.state = 'claimed'
                    AND q.reviewer = :reviewer)"""
_WANTED = """NOT EXISTS (SELECT 1 FROM skips k WHERE k.sample_id = {0}.sample_id AND k.reviewer = :reviewer
    AND k.until > :now) AND (:among IS NULL OR {0}.sample_id IN (SELECT value FROM json_each(:among)))"""
_OF_BATCH = """(:batch IS NULL OR EXISTS (SELECT 1 FROM occurrences o WHERE o.sample_id = {0}.sample_id
    AND o.batch_id = (SELECT id FROM batches WHERE name = :batch)))"""
_BATCH = "(:batch IS NULL OR {0}.batch_id = (SELECT id FROM batches WHERE name = :batch))"
_SAID = "{0}.undone_seq IS NULL AND {0}.verdict <> 'skip'"
_FIRST_BATCH = "(SELECT batch_id FROM occurrences WHERE sample_id = d.sample_id ORDER BY id LIMIT 1)"

REREVIEWS = f"""SELECT d.reviewer, d.sample_id, d.again_at, {_FIRST_BATCH} FROM decisions d
    WHERE d.again_at IS NOT NULL AND {_SAID.format("d")}
    AND NOT EXISTS (SELECT 1 FROM gold g WHERE g.sample_id = d.sample_id)
    AND NOT EXISTS (SELECT 1 FROM decisions r INDEXED BY decisions_sample WHERE r.sample_id = d.sample_id
        AND r.reviewer = d.reviewer AND r.kind = 'rereview' AND r.seq > d.seq AND {_SAID.format("r")})"""
"""What decisions make of the table of decisions to be made again."""

OVERLAPS = f"""SELECT * FROM (SELECT d.sample_id, s.uid, {_FIRST_BATCH},
        (SELECT json_group_array(reviewer) FROM (SELECT DISTINCT o.reviewer FROM decisions o
            WHERE o.sample_id = d.sample_id AND o.kind IN ('first', 'second') AND {_SAID.format("o")} ORDER BY 1))
            AS people,
        d.opinions FROM decisions d JOIN samples s ON s.id = d.sample_id JOIN states t ON t.sample_id = s.id
    WHERE d.opinions IS NOT NULL AND {_SAID.format("d")} AND t.status IN ('approved', 'rejected', 'superseded')
    AND NOT EXISTS (SELECT 1 FROM decisions a WHERE a.sample_id = d.sample_id AND a.kind = 'adjudication'
        AND {_SAID.format("a")}) {{}}) WHERE json_array_length(people) < opinions"""
"""What decisions make of the table of samples that further people are to decide."""


@dataclass(frozen=True, slots=True)
class Held:
    """A claim of a reviewer's own; `priority` and `p_shown` are what the reviewer is told of its place."""

    sample_id: int
    kind: Kind
    token: str
    expires_at: datetime
    priority: float | None
    p_shown: float | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Samples that a reviewer could be given beside the queue, in order, and what they hold of such.

    `number` is that of the next item that the reviewer is given, of whatever kind; `places` are the priorities of
    those given before.
    """

    number: int
    places: tuple[float, ...]
    gold: tuple[int, ...]
    rereview: tuple[int, ...]
    second: tuple[int, ...]
    held: tuple[Held, ...]


def settle(connection: sqlite3.Connection, sample_id: int) -> None:
    """Bring up to date what a sample's decisions ask of people, inside a write transaction."""
    values = {"sample": sample_id}
    connection.execute("DELETE FROM rereviews WHERE sample_id = :sample", values)
    connection.execute("DELETE FROM overlaps WHERE sample_id = :sample", values)
    connection.execute(f"INSERT OR REPLACE INTO rereviews {REREVIEWS} AND d.sample_id = :sample", values)
    connection.execute(f"INSERT INTO overlaps {OVERLAPS.format('AND d.sample_id = :sample')}", values)


def given(connection: sqlite3.Connection, reviewer: str) -> int:
    """How many items the reviewer has been given: the number of the next one."""
    (number,) = connection.execute(
        """SELECT coalesce((SELECT nth FROM decisions WHERE reviewer = :reviewer ORDER BY seq DESC LIMIT 1), 0)
        + (SELECT count(*) FROM queue WHERE state = 'claimed' AND reviewer = :reviewer)
        + (SELECT count(*) FROM personal WHERE reviewer = :reviewer)""",
        {"reviewer": reviewer},
    ).fetchone()
    return int(number)


def places(connection: sqlite3.Connection, reviewer: str) -> tuple[float, ...]:
    """The priorities, as the reviewer is told them, of what they hold and of what they decided last."""
    rows = connection.execute(
        """SELECT priority FROM queue WHERE state = 'claimed' AND reviewer = :reviewer
        UNION ALL SELECT priority FROM personal WHERE reviewer = :reviewer AND priority IS NOT NULL
        UNION ALL SELECT coalesce(json_extract(e.payload, '$.shown.priority'), q.priority) FROM events e
            JOIN decisions d ON d.seq = e.seq JOIN queue q ON q.sample_id = d.sample_id
            WHERE e.seq = (SELECT max(seq) FROM decisions WHERE reviewer = :reviewer)""",
        {"reviewer": reviewer},
    )
    return tuple(row[0] for row in rows)


def next_of(connection: sqlite3.Connection, kind: Kind, values: dict[str, Any]) -> int | None:
    """The sample that is the reviewer's next of a kind beside the queue."""
    if kind == "second":
        return _next_second(connection, values)
    due = _gold_due(connection, values) if kind == "gold" else _rereviews_due(connection, values, limit=1)
    return next(iter(due), None)


def lease(connection: sqlite3.Connection, sample_id: int, kind: str, values: dict[str, Any]) -> Held:
    """Lease one item to the reviewer; a claim that the reviewer has on it gets a new token."""
    row = connection.execute(
        """INSERT INTO personal VALUES (:sample, :reviewer, :kind, :priority, :p_shown, :token, :pid, :expires)
        ON CONFLICT DO UPDATE SET kind = excluded.kind, token = excluded.token, pid = excluded.pid,
        expires_at = excluded.expires_at RETURNING *""",
        {"priority": None, "p_shown": None, **values, "sample": sample_id, "kind": kind},
    ).fetchone()
    return _held(row)


def place_of(connection: sqlite3.Connection, sample_id: int, reviewer: str) -> dict[str, float]:
    """What a reviewer is told of the place of what they hold, for the record; nothing where that is its own."""
    row = connection.execute(
        "SELECT priority, p_shown FROM personal WHERE sample_id = ? AND reviewer = ? AND priority IS NOT NULL",
        (sample_id, reviewer),
    ).fetchone()
    return {} if row is None else dict(row)


def last_place(connection: sqlite3.Connection, sample_id: int, reviewer: str) -> dict[str, float]:
    """What the reviewer was told of a sample's place when they decided it last; who undoes that is told it again."""
    row = connection.execute(
        """SELECT json_extract(e.payload, '$.shown.priority') AS priority,
        json_extract(e.payload, '$.shown.p_shown') AS p_shown FROM events e WHERE e.seq = (SELECT max(seq)
            FROM decisions WHERE sample_id = ? AND reviewer = ?)""",
        (sample_id, reviewer),
    ).fetchone()
    return {} if row is None or row["priority"] is None else dict(row)


def take_over(connection: sqlite3.Connection, values: dict[str, Any]) -> Held | None:
    """Take up an own claim whose process is gone."""
    mine = connection.execute(
        f"""SELECT p.sample_id, p.kind, p.pid FROM personal p WHERE p.reviewer = :reviewer AND p.pid IS NOT NULL
        AND {_OF_BATCH.format("p")} ORDER BY p.sample_id""",
        values,
    ).fetchall()
    for sample_id, kind, pid in mine:
        if not is_alive(pid):
            return lease(connection, sample_id, kind, values)
    return None


def kind_for(connection: sqlite3.Connection, sample_id: int, reviewer: str, *, lead: bool, at: str) -> Kind | None:
    """As what a reviewer holds a sample beside the queue, or may be given it; None where it is nothing special."""
    values = {"sample": sample_id, "reviewer": reviewer, "now": at, "batch": None, "among": None}
    held = _held_as(connection, sample_id, reviewer, at)
    if held is not None:
        return held
    if not lead and sample_id in _gold_due(connection, values, only=sample_id):
        return "gold"
    if is_due_again(connection, sample_id, reviewer, at):
        return "rereview"
    row = connection.execute("SELECT people FROM overlaps WHERE sample_id = :sample", values).fetchone()
    return "second" if row is not None and reviewer not in orjson.loads(row[0]) else None


def kind_of(store: Store, sample_id: int, reviewer: str, *, lead: bool) -> Kind | None:
    """As what an annotator holds, or may be given, a sample beside the queue; as what a lead holds it."""
    with store.snapshot() as connection:
        return kind_seen(connection, sample_id, reviewer, lead=lead, at=text_of(store.now()))


def kind_seen(connection: sqlite3.Connection, sample_id: int, reviewer: str, *, lead: bool, at: str) -> Kind | None:
    """`kind_of` inside a transaction."""
    if lead:
        return _held_as(connection, sample_id, reviewer, at)
    return kind_for(connection, sample_id, reviewer, lead=lead, at=at)


def kind_of_claim(
    connection: sqlite3.Connection, sample_id: int, reviewer: str, token: str | None, at: str
) -> Kind | None:
    """As what a reviewer holds a sample beside the queue, by a token whose lease has not ended."""
    row = connection.execute(
        "SELECT kind FROM personal WHERE sample_id = ? AND reviewer = ? AND token = ? AND expires_at >= ?",
        (sample_id, reviewer, token, at),
    ).fetchone()
    return None if row is None else row[0]


def is_due_again(connection: sqlite3.Connection, sample_id: int, reviewer: str, at: str) -> bool:
    """Whether it is time for a reviewer to make a decision again."""
    row = connection.execute(
        "SELECT 1 FROM rereviews WHERE sample_id = ? AND reviewer = ? AND due_at <= ?", (sample_id, reviewer, at)
    ).fetchone()
    return row is not None


def heartbeat(connection: sqlite3.Connection, tokens: str, now: str, expires: str) -> set[str]:
    """Extend leases by token (a JSON array); the tokens that still hold one."""
    rows = connection.execute(
        """UPDATE personal SET expires_at = ? WHERE expires_at >= ? AND token IN (SELECT value FROM json_each(?))
        RETURNING token""",
        (expires, now, tokens),
    ).fetchall()
    return {row[0] for row in rows}


def sweep(connection: sqlite3.Connection, now: str) -> None:
    """End the leases that have run out."""
    connection.execute("DELETE FROM personal WHERE expires_at < ?", (now,))


def release(connection: sqlite3.Connection, tokens: str) -> int:
    """End claims by token (a JSON array); how many there were."""
    gone = connection.execute("DELETE FROM personal WHERE token IN (SELECT value FROM json_each(?))", (tokens,))
    return gone.rowcount


def release_all(connection: sqlite3.Connection, reviewer: str) -> int:
    """End every claim of a reviewer; how many there were."""
    return connection.execute("DELETE FROM personal WHERE reviewer = ?", (reviewer,)).rowcount


def release_gold(connection: sqlite3.Connection, reviewer: str) -> None:
    """End the claims on gold of a reviewer who is to know the answers."""
    connection.execute("DELETE FROM personal WHERE reviewer = ? AND kind = 'gold'", (reviewer,))


def free(connection: sqlite3.Connection, sample_id: int, reviewer: str) -> None:
    """End a reviewer's claim on a sample, if there is one."""
    connection.execute("DELETE FROM personal WHERE sample_id = ? AND reviewer = ?", (sample_id, reviewer))


def waiting(store: Store, reviewer: str, *, lead: bool, batch: str | None = None) -> Waiting:
    """What waits for a reviewer beside the queue; gold is nothing to leads, who know the answers."""
    with store.snapshot() as connection:
        values = {"reviewer": reviewer, "now": text_of(store.now()), "batch": batch, "among": None}
        return Waiting(
            given(connection, reviewer),
            places(connection, reviewer),
            () if lead else tuple(_gold_due(connection, values)),
            tuple(_rereviews_due(connection, values)),
            tuple(_overlaps_open(connection, values)),
            tuple(_held(row) for row in _mine(connection, values)),
        )


def _held_as(connection: sqlite3.Connection, sample_id: int, reviewer: str, at: str) -> Kind | None:
    row = connection.execute(
        "SELECT kind FROM personal WHERE sample_id = ? AND reviewer = ? AND expires_at >= ?", (sample_id, reviewer, at)
    ).fetchone()
    return None if row is None else row[0]


def _mine(connection: sqlite3.Connection, values: dict[str, Any]) -> Iterable[sqlite3.Row]:
    return connection.execute(
        f"""SELECT * FROM personal p WHERE p.reviewer = :reviewer AND p.expires_at >= :now AND {_OF_BATCH.format("p")}
        ORDER BY p.sample_id""",
        values,
    )


def _held(row: sqlite3.Row) -> Held:
    return Held(
        row["sample_id"], row["kind"], row["token"], instant_of(row["expires_at"]), row["priority"], row["p_shown"]
    )


def _gold_due(connection: sqlite3.Connection, values: dict[str, Any], *, only: int | None = None) -> list[int]:
    """Gold samples for a reviewer: those not answered yet in an order of the reviewer's own, then the longest ago."""
    rested = text_of(instant_of(values["now"]) - REST)
    rows = connection.execute(
        f"""SELECT g.sample_id, s.uid, (SELECT max(d.at) FROM decisions d WHERE d.kind = 'gold'
            AND d.reviewer = :reviewer AND d.sample_id = g.sample_id AND {_SAID.format("d")}) AS last
        FROM gold g JOIN samples s ON s.id = g.sample_id WHERE (:only IS NULL OR g.sample_id = :only)
        AND {_OF_BATCH.format("g")}
        AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.sample_id = g.sample_id AND d.reviewer = :reviewer
            AND d.kind <> 'gold' AND {_SAID.format("d")})
        AND {_NOT_MINE.format("g")} AND {_WANTED.format("g")}""",
        {**values, "only": only},
    ).fetchall()
    due = [row for row in rows if row["last"] is None or row["last"] < rested]
    return [row["sample_id"] for row in sorted(due, key=lambda row: (row["last"] or "", _mixed(row, values)))]


def _mixed(row: sqlite3.Row, values: dict[str, Any]) -> bytes:
    return hashlib.sha256(f"{row['uid']}\0{values['reviewer']}".encode()).digest()


def _rereviews_due(connection: sqlite3.Connection, values: dict[str, Any], *, limit: int = -1) -> list[int]:
    rows = connection.execute(
        f"""SELECT r.sample_id FROM rereviews r WHERE r.reviewer = :reviewer AND r.due_at <= :now
        AND {_BATCH.format("r")} AND {_NOT_MINE.format("r")} AND {_WANTED.format("r")}
        ORDER BY r.due_at, r.sample_id LIMIT :limit""",
        {**values, "limit": limit},
    )
    return [row[0] for row in rows]


_OPEN = f"""json_array_length(x.people) + (SELECT count(*) FROM personal p WHERE p.sample_id = x.sample_id
        AND p.kind = 'second') < x.opinions AND {_NOT_MINE.format("x")} AND {_WANTED.format("x")}"""


def _next_second(connection: sqlite3.Connection, values: dict[str, Any]) -> int | None:
    """The first sample that others decided, by uid.

    Samples lie side by side that the same people have decided: those of the reviewer are passed over at once, however
    many there are.
    """
    narrowed = "" if values["batch"] is None else "batch_id = (SELECT id FROM batches WHERE name = :batch) AND"
    row = connection.execute(
        f"""WITH RECURSIVE teams (people) AS (SELECT min(people) FROM overlaps WHERE {narrowed} TRUE
            UNION ALL SELECT (SELECT min(people) FROM overlaps WHERE {narrowed} people > teams.people)
            FROM teams WHERE teams.people IS NOT NULL)
        SELECT y.sample_id FROM (SELECT (SELECT x.sample_id FROM overlaps x WHERE {narrowed} x.people = teams.people
                AND {_OPEN} ORDER BY x.uid LIMIT 1) AS sample_id
            FROM teams WHERE teams.people IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM json_each(teams.people) WHERE value = :reviewer)) f
        JOIN overlaps y ON y.sample_id = f.sample_id ORDER BY y.uid LIMIT 1""",
        values,
    ).fetchone()
    return None if row is None else int(row[0])


def _overlaps_open(connection: sqlite3.Connection, values: dict[str, Any]) -> list[int]:
    rows = connection.execute(
        f"""SELECT x.sample_id FROM overlaps x WHERE {_BATCH.format("x")} AND {_OPEN}
        AND NOT EXISTS (SELECT 1 FROM json_each(x.people) WHERE value = :reviewer) ORDER BY x.uid""",
        values,
    )
    return [row[0] for row in rows]
