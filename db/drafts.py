"""Unfinished edits and notes, kept per sample and reviewer until a decision."""

from __future__ import annotations

from holdfast.db.store import Store, text_of


def save_draft(store: Store, *, sample_id: int, reviewer: str, kind: str, text: str) -> None:
    """Keep the text of an unfinished edit or note."""
    with store.write() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO drafts VALUES (?, ?, ?, ?, ?)",
            (sample_id, reviewer, kind, text, text_of(store.now())),
        )


def load_draft(store: Store, *, sample_id: int, reviewer: str, kind: str) -> str | None:
    """The kept text, if any."""
    row = (
        store.read()
        .execute(
            "SELECT text FROM drafts WHERE sample_id = ? AND reviewer = ? AND kind = ?", (sample_id, reviewer, kind)
        )
        .fetchone()
    )
    return None if row is None else str(row[0])


def drop_draft(store: Store, *, sample_id: int, reviewer: str, kind: str) -> None:
    """Forget the kept text."""
    with store.write() as connection:
        connection.execute(
            "DELETE FROM drafts WHERE sample_id = ? AND reviewer = ? AND kind = ?", (sample_id, reviewer, kind)
        )
