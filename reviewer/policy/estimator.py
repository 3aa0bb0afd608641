"""How likely a sample is bad, and why, in terms that add up. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import fsum, sqrt
from typing import Any

from holdfast.db.ranking import Rankable
from holdfast.reviewer.policy import calibration, features
from holdfast.reviewer.policy.rule import BASE, PRIOR, Rule

__all__ = ["PRIOR", "Estimate", "Estimator"]

_MOST_TERMS = 7
_LEAST_TERM = 0.005
_DIGITS = 6
_BASE_TERM, _WORDS_TERM, _REST_TERM = "any sample", "words of the text", "everything else"


@dataclass(frozen=True, slots=True)
class Estimate:
    """The probability that a sample is bad, and terms in log-odds, base first, of which the largest are named.

    They add up to the score that orders samples; `p_bad` is that score calibrated, in the same order.
    """

    p_bad: float
    contributions: tuple[tuple[str, float], ...]


class Estimator:
    """Estimates from an ordering's state: `rule`, how scores are spread, and `learned`, what decisions have taught.

    Either may be empty: then the rule score counts alone, or is not normalised.
    """

    def __init__(self, state: Mapping[str, Any]) -> None:
        learned = state.get("learned") or {}
        self._rule = Rule(state.get("rule") or {})
        self._curve: calibration.Curve = tuple(map(tuple, learned.get("curve", calibration.IDENTITY)))
        self._base = BASE * learned.get("rule", 1.0) + learned.get("base", 0.0)
        self._of_rule: float = learned.get("rule", 1.0)
        self._numbers: Mapping[str, tuple[float, float]] = learned.get("numbers", {})
        self._kinds: Mapping[str, float] = learned.get("kinds", {})
        self._words = [dict(learned.get(part, {})) for part in ("prompt", "response")]
        self._learned = bool(self._numbers or self._kinds or any(self._words))

    def estimate(self, one: Rankable) -> Estimate:
        """One sample's probability of being bad."""
        terms = self._terms(one)
        total = self._base + sum(terms.values())
        p_bad = calibration.at(self._curve, total)
        return Estimate(round(p_bad, _DIGITS), ((_BASE_TERM, self._base), *_largest(terms)))

    def estimate_many(self, samples: Iterable[Rankable]) -> list[Estimate]:
        """The estimates of samples, in their order."""
        return list(map(self.estimate, samples))

    def score(self, one: Rankable) -> float:
        """The log-odds that order samples, before calibration."""
        return self._base + sum(self._terms(one).values())

    def _terms(self, one: Rankable) -> dict[str, float]:
        terms: dict[str, float] = {}
        of_check: dict[str, str] = {}
        for name, value in self._rule.terms(one):
            terms[name] = terms.get(name, 0.0) + value * self._of_rule
            of_check[name.partition(":")[0]] = name
        if not self._learned:
            return terms
        for name, value in self._corrections(one):
            shown = of_check.get(name, name)
            terms[shown] = terms.get(shown, 0.0) + value
        terms[_WORDS_TERM] = self._of_words(one)
        return terms

    def _corrections(self, one: Rankable) -> Iterable[tuple[str, float]]:
        for name, value in features.numbers(one, self._rule):
            known = self._numbers.get(name)
            if known is not None:
                yield features.term_of(name), (value - known[0]) * known[1]
        for name in features.kinds(one):
            weight = self._kinds.get(name)
            if weight is not None:
                yield features.term_of(name), weight

    def _of_words(self, one: Rankable) -> float:
        total = 0.0
        for weights, text in zip(self._words, (one.prompt, one.response), strict=True):
            if weights and (found := features.words_of(text)):
                # A set has no order: exact addition keeps the sum the same in every process.
                total += fsum(filter(None, map(weights.get, found))) / sqrt(len(found))
        return total


def _largest(terms: Mapping[str, float]) -> list[tuple[str, float]]:
    """The terms from the largest down; the small ones are one term, so that all add up."""
    ranked = sorted(terms.items(), key=lambda one: (-abs(one[1]), one[0]))
    shown = [one for one in ranked[:_MOST_TERMS] if abs(one[1]) >= _LEAST_TERM]
    rest = sum(value for _, value in ranked[len(shown) :])
    return [*shown, (_REST_TERM, rest)] if rest else shown
