"""How likely a sample is bad, and why, in terms that add up. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import exp, log
from typing import Any

from holdfast.db.ranking import Rankable

PRIOR = 0.1
"""Probability that a sample is bad before anything is known of it."""

_SEVERITIES = {"block": 3.0, "warn": 1.5, "info": 0.1}


@dataclass(frozen=True, slots=True)
class Estimate:
    """The probability that a sample is bad; the terms, base first, are in log-odds and add up to its logit."""

    p_bad: float
    contributions: tuple[tuple[str, float], ...]


class Estimator:
    """Estimates from what an ordering's state holds: the rule score, and what decisions have taught beyond it."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        self._state = state

    def estimate(self, one: Rankable) -> Estimate:
        """One sample's probability of being bad."""
        return self.estimate_many([one])[0]

    def estimate_many(self, samples: Iterable[Rankable]) -> list[Estimate]:
        """The estimates of many samples, in their order."""
        return [self._estimate(one) for one in samples]

    def _estimate(self, one: Rankable) -> Estimate:
        terms = [("any sample", round(log(PRIOR / (1 - PRIOR)), 6))]
        for seen in one.verdicts:
            if seen.findings:
                code, severity = max(seen.findings, key=lambda found: _SEVERITIES[found[1]])
                terms.append((f"{seen.check.name}: {code}", _SEVERITIES[severity]))
        logit = sum(value for _, value in terms)
        return Estimate(round(1 / (1 + exp(-logit)), 6), tuple(terms))
