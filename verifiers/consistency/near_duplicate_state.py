"""What the near-duplicate check knows of a corpus, in a form that stays small for a million samples."""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode, b64encode
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

HUMAN, EXACT = 1, 2
"""Traits of a member: a person wrote it; it equals its target to the letter, but for case and white space."""

SCALE = 10_000
"""What a similarity of 1 is in a column."""

_TYPES = {"uids": "Q", "members": "I", "targets": "I", "representatives": "I", "similarities": "H", "traits": "B"}


def key_of(uid: str) -> int:
    """The number that stands for a uid: its first 16 hex digits."""
    return int(uid[:16], 16)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sample stands in its cluster; uids are given by their first 16 hex digits.

    A member passes if it is its own `target`; else it is like that one, with the similarity.
    """

    uid: str
    target: str
    representative: str
    similarity: float
    exact: bool
    human: bool
    target_human: bool

    @property
    def passes(self) -> bool:
        """Whether the sample stays and the others are its copies."""
        return self.uid == self.target


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """A corpus: the keys of its samples, ascending, and in columns those of them that have near-duplicates.

    `members`, `targets` and `representatives` are places in `uids`, `members` ascending.
    """

    uids: array[int]
    members: array[int]
    targets: array[int]
    representatives: array[int]
    similarities: array[int]
    traits: array[int]

    def holds(self, uid: str) -> bool:
        """Whether the sample was compared with the others."""
        return self._at(uid) is not None

    def place(self, uid: str) -> Place | None:
        """Where a sample stands; None where it has no near-duplicate, or is not of the corpus."""
        at = self._at(uid)
        if at is None:
            return None
        row = bisect_left(self.members, at)
        return self.row(row) if row < len(self.members) and self.members[row] == at else None

    def row(self, row: int) -> Place:
        """The nth member."""
        target = self.targets[row]
        return Place(
            uid=self._hex(self.members[row]),
            target=self._hex(target),
            representative=self._hex(self.representatives[row]),
            similarity=self.similarities[row] / SCALE,
            exact=bool(self.traits[row] & EXACT),
            human=bool(self.traits[row] & HUMAN),
            target_human=bool(self.traits[bisect_left(self.members, target)] & HUMAN),
        )

    def clusters(self) -> Iterator[list[int]]:
        """The rows of each cluster's members, the largest cluster first, then by representative."""
        size = Counter(self.representatives)
        rank = {key: place for place, key in enumerate(sorted(size, key=lambda key: (-size[key], key)))}
        rows = sorted(range(len(self.members)), key=lambda row: (rank[self.representatives[row]], row))
        for _, found in groupby(rows, key=lambda row: self.representatives[row]):
            yield list(found)

    def cluster(self, representative: str, *, limit: int) -> Iterator[Place]:
        """The first members of a cluster, by uid."""
        at = self._at(representative)
        start = 0
        while at is not None and limit > 0:
            try:
                row = self.representatives.index(at, start)
            except ValueError:
                return
            yield self.row(row)
            start, limit = row + 1, limit - 1

    def pack(self) -> dict[str, str]:
        """The columns as a state to freeze."""
        return {name: b64encode(_little_endian(getattr(self, name)).tobytes()).decode() for name in _TYPES}

    def _at(self, uid: str) -> int | None:
        key = key_of(uid)
        at = bisect_left(self.uids, key)
        return at if at < len(self.uids) and self.uids[at] == key else None

    def _hex(self, at: int) -> str:
        return f"{self.uids[at]:016x}"


def moved(before: Neighbourhood, after: Neighbourhood) -> Iterator[str]:
    """The samples, by the first 16 hex digits of their uids, that were compared before and stand elsewhere now."""
    for uid in sorted({found._hex(at) for found in (before, after) for at in found.members}):
        if before.holds(uid) and before.place(uid) != after.place(uid):
            yield uid


_latest: tuple[Mapping[str, str], Neighbourhood] | None = None


def unpacked(state: Mapping[str, str]) -> Neighbourhood:
    """A frozen state as columns; those of the state that was last asked for are kept."""
    global _latest
    latest = _latest
    if latest is None or latest[0] is not state:
        _latest = latest = state, _columns(state)
    return latest[1]


def _columns(state: Mapping[str, str]) -> Neighbourhood:
    arrays = {}
    for name, kind in _TYPES.items():
        values = array(kind)
        values.frombytes(b64decode(state[name]))
        arrays[name] = _little_endian(values)
    return Neighbourhood(**arrays)


def _little_endian(values: array[int]) -> array[int]:
    if sys.byteorder == "little":
        return values
    swapped = array(values.typecode, values)
    swapped.byteswap()
    return swapped
