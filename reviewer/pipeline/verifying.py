"""The steps of a verify run: plan, learn, judge, store; each of them can be killed and taken up again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from holdfast.db.models import Outcome, Status, VerifierSpec
from holdfast.db.packing import Recorded
from holdfast.db.selection import Judged, ids_of, judged
from holdfast.db.store import Store
from holdfast.db.verdicts import Run, begin_run, complete_run, has_open_run, record
from holdfast.reviewer.config import ReviewConfig
from holdfast.reviewer.pipeline.fits import learn, learned_before, newest_states
from holdfast.reviewer.pipeline.judge_report import JudgeReport
from holdfast.reviewer.pipeline.passes import Pass, Specs, plan
from holdfast.reviewer.pipeline.rederiving import Progress, derive_again
from holdfast.reviewer.pipeline.stack_run import Job, Result
from holdfast.reviewer.pipeline.workers import Crew, Inline, Pool, Task
from holdfast.verifiers.registry import is_built_in
from holdfast.verifiers.stack import Stack

TASK_SAMPLES = 250
"""Samples that a worker process judges, and a transaction stores, at a time."""
INLINE_SAMPLES, INLINE_CORPUS = 1_000, 20_000
"""Up to so many samples to judge and to learn from, built-in verifiers run in this process."""


@dataclass
class VerifyReport:
    """What a verify run did.

    `rederived` samples got new outcomes from stored scores, `rejudged` ones were looked at again because of new
    votes or new samples like them (neither is counted among the others), and `left` ones need a full run. `judged` is
    what the judges did, if any were asked.
    """

    verified: int = 0
    passed: int = 0
    flagged: int = 0
    rejected: int = 0
    errors: int = 0
    rederived: int = 0
    rejudged: int = 0
    left: int = 0
    judged: JudgeReport | None = None
    seconds: float = 0.0
    by_verifier: dict[str, Counter[Outcome]] = field(default_factory=dict)

    def count(self, specs: Specs, recorded: Recorded, status: Status) -> None:
        """Count one sample that was judged."""
        self.verified += 1
        self.passed += status is Status.PASSED
        self.flagged += status is Status.FLAGGED
        self.rejected += status is Status.REJECTED
        outcomes = recorded.each_outcome
        self.errors += Outcome.ERROR in outcomes
        for spec, outcome in zip(specs, outcomes, strict=True):
            if outcome is not None and spec.name in self.by_verifier:
                self.by_verifier[spec.name][outcome] += 1

    def document(self) -> dict[str, Any]:
        """The report as `verify --json` prints it."""
        return {
            "verified": self.verified,
            "passed": self.passed,
            "flagged": self.flagged,
            "rejected": self.rejected,
            "errors": self.errors,
            "by_verifier": {
                name: {outcome.value: counts[outcome] for outcome in Outcome}
                for name, counts in self.by_verifier.items()
            },
            "seconds": round(self.seconds, 3),
            "rederived": self.rederived,
            "rejudged": self.rejudged,
            "left": self.left,
            **({"judges": self.judged.document()} if self.judged is not None else {}),
        }


@dataclass
class Verification:
    """One call of `verify`: a stack brought to the samples of a store, or of a batch.

    With `only`, the stack's verifiers alone run, and what others said of a sample is kept.
    """

    store: Store
    stack: Stack
    review: ReviewConfig
    actor: str
    batch: str | None
    only: bool
    workers: int
    progress: Progress
    report: VerifyReport

    def bring_up_to_date(self) -> None:
        """Judge what lacks a current verdict, after a run that was interrupted has been ended."""
        while self._once():
            continue

    def _once(self) -> bool:
        """Do what is to be done now; True where there may be more."""
        second_look = self.stack.second_look
        groups = judged(self.store, batch=self.batch)
        passes = plan(groups, self.stack.specs(), only=self.only)
        reopened: list[int] = []
        more = False
        for one in passes:
            if not one.runs:
                run = self._begin(one.specs)
                derived = derive_again(self.store, one, run, batch=self.batch, progress=self.progress)
                complete_run(self.store, run, actor=self.actor)
                self.report.rederived += derived.samples
                reopened += derived.reopened
                more = more or (one.group.stale and not self.only)
            elif one.again:
                reopened += self._rejudge(one, second_look)
        if self.only:
            self.report.left += len(reopened)
            reopened = []
        targets: dict[str, tuple[Specs, list[Judged]]] = {}
        for one in passes:
            if one.runs and not one.again:
                targets.setdefault(repr(one.specs), (one.specs, []))[1].append(one.group)
        if reopened:
            targets.setdefault(repr(self.stack.specs()), (self.stack.specs(), []))
        for specs, found in targets.values():
            more = self._run(specs, found, reopened) or more
        if targets and second_look.members and not self.only:
            # What was learned for the new samples may say something else of older ones.
            more = more or any(group.stale for group in judged(self.store, batch=self.batch))
        if not passes and has_open_run(self.store, self.stack.specs()):
            complete_run(self.store, self._begin(self.stack.specs()), actor=self.actor)
        return more

    def _run(self, specs: Specs, groups: Sequence[Judged], reopened: Sequence[int]) -> bool:
        """Judge groups of samples; True where an interrupted run of an older corpus was taken up."""
        newest_id = max((group.last_id for group in judged(self.store)), default=0)
        frozen = learned_before(self.store, self.stack, self.review) if has_open_run(self.store, specs) else None
        total, done = sum(group.samples for group in groups) + len(reopened), 0
        job = Job(self.store.path, self.stack.parts, specs, newest_id)
        with self._crew(job, total) as crew:
            if frozen is None:
                self.progress("learning from the corpus", 0, 0)
                frozen = learn(self.store, self.stack, self.review, last_id=newest_id, freeze=crew.freeze)
            run = self._begin(specs)
            crew.arm(replace(job, last_id=frozen.last_id, states=frozen.states, audit=frozen.audit))
            for results in crew.results(self._tasks(groups, reopened, frozen.last_id)):
                self._keep(run, specs, results)
                done += len(results)
                self.progress("verifying", done, total)
        complete_run(self.store, run, actor=self.actor)
        return frozen.last_id < newest_id

    @contextmanager
    def _crew(self, job: Job, total: int) -> Iterator[Crew]:
        """This process where that is quick and safe, else worker processes."""
        small = total <= INLINE_SAMPLES and job.last_id <= INLINE_CORPUS
        if small and all(is_built_in(part.ref) for part in job.parts):
            yield Inline(job, self.store)
            return
        useful = max(-(-total // TASK_SAMPLES), sum(member.verifier.fits for member in self.stack.members), 1)
        with Pool(job, min(self.workers, useful)) as pool:
            yield pool

    def _tasks(self, groups: Sequence[Judged], reopened: Sequence[int], last_id: int) -> Iterator[Task]:
        for number, ids in enumerate(self._pages(groups, reopened, last_id)):
            yield Task(number, tuple(ids))

    def _pages(self, groups: Sequence[Judged], reopened: Sequence[int], last_id: int) -> Iterator[Sequence[int]]:
        for start in range(0, len(reopened), TASK_SAMPLES):
            yield reopened[start : start + TASK_SAMPLES]
        for group in groups:
            after = 0
            while ids := ids_of(
                self.store, group, batch=self.batch, after_id=after, last_id=last_id, limit=TASK_SAMPLES
            ):
                yield ids
                after = ids[-1]

    def _keep(self, run: Run, specs: Specs, results: Sequence[Result]) -> None:
        rows = []
        for result in results:
            if result.recorded is None:
                self.report.left += 1
            else:
                rows.append(result.recorded)
                self.report.count(specs, result.recorded, result.status)
        record(self.store, run, rows)

    def _rejudge(self, one: Pass, second_look: Stack) -> list[int]:
        """Let the verifiers that may say something else look at a group; returns the samples that need others too."""
        # Each judges by what it learned last, and nobody is drawn for the audit because of votes or likenesses.
        states = newest_states(self.store, second_look)
        run = self._begin(one.specs)
        left: list[int] = []
        done = 0
        job = Job(self.store.path, second_look.parts, one.specs, one.group.last_id, states=states)
        with self._crew(job, one.group.samples) as crew:
            for results in crew.results(self._tasks([one.group], [], one.group.last_id)):
                left += [result.sample_id for result in results if result.recorded is None]
                rows = [result.recorded for result in results if result.recorded is not None]
                record(self.store, run, rows)
                self.report.rejudged += len(rows)
                done += len(results)
                self.progress("looking again", done, one.group.samples)
        complete_run(self.store, run, actor=self.actor)
        return left

    def _begin(self, specs: Sequence[VerifierSpec]) -> Run:
        return begin_run(self.store, specs=specs, actor=self.actor)
