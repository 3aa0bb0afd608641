"""Verify a project's samples, or one text that a person has just edited."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence

from holdfast.db.errors import HoldfastError, NotFound, UsageError
from holdfast.db.locks import held
from holdfast.db.models import Sample, SampleVerdicts
from holdfast.db.orderings import newest_ordering
from holdfast.db.samples import batches, load
from holdfast.db.states import QueueEntry
from holdfast.db.store import Store
from holdfast.db.verdicts import current
from holdfast.reviewer.pipeline.ordering import bring_up_to_date
from holdfast.reviewer.pipeline.ordering_crew import Ranker
from holdfast.reviewer.pipeline.rederiving import Progress
from holdfast.reviewer.pipeline.stacks import chosen_stack, configured_names, configured_stack
from holdfast.reviewer.pipeline.verifying import Verification, VerifyReport
from holdfast.reviewer.policy.ordering import rank
from holdfast.reviewer.project import Project
from holdfast.verifiers import Context
from holdfast.verifiers.base import did_you_mean
from holdfast.verifiers.stack import Stack

Say = Callable[[str], None]


def verify(
    project: Project,
    store: Store,
    *,
    actor: str,
    batch: str | None = None,
    verifiers: Sequence[str] = (),
    workers: int | None = None,
    progress: Progress = lambda *_: None,
    warn: Say = lambda _: None,
) -> VerifyReport:
    """Judge the samples that lack a current verdict, and re-derive outcomes where only thresholds changed.

    Then the judges of `[judges]`, if any, are asked about samples that lack their votes; `judged` of the report says
    how that went, and why it stopped early where it did.

    `verifiers` (NAME or FILE.py:NAME) runs those alone and keeps what others said. An interrupted run is taken up where
    it stopped. Refused while another one runs on the store; HoldfastError when stopped from the keyboard: what was
    verified until then is kept.
    """
    started = time.monotonic()
    stack = chosen_stack(project, verifiers) if verifiers else configured_stack(project, warn=warn)
    if not stack.members:
        raise UsageError("holdfast.toml: [verifiers] enabled is empty: there is nothing to verify with")
    if batch is not None and batch not in batches(store):
        raise NotFound(f"no batch is called {batch!r}{did_you_mean(batch, batches(store))}")
    report = VerifyReport(by_verifier={spec.name: Counter() for spec in stack.specs()})
    verification = Verification(
        store=store,
        stack=stack,
        review=project.config.review,
        actor=actor,
        batch=batch,
        only=bool(verifiers),
        workers=workers or os.cpu_count() or 1,
        progress=progress,
        report=report,
    )
    try:
        with held(store.path, "verify"):
            verification.bring_up_to_date()
            if project.config.judges.models and not verifiers:
                from holdfast.reviewer.pipeline.judge_panel import run_judges

                report.judged = run_judges(project, store, batch=batch, actor=actor, progress=progress, warn=warn)
                verification.bring_up_to_date()
        bring_up_to_date(project, store, actor=actor, progress=progress)
    except KeyboardInterrupt:
        kept = f"{report.verified:,} samples were verified and are kept" if report.verified else "nothing is lost"
        raise HoldfastError(f"stopped; {kept}: the same command goes on from there") from None
    if verifiers:
        _warn_of_the_rest(project, report, warn)
    report.seconds = time.monotonic() - started
    return report


def _warn_of_the_rest(project: Project, report: VerifyReport, warn: Say) -> None:
    """After some verifiers ran alone: what the next full run drops, and what it has to do."""
    strangers = sorted(set(report.by_verifier) - configured_names(project))
    if strangers:
        names = ", ".join(strangers)
        warn(
            f"note: {names}: not in holdfast.toml, so the next `holdfast verify` without --verifier drops the verdicts"
        )
    if report.left:
        warn(f"{report.left:,} samples need verifiers beside those of --verifier: run `holdfast verify`")


def verify_revision(stack: Stack, ctx: Context, sample: Sample) -> SampleVerdicts:
    """What the stack says of a text that a person has just edited; nothing is stored."""
    return stack.run(sample, ctx)


def entry_of(store: Store) -> Callable[[int], QueueEntry | None]:
    """A function that ranks a sample, by its row id: by the newest ordering, before the first one provisionally."""
    newest = newest_ordering(store)
    if newest is not None:
        return Ranker(store, newest.version).entry

    def entry(sample_id: int) -> QueueEntry | None:
        stored = load(store, sample_id)
        found = current(store, sample_id)
        verdicts = SampleVerdicts(stored.uid, tuple(outcomes.verdict for outcomes in found))
        specs = [outcomes.spec for outcomes in found]
        return rank(specs, verdicts, stored.sample.provenance, audit=stored.audit)

    return entry
