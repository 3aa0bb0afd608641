"""The order of the queue: how likely a sample is bad, and why. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from holdfast.db.models import Outcome, Provenance, SampleVerdicts, Severity, Status, Stream, VerifierSpec
from holdfast.db.states import QueueEntry, status_of
from holdfast.reviewer.policy.audit_draw import uniform

PRIOR = 0.1
"""Probability that a sample is bad before anything was found."""
WEIGHTS: Mapping[Severity, float] = {Severity.BLOCK: 0.9, Severity.WARN: 0.5, Severity.INFO: 0.02}
"""Share of the remaining doubt that one verifier's gravest finding takes away."""
ERROR_WEIGHT = 0.3
"""The same for a check that broke."""

_PRIOR_TERM = "any sample"
_SPREAD_TERM = "spread, so that equals are mixed"
_SPREAD = 0.01
_DIGITS = 6


def rank(
    specs: Sequence[VerifierSpec], verdicts: SampleVerdicts, provenance: Provenance, *, audit: bool
) -> QueueEntry | None:
    """A sample's place in the queue by the rule score, or None where nothing sends it there.

    The priority of a sample with findings is its probability of being bad; one that only the audit drew gets a priority
    by hash over the same range, so that the two cannot be told apart by it.
    """
    if status_of(verdicts.outcome, provenance, audit=audit) is not Status.FLAGGED and not audit:
        return None
    drawn_alone = status_of(verdicts.outcome, provenance, audit=False) is not Status.FLAGGED
    terms, p_bad = _doubts(specs, verdicts)
    hashed = uniform("order", verdicts.uid)
    found = verdicts.outcome is not Outcome.PASS
    spread = _SPREAD * hashed if found else max(0.0, PRIOR + (1 - PRIOR) * hashed - p_bad)
    why = tuple((name, round(value, _DIGITS)) for name, value in (*terms, (_SPREAD_TERM, spread)))
    priority = round(sum(value for _, value in why), _DIGITS)
    stream = Stream.AUDIT if drawn_alone else Stream.FLAGGED
    return QueueEntry(stream, priority, round(p_bad, _DIGITS), why, _reasons(verdicts))


def _doubts(specs: Sequence[VerifierSpec], verdicts: SampleVerdicts) -> tuple[list[tuple[str, float]], float]:
    """What each verifier adds to the probability of being bad, gravest first, and that probability."""
    doubts = []
    for spec, verdict in zip(specs, verdicts.verdicts, strict=True):
        if verdict is None:
            continue
        if verdict.outcome is Outcome.ERROR:
            doubts.append((ERROR_WEIGHT, f"{spec.name}: broke"))
        elif verdict.findings:
            gravest = max(verdict.findings, key=lambda one: WEIGHTS[one.severity])
            doubts.append((WEIGHTS[gravest.severity], f"{spec.name}: {gravest.code}"))
    terms, p_bad = [(_PRIOR_TERM, PRIOR)], PRIOR
    for weight, name in sorted(doubts, key=lambda one: (-one[0], one[1])):
        added = (1 - p_bad) * weight
        terms.append((name, added))
        p_bad += added
    return terms, p_bad


def _reasons(verdicts: SampleVerdicts) -> tuple[str, ...]:
    """The codes of all findings that flag or fail, each once, in stack order."""
    codes = {
        finding.code: None
        for verdict in verdicts.verdicts
        if verdict is not None
        for finding in verdict.findings
        if finding.severity is not Severity.INFO
    }
    return tuple(codes)
