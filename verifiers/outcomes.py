"""From scores to outcomes: pure, so that a changed threshold needs stored scores and no check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite

from holdfast.db.models import Finding, Outcome, Severity, Verdict, VerifierSpec
from holdfast.verifiers.base import Threshold, above

BEYOND_LIMIT = "beyond-limit"
"""The code of the finding that a score beyond its limit gets where the verifier wrote none, or none was kept."""

_LIMITS = (("fail_at", Outcome.FAIL), ("flag_at", Outcome.FLAG))
_SEVERITY = {Outcome.FAIL: Severity.BLOCK, Outcome.FLAG: Severity.WARN}


def derive(value: float, thresholds: Mapping[str, Threshold]) -> Outcome:
    """The outcome of a score: fail beyond `fail_at`, else flag beyond `flag_at`, else pass."""
    for name, outcome in _LIMITS:
        limit = thresholds.get(name)
        if limit is not None and limit.crossed(value):
            return outcome
    return Outcome.PASS


def settle(verdict: Verdict, name: str, thresholds: Mapping[str, Threshold]) -> Verdict:
    """Give a scored verdict the outcome that its value has under the thresholds; findings stay only beyond a limit."""
    if verdict.value is None or verdict.outcome in (Outcome.ABSTAIN, Outcome.ERROR):
        return verdict
    if not isfinite(verdict.value):
        return Verdict.error(f"{name} returned the score {verdict.value}, which is not a finite number")
    if not thresholds:
        return verdict
    outcome = derive(verdict.value, thresholds)
    if outcome is Outcome.PASS:
        return Verdict(Outcome.PASS, verdict.value)
    severity = _SEVERITY[outcome]
    findings = tuple(replace(one, severity=severity) for one in verdict.findings if one.code != BEYOND_LIMIT)
    if not findings:
        limit = thresholds["fail_at" if outcome is Outcome.FAIL else "flag_at"]
        text = f"{name.replace('_', ' ')} {verdict.value:.3g} is {limit.side} the limit {limit.limit:g}"
        findings = (Finding(BEYOND_LIMIT, severity, text),)
    return Verdict(outcome, verdict.value, findings)


def rederive(
    verdicts: Sequence[Verdict | None], limits: Sequence[tuple[str, Mapping[str, Threshold]]], *, human: bool
) -> tuple[Verdict | None, ...] | None:
    """A sample's stored verdicts under other limits (names and thresholds); None if a check would have to run.

    A stop that appears drops what came after it, as an undisturbed run would have; a stop that disappears leaves checks
    that never ran.
    """
    settled: list[Verdict | None] = []
    stopped = False
    for verdict, (name, thresholds) in zip(verdicts, limits, strict=True):
        if stopped:
            settled.append(None)
            continue
        if verdict is None:
            return None
        verdict = settle(verdict, name, thresholds)
        settled.append(verdict)
        stopped = not human and verdict.outcome is Outcome.FAIL
    return tuple(settled)


def thresholds_of(spec: VerifierSpec) -> dict[str, Threshold]:
    """The thresholds of a stored spec as values."""
    return {name: Threshold.parse(raw, above(0)) for name, raw in spec.thresholds.items()}
