"""How much work waits, and who has it in hand."""

from __future__ import annotations

from collections import Counter

from holdfast.db.models import Stream
from holdfast.db.store import Store, text_of


def by_stream(store: Store) -> Counter[Stream]:
    """How many items wait for a person, by the reason why they do; leads' items stand under adjudication."""
    rows = store.read().execute(
        """SELECT iif(pool = 'lead', 'adjudication', stream) AS kind, count(*) FROM queue
        WHERE state <> 'done' AND pool <> 'none' GROUP BY kind"""
    )
    return Counter({Stream(kind): count for kind, count in rows})


def in_hand(store: Store) -> dict[str, int]:
    """How many items each reviewer holds under a lease that has not ended."""
    rows = store.read().execute(
        """SELECT reviewer, count(*) FROM (SELECT reviewer, expires_at FROM queue WHERE state = 'claimed'
            UNION ALL SELECT reviewer, expires_at FROM personal) WHERE expires_at >= ? GROUP BY reviewer""",
        (text_of(store.now()),),
    )
    return {reviewer: count for reviewer, count in rows}
