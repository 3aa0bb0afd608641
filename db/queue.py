"""The review queue: claims are leases with a token; one statement hands out one item."""

from __future__ import annotations

import heapq
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import orjson

from holdfast.db import personal
from holdfast.db.disguise import beside, disguise
from holdfast.db.errors import Refused
from holdfast.db.leases import LEASE_SECONDS, is_alive
from holdfast.db.models import Status, Stream
from holdfast.db.personal import Held, Kind
from holdfast.db.states import UNRANKED, QueueEntry, insert_entry
from holdfast.db.store import Store, instant_of, text_of

Slots = Callable[[int], tuple[Sequence[Kind], float]]
"""From the number of the item that a reviewer is given to the kinds it may be, in the order in which they are tried,
and to where, from 0 to 1, between the next item of the queue and the one before it seems to stand."""

_COLUMNS = "sample_id, token, expires_at, stream, priority, p_bad, why, reasons, p_shown, version, reviewer, state"
_FREE = """reviewer = NULL, token = NULL, pid = NULL, expires_at = NULL, state = iif(EXISTS (
    SELECT 1 FROM states st WHERE st.sample_id = queue.sample_id
    AND (st.status IN ('flagged', 'escalated') OR (st.status = 'passed' AND st.audit))), 'open', 'done')"""

