"""Agreement in numbers: how far scores, labels and comparisons differ. Pure: values in, values out."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import TypeVar

Label = TypeVar("Label", bound=Hashable)


def d_score(values: Sequence[float], *, lo: float = 0.0, hi: float = 1.0) -> float:
    """Mean absolute difference over all pairs, as a share of the scale; ValueError under two values."""
    _two(values)
    count = len(values)
    # In order, each value is the greater one of as many pairs as stand before it: no pair need be looked at.
    total = math.fsum((2 * place - count + 1) * value for place, value in enumerate(sorted(values)))
    return total / math.comb(count, 2) / (hi - lo)


def normalised_entropy(weights: Iterable[float], *, classes: int | None = None) -> float:
    """Entropy of a distribution over the greatest that `classes` allow (default: as many as have weight), in [0, 1]."""
    given = list(weights)
    total = math.fsum(given)
    shares = [weight / total for weight in given if weight / total > 0] if total else []
    if len(shares) < 2:
        return 0.0
    entropy = -math.fsum(share * math.log(share) for share in shares)
    return min(entropy / math.log(classes or len(shares)), 1.0)


def generator_gap(own: Sequence[float], others: Sequence[float]) -> float:
    """Mean of the generator's own scores minus that of the other families'; ValueError where either is empty."""
    if not own or not others:
        raise ValueError("a gap needs scores on both sides")
    return fmean(own) - fmean(others)


def position_consistency(pairs: Sequence[tuple[str, str]]) -> float:
    """Share of comparisons whose two orders name the same winner, given as items, not places; ValueError for none."""
    if not pairs:
        raise ValueError("position consistency needs a comparison in both orders")
    return sum(one == other for one, other in pairs) / len(pairs)


def mean_by_family(votes: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Scores as (family, score) collapsed to one a family: its mean."""
    scores: defaultdict[str, list[float]] = defaultdict(list)
    for family, score in votes:
        scores[family].append(score)
    return {family: fmean(given) for family, given in scores.items()}


def shares_by_family(votes: Iterable[tuple[str, Label]]) -> dict[Label, float]:
    """Labels as (family, label) collapsed to one vote a family, as the share of the vote behind each label.

    A family whose judges name several labels splits its vote as they do.
    """
    counts: defaultdict[str, Counter[Label]] = defaultdict(Counter)
    for family, label in votes:
        counts[family][label] += 1
    shares: defaultdict[Label, float] = defaultdict(float)
    for counted in counts.values():
        for label, count in counted.items():
            shares[label] += count / counted.total() / len(counts)
    return dict(shares)


def leading(shares: Mapping[str, float]) -> str:
    """The label with the greatest share, the first by name of several; ValueError where there is none."""
    return min(shares, key=lambda label: (-shares[label], label))


def _two(values: Sequence[float]) -> None:
    if len(values) < 2:
        raise ValueError("disagreement needs two values")
