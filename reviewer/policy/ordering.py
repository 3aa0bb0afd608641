"""The order of the queue: what a look at a sample is worth, and why, in terms that add up. Pure.

A look's worth is the expected value of review: with q the probability that the sample is bad, nothing done costs
q * cost, and a look costs (1 - q)(1 - sensitivity) + q (1 - specificity) cost; the value is the difference, at least 0.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt

from holdfast.db.models import Outcome, Provenance, SampleVerdicts, Severity, Status, Stream, VerifierSpec
from holdfast.db.ranking import Rankable
from holdfast.db.states import QueueEntry, status_of
from holdfast.reviewer.policy import calibration
from holdfast.reviewer.policy.audit_draw import uniform
from holdfast.reviewer.policy.estimator import PRIOR, Estimate

COST = 5.0
"""What it costs to use a bad sample, in units of a good one lost, where nobody has said otherwise."""
SENSITIVITY = SPECIFICITY = 0.95
"""How often a reviewer accepts what is good, and does not accept what is bad."""
COPY = 0.1
"""What a look at a near-duplicate is worth beside one at the sample that stands for its cluster."""

WEIGHTS: Mapping[Severity, float] = {Severity.BLOCK: 0.9, Severity.WARN: 0.5, Severity.INFO: 0.02}
"""Share of the remaining doubt that one verifier's gravest finding takes away, until an ordering ranks the sample."""
ERROR_WEIGHT = 0.3
"""The same for a check that broke."""

_BASE_TERM = "any sample"
_LITTLE_KNOWN_TERM = "little is known of its source"
_TURN_TERM = "its source's turn"
_COPY_TERM = "another stands for its near-duplicates"
_PLACE_SEED = "place"
_DIGITS = 6

Steps = list[tuple[str, float]]
"""Terms, each with the sum of all terms up to it."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """Near-duplicates that wait: `keys` (the first 15 hex digits of uids as numbers), ascending, and in `sizes` for how
    many each stands; 0 where another stands for it."""

    keys: Sequence[int] = field(default_factory=lambda: array("q"))
    sizes: Sequence[int] = field(default_factory=lambda: array("I"))

    def size(self, uid: str) -> int | None:
        """For how many samples this one stands; None where it has no near-duplicate in the queue."""
        if not self.keys:
            return None
        key = int(uid[:15], 16)
        at = bisect_left(self.keys, key)
        return self.sizes[at] if at < len(self.keys) and self.keys[at] == key else None

    def largest(self) -> int:
        """The most samples that one stands for; 1 without near-duplicates."""
        return max(1, max(self.sizes, default=1))


@dataclass(frozen=True, slots=True)
class Placing:
    """What beside its estimate decides a sample's place; the defaults are those before the first ordering.

    `share` is the part of what no human wrote that fits into the mix, `drawn` the probabilities of flagged samples in
    ascending order, `looks` the decisions by source, and `turns` (round, from 0, by uid) whose source's turn it is in
    the first `rounds`.
    """

    cost: float = COST
    exploration: float = 0.0
    share: float = 1.0
    drawn: Sequence[float] = ()
    looks: Mapping[str, int] = field(default_factory=dict)
    turns: Mapping[str, int] = field(default_factory=dict)
    rounds: int = 0
    clusters: Clusters = Clusters()
    curve: calibration.Curve = calibration.IDENTITY


def evr(p_bad: float, cost: float = COST) -> float:
    """The expected value of a look at a sample, in units of a good one lost; `p_bad` in [0, 1]."""
    good = 1 - p_bad
    return max(0.0, p_bad * cost - good * (1 - SENSITIVITY) - p_bad * (1 - SPECIFICITY) * cost)


def entry_of(one: Rankable, estimate: Estimate, placing: Placing, version: int) -> QueueEntry:
    """A sample's place in the queue by an ordering, with its terms in plain words.

    An audit-drawn sample's place is that of a flagged one whose probability a hash of its uid draws: its own terms are
    followed by one, named after the stream, that makes up the difference.
    """
    steps = _worth(estimate, placing)
    _add_impact(steps, one, placing)
    known = placing.exploration / sqrt(placing.looks.get(one.source, 0) + 1)
    steps.append((_LITTLE_KNOWN_TERM, steps[-1][1] + known))
    turn = placing.turns.get(one.uid)
    if turn is not None:
        steps.append((_TURN_TERM, _in_turn(steps[-1][1], turn, placing)))
    p_shown = None
    if one.audit:
        p_shown = _drawn(one.uid, placing)
        share = _share(one.provenance, placing)
        steps.append((Stream.AUDIT.value, share * evr(p_shown, placing.cost) + known))
    stream = Stream.FLAGGED if one.flagged else Stream.AUDIT
    found = [pair for seen in one.verdicts for pair in seen.findings]
    codes = dict.fromkeys(code for code, severity in found if severity != Severity.INFO)
    return _entry(stream, steps, estimate.p_bad, tuple(codes), p_shown, version)


def rank(
    specs: Sequence[VerifierSpec], verdicts: SampleVerdicts, provenance: Provenance, *, audit: bool
) -> QueueEntry | None:
    """A sample's provisional place by its findings alone, until an ordering ranks it; None where nothing queues it."""
    flagged = status_of(verdicts.outcome, provenance, audit=False) is Status.FLAGGED
    if not flagged and not audit:
        return None
    doubts = _doubts(specs, verdicts)
    steps = [(name, evr(p_bad)) for name, p_bad in doubts]
    p_shown = None
    if audit:
        p_shown = _drawn(verdicts.uid, Placing())
        steps.append((Stream.AUDIT.value, evr(p_shown)))
    stream = Stream.FLAGGED if flagged else Stream.AUDIT
    return _entry(stream, steps, doubts[-1][1], _reasons(verdicts), p_shown, 0)


