"""The first ingest into an empty store: indexes are built after the load, full text while it runs."""

from __future__ import annotations

import sqlite3

from holdfast.db import schema, search

RARE_CHECKPOINTS = "PRAGMA wal_autocheckpoint = 25000"
"""For a connection that loads much: pages that change often are written back once in 100 MB of log."""


def begin_if_empty(connection: sqlite3.Connection) -> bool:
    """Drop the indexes that are built after the load, where the store holds no sample yet."""
    if connection.execute("SELECT 1 FROM samples LIMIT 1").fetchone() is not None:
        return False
    for name in schema.BULK_INDEXES:
        connection.execute(f"DROP INDEX IF EXISTS {name}")
    return True


def finish(connection: sqlite3.Connection) -> None:
    """Build the indexes that the load left out, merging samples that came more than once."""
    exists = "SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = ?"
    for name in reversed(schema.BULK_INDEXES):
        if connection.execute(exists, (name,)).fetchone() is not None:
            continue
        try:
            connection.execute(schema.INDEXES[name])
        except sqlite3.IntegrityError:
            _merge_copies(connection)
            connection.execute(schema.INDEXES[name])


def _merge_copies(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TEMP TABLE copies (id INTEGER PRIMARY KEY, first_id INTEGER NOT NULL)")
    connection.execute(
        """INSERT INTO copies SELECT s.id, m.first_id FROM samples s JOIN
        (SELECT uid, min(id) AS first_id FROM samples GROUP BY uid HAVING count(*) > 1) m ON m.uid = s.uid WHERE
        s.id <> m.first_id"""
    )
    connection.execute(
        """UPDATE occurrences SET sample_id = (SELECT first_id FROM copies WHERE copies.id = sample_id)
        WHERE sample_id IN (SELECT id FROM copies)"""
    )
    search.forget_rows(connection, "SELECT id FROM copies")
    connection.execute("DELETE FROM lineage WHERE child_id IN (SELECT id FROM copies)")
    connection.execute("DELETE FROM samples WHERE id IN (SELECT id FROM copies)")
    connection.execute("DROP TABLE copies")
