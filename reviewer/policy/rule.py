"""The rule score: what verifiers' scores and findings say while nobody has decided anything. Pure.

It is additive in log-odds. Scores count by degrees, also on the near side of the limit at which they flag: those of the
agreement layer are shares and count as such, others count little until they come near their limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import fsum, log, log1p, sqrt
from typing import Any

from holdfast.db.models import Provenance, Severity
from holdfast.db.ranking import Check, Rankable, Seen

PRIOR = 0.1
"""Probability that a sample is bad before anything is known of it."""
BASE = log(PRIOR / (1 - PRIOR))

_SPECIMENS = 20_000
"""Samples, those with the first uids, from which it is learned how scores are spread."""
_ENOUGH = 10
"""Specimens from which a source's own figures are learned; they are shrunk to those of all by as many."""
_SEVERITIES = {Severity.BLOCK.value: 3.0, Severity.WARN.value: 1.5, Severity.INFO.value: 0.05}
_MORE, _MOST_MORE = 0.1, 0.3
"""What further findings of a verifier add, each and at most."""
_BROKEN = 0.5
_SHARE, _USUAL_SHARE = 4.0, 0.2
"""What a share of 1 against a sample is worth, and the share that says nothing."""
_DIVIDED = 0.75
"""How much less the judges' vote counts among samples on which they are wholly divided as a rule."""
_SCORES: Mapping[str, float] = {"label_disagreement": 0.2, "score_disagreement": 1.0, "order_flips": 0.6}
"""What scores of the agreement layer that tell of doubt, not of a contradiction, are worth at 1."""
_COPY, _COPIES = 0.1, frozenset({"near_duplicate"})
"""How much a finding counts that tells of copies: these are no worse for it, and one of them is looked at first."""
_AT_LIMIT, _STEEPNESS = 1.2, 8
"""What any other score adds at its limit, and the power by which that shrinks below it."""
_LENGTH, _LONGEST_Z = 0.07, 2.0
"""What each standard deviation adds by which a prompt is longer than its source's: longer tasks are harder."""

Spread = tuple[float, float]
"""Mean and standard deviation."""


class Rule:
    """The rule score by a state that `rule_state` made; without one, scores are not normalised."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        self._groups: Mapping[str, Mapping[str, Spread]] = state.get("groups", {})
        self._everywhere: Mapping[str, Spread] = state.get("everywhere", {})

    def spreads(self, one: Rankable) -> Mapping[str, Spread]:
        """Mean and standard deviation, at its source, of scores by verifier, of `metadata NAME`, of the log length of
        prompts."""
        return self._groups.get(group_of(one), self._everywhere)

    def terms(self, one: Rankable) -> list[tuple[str, float]]:
        """What is known of a sample, in log-odds, without the base."""
        spreads = self.spreads(one)
        terms = [_term(seen, spreads) for seen in one.verdicts]
        if "" in spreads and one.provenance not in (Provenance.HUMAN, Provenance.HUMAN_EDITED):
            mean, deviation = spreads[""]
            z = (prompt_length(one) - mean) / deviation
            terms.append(("length of the prompt", _LENGTH * min(max(z, -_LONGEST_Z), _LONGEST_Z)))
        return terms


def rule_state(samples: Iterable[Rankable]) -> dict[str, Any]:
    """How scores are spread by source and task, from the samples with the first uids; in whatever order they come."""
    specimens: list[tuple[str, str, dict[str, float]]] = []
    last = "g"  # behind all hexadecimal digits
    for one in samples:
        if one.uid < last:
            specimens.append((one.uid, group_of(one), _measured(one)))
            if len(specimens) >= 2 * _SPECIMENS:
                specimens = sorted(specimens, key=lambda found: found[0])[:_SPECIMENS]
                last = specimens[-1][0]
    groups: dict[str, list[dict[str, float]]] = {}
    for _, group, measured in sorted(specimens, key=lambda found: found[0])[:_SPECIMENS]:
        groups.setdefault(group, []).append(measured)
    everywhere = _spreads([one for group in sorted(groups) for one in groups[group]], {})
    own = {group: _spreads(found, everywhere) for group, found in sorted(groups.items()) if len(found) >= _ENOUGH}
    return {"groups": own, "everywhere": everywhere}


def group_of(one: Rankable) -> str:
    """The samples with whose scores one's are compared: those of its source and task."""
    return f"{one.source}\n{one.task or ''}"


