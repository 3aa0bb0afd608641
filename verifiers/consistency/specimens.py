"""A bounded, order-independent choice of samples of each source, for what need not be learned from all of them."""

from __future__ import annotations

import heapq
import zlib
from collections import Counter
from collections.abc import Callable
from typing import Generic, TypeVar

from holdfast.db.models import Sample

Kept = TypeVar("Kept", str, tuple[str, ...], tuple[float, ...])

MOST_PER_KEY = 2_000
MOST_IN_ALL = 60_000
_LEAST_PER_KEY = 20


class Specimens(Generic[Kept]):
    """For each key what was kept of the samples with the lowest hashes, the same for any order of samples.

    At most `most` of a key; where there are so many keys that they would exceed `total`, fewer of each.
    """

    def __init__(self, keep: Callable[[Sample], Kept], *, most: int = MOST_PER_KEY, total: int = MOST_IN_ALL) -> None:
        self.counts: Counter[str] = Counter()
        self._keep: Callable[[Sample], Kept] = keep
        self._most = most
        self._total = total
        self._held = 0
        self._heaps: dict[str, list[tuple[int, Kept]]] = {}

    def add(self, key: str, sample: Sample) -> None:
        """Count the sample under the key, and keep of it what is to be kept where its hash is low enough."""
        self.counts[key] += 1
        heap = self._heaps.setdefault(key, [])
        rank = -hash_of(sample)
        if len(heap) < self._most:
            heapq.heappush(heap, (rank, self._keep(sample)))
            self._held += 1
            while self._held > self._total and self._most > _LEAST_PER_KEY:
                self._keep_fewer()
        elif rank >= heap[0][0]:
            # Equal hashes are told apart by what is kept, so that the order of samples never counts.
            heapq.heappushpop(heap, (rank, self._keep(sample)))

    def of(self, key: str) -> list[Kept]:
        """What was kept under the key, in the order of the hashes."""
        return [kept for _, kept in sorted(self._heaps.get(key, ()), reverse=True)]

    def _keep_fewer(self) -> None:
        self._most = max(_LEAST_PER_KEY, self._most // 2)
        self._heaps = {key: heapq.nlargest(self._most, heap)[::-1] for key, heap in self._heaps.items()}
        self._held = sum(map(len, self._heaps.values()))


def hash_of(sample: Sample) -> int:
    """32 bits of prompt and response, cheap to make and the same in every process."""
    return zlib.crc32(_bytes(sample.response), zlib.crc32(_bytes(sample.prompt)))


def _bytes(text: str) -> bytes:
    # JSON can spell half a surrogate pair, which is no character.
    return text.encode("utf-8", "surrogatepass")
