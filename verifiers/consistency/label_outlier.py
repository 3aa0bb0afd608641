"""Labels that are rare in their task, misspelt, or out of place in their domain or source."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from holdfast.db.models import Finding, Provenance, Sample, Severity, Span, Verdict
from holdfast.verifiers.base import Context, Threshold, above, verifier
from holdfast.verifiers.sources import task_key

ENOUGH_REAL = 50
"""Labelled real samples of a task from which its labels are learned as well."""
ENOUGH_BATCH = 20
"""Labelled samples that a task must have."""
MOST_LABELS = 2_000
"""With more labels than this a task's labels are taken for free text."""

_COMMON = 5
_COVERED = 0.9
"""The labels of a task are a set where the common ones, those of so many samples, are on this share of all."""
_FEWEST_EXPECTED = 10
_WORTH_A_LOOK = 2.0
"""Bits below which a label is not kept in the state."""
_TIMES_RARER = 10
"""How many times rarer a misspelling must be than what it is taken for."""
_DIMENSIONS = ("domain", "model")
_LONGEST = 100


@verifier(layer="consistency", version="1")
def label_outlier(sample: Sample, ctx: Context, *, flag_at: Threshold = above(5.0)) -> Verdict:
    """Score how much rarer a sample's label is than an even share of its task, or than chance in its domain or model.

    The score counts halvings: a label is 2⁵ times rarer beyond 5. Where the task has enough real samples, a label must
    be rare among them too. Another spelling of a common label (case, punctuation, a slip of the keys) is flagged
    whatever the score. Tasks whose labels are free text are not judged.

    Options:
        flag_at: how surprising a label may be where it stands, in bits
    """
    state = ctx.state("label_outlier")
    if not state or sample.label is None:
        return Verdict.abstain()
    task = state.get(task_key(sample))
    if task is None:
        return Verdict.abstain()
    label = sample.label[:_LONGEST]
    near = task["near"].get(label) or (None if label in task["known"] else _near_miss(label, 0, task["common"]))
    span = _span(sample, label)
    if near is not None:
        message = f"the label {label!r} looks like {near!r}, which {task['common'][near]:,} samples have"
        return Verdict.flag("label-misspelt", message, span=span)
    findings = []
    bits, rare = _rarity(task, label, task["rare"].get(label), sample.task)
    if rare is not None:
        findings.append((bits, Finding("label-rare", Severity.WARN, rare, span)))
    for dimension in _DIMENSIONS:
        place = getattr(sample, dimension)
        cell = task[dimension].get(place, {}).get(label) if place is not None else None
        if cell is not None:
            found, expected = cell[1:]
            message = (
                f"the label {label!r} is on {found:,} of the samples of {dimension} {place}; "
                f"were it as common there as elsewhere, it would be on {expected:,} (reference: batch)"
            )
            findings.append((cell[0], Finding("label-out-of-place", Severity.WARN, message, span)))
    findings.sort(key=lambda one: -one[0])
    return Verdict.score(findings[0][0] if findings else 0.0, findings=[finding for _, finding in findings[:1]])


def _rarity(task: Any, label: str, rare: Any, name: str | None) -> tuple[float, str | None]:
    """Bits and message for a label by itself; a label that the corpus lacks counts as one on no sample."""
    if rare is None and label in task["known"]:
        return 0.0, None
    bits, reference, count, n = rare or task["unseen"]
    whose = f"{n:,} real samples" if reference == "real" else f"{n:,} samples"
    whose += f" of {name}" if name else ""
    how_many = f"{count:,} of the" if count else "none of the"
    return bits, f"the label {label!r} is on {how_many} {whose} (reference: {reference})"


def _span(sample: Sample, label: str) -> Span | None:
    """The response, where it is the label itself."""
    start = sample.response.find(label) if sample.response.strip() == label else -1
    return (start, start + len(label)) if label and start >= 0 else None


@label_outlier.fit
def _learn_labels(samples: Iterable[Sample]) -> dict[str, Any]:
    """For each task whose labels are a set: what is rare, misspelt and out of place."""
    tasks: dict[str, _Counts | None] = {}
    for sample in samples:
        if sample.label is None:
            continue
        key = task_key(sample)
        counts = tasks.setdefault(key, _Counts())
        if counts is not None and counts.add(sample) > MOST_LABELS:
            tasks[key] = None
    return {key: counts.state() for key, counts in sorted(tasks.items()) if counts is not None and counts.is_a_set()}


