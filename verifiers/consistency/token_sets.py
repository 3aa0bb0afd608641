"""Sets of hashed tokens in numbers: how much pairs of them share, bounds on that, and MinHash bands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Tokens = NDArray[np.uint32]
    Keys = NDArray[np.uint64]

LEAST = (7, 10)
"""The least Jaccard similarity of sets that are alike, as a fraction."""

BANDS, BAND_ROWS = 32, 4
"""MinHash: sets that agree in all values of a band are compared."""

_BLOCK_TOKENS, _BLOCK_PAIRS = 1 << 22, 1 << 16
_SCATTER = 0x9E3779B1


@dataclass(frozen=True, slots=True)
class Rows:
    """Distinct sets as runs of `tokens`, sorted within a run; runs need not lie in the order of the sets."""

    tokens: Tokens
    starts: Numbers
    sizes: Numbers

    def overlaps(self, a: Numbers, b: Numbers) -> Numbers:
        """How many tokens the sets of each pair share."""
        import numpy as np

        found = np.zeros(len(a), dtype=np.int64)
        lengths = self.sizes[a] + self.sizes[b]
        for start, end in blocks(lengths, _BLOCK_TOKENS):
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
        keys: Keys = (np.repeat(pairs, sizes) << np.uint64(32)) | self.tokens[at]
        return keys


class Bitmaps:
    """The parities of a set's tokens in 512 bins: sets that differ in many bins differ in at least as many tokens."""

    def __init__(self, rows: Rows, members: Numbers) -> None:
        import numpy as np

        self._sizes = rows.sizes
        present = np.zeros(len(rows.sizes), dtype=np.bool_)
        present[members] = True
        wanted = np.flatnonzero(present)
        self._place = np.zeros(len(rows.sizes), dtype=np.int64)
        self._place[wanted] = np.arange(len(wanted))
        self._bits = np.zeros((len(wanted), 8), dtype=np.uint64)
        for start, end in blocks(rows.sizes[wanted], _BLOCK_TOKENS):
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


def minhash_buckets(rows: Rows, sets: Numbers) -> tuple[Numbers, Numbers]:
    """Sets that share a band of their MinHash signatures: of pairs at `LEAST` all but 2 in 10,000 share one."""
    import numpy as np

    bands = np.empty((BANDS, len(sets)), dtype=np.uint32)
    dice = np.random.Generator(np.random.PCG64(1))
    factors = dice.integers(1 << 31, size=(BANDS, BAND_ROWS), dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    for start, end in blocks(rows.sizes[sets], _BLOCK_TOKENS // 16):
        ours = sets[start:end]
        tokens = rows.keys(np.zeros(end - start, dtype=np.uint64), ours).astype(np.uint32)
        first = np.cumsum(rows.sizes[ours]) - rows.sizes[ours]
        for band in range(BANDS):
            key = np.zeros(end - start, dtype=np.uint32)
            for factor in factors[band]:
                key = (key ^ (key >> np.uint32(15))) * np.uint32(_SCATTER)
                key += np.minimum.reduceat(tokens * factor, first)
            bands[band, start:end] = key
    buckets, members = [], []
    for band in range(BANDS):
        keys = np.sort((bands[band].astype(np.uint64) << np.uint64(32)) | sets.astype(np.uint64))
        keys = keys[twice(keys >> np.uint64(32))]
        buckets.append((keys >> np.uint64(32)).astype(np.int64) + (band << 32))
        members.append((keys & np.uint64(0xFFFFFFFF)).astype(np.int64))
    return np.concatenate(buckets), np.concatenate(members)


def twice(ordered: NDArray[np.unsignedinteger[Any]] | Numbers) -> NDArray[np.bool_]:
    """Which values of an ascending list occur more than once."""
    import numpy as np

    same = ordered[1:] == ordered[:-1]
    return np.concatenate((same, [False])) | np.concatenate(([False], same)) if len(ordered) else same


def blocks(lengths: Numbers, limit: int) -> Iterator[tuple[int, int]]:
    """Runs of rows whose lengths add up to about the limit."""
    import numpy as np

    ends = np.cumsum(lengths)
    start = 0
    while start < len(lengths):
        done = ends[start - 1] if start else 0
        end = max(int(np.searchsorted(ends, done + limit, side="right")), start + 1)
        yield start, end
        start = end
