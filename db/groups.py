"""Groups: samples that answer one prompt."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import groupby

from holdfast.db.samples import VISIBLE
from holdfast.db.store import Store


def groups(store: Store) -> Iterator[array[int]]:
    """The row ids of the visible samples of each group that has at least two, by the group's name and then by id.

    Whatever is written while they are walked through can be read between them.
    """
    members, ends = array("q"), array("q")
    rows = store.read().execute(
        f"""SELECT o.group_key, s.id FROM occurrences o JOIN samples s ON s.id = o.sample_id
        WHERE o.group_key IS NOT NULL AND {VISIBLE}
        AND o.id = (SELECT min(id) FROM occurrences WHERE sample_id = s.id) ORDER BY o.group_key, s.id"""
    )
    # Read to the end at once: an open cursor would hold this thread's connection to what the store held at its start.
    for _, group in groupby(rows, key=lambda row: row[0]):
        start = len(members)
        members.extend(row[1] for row in group)
        if len(members) - start > 1:
            ends.append(len(members))
        else:
            del members[start:]
    start = 0
    for end in ends:
        yield members[start:end]
        start = end
