"""Gold: samples whose answer is known, shown to reviewers among the others to measure them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.db import events
from holdfast.db.errors import NotPermitted, Refused
from holdfast.db.models import Choice, Role
from holdfast.db.states import QueueEntry, refresh
from holdfast.db.store import Store, text_of
from holdfast.db.users import ensure_user

NOT_GOLD = "NOT EXISTS (SELECT 1 FROM gold g WHERE g.sample_id = s.id)"
"""True of samples that are data; `s` is a table of samples."""


@dataclass(frozen=True, slots=True)
class Gold:
    """A sample with a known answer: accept, edit or reject."""

    sample_id: int
    uid: str
    verdict: Choice
    reason: str | None
    note: str | None
    seq: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reviewer said of a gold sample; good is `accept`, an edit counts as bad. Undone answers are left out."""

    reviewer: str
    uid: str
    expected: Choice
    said: Choice
    at: str

    @property
    def right(self) -> bool:
        """Whether the reviewer took good for good, or bad for bad."""
        return (self.expected is Choice.ACCEPT) == (self.said is Choice.ACCEPT)


def gold(store: Store) -> list[Gold]:
    """The gold samples, oldest first."""
    rows = store.read().execute(
        """SELECT g.sample_id, s.uid, g.verdict, g.reason, g.note, g.seq FROM gold g
        JOIN samples s ON s.id = g.sample_id ORDER BY g.seq"""
    )
    return [Gold(row[0], row[1], Choice(row[2]), row[3], row[4], row[5]) for row in rows]


def is_gold(store: Store, sample_id: int) -> bool:
    """Whether a sample is gold."""
    return store.read().execute("SELECT 1 FROM gold WHERE sample_id = ?", (sample_id,)).fetchone() is not None


def gold_answers(store: Store) -> list[Answer]:
    """Every answer to what is gold now, in order; skipped and escalated ones say nothing."""
    rows = store.read().execute(
        """SELECT d.reviewer, s.uid, g.verdict, d.verdict, d.at FROM decisions d
        JOIN gold g ON g.sample_id = d.sample_id
        JOIN samples s ON s.id = d.sample_id WHERE d.kind = 'gold' AND d.undone_seq IS NULL
        AND d.verdict IN ('accept', 'edit', 'reject') ORDER BY d.seq"""
    )
    return [Answer(row[0], row[1], Choice(row[2]), Choice(row[3]), row[4]) for row in rows]


def set_gold(
    store: Store,
    sample_id: int,
    *,
    actor: str,
    verdict: Choice,
    reason: str | None = None,
    note: str | None = None,
    entry: QueueEntry | None = None,
) -> bool:
    """Make a sample gold, or change its answer; False where nothing changes. NotPermitted to all but leads.

    `entry` is what reviewers are told of its place. Refused for a sample that an edit has replaced.
    """
    with store.write() as connection:
        at = text_of(store.now())
        _leads_only(connection, actor, at)
        uid, status = connection.execute(
            """SELECT s.uid, coalesce(st.status, 'pending') FROM samples s LEFT JOIN states st ON st.sample_id = s.id
            WHERE s.id = ?""",
            (sample_id,),
        ).fetchone()
        if status == "superseded":
            raise Refused(f"{uid[:12]}: an edit has replaced it; name the revision")
        known = connection.execute(
            "SELECT verdict, reason, note FROM gold WHERE sample_id = ?", (sample_id,)
        ).fetchone()
        if known is not None and tuple(known) == (verdict, reason, note):
            return False
        payload = {"uid": uid, "verdict": verdict.value, "reason": reason, "note": note}
        seq = events.append(connection, at=at, actor=actor, type="gold.set", payload=payload)
        apply_set(connection, seq, sample_id, payload)
        queued = connection.execute("SELECT 1 FROM queue WHERE sample_id = ?", (sample_id,)).fetchone()
        refresh(connection, sample_id, None if queued else entry)
        return True


def retire_gold(store: Store, sample_id: int, *, actor: str) -> None:
    """Make a gold sample data again; Refused where it is none, NotPermitted to all but leads."""
    with store.write() as connection:
        at = text_of(store.now())
        _leads_only(connection, actor, at)
        (uid,) = connection.execute("SELECT uid FROM samples WHERE id = ?", (sample_id,)).fetchone()
        if connection.execute("SELECT 1 FROM gold WHERE sample_id = ?", (sample_id,)).fetchone() is None:
            raise Refused(f"{uid[:12]} is no gold sample")
        events.append(connection, at=at, actor=actor, type="gold.retired", payload={"uid": uid})
        apply_retired(connection, sample_id)
        refresh(connection, sample_id)


def apply_set(connection: sqlite3.Connection, seq: int, sample_id: int, payload: Mapping[str, Any]) -> None:
    """Project a `gold.set` event."""
    connection.execute(
        "INSERT OR REPLACE INTO gold VALUES (?, ?, ?, ?, ?)",
        (sample_id, payload["verdict"], payload["reason"], payload["note"], seq),
    )


def apply_retired(connection: sqlite3.Connection, sample_id: int) -> None:
    """Project a `gold.retired` event."""
    connection.execute("DELETE FROM gold WHERE sample_id = ?", (sample_id,))


def _leads_only(connection: sqlite3.Connection, actor: str, at: str) -> None:
    if ensure_user(connection, actor, at=at) is not Role.LEAD:
        raise NotPermitted(f"{actor} is not a lead: only leads say what is gold")