_WHOLE_QUEUE = {"pool": "review", "batch": None, "among": None}
_ABOVE = 0.5
"""How far above the next item of the queue one beside it seems to stand that was asked for by name."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A lease on one item; only the holder of its token decides it. A `kind` other than `queue` is beside the queue."""

    sample_id: int
    uid: str
    token: str
    expires_at: datetime
    status: Status
    entry: QueueEntry
    kind: Kind = "queue"


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One item of the queue as it is listed; `reviewer` holds it until the lease ends."""

    sample_id: int
    position: int
    entry: QueueEntry
    reviewer: str | None


def claim(
    store: Store,
    *,
    reviewer: str,
    lease_seconds: float = LEASE_SECONDS,
    batch: str | None = None,
    lead: bool = False,
    session: bool = False,
    among: Iterable[int] | None = None,
    slots: Slots | None = None,
) -> Claim | None:
    """Lease the next item to the reviewer; None when nothing is due.

    Escalated items go to leads alone (`lead`), before others. A `session` claim belongs to this process: should the
    process die, its reviewer's next session gets the item back at once, with a new token. `among` narrows the choice
    to some samples of the queue; `slots` opens what there is beside it (see `db/personal.py`).
    """
    with store.write() as connection:
        now = store.now()
        _sweep(connection, text_of(now))
        values = {**_lease(store, reviewer, now, lease_seconds, session=session), "batch": batch}
        values["among"] = None if among is None else orjson.dumps(list(among)).decode()
        if session and among is None:
            row = _take_over(connection, values)
            if row is not None:
                return _claim(connection, row)
            held = personal.take_over(connection, values)
            if held is not None:
                return _personal_claim(connection, held)
        if lead:
            row = _take_open(connection, {**values, "pool": "lead"})
            if row is not None:
                return _claim(connection, row)
        values = {**values, "pool": "review"}
        if slots is None:
            return _take_first(connection, ("queue",), 0.0, values)
        return _take_first(connection, *slots(personal.given(connection, reviewer)), values)


def claim_sample(
    store: Store,
    sample_id: int,
    *,
    reviewer: str,
    lease_seconds: float = LEASE_SECONDS,
    session: bool = False,
    lead: bool = False,
) -> Claim:
    """Lease one particular sample, whether it is due or not; Refused while another reviewer holds it."""
    with store.write() as connection:
        now = store.now()
        _sweep(connection, text_of(now))
        values = _lease(store, reviewer, now, lease_seconds, session=session)
        kind = personal.kind_for(connection, sample_id, reviewer, lead=lead, at=values["now"])
        if kind is not None:
            shown = personal.last_place(connection, sample_id, reviewer)
            shown = shown or disguise(_heads(connection, {**values, **_WHOLE_QUEUE}), (), _ABOVE)
            return _personal_claim(connection, personal.lease(connection, sample_id, kind, {**values, **shown}))
        refuse_if_held(connection, sample_id, reviewer, values["now"])
        if connection.execute("SELECT 1 FROM queue WHERE sample_id = ?", (sample_id,)).fetchone() is None:
            insert_entry(connection, sample_id, "none", "open", UNRANKED)
        row = connection.execute(
            f"""UPDATE queue SET state = 'claimed', reviewer = :reviewer, token = :token, pid = :pid,
            expires_at = :expires WHERE sample_id = :sample RETURNING {_COLUMNS}""",
            {**values, "sample": sample_id},
        ).fetchone()
        return _claim(connection, row)


def _lease(store: Store, reviewer: str, now: datetime, seconds: float, *, session: bool) -> dict[str, Any]:
    return {
        "reviewer": reviewer,
        "now": text_of(now),
        "token": secrets.token_hex(16),
        "pid": os.getpid() if session else None,
        "expires": text_of(now + timedelta(seconds=seconds)),
    }


def heartbeat(store: Store, tokens: Iterable[str], *, lease_seconds: float = LEASE_SECONDS) -> set[str]:
    """Extend leases; returns the tokens that still hold one."""
    with store.write() as connection:
        now = store.now()
        expires = text_of(now + timedelta(seconds=lease_seconds))
        asked = orjson.dumps(list(tokens)).decode()
        rows = connection.execute(
            """UPDATE queue SET expires_at = ? WHERE state = 'claimed' AND expires_at >= ?
            AND token IN (SELECT value FROM json_each(?)) RETURNING token""",
            (expires, text_of(now), asked),
        ).fetchall()
        return {row[0] for row in rows} | personal.heartbeat(connection, asked, text_of(now), expires)


def release(store: Store, tokens: Iterable[str]) -> int:
    """Give claims back by token; returns how many were still held."""
    with store.write() as connection:
        asked = orjson.dumps(list(tokens)).decode()
        held = connection.execute(
            "SELECT sample_id FROM queue WHERE state = 'claimed' AND token IN (SELECT value FROM json_each(?))",
            (asked,),
        ).fetchall()
        for (sample_id,) in held:
            free(connection, sample_id)
        return len(held) + personal.release(connection, asked)


def release_all(store: Store, reviewer: str) -> int:
    """Give back every claim of a reviewer; returns how many there were."""
    with store.write() as connection:
        held = connection.execute("SELECT sample_id FROM queue WHERE state = 'claimed' AND reviewer = ?", (reviewer,))
        sample_ids = [row[0] for row in held]
        for sample_id in sample_ids:
            free(connection, sample_id)
        return len(sample_ids) + personal.release_all(connection, reviewer)


def free(connection: sqlite3.Connection, sample_id: int) -> None:
    """End a claim inside a write transaction; an item that is not due, or no longer, leaves the queue."""
    connection.execute("DELETE FROM queue WHERE sample_id = ? AND pool = 'none'", (sample_id,))
    connection.execute(f"UPDATE queue SET {_FREE} WHERE sample_id = ? AND state = 'claimed'", (sample_id,))


def refuse_if_held(connection: sqlite3.Connection, sample_id: int, reviewer: str, at: str) -> None:
    """Refused where another reviewer holds a lease on the sample that has not ended."""
    row = connection.execute(
        """SELECT reviewer, expires_at FROM queue WHERE sample_id = ? AND state = 'claimed' AND reviewer <> ?
        AND expires_at >= ?""",
        (sample_id, reviewer, at),
    ).fetchone()
    if row is not None:
        raise Refused(
            f"{row[0]} holds this sample until {row[1][11:19]} UTC; take another, or wait for the lease to end"
        )


def listing(
    store: Store, *, limit: int | None = None, batch: str | None = None, lead: bool = True
) -> Iterator[QueueRow]:
    """Items that wait for a person, in the order in which they are handed out (leads' items first)."""
    ordered = (
        row for pool in (("lead", "review") if lead else ("review",)) for row in _waiting_rows(store, pool, batch)
    )
    for position, row in enumerate(islice(ordered, limit), start=1):
        yield QueueRow(row["sample_id"], position, _entry(row), row["reviewer"])


def _waiting_rows(store: Store, pool: str, batch: str | None) -> Iterator[sqlite3.Row]:
    """Open items, in the order of their index, merged with the few that are claimed."""
    batch_id = "batch_id = (SELECT id FROM batches WHERE name = :batch) AND" if batch is not None else ""
    found = [
        store.read().execute(
            f"""SELECT {_COLUMNS}, tie FROM queue WHERE {batch_id} pool = :pool AND state = '{state}'
            ORDER BY priority DESC, tie""",
            {"pool": pool, "batch": batch},
        )
        for state in ("open", "claimed")
    ]
    return heapq.merge(*found, key=lambda row: (-row["priority"], row["tie"]))


def waiting(store: Store, *, batch: str | None = None, lead: bool = True, free: bool = False) -> int:
    """How many items wait for a person; `free` leaves out those that somebody holds."""
    batch_id = "batch_id = (SELECT id FROM batches WHERE name = :batch) AND" if batch is not None else ""
    counted = f"SELECT count(*) FROM queue WHERE {batch_id} pool = :pool AND state = "
    with store.snapshot() as connection:  # else an item that is claimed in between would count twice
        return sum(
            connection.execute(counted + state, {"pool": pool, "batch": batch}).fetchone()[0]
            for pool in (("lead", "review") if lead else ("review",))
            for state in (("'open'",) if free else ("'open'", "'claimed'"))
        )


def entry_of(store: Store, sample_id: int) -> QueueEntry | None:
    """A sample's place in the queue, also of one that has been decided."""
    row = store.read().execute(f"SELECT {_COLUMNS} FROM queue WHERE sample_id = ?", (sample_id,)).fetchone()
    return None if row is None else _entry(row)


def _sweep(connection: sqlite3.Connection, now: str) -> None:
    expired = connection.execute(
        "SELECT sample_id FROM queue WHERE state = 'claimed' AND expires_at < ?", (now,)
    ).fetchall()
    for (sample_id,) in expired:
        free(connection, sample_id)
    personal.sweep(connection, now)


def _take_first(
    connection: sqlite3.Connection, kinds: Iterable[Kind], above: float, values: dict[str, Any]
) -> Claim | None:
    """Lease the next item of the first kind that has one."""
    for kind in kinds:
        if kind == "queue":
            row = _take_open(connection, values)
            if row is not None:
                return _claim(connection, row)
            continue
        heads = _heads(connection, values)
        # Gold hides among the queue, and is not given where that is empty.
        sample_id = personal.next_of(connection, kind, values) if heads or kind != "gold" else None
        if sample_id is not None:
            shown = disguise(heads, personal.places(connection, values["reviewer"]), above)
            return _personal_claim(connection, personal.lease(connection, sample_id, kind, {**values, **shown}))
    return None


def _take_over(connection: sqlite3.Connection, values: dict[str, Any]) -> sqlite3.Row | None:
    """Take up an own claim whose process is gone."""
    mine = connection.execute(
        """SELECT sample_id, pid FROM queue WHERE state = 'claimed' AND reviewer = :reviewer AND pid IS NOT NULL
        AND (:batch IS NULL OR batch_id = (SELECT id FROM batches WHERE name = :batch)) ORDER BY priority DESC, tie""",
        values,
    ).fetchall()
    for sample_id, pid in mine:
        if not is_alive(pid):
            row: sqlite3.Row = connection.execute(
                f"""UPDATE queue SET token = :token, pid = :pid, expires_at = :expires WHERE sample_id = :sample_id
                RETURNING {_COLUMNS}""",
                {**values, "sample_id": sample_id},
            ).fetchone()
            return row
    return None


def _take_open(connection: sqlite3.Connection, values: dict[str, Any]) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute(
        f"""UPDATE queue SET state = 'claimed', reviewer = :reviewer, token = :token, pid = :pid, expires_at = :expires
        WHERE sample_id = (SELECT sample_id {_open(values)} LIMIT 1) RETURNING {_COLUMNS}""",
        values,
    ).fetchone()
    return row


def _heads(connection: sqlite3.Connection, values: dict[str, Any]) -> list[QueueEntry]:
    """The places of the two items of the queue that come next for the reviewer."""
    return [_entry(row) for row in connection.execute(f"SELECT {_COLUMNS} {_open(values)} LIMIT 2", values)]


def _open(values: dict[str, Any]) -> str:
    """SQL for the open items of a pool that the reviewer has not skipped, in order."""
    # Two spellings, because each walks an index of its own in the order of the queue.
    narrowed = "batch_id = (SELECT id FROM batches WHERE name = :batch) AND" if values["batch"] is not None else ""
    chosen = "AND sample_id IN (SELECT value FROM json_each(:among))" if values["among"] is not None else ""
    return f"""FROM queue q WHERE {narrowed} pool = :pool AND state = 'open' {chosen}
        AND NOT EXISTS (SELECT 1 FROM personal p WHERE p.sample_id = q.sample_id AND p.reviewer = :reviewer)
        AND NOT EXISTS (SELECT 1 FROM skips k WHERE k.sample_id = q.sample_id AND k.reviewer = :reviewer AND
        k.until > :now) ORDER BY priority DESC, tie"""


def _claim(connection: sqlite3.Connection, row: sqlite3.Row) -> Claim:
    uid, status = _uid_and_status(connection, row["sample_id"])
    return Claim(row["sample_id"], uid, row["token"], instant_of(row["expires_at"]), status, _entry(row))


def _personal_claim(connection: sqlite3.Connection, held: Held) -> Claim:
    uid, status = _uid_and_status(connection, held.sample_id)
    row = connection.execute(f"SELECT {_COLUMNS} FROM queue WHERE sample_id = ?", (held.sample_id,)).fetchone()
    entry = beside(None if row is None else _entry(row), held.kind, held.priority, held.p_shown)
    return Claim(held.sample_id, uid, held.token, held.expires_at, status, entry, held.kind)


def _uid_and_status(connection: sqlite3.Connection, sample_id: int) -> tuple[str, Status]:
    uid, status = connection.execute(
        """SELECT s.uid, coalesce(st.status, 'pending') FROM samples s LEFT JOIN states st ON st.sample_id = s.id
        WHERE s.id = ?""",
        (sample_id,),
    ).fetchone()
    return uid, Status(status)


def _entry(row: sqlite3.Row) -> QueueEntry:
    why = tuple((term, value) for term, value in orjson.loads(row["why"]))
    return QueueEntry(
        Stream(row["stream"]), row["priority"], row["p_bad"], why, tuple(orjson.loads(row["reasons"])), row["p_shown"],
        row["version"],
    )  # fmt: skip
