"""What a ranking is worth: bad samples found early, and probabilities that can be believed. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from math import log

SHARES = (0.05, 0.1, 0.2)
_LEAST = 1e-6


def order(scores: Sequence[float | None], ties: Sequence[str]) -> list[int]:
    """Places from the highest score down, ties by uid; those without a score are left out."""
    known = [at for at, score in enumerate(scores) if score is not None]
    return sorted(known, key=lambda at: (-(scores[at] or 0.0), ties[at]))


def standing(score: float, scores: Sequence[float]) -> float:
    """Where a score stands among others in ascending order: the share below it, and half of its equals."""
    return (bisect_left(scores, score) + bisect_right(scores, score)) / 2 / len(scores)


def recall(order: Sequence[int], bad: Sequence[bool], share: float) -> float:
    """The share of all bad samples that the first `share` of the batch holds; the number of looks is rounded."""
    looks = round(share * len(bad))
    return sum(bad[at] for at in order[:looks]) / sum(bad)


def auc(scores: Sequence[float], bad: Sequence[bool]) -> float:
    """The probability that a bad sample's score is above a good one's; ties count half (Mann-Whitney U)."""
    ranked = sorted(range(len(scores)), key=lambda at: scores[at])
    total, at = 0.0, 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and scores[ranked[end]] == scores[ranked[at]]:
            end += 1
        total += (at + 1 + end) / 2 * sum(bad[one] for one in ranked[at:end])
        at = end
    of_bad = sum(bad)
    return (total - of_bad * (of_bad + 1) / 2) / (of_bad * (len(bad) - of_bad))


def brier(p_bad: Sequence[float], bad: Sequence[bool]) -> float:
    """The mean squared distance of the probabilities from what came."""
    return sum((p - one) ** 2 for p, one in zip(p_bad, bad, strict=True)) / len(bad)


def log_loss(p_bad: Sequence[float], bad: Sequence[bool]) -> float:
    """The mean negative log-likelihood of what came, in nats."""
    sure = [min(max(p if one else 1 - p, _LEAST), 1.0) for p, one in zip(p_bad, bad, strict=True)]
    return -sum(map(log, sure)) / len(bad)


def reliability(p_bad: Sequence[float], bad: Sequence[bool], bins: int) -> list[tuple[float, float]]:
    """Mean probability and share of bad ones in bins of equal size, from the least probable up."""
    ranked = sorted(range(len(bad)), key=lambda at: p_bad[at])
    edges = [round(len(ranked) * number / bins) for number in range(bins + 1)]
    found = []
    for start, end in pairwise(edges):
        part = ranked[start:end]
        found.append((sum(p_bad[at] for at in part) / len(part), sum(bad[at] for at in part) / len(part)))
    return found
