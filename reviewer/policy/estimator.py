"""How likely a sample is bad, and why, in terms that add up. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import sqrt
from typing import Any, NamedTuple

from holdfast.db.ranking import Rankable
from holdfast.reviewer.policy import calibration, features
from holdfast.reviewer.policy.rule import BASE, PRIOR, Rule

__all__ = ["PRIOR", "Estimate", "Estimator"]

_MOST_TERMS = 6
_LEAST_TERM = 0.05
_DIGITS = 6
_WORD_UNITS = 10_000
_BASE_TERM, _WORDS_TERM, _REST_TERM = "any sample", "words of the text", "everything else"


class Estimate(NamedTuple):
    """The probability that a sample is bad, and terms in log-odds: the base, the largest ones, and the rest.

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
        self._base = BASE * float(learned.get("rule", 1.0)) + float(learned.get("base", 0.0))
        self._of_rule = float(learned.get("rule", 1.0))
        self._numbers = {
            name: (centre, weight, features.term_of(name))
            for name, (centre, weight) in learned.get("numbers", {}).items()
        }
        self._kinds = {name: (weight, features.term_of(name)) for name, weight in learned.get("kinds", {}).items()}
        # Whole numbers add up to the same sum in whatever order a set gives its words.
        self._words = [
            {word: round(weight * _WORD_UNITS) for word, weight in learned.get(part, {}).items()}
            for part in ("prompt", "response")
        ]

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
        of_rule = self._rule.terms(one)
        terms: dict[str, float] = {}
        for name, value in of_rule:
            terms[name] = terms.get(name, 0.0) + value * self._of_rule
        if self._numbers or self._kinds:
            # What was learned of a verifier stands with what it says: the rule's first terms are the verdicts'.
            said = {seen.check.name: name for seen, (name, _) in zip(one.verdicts, of_rule, strict=False)}
            for name, value in self._corrections(one):
                shown = said.get(name, name)
                terms[shown] = terms.get(shown, 0.0) + value
            terms[_WORDS_TERM] = self._of_words(one)
        return terms

    def _corrections(self, one: Rankable) -> Iterator[tuple[str, float]]:
        for name, value in features.numbers(one, self._rule):
            number = self._numbers.get(name)
            if number is not None:
                yield number[2], (value - number[0]) * number[1]
        for name in features.kinds(one):
            kind = self._kinds.get(name)
            if kind is not None:
                yield kind[1], kind[0]

    def _of_words(self, one: Rankable) -> float:
        total = 0.0
        for weights, text in zip(self._words, (one.prompt, one.response), strict=True):
            if weights and (found := features.words_of(text)):
                total += sum(filter(None, map(weights.get, found))) / sqrt(len(found))
        return total / _WORD_UNITS


def _largest(terms: dict[str, float]) -> list[tuple[str, float]]:
    """The terms from the largest down; the small ones are one term, the last, so that all add up."""
    ranked = sorted([(-abs(value), name) for name, value in terms.items()])[:_MOST_TERMS]
    named = [(name, terms[name]) for size, name in ranked if size <= -_LEAST_TERM]
    rest = sum(terms.values()) - sum([value for _, value in named])
    return [*named, (_REST_TERM, rest)] if rest else named
