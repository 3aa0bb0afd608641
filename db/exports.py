"""The record of what was handed out: every export's path and the log head that its manifest names."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.db import events
from holdfast.db.events import Head
from holdfast.db.store import Store, text_of
from holdfast.db.users import ensure_user


@dataclass(frozen=True, slots=True)
class Export:
    """A written export; `stale` when a decision or approval that it used was taken back since."""

    seq: int
    path: str
    head: Head
    stale: bool


def record_export(
    store: Store, *, actor: str, path: str, head: Head, root: str, counts: Mapping[str, int], format: str
) -> int:
    """Append `export.written`: the file, its samples' Merkle root and the log head of its manifest."""
    with store.write() as connection:
        at = text_of(store.now())
        ensure_user(connection, actor, at=at)
        payload = {"path": path, "format": format, "head_size": head.size, "head_root": head.root, "root": root,
                   "counts": dict(counts)}  # fmt: skip
        seq = events.append(connection, at=at, actor=actor, type="export.written", payload=payload)
        apply_written(connection, seq, payload)
        return seq


def apply_written(connection: sqlite3.Connection, seq: int, payload: Mapping[str, Any]) -> None:
    """Project an `export.written` event."""
    connection.execute(
        "INSERT INTO exports VALUES (?, ?, ?, ?, 0)", (seq, payload["path"], payload["head_size"], payload["head_root"])
    )


def apply_taken_back(connection: sqlite3.Connection, since: int) -> None:
    """Mark the exports stale that may hold what an event from that one on approved, and that no longer is."""
    connection.execute("UPDATE exports SET stale = 1 WHERE head_size >= ?", (since,))


def exports(store: Store) -> list[Export]:
    """All exports, oldest first."""
    rows = store.read().execute("SELECT seq, path, head_size, head_root, stale FROM exports ORDER BY seq")
    return [Export(row[0], row[1], Head(row[2], row[3]), bool(row[4])) for row in rows]
