"""Quantiles of sums of Beta variables on a fixed lattice: no random stream, so the same on every machine. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import float64, int64
    from numpy.typing import NDArray

POINTS = 4096
"""How many points the lattice has."""


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the sum: `shown` + `scale` * θ, the product kept within `low` and `high`; θ ~ Beta(a, b)."""

    a: float
    b: float
    scale: float
    low: float
    high: float
    shown: float = 0.0


def quantiles(terms: Sequence[Term], *shares: float) -> list[float]:
    """The order statistics of the sum at some shares: the lower neighbour below the median, the higher one above it.

    The order of the terms matters, within a thousandth or so; it is the caller's to keep.
    """
    import numpy as np

    if len(terms) == 1:
        from scipy.special import betaincinv

        (one,) = terms
        found = [one.scale * float(betaincinv(one.a, one.b, share)) for share in shares]
        return [one.shown + min(max(value, one.low), one.high) for value in found]
    total = np.full(POINTS, float(sum(one.shown for one in terms)))
    for place, one in enumerate(terms):
        total += np.clip(one.scale * _beta(one.a, one.b)[_ranks(place)], one.low, one.high)
    return [float(np.quantile(total, share, method="lower" if share < 0.5 else "higher")) for share in shares]


@lru_cache(maxsize=1024)
def _beta(a: float, b: float) -> NDArray[float64]:
    """The distribution's quantiles at the middles of POINTS equal parts, ascending."""
    import numpy as np
    from scipy.special import betaincinv

    found: NDArray[float64] = betaincinv(a, b, (np.arange(POINTS) + 0.5) / POINTS)
    return found


@lru_cache(maxsize=64)
def _ranks(place: int) -> NDArray[int64]:
    """A permutation of the lattice: the ranks of SHA-256 over place and point."""
    digests = [hashlib.sha256(f"{place}/{point}".encode()).digest() for point in range(POINTS)]
    import numpy as np

    ranks = np.empty(POINTS, dtype=np.int64)
    ranks[sorted(range(POINTS), key=digests.__getitem__)] = np.arange(POINTS)
    return ranks
