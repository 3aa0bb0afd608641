"""Judging stored samples with a stack: what a worker process does, and what it has to be told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from holdfast.db.models import Outcome, Provenance, Sample, SampleVerdicts, Status, Verdict, VerifierSpec
from holdfast.db.packing import Recorded
from holdfast.db.rows import source_key, source_of
from holdfast.db.samples import Stored, each, load_many
from holdfast.db.states import status_of
from holdfast.db.store import Store
from holdfast.db.verdicts import current
from holdfast.db.votes import newest_vote_id, votes_of_many
from holdfast.reviewer.pipeline.fits import recalled
from holdfast.reviewer.pipeline.shared_pass import fed_together
from holdfast.reviewer.policy.audit_draw import audit_draw
from holdfast.reviewer.policy.ordering import rank
from holdfast.verifiers.stack import Part, Stack, thaw

NOWHERE = -1
"""Noted as the sample that is judged while none is."""

Crashes = Mapping[int, Mapping[int, str]]
"""By sample id and position in the stack: how a verifier ended the process that ran it."""


@dataclass(frozen=True, slots=True)
class Job:
    """What every process of a run needs, as plain data; `states` and `audit` are known once the run has learned.

    `specs` are the verifiers whose verdicts a sample is to have. Those that the stack (`parts`) lacks are not run:
    their verdicts are taken over from the sample's current ones.
    """

    store_path: Path
    parts: tuple[Part, ...]
    specs: tuple[VerifierSpec, ...]
    last_id: int
    states: Mapping[str, bytes] = field(default_factory=dict)
    audit: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one sample; `recorded` is None where a verifier outside the stack would have to run first."""

    sample_id: int
    recorded: Recorded | None
    status: Status


class Corpus:
    """The live samples up to a row id; each iteration reads them from the store anew, a page at a time."""

    def __init__(self, store: Store, last_id: int) -> None:
        self._store = store
        self._last_id = last_id

    def __iter__(self) -> Iterator[Sample]:
        for stored in each(self._store):
            if stored.id > self._last_id:
                return
            if stored.status is not Status.SUPERSEDED:
                yield stored.sample


class StackRun:
    """A stack with its frozen states, ready to judge samples of one store."""

    def __init__(self, job: Job, store: Store) -> None:
        self._job = job
        self._store = store
        self._stack = Stack(job.parts)
        self._context = thaw(job.states)
        self._reads_votes = any(member.verifier.reads_votes for member in self._stack.members)
        ran = [spec.name for spec in self._stack.specs()]
        self._complete = ran == [spec.name for spec in job.specs]
        self._place = {name: position for position, name in enumerate(ran)}
        # Run in part, the stack leaves it to the rest of it to look again at what has changed.
        self._settles = all(spec.name in self._place for spec in job.specs if spec.looks_again)

    def freeze(self, names: Sequence[str]) -> list[bytes]:
        """Fit verifiers, by name, to the live samples up to the job's last row id, which are read once for all."""
        before = recalled(self._store, self._stack, names)
        fits = [partial(self._stack.freeze, name, previous=before.get(name)) for name in names]
        return fed_together(Corpus(self._store, self._job.last_id), fits)

    def judge(self, ids: Sequence[int], crashes: Crashes, place: Any = None) -> Iterator[Result]:
        """Judge samples by row id, in order; sample id and position of each check are noted in `place` first."""
        newest_vote = newest_vote_id(self._store) if self._settles else None
        note = None if place is None else partial(place.__setitem__, 1)
        voted = votes_of_many(self._store, ids) if self._reads_votes else {}
        for stored in load_many(self._store, ids):
            context = self._context
            if stored.id in voted:
                context = replace(context, votes_by_uid={stored.uid: voted[stored.id]})
            known = {at: Verdict.error(why) for at, why in crashes.get(stored.id, {}).items()}
            if place is not None:
                # The position first: until the sample's id is there, no check is to blame.
                place[0], place[1] = NOWHERE, 0
                place[0] = stored.id
            verdicts = self._stack.run(stored.sample, context, known=known, entering=note)
            yield self._result(stored, verdicts, newest_vote)

    def _result(self, stored: Stored, verdicts: SampleVerdicts, newest_vote: int | None) -> Result:
        if not self._complete:
            merged = self._merged(stored, verdicts)
            if merged is None:
                return Result(stored.id, None, stored.status)
            verdicts = SampleVerdicts(stored.uid, merged)
        threshold = self._job.audit.get(source_key(source_of(stored.sample)))
        audit = stored.audit or (threshold is not None and audit_draw(stored.uid, threshold))
        provenance = stored.sample.provenance
        return result_of(stored.id, self._job.specs, verdicts, provenance, audit=audit, newest_vote=newest_vote)

    def _merged(self, stored: Stored, ran: SampleVerdicts) -> tuple[Verdict | None, ...] | None:
        kept = {outcomes.spec.name: outcomes.verdict for outcomes in current(self._store, stored.id)}
        found = (
            ran.verdicts[self._place[spec.name]] if spec.name in self._place else kept.get(spec.name)
            for spec in self._job.specs
        )
        return up_to_stop(found, human=stored.sample.provenance is Provenance.HUMAN)


def result_of(
    sample_id: int,
    specs: Sequence[VerifierSpec],
    verdicts: SampleVerdicts,
    provenance: Provenance,
    *,
    audit: bool,
    newest_vote: int | None = None,
) -> Result:
    """A sample's verdicts with the status and the place in the queue that they give it."""
    entry = rank(specs, verdicts, provenance, audit=audit)
    recorded = Recorded.of(sample_id, verdicts, audit, entry, newest_vote)
    return Result(sample_id, recorded, status_of(recorded.outcome, provenance, audit=audit))


def up_to_stop(verdicts: Iterable[Verdict | None], *, human: bool) -> tuple[Verdict | None, ...] | None:
    """Verdicts in stack order as one run gives them: none after the first fail unless human; None if one is missing."""
    ordered: list[Verdict | None] = []
    stopped = False
    for verdict in verdicts:
        if not stopped and verdict is None:
            return None
        ordered.append(None if stopped else verdict)
        stopped = stopped or (not human and verdict is not None and verdict.outcome is Outcome.FAIL)
    return tuple(ordered)
