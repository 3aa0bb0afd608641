"""The verifiers of a project as the judge of revisions."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from holdfast.db.models import Sample, SampleVerdicts, VerifierSpec
from holdfast.db.store import Store
from holdfast.reviewer.pipeline.decide import Judge
from holdfast.reviewer.pipeline.fits import newest_context
from holdfast.reviewer.pipeline.stacks import configured_stack
from holdfast.reviewer.pipeline.verify import verify_revision
from holdfast.reviewer.project import Project
from holdfast.verifiers import Context
from holdfast.verifiers.stack import Stack


def judge_of(project: Project, store: Store, *, warn: Callable[[str], None] = lambda _: None) -> Judge:
    """A judge for any thread that loads the project's stack, and what it learned, at its first revision."""
    lock = Lock()
    loaded: list[tuple[Stack, Context]] = []

    def judge(sample: Sample) -> tuple[tuple[VerifierSpec, ...], SampleVerdicts]:
        with lock:
            if not loaded:
                stack = configured_stack(project, warn=warn)
                loaded.append((stack, newest_context(store, stack)))
        stack, context = loaded[0]
        return stack.specs(), verify_revision(stack, context, sample)

    return judge
