"""Which sets are alike: an exact join of token sets by Jaccard similarity, and the clusters that it ties together.

A set can only be like another if enough of its tokens occur elsewhere, and two sets that are alike share one of their
rarest tokens (prefix filter). Both are exact, so that nothing depends on chance or on the order of the input.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Tokens = NDArray[np.uint32]
    Keys = NDArray[np.uint64]

LEAST = (7, 10)
"""The least Jaccard similarity of sets that are alike, as a fraction."""

LEADERS = 32
"""Of the sets that share a rare token, so many are compared with all the others: all, in buckets up to that size.

In a larger bucket the sets that are alike grow together around the first ones, so that dense clusters cost a number of
comparisons in proportion to their size.
"""

EXACT_TOKENS = 1 << 24
"""Up to so many tokens of sets that may have a like the join is exact; beyond, MinHash bands stand for rare tokens."""

BANDS, BAND_ROWS = 32, 4

_PART_TOKENS = 1 << 24
_BLOCK_TOKENS = 1 << 22
_BLOCK_PAIRS = 1 << 16
_SCATTER = 0x9E3779B97F4A7C15
_FEWEST_TOKENS = 3  # smaller sets are like equal sets alone


@dataclass(frozen=True, slots=True)
class Rows:
    """Token sets one after the other, sorted within a set; equal sets occur once."""

    tokens: Tokens
    starts: Numbers
    sizes: Numbers

    def overlaps(self, a: Numbers, b: Numbers) -> Numbers:
        """How many tokens the sets of each pair share."""
        import numpy as np

        found = np.zeros(len(a), dtype=np.int64)
        lengths = self.sizes[a] + self.sizes[b]
        for start, end in _blocks(lengths, _BLOCK_TOKENS):
            pairs = np.arange(end - start, dtype=np.uint64)
            keys = [self.keys(pairs, side[start:end]) for side in (a, b)]
            both = np.sort(np.concatenate(keys))
            shared = both[1:][both[1:] == both[:-1]] >> np.uint64(32)
            found[start:end] = np.bincount(shared.astype(np.int64), minlength=end - start)
        return found

    def keys(self, pairs: Keys, sets: Numbers) -> Keys:
        """The tokens of each pair's set, below the number of the pair."""
        import numpy as np

        sizes = self.sizes[sets]
        at = np.arange(sizes.sum()) + np.repeat(self.starts[sets] - (np.cumsum(sizes) - sizes), sizes)
        return (np.repeat(pairs, sizes) << np.uint64(32)) | self.tokens[at]


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
        near = bits.may_be_alike(a, b)
        ties.tie(a[near], b[near])
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

    def alike(self) -> Alike:
        """All that was found."""
        import numpy as np

        a, b, similarity = (np.concatenate(column) for column in zip(*self._found, strict=True))
        return Alike(a, b, similarity, self.cluster)


class Bitmaps:
    """The parities of a set's tokens in 512 bins: sets that differ in many bins differ in at least as many tokens."""

    def __init__(self, rows: Rows, members: Numbers) -> None:
        import numpy as np

        self._sizes = rows.sizes
        wanted = np.unique(members)
        self._place = np.zeros(len(rows.sizes), dtype=np.int64)
        self._place[wanted] = np.arange(len(wanted))
        self._bits = np.zeros((len(wanted), 8), dtype=np.uint64)
        for start, end in _blocks(rows.sizes[wanted], _BLOCK_TOKENS):
            sets = wanted[start:end]
            tokens = rows.keys(np.zeros(len(sets), dtype=np.uint64), sets)
            first = np.cumsum(rows.sizes[sets]) - rows.sizes[sets]
            bins, bit = (tokens >> np.uint64(6)) & np.uint64(7), np.uint64(1) << (tokens & np.uint64(63))
            for column in range(8):
                ours = np.where(bins == column, bit, np.uint64(0))
                self._bits[start:end, column] = np.bitwise_xor.reduceat(ours, first)

    def may_be_alike(self, a: Numbers, b: Numbers) -> NDArray[np.bool_]:
        """False for pairs of sets that are certainly not alike."""
        import numpy as np

        over, under = LEAST
        found = np.empty(len(a), dtype=np.bool_)
        for start in range(0, len(a), _BLOCK_PAIRS):
            ours = slice(start, start + _BLOCK_PAIRS)
            bits = self._bits[self._place[a[ours]]] ^ self._bits[self._place[b[ours]]]
            differing = np.bitwise_count(bits).sum(axis=1, dtype=np.int64)
            together = self._sizes[a[ours]] + self._sizes[b[ours]]
            found[ours] = differing * (under + over) <= together * (under - over)
        return found


