"""Rates with their intervals. Pure."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

CONFIDENCE = 0.95


def wilson(successes: float, trials: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Two-sided Wilson score interval of a rate; (0, 1) without trials (Wilson 1927, Brown, Cai & DasGupta 2001)."""
    if not trials:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    rate, spread = successes / trials, z * z / trials
    middle = (rate + spread / 2) / (1 + spread)
    half = z * sqrt(rate * (1 - rate) / trials + spread / (4 * trials)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def clopper_pearson_upper(bad: int, trials: int, confidence: float = CONFIDENCE) -> float:
    """One-sided exact upper bound of a rate (Clopper & Pearson 1934): it covers at least so often; 1 without trials."""
    from scipy.special import betaincinv

    return 1.0 if bad >= trials else float(betaincinv(bad + 1, trials - bad, confidence))


def jeffreys(successes: float, trials: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Two-sided interval of a rate under the Beta(1/2, 1/2) prior (Brown, Cai & DasGupta 2001).

    Successes and trials may be effective numbers, as weighted samples have them.
    """
    from scipy.special import betaincinv

    a, b = successes + 0.5, trials - successes + 0.5
    return float(betaincinv(a, b, (1 - confidence) / 2)), float(betaincinv(a, b, (1 + confidence) / 2))
