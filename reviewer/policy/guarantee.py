"""When samples that no check flagged may be approved although nobody looked at them. Pure.

What is proven: the audit draws by hash, so what it drew of a stratum (a source's samples of one ingest) stands for what
it left. If more than `risk` of the samples of the strata taken in with a p_bad up to the threshold were bad, a test
would approve them with a probability of at most 1 - `confidence`, over which samples were drawn. It is a statement
about one test and the samples as they were then. Three things it does not cover: that among many tests, one after the
other, some err; that those who looked chose what to look at by its quality; that they judged wrongly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log

from holdfast.reviewer.policy.acceptance import clopper_pearson_upper
from holdfast.reviewer.policy.audit_draw import uniform

STEPS = 10
"""The thresholds are the p_bad below which so many equal parts of the samples to be approved lie."""
FORGIVEN = 2
"""Bad samples that the evidence below a threshold must be able to bear, or it is left to the next one."""

Stratum = tuple[int, int]
"""A source and an ingest, as numbers."""


@dataclass(frozen=True, slots=True)
class Audited:
    """A sample that the audit drew, no check flagged and somebody looked at."""

    uid: str
    stratum: Stratum
    p_bad: float
    bad: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """The last test that held, or the first one that failed (`threshold` None): `bad` of `audited`, at most `bound`."""

    threshold: float | None
    audited: int
    bad: int
    bound: float


def held_out(uid: str) -> bool:
    """Whether an unflagged sample of the audit is kept from the learner: half of them, so that they can be evidence."""
    return uniform("calibration", uid) < 0.5


def enough(risk: float, confidence: float, bad: int = 0) -> int:
    """The fewest audited samples that bound the share of bad ones by `risk` when `bad` of them are."""
    low = ceil(log(1 - confidence) / log(1 - risk))
    if not bad:
        return low
    high = low * (bad + 2)
    while low < high:
        middle = (low + high) // 2
        if clopper_pearson_upper(bad, middle, confidence) <= risk:
            high = middle
        else:
            low = middle + 1
    return low


def represented(
    candidates: Mapping[Stratum, int], audited: Sequence[Audited], *, least: int
) -> tuple[frozenset[Stratum], list[Audited]]:
    """The strata that the evidence can stand for, and the evidence in proportion to their candidates.

    A stratum's rate is its audited samples by its candidates. Strata below some rate are left out, and of the others
    evidence is dropped by hash until all have that rate. It is the one with the most candidates times evidence of those
    that leave `least` of it, else the one that leaves most. Bad or good plays no part in it.
    """
    looked = Counter(one.stratum for one in audited)
    rates = {stratum: looked[stratum] / count for stratum, count in candidates.items() if count and looked[stratum]}
    options, covered = [], 0
    for rate in sorted(set(rates.values()), reverse=True):
        covered += sum(candidates[stratum] for stratum, found in rates.items() if found == rate)
        options.append((rate * covered >= least, covered if rate * covered >= least else 1, rate * covered, rate))
    if not options:
        return frozenset(), []
    chosen = max(options, key=lambda one: (one[0], one[1] * one[2], one[3]))[3]
    strata = frozenset(stratum for stratum, rate in rates.items() if rate >= chosen)
    kept = [one for one in audited if one.stratum in strata and uniform("thin", one.uid) < chosen / rates[one.stratum]]
    return strata, kept


def grid(p_bad: Sequence[float]) -> list[float]:
    """The thresholds to be tested, least first: the p_bad at each tenth of the candidates."""
    ordered = sorted(p_bad)
    return sorted({ordered[ceil(len(ordered) * step / STEPS) - 1] for step in range(1, STEPS + 1)}) if ordered else []


def prove(audited: Iterable[Audited], thresholds: Sequence[float], *, risk: float, confidence: float) -> Proof:
    """The greatest threshold up to which every one bounds the share of bad samples by `risk`.

    Fixed-sequence testing with the Clopper-Pearson bound (Angelopoulos, Bates, Candès, Jordan & Lei 2021, "Learn then
    Test"), most conservative threshold first, stopping at the first that fails. Thresholds below which lies too little
    evidence to bear `FORGIVEN` bad ones are passed over, but for the last: that depends on how much was looked at,
    never on what was found.
    """
    found = sorted((one.p_bad, one.bad) for one in audited)
    needed = enough(risk, confidence, FORGIVEN)
    last = Proof(None, 0, 0, 1.0)
    for threshold in thresholds:
        below = [bad for p_bad, bad in found if p_bad <= threshold]
        if len(below) < needed and threshold != thresholds[-1]:
            continue
        bound = clopper_pearson_upper(sum(below), len(below), confidence)
        if bound > risk:
            return last if last.threshold is not None else Proof(None, len(below), sum(below), bound)
        last = Proof(threshold, len(below), sum(below), bound)
    return last
