"""From shingle sets to clusters of samples: who stays, and what each of the others is like."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

from holdfast.verifiers.consistency.near_duplicate_state import EXACT, HUMAN, SCALE, Neighbourhood
from holdfast.verifiers.consistency.shingles import ShingleSets
from holdfast.verifiers.consistency.similar_sets import Alike, join, similarities
from holdfast.verifiers.consistency.token_sets import LEAST, Rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from holdfast.verifiers.consistency.token_sets import Numbers


class Census:
    """The samples of a corpus, a few bytes each."""

    def __init__(self) -> None:
        self.keys = array("Q")
        self.contents = bytearray()
        self.sets = array("I")
        self.human = array("b")
        self.passed = array("b")

    def count(self, key: int, content: bytes, number: int, *, human: bool, passed: bool) -> None:
        """Add a sample: the key of its uid, of its content (16 bytes), its set, and what decides who stays."""
        self.keys.append(key)
        self.contents += content
        self.sets.append(number)
        self.human.append(human)
        self.passed.append(passed)


def neighbourhood(sets: ShingleSets, census: Census) -> Neighbourhood:
    """Where each sample stands among the others."""
    import numpy as np

    keys, number = np.array(census.keys, dtype=np.uint64), np.array(census.sets, dtype=np.int64)
    human, passed = np.array(census.human, dtype=np.bool_), np.array(census.passed, dtype=np.bool_)
    rank = _ranks(keys, ~human)
    # Sets are numbered anew by their best sample, so that no result depends on the order of the input.
    best = np.full(len(sets), len(rank), dtype=np.int64)
    np.minimum.at(best, number, rank)
    by_best = np.argsort(best)
    anew = np.empty(len(sets), dtype=np.int64)
    anew[by_best] = np.arange(len(sets))
    number, first = anew[number], np.argsort(rank)[best[by_best]]
    rows, alike = _joined(sets, by_best)

    cluster = alike.cluster[number]
    members = np.flatnonzero((np.bincount(cluster, minlength=len(sets)) > 1)[cluster])
    stays = _firsts(cluster, _ranks(keys, ~passed, ~human))
    heads = number[stays[alike.cluster]]
    likest, similarity = _likest(rows, alike, heads, human[first])
    # A copy of the sample that stays is like it, not like the first of its set.
    target = np.where(likest == heads, stays[alike.cluster], first[likest])[number[members]]
    similarity = similarity[number[members]]
    exact = _equal(census.contents, members, target) & (members != target)
    place = np.argsort(np.argsort(keys, kind="stable"), kind="stable")
    listed = np.argsort(place[members])
    return Neighbourhood(
        uids=_column("Q", np.sort(keys)),
        members=_column("I", place[members][listed]),
        targets=_column("I", place[target][listed]),
        representatives=_column("I", place[stays[cluster[members]]][listed]),
        similarities=_column("H", (similarity * SCALE).astype(np.int64)[listed]),
        traits=_column("B", (human[members] * HUMAN + exact * EXACT)[listed]),
    )


def _joined(sets: ShingleSets, order: Numbers) -> tuple[Rows, Alike]:
    import numpy as np

    sizes = np.array(sets.sizes, dtype=np.int64)
    starts = np.cumsum(sizes) - sizes
    rows = Rows(np.frombuffer(sets.tokens, dtype=np.uint32), starts[order], sizes[order])
    return rows, join(rows)


def _ranks(*columns: NDArray[Any]) -> Numbers:
    """The place of each sample in the order of the columns, the last one first."""
    import numpy as np

    order = np.lexsort(columns)
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def _firsts(cluster: Numbers, rank: Numbers) -> Numbers:
    """By cluster, the sample with the lowest rank."""
    import numpy as np

    lowest = np.full(cluster.max(initial=-1) + 1, len(rank), dtype=np.int64)
    np.minimum.at(lowest, cluster, rank)
    lowest[lowest == len(rank)] = 0
    return np.argsort(rank)[lowest]


def _likest(rows: Rows, alike: Alike, heads: Numbers, human: NDArray[np.bool_]) -> tuple[Numbers, NDArray[np.float64]]:
    """For each set the one it is said to be like, and how much: its cluster's head, else one tied to it.

    Of several ties a human set counts first, then the likest one, then the lowest number.
    """
    import numpy as np

    likest, similarity = np.arange(len(heads)), np.ones(len(heads))
    a, b = np.concatenate((alike.a, alike.b)), np.concatenate((alike.b, alike.a))
    likeness = np.concatenate((alike.similarity, alike.similarity))
    order = np.lexsort((b, -likeness, ~human[b], a))
    chosen = order[np.diff(a[order], prepend=-1) != 0]
    likest[a[chosen]], similarity[a[chosen]] = b[chosen], likeness[chosen]
    others = np.flatnonzero(heads != np.arange(len(heads)))
    to_head = similarities(rows, others, heads[others])
    near = to_head >= LEAST[0] / LEAST[1]
    likest[others[near]], similarity[others[near]] = heads[others[near]], to_head[near]
    likest[heads], similarity[heads] = heads, 1.0
    return likest, similarity


def _equal(contents: bytearray, one: Numbers, other: Numbers) -> NDArray[np.bool_]:
    import numpy as np

    halves = np.frombuffer(contents, dtype="<u8").reshape(-1, 2)
    same: NDArray[np.bool_] = (halves[one] == halves[other]).all(axis=1)
    return same


def _column(kind: str, values: NDArray[Any]) -> array[int]:
    column = array(kind)
    column.frombytes(values.astype(f"={kind}").tobytes())
    return column
