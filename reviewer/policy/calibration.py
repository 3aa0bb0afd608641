"""Turning scores into probabilities, and how good probabilities are. Pure; arrays are of one dimension and parallel."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from math import exp, log
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ENOUGH_FOR_ISOTONIC = 1_000
"""Decisions from which probabilities follow the observed rates, not a straight line in log-odds."""

_LEAST = 1e-6
"""Probabilities are kept this far from 0 and 1."""
_SLOPE_SPREAD, _SHIFT_SPREAD = 0.5, 2.0
"""Standard deviations of what is assumed of slope (around 1) and shift (around 0) before anything is seen."""
_LEAST_SLOPE = 0.05
_MOST_KNOTS = 64

Curve = tuple[tuple[float, float], ...]
"""Knots (score, logit of the probability), both strictly ascending; straight between them and beyond."""

IDENTITY: Curve = ((0.0, 0.0), (1.0, 1.0))


def brier(p: Floats, bad: Floats, weight: Floats) -> float:
    """The weighted mean squared difference between probability and truth (Brier 1950)."""
    return float(weight @ (p - bad) ** 2 / weight.sum())


def log_loss(p: Floats, bad: Floats, weight: Floats) -> float:
    """The weighted mean of minus the logarithm of the probability given to what was so."""
    import numpy as np

    p = np.clip(p, _LEAST, 1 - _LEAST)
    return float(-(weight @ np.where(bad > 0, np.log(p), np.log(1 - p))) / weight.sum())


def auc(score: Floats, bad: Floats, weight: Floats) -> float | None:
    """The chance that a bad sample scores above a good one, ties half; None where there is only one kind."""
    import numpy as np

    mass_bad, mass_good = float(weight @ bad), float(weight @ (1 - bad))
    if not mass_bad or not mass_good:
        return None
    _, at = np.unique(score, return_inverse=True)
    good = np.bincount(at, weight * (1 - bad))
    below = np.cumsum(good) - good / 2
    return float((weight * bad) @ below[at] / (mass_bad * mass_good))


def reliability(p: Floats, bad: Floats, weight: Floats, bins: int = 10) -> list[dict[str, float]]:
    """Mean probability beside the observed rate in bins of equal mass, the least probable first."""
    import numpy as np

    order = np.argsort(p, kind="stable")
    found = []
    for part in np.array_split(order, min(bins, len(order))):
        mass = weight[part]
        shown = (float(mass @ p[part] / mass.sum()), float(mass @ bad[part] / mass.sum()))
        found.append({"p": round(shown[0], 6), "rate": round(shown[1], 6), "n": len(part)})
    return found


def isotonic(values: Sequence[float], weights: Sequence[float]) -> list[tuple[float, int]]:
    """The blocks (mean, length) of the non-decreasing sequence nearest to the values: pool adjacent violators.

    Ayer et al. 1955; in the time that one pass takes.
    """
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        mean, mass, length = value, weight, 1
        while blocks and blocks[-1][0] >= mean:
            before, mass_before, length_before = blocks.pop()
            mean = (mean * mass + before * mass_before) / (mass + mass_before)
            mass, length = mass + mass_before, length + length_before
        blocks.append((mean, mass, length))
    return [(mean, length) for mean, _, length in blocks]


def curve(score: Floats, bad: Floats, weight: Floats) -> Curve:
    """A strictly ascending map from score (log-odds) to the logit of a calibrated probability.

    A line in log-odds (Platt 1999) on few decisions; from ENOUGH_FOR_ISOTONIC the isotonic rates, each at its block's
    mean score and joined by straight lines, so that no two scores change places (Oron & Flournoy 2017). Beyond the
    outermost blocks the line's slope goes on.
    """
    slope, shift = platt(score, bad, weight)
    line = ((0.0, round(shift, 6)), (1.0, round(shift + slope, 6)))
    if len(score) < ENOUGH_FOR_ISOTONIC:
        return line
    knots = _isotonic_knots(score, bad, weight, (slope, shift))
    (x0, y0), (x1, y1) = knots[0], knots[-1]
    return ((round(x0 - 1, 6), round(y0 - slope, 6)), *knots, (round(x1 + 1, 6), round(y1 + slope, 6)))


def platt(score: Floats, bad: Floats, weight: Floats) -> tuple[float, float]:
    """Slope and shift of the logit of the probability over a score in log-odds, by Newton's method.

    Both are drawn to 1 and 0 where decisions are few; the slope stays positive.
    """
    import numpy as np

    weight = weight / weight.mean()
    shape = np.stack([score, np.ones_like(score)], 1)
    usual = np.array([1.0, 0.0])
    hold = np.array([1 / _SLOPE_SPREAD**2, 1 / _SHIFT_SPREAD**2])
    at = usual.copy()
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(shape @ at, -30, 30)))
        gradient = shape.T @ (weight * (p - bad)) + hold * (at - usual)
        curvature = (shape * (weight * np.maximum(p * (1 - p), 1e-9))[:, None]).T @ shape + np.diag(hold)
        step = np.linalg.solve(curvature, gradient)
        at = at - np.clip(step, -2, 2)
        if float(np.abs(step).max()) < 1e-9:
            break
    return max(float(at[0]), _LEAST_SLOPE), float(at[1])


def _isotonic_knots(score: Floats, bad: Floats, weight: Floats, line: tuple[float, float]) -> Curve:
    """Isotonic blocks of at least a 64th of the decisions each as knots; rates are drawn to the line's a little."""
    import numpy as np

    order = np.argsort(score, kind="stable")
    parts = np.array_split(order, _MOST_KNOTS)
    masses = np.array([weight[part].sum() for part in parts])
    means = np.array([weight[part] @ score[part] / weight[part].sum() for part in parts])
    rates = np.array([weight[part] @ bad[part] for part in parts])
    expected = 1 / (1 + np.exp(-np.clip(line[0] * means + line[1], -30, 30)))
    one = masses / np.array([len(part) for part in parts])
    rates = (rates + one * expected) / (masses + one)
    knots, start = [], 0
    for rate, length in isotonic(rates.tolist(), masses.tolist()):
        block = slice(start, start + length)
        place = float(masses[block] @ means[block] / masses[block].sum())
        knots.append((round(place, 6), round(logit(rate), 6)))
        start += length
    return _ascending(knots)


def _ascending(knots: list[tuple[float, float]]) -> Curve:
    """The knots without those that lie at or below the one before."""
    kept = knots[:1]
    for knot in knots[1:]:
        if knot[0] > kept[-1][0] and knot[1] > kept[-1][1]:
            kept.append(knot)
    return tuple(kept)


def at(knots: Curve, score: float) -> float:
    """The probability that a curve gives a score."""
    place = bisect_left(knots, (score,), 1, len(knots) - 1)
    (x0, y0), (x1, y1) = knots[place - 1], knots[place]
    return probability(y0 + (score - x0) * (y1 - y0) / (x1 - x0))


def probability(logit: float) -> float:
    """The probability of log-odds, kept a little away from 0 and 1 so that equal is only what is equal."""
    return 1 / (1 + exp(-min(max(logit, -30.0), 30.0)))


def logit(p: float) -> float:
    """The log-odds of a probability, which is kept away from 0 and 1."""
    p = min(max(p, _LEAST), 1 - _LEAST)
    return log(p / (1 - p))


def rounded(report: dict[str, Any]) -> dict[str, Any]:
    """A report with its numbers rounded, as it is stored."""
    return {key: round(value, 6) if isinstance(value, float) else value for key, value in report.items()}
