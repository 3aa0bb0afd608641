"""The samples that nothing flagged, ranked on demand by how likely they are bad all the same."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace

from holdfast.db import filters
from holdfast.db.filters import Condition
from holdfast.db.models import Stream
from holdfast.db.orderings import newest_ordering
from holdfast.db.ranking import rankables
from holdfast.db.reviewed import unflagged_ids
from holdfast.db.states import UNRANKED, QueueEntry
from holdfast.db.store import Store
from holdfast.reviewer.pipeline.ordering_crew import Ranker

Ranked = tuple[int, QueueEntry]
"""A sample's row id and its place."""

_PAGE = 500


def unflagged(
    store: Store, conditions: Sequence[Condition] = (), *, batch: str | None = None, lead: bool = True
) -> Iterator[Ranked]:
    """The undecided samples that nothing flagged, the likeliest bad ones first, ties by uid.

    Three numbers are held for each; before the first ordering they come by uid alone.
    """
    newest = newest_ordering(store)
    ranker = None if newest is None else Ranker(store, newest.version)
    doubts, ties, ids = array("d"), array("q"), array("q")
    for page in _pages(unflagged_ids(store, batch=batch)):
        met = filters.meeting(store, conditions, page, lead=lead) if conditions else set(page)
        samples = rankables(store, [sample_id for sample_id in page if sample_id in met])
        doubts.extend([0.0] * len(samples) if ranker is None else (-p_bad for p_bad in ranker.doubts(samples)))
        ties.extend(int(one.uid[:15], 16) for one in samples)
        ids.extend(one.sample_id for one in samples)
    import numpy as np

    order = np.lexsort((np.asarray(ties), np.asarray(doubts)))
    for page in _pages(array("q", np.asarray(ids)[order].tolist())):
        entries = [UNRANKED] * len(page) if ranker is None else ranker.entries(rankables(store, page))
        # They are in no stream: they are listed after what is flagged.
        yield from ((one, replace(entry, stream=Stream.FLAGGED)) for one, entry in zip(page, entries, strict=True))


def _pages(sample_ids: array[int]) -> Iterator[list[int]]:
    for start in range(0, len(sample_ids), _PAGE):
        yield sample_ids[start : start + _PAGE].tolist()
