"""Full-text search over prompts and responses; the index follows the samples by a watermark."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass

from holdfast.db.errors import UsageError
from holdfast.db.models import Status
from holdfast.db.samples import VISIBLE
from holdfast.db.store import Store

_SLICE_ROWS = 500
_BULK_ROWS = 20_000
_YIELD_SECONDS = 0.004
_CANDIDATES = 2_000


@dataclass(frozen=True, slots=True)
class Hit:
    """A sample that matches, with the place marked by brackets of U+2039 and U+203A."""

    sample_id: int
    uid: str
    batch: str
    external_id: str
    status: Status
    snippet: str


def index_new(store: Store, progress: Callable[[int, int], None] | None = None) -> None:
    """Bring the full-text index up to the visible samples, in small transactions unless nobody is reviewing."""
    while True:
        connection = store.read()
        done, target = _watermark(connection), _last_visible(connection)
        if done >= target:
            return
        reviewing = connection.execute("SELECT 1 FROM queue WHERE state = 'claimed' LIMIT 1").fetchone() is not None
        upto = min(target, done + (_SLICE_ROWS if reviewing else _BULK_ROWS))
        with store.write() as connection:
            if _watermark(connection) == done:
                index_rows(connection, done, upto)
        if progress is not None:
            progress(upto, target)
        if reviewing:
            time.sleep(_YIELD_SECONDS)


def index_rows(connection: sqlite3.Connection, after: int, upto: int) -> None:
    """Index the samples with row ids above `after` up to `upto`, inside a write transaction."""
    connection.execute(
        "INSERT INTO sample_search (rowid, prompt, response) SELECT id, prompt, response FROM sample_texts "
        "WHERE id > ? AND id <= ?",
        (after, upto),
    )
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('search_watermark', ?)", (str(upto),))


def forget_rows(connection: sqlite3.Connection, chosen: str) -> None:
    """Take indexed samples out again, before they are deleted; `chosen` is a query for their row ids."""
    connection.execute(
        "INSERT INTO sample_search (sample_search, rowid, prompt, response) "
        f"SELECT 'delete', id, prompt, response FROM sample_texts WHERE id IN ({chosen})"
    )


def clear(connection: sqlite3.Connection) -> None:
    """Empty the index; it is made anew by the next `index_new`."""
    connection.execute("INSERT INTO sample_search (sample_search) VALUES ('delete-all')")
    connection.execute("DELETE FROM meta WHERE key = 'search_watermark'")


def search(store: Store, text: str, *, limit: int = 50) -> list[Hit]:
    """Samples that hold every word of `text` ("quoted words" as a phrase), best matches of the newest first."""
    index_new(store)
    try:
        rows = (
            store.read()
            .execute(
                f"""SELECT s.id, s.uid, b.name AS batch, o.external_id, coalesce(st.status, 'pending') AS status,
                snippet(sample_search, -1, '\u2039', '\u203a', '\u2026', 12) AS snippet
            FROM (SELECT rowid AS id FROM sample_search WHERE sample_search MATCH :query ORDER BY rowid DESC LIMIT
            :candidates) m
            JOIN sample_search ON sample_search.rowid = m.id AND sample_search MATCH :query
            JOIN samples s ON s.id = m.id AND {VISIBLE}
            JOIN occurrences o ON o.id = (SELECT min(id) FROM occurrences WHERE sample_id = s.id)
            JOIN batches b ON b.id = o.batch_id LEFT JOIN states st ON st.sample_id = s.id
            ORDER BY bm25(sample_search), s.id LIMIT :limit""",
                {"query": _query(text), "candidates": _CANDIDATES, "limit": limit},
            )
            .fetchall()
        )
    except sqlite3.OperationalError as error:
        raise UsageError(f"search text {text!r}: {error}; quote the words to search for them as they stand") from None
    return [Hit(row[0], row[1], row[2], row[3], Status(row[4]), row[5]) for row in rows]


def _query(text: str) -> str:
    """Words and quoted phrases as FTS5 strings, so that no character of them is syntax."""
    parts = text.split('"')
    words = [word for part in parts[0::2] for word in part.split()]
    phrases = [part for part in parts[1::2] if part.strip()]
    if not words and not phrases:
        raise UsageError("search needs at least one word")
    return " ".join('"' + term.replace('"', '""') + '"' for term in (*words, *phrases))


def _watermark(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT value FROM meta WHERE key = 'search_watermark'").fetchone()
    return 0 if row is None else int(row[0])


def _last_visible(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT first_sample_id FROM ingests WHERE closed_at IS NULL").fetchone()
    if row is not None:
        return int(row[0]) - 1
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM samples").fetchone()
    return int(last)
