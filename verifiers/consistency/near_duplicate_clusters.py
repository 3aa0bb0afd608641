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
    order = np.lexsort((keys, ~passed, ~human))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    # Sets are numbered anew by their best sample, so that no result depends on the order of the input.
    best = np.full(len(sets), len(order), dtype=np.int64)
    np.minimum.at(best, number, rank)
    by_best = np.argsort(best)
    anew = np.empty(len(sets), dtype=np.int64)
    anew[by_best] = np.arange(len(sets))
    number, first = anew[number], order[best[by_best]]
    rows, alike = _joined(sets, by_best)

    several = (np.bincount(alike.cluster[number], minlength=len(sets)) > 1)[alike.cluster[number]]
    members = np.flatnonzero(several)
    stays = first[alike.cluster[number[members]]]
    target, similarity = _targets(rows, alike, number[members], human[first])
    target = first[target]
    exact = _equal(census.contents, members, target) & (members != target)
    place = np.argsort(np.argsort(keys, kind="stable"), kind="stable")
    listed = np.argsort(place[members])
    return Neighbourhood(
        uids=_column("Q", np.sort(keys)),
        members=_column("I", place[members][listed]),
        targets=_column("I", place[target][listed]),
        representatives=_column("I", place[stays][listed]),
        similarities=_column("H", (similarity * SCALE).astype(np.int64)[listed]),
        traits=_column("B", (human[members] * HUMAN + exact * EXACT)[listed]),
    )


def _joined(sets: ShingleSets, order: Numbers) -> tuple[Rows, Alike]:
    import numpy as np

    sizes = np.array(sets.sizes, dtype=np.int64)
    starts = np.cumsum(sizes) - sizes
    rows = Rows(np.frombuffer(sets.tokens, dtype=np.uint32), starts[order], sizes[order])
    return rows, join(rows)


def _targets(rows: Rows, alike: Alike, sets: Numbers, human: NDArray[np.bool_]) -> tuple[Numbers, NDArray[np.float64]]:
    """For each set the one it is said to be like, and how much: its cluster's first, else one tied to it.

    Of several ties a human set counts first, then the likest one, then the lowest number.
    """
    import numpy as np

    target = np.arange(len(rows.sizes))
    closest = np.ones(len(rows.sizes))
    a, b = np.concatenate((alike.a, alike.b)), np.concatenate((alike.b, alike.a))
    likeness = np.concatenate((alike.similarity, alike.similarity))
    order = np.lexsort((b, -likeness, ~human[b], a))
    chosen = order[np.diff(a[order], prepend=-1) != 0]
    target[a[chosen]], closest[a[chosen]] = b[chosen], likeness[chosen]
    others = np.flatnonzero(alike.cluster != np.arange(len(target)))
    to_first = similarities(rows, others, alike.cluster[others])
    near = to_first >= LEAST[0] / LEAST[1]
    target[others[near]], closest[others[near]] = alike.cluster[others[near]], to_first[near]
    heads = alike.cluster == np.arange(len(target))
    target[heads], closest[heads] = np.flatnonzero(heads), 1.0
    return target[sets], closest[sets]


def _equal(contents: bytearray, one: Numbers, other: Numbers) -> NDArray[np.bool_]:
    import numpy as np

    halves = np.frombuffer(contents, dtype="<u8").reshape(-1, 2)
    same: NDArray[np.bool_] = (halves[one] == halves[other]).all(axis=1)
    return same


def _column(kind: str, values: NDArray[Any]) -> array[int]:
    column = array(kind)
    column.frombytes(values.astype(f"={kind}").tobytes())
    return column