def _unordered(a: Numbers, b: Numbers, wanted: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    """Each wanted pair once, the lower number first."""
    import numpy as np

    a, b = a[wanted], b[wanted]
    keys = np.unique((np.minimum(a, b) << 32) | np.maximum(a, b))
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
    owners = np.repeat(np.arange(len(rows.sizes), dtype=np.uint32), rows.sizes)
    alive = rows.sizes >= _FEWEST_TOKENS
    while True:
        again, content = _census(rows, owners, alive)
        enough = alive & (again >= needed)
        enough[ties.tie(*_twins(rows, enough, content))] = False
        fewer = enough.sum() < 0.9 * alive.sum()
        alive = enough
        if not fewer:
            break
    if rows.sizes[alive].sum() > EXACT_TOKENS:
        return minhash_buckets(rows, np.flatnonzero(alive))
    return _prefix_buckets(rows, owners, alive, needed)


def _prefix_buckets(
    rows: Rows, owners: Tokens, alive: NDArray[np.bool_], needed: Numbers
) -> tuple[Numbers, Numbers]:
    """Sets that share one of their rarest tokens."""
    import numpy as np

    found = list(_repeated(rows, owners, alive))
    tokens, sets = (np.concatenate(column) for column in zip(*found, strict=True))
    again = np.bincount(sets, minlength=len(rows.sizes))
    # A set's prefix is one token longer than what it may lack; of that, the tokens that it alone has come first.
    length = rows.sizes - needed + 1 - (rows.sizes - again)
    keys = np.sort((sets.astype(np.uint64) << np.uint64(32)) | _by_rarity(tokens))
    sets = (keys >> np.uint64(32)).astype(np.int64)
    first = np.cumsum(again) - again
    chosen = np.arange(len(keys)) - first[sets] < length[sets]
    keys = np.sort((keys[chosen] << np.uint64(32)) | sets[chosen].astype(np.uint64))
    buckets = (keys >> np.uint64(32)).astype(np.int64)
    shared = _twice(buckets)
    return buckets[shared], (keys[shared] & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _by_rarity(tokens: Tokens) -> Keys:
    """For each entry of a list sorted by token, the token's rank: rarer ones first, ties by token."""
    import numpy as np

    first = np.flatnonzero(np.diff(tokens.astype(np.int64), prepend=-1))
    counts = np.diff(first, append=len(tokens))
    ranks = np.empty(len(first), dtype=np.uint64)
    ranks[np.argsort(counts, kind="stable")] = np.arange(len(first), dtype=np.uint64)
    return np.repeat(ranks, counts)


def minhash_buckets(rows: Rows, sets: Numbers) -> tuple[Numbers, Numbers]:
    """Sets that share a band of their MinHash signatures: of pairs at `LEAST` all but 2 in 10,000 share one."""
    import numpy as np

    bands = np.empty((BANDS, len(sets)), dtype=np.uint32)
    dice = np.random.Generator(np.random.PCG64(1))
    factors = dice.integers(1 << 31, size=(BANDS, BAND_ROWS), dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    for start, end in _blocks(rows.sizes[sets], _BLOCK_TOKENS // 16):
        ours = sets[start:end]
        tokens = rows.keys(np.zeros(end - start, dtype=np.uint64), ours).astype(np.uint32)
        first = np.cumsum(rows.sizes[ours]) - rows.sizes[ours]
        for band in range(BANDS):
            key = np.zeros(end - start, dtype=np.uint32)
            for factor in factors[band]:
                key = (key ^ (key >> np.uint32(15))) * np.uint32(_SCATTER & 0xFFFFFFFF)
                key += np.minimum.reduceat(tokens * factor, first)
            bands[band, start:end] = key
    buckets, members = [], []
    for band in range(BANDS):
        keys = np.sort((bands[band].astype(np.uint64) << np.uint64(32)) | sets.astype(np.uint64))
        keys = keys[_twice(keys >> np.uint64(32))]
        buckets.append((keys >> np.uint64(32)).astype(np.int64) + (band << 32))
        members.append((keys & np.uint64(0xFFFFFFFF)).astype(np.int64))
    return np.concatenate(buckets), np.concatenate(members)


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
    for low, high in zip(bounds, bounds[1:], strict=False):
        inside = np.flatnonzero((rows.tokens >= low) & (rows.tokens < high)) if parts > 1 else np.arange(len(owners))
        inside = inside[alive[owners[inside]]]
        keys = np.sort((rows.tokens[inside].astype(np.uint64) << np.uint64(32)) | owners[inside])
        keys = keys[_twice(keys >> np.uint64(32))]
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


def _twice(ordered: NDArray[np.unsignedinteger] | Numbers) -> NDArray[np.bool_]:
    """Which values of an ascending list occur more than once."""
    import numpy as np

    same = ordered[1:] == ordered[:-1]
    return np.concatenate((same, [False])) | np.concatenate(([False], same)) if len(ordered) else same


def _blocks(lengths: Numbers, limit: int) -> Iterator[tuple[int, int]]:
    """Runs of rows whose lengths add up to about the limit."""
    import numpy as np

    ends = np.cumsum(lengths)
    start = 0
    while start < len(lengths):
        done = ends[start - 1] if start else 0
        end = max(int(np.searchsorted(ends, done + limit, side="right")), start + 1)
        yield start, end
        start = end
