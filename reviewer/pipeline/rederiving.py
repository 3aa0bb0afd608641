"""New outcomes from stored scores, where nothing but thresholds changed: no check runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from holdfast.db.models import Outcome, Provenance, SampleVerdicts
from holdfast.db.packing import Recorded, unpack, unpacked
from holdfast.db.selection import Scored, scored
from holdfast.db.store import Store
from holdfast.db.verdicts import Run, carry, record
from holdfast.reviewer.pipeline.passes import Pass, Specs
from holdfast.reviewer.pipeline.stack_run import result_of
from holdfast.verifiers import Threshold
from holdfast.verifiers.outcomes import derive, rederive, thresholds_of

PAGE_SAMPLES = 500
"""Samples that a transaction brings up to date."""

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many samples are done and how many there are."""

Limits = Sequence[tuple[str, Mapping[str, Threshold]]]
"""Name and thresholds of each verifier of a stack."""


@dataclass
class Rederived:
    """How many samples got their outcomes from scores, and which ones need a check after all."""

    samples: int = 0
    reopened: list[int] = field(default_factory=list)


def derive_again(store: Store, one: Pass, run: Run, *, batch: str | None, progress: Progress) -> Rederived:
    """Store the outcomes that a group's scores have under a pass's thresholds, page by page."""
    made = Rederived()
    changed = _changed(one.group.specs, one.specs)
    after = done = 0
    while page := scored(store, one.group, batch=batch, after_id=after, limit=PAGE_SAMPLES):
        stay: list[Scored] = []
        move: list[Scored] = []
        for sample in page:
            (stay if changed is not None and _stays(sample, changed) else move).append(sample)
        if stay:
            carry(store, run, [(sample.uid, sample.verdict_id) for sample in stay])
        rows = _derived(store, one, move, made.reopened)
        record(store, run, rows)
        made.samples += len(stay) + len(rows)
        after, done = page[-1].sample_id, done + len(page)
        progress("deriving outcomes", done, one.group.samples)
    return made


def _changed(before: Specs, after: Specs) -> list[tuple[int, Mapping[str, Threshold]]] | None:
    """Position and new thresholds of the verifiers whose thresholds differ; None where the stacks differ otherwise."""
    if [spec.name for spec in before] != [spec.name for spec in after]:
        return None
    pairs = enumerate(zip(before, after, strict=True))
    return [(position, thresholds_of(new)) for position, (old, new) in pairs if old.thresholds != new.thresholds]


def _stays(sample: Scored, changed: Sequence[tuple[int, Mapping[str, Threshold]]]) -> bool:
    """Whether a sample's verdicts are the same under the changed thresholds: what passed still passes."""
    packed = orjson.loads(sample.packed)
    for position, thresholds in changed:
        verdict = unpack(packed[position])
        if verdict is None or verdict.value is None:
            continue  # it never ran, or has no score: no limit matters
        if verdict.outcome is not Outcome.PASS or derive(verdict.value, thresholds) is not Outcome.PASS:
            return False
    return True


def _derived(store: Store, one: Pass, page: Sequence[Scored], reopened: list[int]) -> list[Recorded]:
    """What a page's samples get under the new limits; those that need a check are added to `reopened`."""
    position = {spec.name: at for at, spec in enumerate(one.group.specs)}
    places = [position[spec.name] for spec in one.specs]
    limits: Limits = [(spec.name, thresholds_of(spec)) for spec in one.specs]
    found = unpacked(store.read(), [(sample.verdict_id, sample.packed) for sample in page])
    rows = []
    for sample, verdicts in zip(page, found, strict=True):
        stored = [verdicts[place] for place in places]
        settled = rederive(stored, limits, human=sample.provenance is Provenance.HUMAN)
        if settled is None:
            reopened.append(sample.sample_id)
            continue
        result = result_of(
            sample.sample_id, one.specs, SampleVerdicts(sample.uid, settled), sample.provenance, audit=sample.audit
        )
        assert result.recorded is not None
        rows.append(result.recorded)
    return rows