def _entry(
    stream: Stream, steps: Steps, p_bad: float, reasons: tuple[str, ...], p_shown: float | None, version: int
) -> QueueEntry:
    """An entry whose rounded terms add up to its rounded priority: each is the difference of two rounded sums."""
    why: list[tuple[str, float]] = []
    before = 0.0
    for name, total in steps:
        rounded = round(total, _DIGITS)
        term = round(rounded - before, _DIGITS)
        if term or not why:
            why.append((name, term))
        before = rounded
    shown = None if p_shown is None else round(p_shown, _DIGITS)
    return QueueEntry(stream, before, round(p_bad, _DIGITS), tuple(why), reasons, shown, version)


def _worth(estimate: Estimate, placing: Placing) -> Steps:
    """The value of a look as the terms of the score are added to its base, one by one."""
    curve, cost = placing.curve, placing.cost
    steps: Steps = []
    score = 0.0
    for name, value in estimate.contributions:
        score += value
        steps.append((name, evr(calibration.at(curve, score), cost)))
    # The terms add up to the estimate but for their rounding.
    steps[-1] = (steps[-1][0], evr(estimate.p_bad, cost))
    return steps


def _add_impact(steps: Steps, one: Rankable, placing: Placing) -> None:
    """What the share in the mix, and near-duplicates that wait too, make of a look's worth."""
    share = _share(one.provenance, placing)
    worth = steps[-1][1] * share
    if share < 1:
        steps.append((f"{share:.0%} of its kind fits into the mix", worth))
    size = placing.clusters.size(one.uid)
    if size is not None:
        steps.append((f"stands for {size} near-duplicates", worth * size) if size else (_COPY_TERM, worth * COPY))


def _share(provenance: Provenance, placing: Placing) -> float:
    return 1.0 if provenance is Provenance.HUMAN else placing.share


def _in_turn(own: float, turn: int, placing: Placing) -> float:
    """A priority above all that have no turn, lower from round to round, and in each by what a look is worth."""
    best = evr(1, placing.cost) * placing.clusters.largest() + placing.exploration
    return best * (1 + (placing.rounds - turn - 1 + own / (own + 1)) / placing.rounds)


def _drawn(uid: str, placing: Placing) -> float:
    """The probability that places an audit-drawn sample: that of a flagged one, drawn by hash."""
    place = uniform(_PLACE_SEED, uid)
    if placing.drawn:
        return placing.drawn[int(place * len(placing.drawn))]
    return PRIOR + (1 - PRIOR) * place


def _doubts(specs: Sequence[VerifierSpec], verdicts: SampleVerdicts) -> Steps:
    """The probability of being bad as each verifier's gravest finding is added to it, the gravest first."""
    doubts = []
    for spec, verdict in zip(specs, verdicts.verdicts, strict=True):
        if verdict is None:
            continue
        if verdict.outcome is Outcome.ERROR:
            doubts.append((ERROR_WEIGHT, f"{spec.name}: broke"))
        elif verdict.findings:
            gravest = max(verdict.findings, key=lambda one: WEIGHTS[one.severity])
            doubts.append((WEIGHTS[gravest.severity], f"{spec.name}: {gravest.code}"))
    steps, p_bad = [(_BASE_TERM, PRIOR)], PRIOR
    for weight, name in sorted(doubts, key=lambda one: (-one[0], one[1])):
        p_bad += (1 - p_bad) * weight
        steps.append((name, p_bad))
    return steps


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
