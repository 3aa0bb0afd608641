"""Groups: samples that answer one prompt."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from holdfast.db.samples import VISIBLE, Stored, load_many
from holdfast.db.store import Store


def groups(store: Store) -> Iterator[list[Stored]]:
    """The visible samples of each group that has at least two, by the name of the group and then by row id."""
    rows = store.read().execute(
        f"""SELECT o.group_key, s.id FROM occurrences o JOIN samples s ON s.id = o.sample_id
        WHERE o.group_key IS NOT NULL AND {VISIBLE}
        AND o.id = (SELECT min(id) FROM occurrences WHERE sample_id = s.id) ORDER BY o.group_key, s.id"""
    )
    for _, members in groupby(rows, key=lambda row: row[0]):
        ids = [row[1] for row in members]
        if len(ids) > 1:
            yield load_many(store, ids)
