"""Counts of the queue while somebody works on it: each item once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from filling import flagged_store

from holdfast.db import filters, queue
from holdfast.db.store import Store
from holdfast.reviewer.config import Config
from holdfast.reviewer.pipeline import status

COUNTS: dict[str, Callable[[Store], int]] = {
    "waiting": queue.waiting,
    "listing": lambda store: len(list(queue.listing(store))),
    "filtered": lambda store: len(filters.waiting(store, ())),
    "status": lambda store: int(status.status(store, Config(), "lead-1")["due"]),
}


@pytest.mark.parametrize("count", COUNTS.values(), ids=COUNTS)
def test_an_item_claimed_between_two_reads_counts_once(store: Store, count: Callable[[Store], int]) -> None:
    flagged_store(store, 5)
    with Store.open(store.path, now=store.now) as other:

        def claim_one(statement: str) -> None:
            if "queue" in statement:
                queue.claim(other, reviewer="annotator-1")

        store.read().set_trace_callback(claim_one)
        counted = count(store)
        store.read().set_trace_callback(None)
    assert counted == 5