def prompt_length(one: Rankable) -> float:
    """The prompt's length, as the logarithm of its characters."""
    return log1p(len(one.prompt))


def level(check: Check, value: float) -> float:
    """How far a score has come towards the limit at which it flags: 1 at it, more beyond, at least 0."""
    limit = check.limit or 0.0
    if check.side == "below":
        limit, value = -limit, -value
    if limit > 0:
        return max(value / limit, 0.0)
    if limit < 0:
        return max(2 - value / limit, 0.0)
    return 1 + value if value > 0 else 0.0


def _term(seen: Seen, spreads: Mapping[str, Spread]) -> tuple[str, float]:
    check = seen.check
    found = _of_findings(seen) if seen.findings else 0.0
    worth = found
    if seen.value is not None and check.limit is not None:
        worth = _of_score(check, seen.value, spreads)
        if seen.letter == "f" or len(seen.findings) > 1:
            worth = max(worth, found)
    if check.name in _COPIES:
        worth *= _COPY
    if seen.letter == "e":
        return f"{check.name}: broke", _BROKEN
    if seen.findings:
        return f"{check.name}: {_gravest(seen)[0]}", worth
    return f"{check.name}: score", worth


def _of_findings(seen: Seen) -> float:
    if len(seen.findings) == 1:
        return _SEVERITIES[seen.findings[0][1]]
    weights = sorted((_SEVERITIES[severity] for _, severity in seen.findings), reverse=True)
    return weights[0] + min(_MORE * sum(weight > 1 for weight in weights[1:]), _MOST_MORE)


def _gravest(seen: Seen) -> tuple[str, str]:
    if len(seen.findings) == 1:
        return seen.findings[0]
    return max(seen.findings, key=lambda found: _SEVERITIES[found[1]])


def _of_score(check: Check, value: float, spreads: Mapping[str, Spread]) -> float:
    if check.layer == "agreement" and check.side == "above" and 0 < (check.limit or 0) <= 1:
        if check.name in _SCORES:
            return _SCORES[check.name] * value
        if check.name == "label_votes" and "label_disagreement" in spreads:
            value *= 1 - _DIVIDED * spreads["label_disagreement"][0]
        return _SHARE * (value - _USUAL_SHARE)
    near = level(check, value)
    return _AT_LIMIT * (near**_STEEPNESS if near < 1 else 1 + min(log(near), 1.0))


def _measured(one: Rankable) -> dict[str, float]:
    measured = {seen.check.name: seen.value for seen in one.verdicts if seen.value is not None}
    measured |= {f"metadata {name}": value for name, value in one.measures}
    return {**measured, "": prompt_length(one)}


def _spreads(measured: list[dict[str, float]], everywhere: Mapping[str, Spread]) -> dict[str, Spread]:
    """Means and standard deviations by name, each shrunk to those of everywhere."""
    values: dict[str, list[float]] = {}
    for one in measured:
        for name, value in one.items():
            values.setdefault(name, []).append(value)
    spreads: dict[str, Spread] = {}
    for name, found in sorted(values.items()):
        mean = fsum(found) / len(found)
        variance = fsum((value - mean) ** 2 for value in found) / len(found)
        usual, deviation = everywhere.get(name, (mean, sqrt(variance)))
        weight = len(found) / (len(found) + _ENOUGH)
        shrunk = sqrt(weight * variance + (1 - weight) * deviation**2)
        spreads[name] = (round(weight * mean + (1 - weight) * usual, 5), round(max(shrunk, 1e-3), 5))
    return spreads
