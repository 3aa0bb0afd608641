"""Acceptance rates from the random audit, where reviewers look at flagged samples more often than at others. Pure.

The audit draws samples by hash, so that those of them that people have decided stand for all samples of their kind
(flagged, unflagged, failed …) and source. What was decided beside the audit was chosen by scores: it says what those
samples are and nothing of the rest, so it only bounds what the rate can be. With everything decided, nothing is
estimated any more. This holds whatever decides which samples are looked at first; taking what is left for a random part
of the flagged would not, since reviewers begin with the worst.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor

from holdfast.reviewer.policy.acceptance import CONFIDENCE
from holdfast.reviewer.policy.lattice import Term, quantiles

_ROUNDING = 1e-6
"""How far a number of samples may be off a whole one by rounding."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """Samples of one kind and source: `size` of them, `audited` decided of those that the audit drew, `good` of these.

    `known` more were decided beside the audit, `known_good` of them good. Strata of one kind are pooled where rates of
    several sources are put together.
    """

    kind: str
    size: int
    audited: int = 0
    good: int = 0
    known: int = 0
    known_good: int = 0

    @property
    def unseen(self) -> int:
        """How many the audit has not shown."""
        return self.size - self.audited

    @property
    def open(self) -> int:
        """How many nobody has decided."""
        return self.unseen - self.known

    def total(self, rate: float) -> float:
        """Good samples in the stratum if those that the audit has not shown are good at this rate.

        As far as that can be, given those that were decided beside the audit.
        """
        return self.good + min(max(self.unseen * rate, self.known_good), self.known_good + self.open)


def rate(strata: Sequence[Stratum]) -> float | None:
    """The share of good samples; None where there are none, or audited ones speak for less than half of the undecided.

    Horvitz-Thompson with post-strata, unbiased whatever was decided beside the audit, but kept within what is known.
    That makes the error smaller, and in simulation moves its mean by .002 where half of the flagged samples were
    decided worst first, and by .003 at nine tenths. A stratum without audited samples gets the rate of the others.
    """
    size = sum(one.size for one in strata)
    shown = [one for one in strata if one.audited]
    spoken_for = sum(one.open for one in shown)
    if not size or 2 * spoken_for < sum(one.open for one in strata):
        return None
    of_shown = sum(one.size for one in shown)
    others = sum(one.size * one.good / one.audited for one in shown) / of_shown if shown else 0.0
    return sum(one.total(one.good / one.audited if one.audited else others) for one in strata) / size


def lower_bound(strata: Sequence[Stratum], confidence: float = CONFIDENCE) -> float:
    """One-sided lower bound of the rate at which the strata's sources give good samples (superpopulation).

    Uniform priors. One more audited good sample never lowers the bound of one source, and one more bad never raises it.
    """
    size = sum(one.size for one in strata)
    terms = []
    for kind in _kinds(strata):
        good, trials = _effective([(one, one.size, one.size**2 / one.audited) for one in kind if one.audited])
        share = sum(one.size for one in kind) / size
        terms.append(Term(1 + good, 1 + trials - good, share, 0.0, share))
    return quantiles(terms, 1 - confidence)[0] if terms else 0.0


def interval(strata: Sequence[Stratum], confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Two-sided interval of the share of good samples among these very ones (finite lot); (0, 1) where there are none.

    Uniform priors, effective numbers of trials of a draw without replacement, rounded out to whole samples; exact where
    everything is decided. A rate that is all that is known of the unseen ones would make it too narrow where many are
    drawn: at 25 of 50 it would hold the true rate in 80 % of cases.
    """
    size = sum(one.size for one in strata)
    terms = [_unseen(kind) for kind in _kinds(strata)]
    if not terms:
        return 0.0, 1.0
    low, high = quantiles(terms, (1 - confidence) / 2, (1 + confidence) / 2)
    return floor(low + _ROUNDING) / size, ceil(high - _ROUNDING) / size


def weighted(groups: Iterable[tuple[float, int, int]]) -> tuple[float, float]:
    """Rate and effective number of trials (Kish 1965) of groups: weight of a trial, trials, successes. (0, 0) of none.

    The weight is the inverse of the share in which a trial's kind was drawn.
    """
    found = list(groups)
    total = sum(weight * trials for weight, trials, _ in found)
    if not total:
        return 0.0, 0.0
    squares = sum(weight * weight * trials for weight, trials, _ in found)
    return sum(weight * successes for weight, _, successes in found) / total, total * total / squares


def _kinds(strata: Iterable[Stratum]) -> list[list[Stratum]]:
    """Strata by kind, in order of the kinds; those that no audited sample speaks for apart from the others.

    Taken one by one, strata with few audited samples would each draw the whole towards the middle by their prior.
    """
    kinds: dict[tuple[str, bool], list[Stratum]] = {}
    for one in strata:
        if one.size:
            kinds.setdefault((one.kind, one.audited > 0), []).append(one)
    return [kinds[kind] for kind in sorted(kinds)]


def _unseen(strata: Sequence[Stratum]) -> Term:
    """The number of good samples in strata of one kind: those that the audit has shown, and a posterior of the rest."""
    parts = [(one, one.unseen, one.unseen * one.size / one.audited) for one in strata if one.audited]
    good, trials = _effective(parts)
    unseen, least = sum(one.unseen for one in strata), sum(one.known_good for one in strata)
    most = least + sum(one.open for one in strata)
    return Term(1 + good, 1 + trials - good, unseen, least, most, sum(one.good for one in strata))


def _effective(parts: Sequence[tuple[Stratum, float, float]]) -> tuple[float, float]:
    """Good ones and trials that say as much as audited samples of unequal weight (Kish 1965).

    `parts` gives stratum, weight and how much its rate's variance adds to that of the weighted sum, in units of p(1-p).
    """
    weight, variance = sum(part[1] for part in parts), sum(part[2] for part in parts)
    if not variance:
        return 0.0, 0.0
    trials = weight * weight / variance
    return trials * sum(of * one.good / one.audited for one, of, _ in parts) / weight, trials
