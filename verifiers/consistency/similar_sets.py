"""Which token sets are alike by Jaccard similarity, and the clusters that this ties together.

A set can be like another one only if most of its tokens occur elsewhere: the others drop out. What is left is compared
where MinHash bands agree, and a pair counts only by the exact similarity of its sets. Nothing depends on chance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from holdfast.verifiers.consistency.token_sets import LEAST, Bitmaps, Rows, minhash_buckets, twice

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from holdfast.verifiers.consistency.token_sets import Keys, Numbers, Tokens

LEADERS = 32
"""Of the sets in a bucket so many are compared with all the others.

In larger buckets clusters grow together around those, so that a dense one costs comparisons in proportion to its size.
"""

_PART_TOKENS, _PART_PAIRS = 1 << 24, 1 << 18
_SCATTER = 0x9E3779B97F4A7C15
_FEWEST_TOKENS = 3  # a smaller set is like equal sets alone


@dataclass(frozen=True, slots=True)
class Alike:
    """Pairs of sets that are alike and their similarities; they tie the clusters together but need not be all."""

    a: Numbers
    b: Numbers
    similarity: NDArray[np.float64]
    cluster: Numbers
    """For each set the lowest number of its cluster."""


def similarities(rows: Rows, a: Numbers, b: Numbers) -> NDArray[np.float64]:
    """The Jaccard similarity of each pair of sets."""
    shared = rows.overlaps(a, b)
    similarity: NDArray[np.float64] = shared / (rows.sizes[a] + rows.sizes[b] - shared)
    return similarity


def join(rows: Rows) -> Alike:
    """The clusters of sets, tied by pairs with a similarity of at least `LEAST`."""
    import numpy as np

    ties = _Ties(rows)
    buckets, members = _buckets(rows, ties)
    bits = Bitmaps(rows, members)
    for leader in range(LEADERS):
        if not len(members):
            break
        first = np.flatnonzero(np.diff(buckets, prepend=-1))
        extents = np.diff(first, append=len(members))
        heads = np.repeat(members[np.minimum(first + leader, first + extents - 1)], extents)
        place = np.arange(len(members)) - np.repeat(first, extents)
        a, b = _unordered(heads, members, (place > leader) & (ties.cluster[heads] != ties.cluster[members]))
        ties.grow(a, b, bits)
        # What is one cluster by now, or has no leader left, needs no further look.
        cluster = ties.cluster[members]
        apart = np.logical_or.reduceat(cluster != np.repeat(cluster[first], extents), first)
        going = np.repeat(apart & (extents > leader + 2), extents)
        buckets, members = buckets[going], members[going]
    return ties.alike()


class _Ties:
    """The pairs found alike so far, and the clusters that they make."""

    def __init__(self, rows: Rows) -> None:
        import numpy as np

        self.cluster: Numbers = np.arange(len(rows.sizes))
        self._rows = rows
        self._found: list[tuple[Numbers, Numbers, NDArray[np.float64]]] = []

    def tie(self, a: Numbers, b: Numbers) -> Numbers:
        """Compare the sets of each pair, put together those that are alike; returns their `b`."""
        a, b, similarity = _confirmed(self._rows, a, b)
        self._found.append((a, b, similarity))
        self.cluster = _merged(self.cluster, a, b)
        return b

    def grow(self, a: Numbers, b: Numbers, bits: Bitmaps) -> None:
        """Compare the sets of each pair, unless they are in one cluster by the time that it is their turn."""
        for start in range(0, len(a), _PART_PAIRS):
            ours, theirs = a[start : start + _PART_PAIRS], b[start : start + _PART_PAIRS]
            apart = self.cluster[ours] != self.cluster[theirs]
            ours, theirs = ours[apart], theirs[apart]
            near = bits.may_be_alike(ours, theirs)
            self.tie(ours[near], theirs[near])

    def alike(self) -> Alike:
        """All that was found."""
        import numpy as np

        a, b, similarity = (np.concatenate(column) for column in zip(*self._found, strict=True))
        return Alike(a, b, similarity, self.cluster)


def _unordered(a: Numbers, b: Numbers, wanted: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    """Each wanted pair once, the lower number first."""
    import numpy as np

    a, b = a[wanted], b[wanted]
    keys = np.sort((np.minimum(a, b) << 32) | np.maximum(a, b))
    keys = keys[np.diff(keys, prepend=-1) != 0]
    return keys >> 32, keys & 0xFFFFFFFF


def _confirmed(rows: Rows, a: Numbers, b: Numbers) -> tuple[Numbers, Numbers, NDArray[np.float64]]:
    """Those of the pairs that are alike, with their similarities."""
    import numpy as np

    over, under = LEAST
    sizes_a, sizes_b = rows.sizes[a], rows.sizes[b]
    near = under * np.minimum(sizes_a, sizes_b) >= over * np.maximum(sizes_a, sizes_b)
    a, b = a[near], b[near]
    shared = rows.overlaps(a, b)
    union = rows.sizes[a] + rows.sizes[b] - shared
    alike = under * shared >= over * union
    return a[alike], b[alike], shared[alike] / union[alike]


def _merged(cluster: Numbers, a: Numbers, b: Numbers) -> Numbers:
    """Clusters, each named by its lowest number, after the sets of each pair have been put together."""
    import numpy as np

    while True:
        one, other = cluster[a], cluster[b]
        apart = one != other
        if not apart.any():
            return cluster
        np.minimum.at(cluster, np.maximum(one, other)[apart], np.minimum(one, other)[apart])
        while True:
            further = cluster[cluster]
            if np.array_equal(further, cluster):
                break
            cluster = further


def _buckets(rows: Rows, ties: _Ties) -> tuple[Numbers, Numbers]:
    """Sets that may be alike, bucket by bucket: the bucket's number and the set's, ascending."""
    import numpy as np

    over, under = LEAST
    needed = -(-over * rows.sizes // under)
    stored = np.argsort(rows.starts, kind="stable")
    owners = np.repeat(stored.astype(np.uint32), rows.sizes[stored])
    alive = rows.sizes >= _FEWEST_TOKENS
    while True:
        again, content = _census(rows, owners, alive)
        enough = alive & (again >= needed)
        enough[ties.tie(*_twins(rows, enough, content))] = False
        fewer = enough.sum() < 0.9 * alive.sum()
        alive = enough
        if not fewer:
            break
    return minhash_buckets(rows, np.flatnonzero(alive))


def _census(rows: Rows, owners: Tokens, alive: NDArray[np.bool_]) -> tuple[Numbers, Keys]:
    """For each set how many of its tokens other living sets have, and a hash of those."""
    import numpy as np

    again = np.zeros(len(rows.sizes), dtype=np.int64)
    content = np.zeros(len(rows.sizes), dtype=np.uint64)
    for tokens, sets in _repeated(rows, owners, alive):
        again += np.bincount(sets, minlength=len(again))
        scattered = (tokens.astype(np.uint64) + np.uint64(1)) * np.uint64(_SCATTER)
        np.add.at(content, sets, (scattered ^ (scattered >> np.uint64(29))) * np.uint64(_SCATTER))
    return again, content


def _repeated(rows: Rows, owners: Tokens, alive: NDArray[np.bool_]) -> Iterator[tuple[Tokens, Numbers]]:
    """The tokens that several of the living sets have, ascending, with the sets, a range of tokens at a time."""
    import numpy as np

    parts = -(-len(owners) // _PART_TOKENS)
    bounds = [(part << 32) // max(parts, 1) for part in range(parts + 1)]
    for low, high in pairwise(bounds):
        inside = np.flatnonzero((rows.tokens >= low) & (rows.tokens < high)) if parts > 1 else np.arange(len(owners))
        inside = inside[alive[owners[inside]]]
        keys = np.sort((rows.tokens[inside].astype(np.uint64) << np.uint64(32)) | owners[inside])
        keys = keys[twice(keys >> np.uint64(32))]
        yield (keys >> np.uint64(32)).astype(np.uint32), (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _twins(rows: Rows, wanted: NDArray[np.bool_], content: Keys) -> tuple[Numbers, Numbers]:
    """Sets that differ only in tokens which no other set has, each paired with the smallest of its kind.

    One that is like the smallest need not be compared further: whatever it is like, the smallest is like as well.
    """
    import numpy as np

    candidates = np.flatnonzero(wanted)
    order = candidates[np.lexsort((candidates, rows.sizes[candidates], content[candidates]))]
    first = np.flatnonzero(np.diff(content[order], prepend=~content[order[:1]]) != 0)
    smallest = np.repeat(order[first], np.diff(first, append=len(order)))
    return smallest[smallest != order], order[smallest != order]