class _Counts:
    """How often each label of a task occurs: at all, on real samples, and in each domain and model."""

    def __init__(self) -> None:
        self.labels: Counter[str] = Counter()
        self.real: Counter[str] = Counter()
        self.cells: dict[str, defaultdict[str, Counter[str]]] = {one: defaultdict(Counter) for one in _DIMENSIONS}

    def add(self, sample: Sample) -> int:
        """Count a labelled sample; how many different labels there are now."""
        label = (sample.label or "")[:_LONGEST]
        self.labels[label] += 1
        if sample.provenance is Provenance.HUMAN:
            self.real[label] += 1
        for dimension, places in self.cells.items():
            place = getattr(sample, dimension)
            if place is not None:
                places[place][label] += 1
        return len(self.labels)

    @property
    def common(self) -> dict[str, int]:
        """The labels that are on enough samples to belong to the set."""
        return {label: count for label, count in self.labels.items() if count >= _COMMON}

    def is_a_set(self) -> bool:
        """Whether there are enough samples, and most of them have a common label."""
        n = self.labels.total()
        return n >= ENOUGH_BATCH and sum(self.common.values()) >= _COVERED * n

    def state(self) -> dict[str, Any]:
        """What a check needs to know of the task."""
        common = self.common
        near = {}
        for label, count in self.labels.items():
            looks_like = _near_miss(label, count, common)
            if looks_like is not None and not (self.real.total() >= ENOUGH_REAL and self.real[label]):
                near[label] = looks_like
        rare = {label: self._rare(label, len(common)) for label in self.labels}
        return {
            "known": dict(self.labels),
            "common": common,
            "near": near,
            "rare": {label: found for label, found in rare.items() if found[0] >= _WORTH_A_LOOK},
            "unseen": self._rare("", len(common), seen=False),
            **{dimension: self._out_of_place(places) for dimension, places in self.cells.items()},
        }

    def _rare(self, label: str, n_common: int, *, seen: bool = True) -> list[Any]:
        """Bits, reference, and on how many samples of how many the label is; the kinder reference counts."""
        found = []
        for reference, counts in (("batch", self.labels), ("real", self.real)):
            n = counts.total()
            if reference == "batch" or n >= ENOUGH_REAL:
                count = counts[label] if seen else 0
                bits = math.log2(n / n_common / max(count, 0.5))
                # What several real samples have belongs to the task, however rare it is.
                belongs = reference == "real" and count >= _COMMON
                found.append([0.0 if belongs else round(max(0.0, bits), 3), reference, count, n])
        return min(found, key=lambda one: (one[0], one[1]))

    def _out_of_place(self, places: Mapping[str, Counter[str]]) -> dict[str, dict[str, list[float]]]:
        """Cells far below what independence would give: bits, samples found and expected."""
        n = sum(counts.total() for counts in places.values())
        totals: Counter[str] = Counter()
        for counts in places.values():
            totals.update(counts)
        kept: dict[str, dict[str, list[float]]] = {}
        for place, counts in places.items():
            for label, count in counts.items():
                elsewhere, others = totals[label] - count, n - counts.total()
                expected = counts.total() * elsewhere / others if others else 0.0
                if expected >= _FEWEST_EXPECTED and (bits := math.log2(expected / count)) >= _WORTH_A_LOOK:
                    kept.setdefault(place, {})[label] = [round(bits, 3), count, round(expected)]
        return kept


def _near_miss(label: str, count: int, common: Mapping[str, int]) -> str | None:
    """The commonest label of which this one is another spelling, None where there is none."""
    from rapidfuzz.distance import OSA

    plain = _plain(label)
    best: str | None = None
    for other, n in common.items():
        if other == label or n <= count:
            continue
        other_plain = _plain(other)
        alike = plain == other_plain and bool(plain)
        if not alike and len(plain) >= 4 and n >= _TIMES_RARER * max(count, 1):
            allowed = 1 if min(len(plain), len(other_plain)) < 8 else 2
            slip = OSA.distance(plain, other_plain, score_cutoff=allowed) <= allowed
            alike = slip and not _differ_in_meaning(plain, other_plain)
        if alike and (best is None or (n, other) > (common[best], best)):
            best = other
    return best


@lru_cache(maxsize=10_000)
def _plain(label: str) -> str:
    """A label without case, outer punctuation and the marks between its words."""
    return " ".join("".join(mark if mark.isalnum() else " " for mark in label.casefold()).split())


def _differ_in_meaning(one: str, other: str) -> bool:
    """Whether two similar labels are likely, unlikely, level 1, level 2 and so on."""
    if one.endswith(other) or other.endswith(one):
        return True
    return [mark for mark in one if mark.isdigit()] != [mark for mark in other if mark.isdigit()]
