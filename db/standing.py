"""What new verdicts change: statuses, counts by source and the queue, for many samples at a time."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence

import orjson

from holdfast.db.models import Provenance
from holdfast.db.packing import Recorded
from holdfast.db.states import (
    ENTRY_SET,
    GUARANTEED,
    QueueEntry,
    add_to_tally,
    insert_entry,
    packed,
    pool_of,
    refresh,
    status_of,
)
from holdfast.db.store import Store

_MARKED_AT_A_TIME = 500


def record_statuses(connection: sqlite3.Connection, rows: Sequence[Recorded], first_id: int) -> None:
    """Bring samples up to date with their new verdict rows, numbered from `first_id`, inside a write transaction."""
    before = _before(connection, rows)
    moves: Counter[tuple[int, str, int]] = Counter()
    states = []
    queue = _Queue(connection)
    decided = []
    for verdict_id, row in enumerate(rows, start=first_id):
        found = before[row.sample_id]
        status = status_of(
            row.outcome, Provenance(found["provenance"]), audit=row.audit, guaranteed=bool(found["guaranteed"])
        )
        if found["decided"]:
            decided.append(row)
        else:
            queue.settle(row, pool_of(status, audit=row.audit), queued=bool(found["queued"]))
            if found["status"] != status:
                moves[found["source_id"], found["status"], found["tokens"]] -= 1
                moves[found["source_id"], status.value, found["tokens"]] += 1
        kept = found["status"] if found["decided"] else status.value
        states.append((row.sample_id, kept, verdict_id, int(row.audit), _is_stale(row, found)))
    connection.executemany(
        """INSERT INTO states (sample_id, status, verdict_id, audit, stale) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (sample_id) DO UPDATE SET status = excluded.status, verdict_id = excluded.verdict_id,
        audit = excluded.audit, stale = excluded.stale""",
        states,
    )
    queue.write()
    for row in decided:
        refresh(connection, row.sample_id, row.entry)
    for (source_id, name, tokens), count in moves.items():
        add_to_tally(connection, source_id, name, count, count * tokens)


def mark_stale(store: Store, uids: Sequence[str]) -> None:
    """Have samples looked at again whose uids begin so (16 hex digits or more), if they have been judged."""
    for start in range(0, len(uids), _MARKED_AT_A_TIME):
        with store.write() as connection:
            connection.execute(
                """UPDATE states SET stale = 1 WHERE verdict_id IS NOT NULL AND sample_id IN (SELECT s.id
                FROM json_each(?) j JOIN samples s ON s.uid >= j.value AND s.uid < j.value || 'g')""",
                (orjson.dumps(uids[start : start + _MARKED_AT_A_TIME]).decode(),),
            )


def _is_stale(row: Recorded, before: sqlite3.Row) -> bool:
    """Whether votes on the sample are still to be read."""
    return bool(before["stale"]) if row.newest_vote is None else before["newest_vote"] > row.newest_vote


class _Queue:
    """Changes of the queue, gathered so that each kind of statement runs once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._new: list[tuple[int, str, QueueEntry]] = []
        self._ranked: list[tuple[object, ...]] = []
        self._done: list[tuple[int]] = []

    def settle(self, row: Recorded, pool: str | None, *, queued: bool) -> None:
        """Queue an undecided sample for a pool, or take it out where nobody is to look at it."""
        if pool is None:
            if queued:
                self._done.append((row.sample_id,))
        elif row.entry is not None and queued:
            self._ranked.append((pool, *packed(row.entry), row.sample_id))
        elif row.entry is not None:
            self._new.append((row.sample_id, pool, row.entry))

    def write(self) -> None:
        """Store the changes. Whoever holds an item keeps it."""
        for sample_id, pool, entry in self._new:
            insert_entry(self._connection, sample_id, pool, "open", entry)
        self._connection.executemany(
            f"UPDATE queue SET pool = ?, state = iif(state = 'done', 'open', state), {ENTRY_SET} WHERE sample_id = ?",
            self._ranked,
        )
        self._connection.executemany(
            "UPDATE queue SET state = 'done' WHERE sample_id = ? AND state = 'open' AND pool <> 'none'", self._done
        )


def _before(connection: sqlite3.Connection, rows: Sequence[Recorded]) -> dict[int, sqlite3.Row]:
    """How samples stood, by row id."""
    found = connection.execute(
        f"""SELECT s.id, s.source_id, s.tokens, s.provenance, coalesce(st.status, 'pending') AS status,
        coalesce(st.stale, 0) AS stale,
        coalesce((SELECT max(id) FROM votes WHERE sample_id = s.id), 0) AS newest_vote,
        EXISTS (SELECT 1 FROM decisions WHERE sample_id = s.id)
        OR EXISTS (SELECT 1 FROM decisions WHERE revision_id = s.id)
        OR EXISTS (SELECT 1 FROM gold WHERE sample_id = s.id) AS decided, {GUARANTEED} AS guaranteed,
        EXISTS (SELECT 1 FROM queue WHERE sample_id = s.id) AS queued
        FROM json_each(?) j CROSS JOIN samples s ON s.id = j.value LEFT JOIN states st ON st.sample_id = s.id""",
        (orjson.dumps([row.sample_id for row in rows]).decode(),),
    )
    return {row["id"]: row for row in found}
