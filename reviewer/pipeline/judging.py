"""The verifiers of a project as the judge of revisions."""

from __future__ import annotations

from functools import cache

from holdfast.db.models import Sample, SampleVerdicts, VerifierSpec
from holdfast.db.store import Store
from holdfast.reviewer.pipeline.decide import Judge
from holdfast.reviewer.pipeline.stacks import configured_stack
from holdfast.reviewer.project import Project
from holdfast.verifiers.base import Context
from holdfast.verifiers.stack import Stack


def judge_of(project: Project, store: Store) -> Judge:
    """A judge that loads the project's stack at its first revision."""

    @cache
    def stack() -> Stack:
        return configured_stack(project, warn=lambda _: None)

    def judge(sample: Sample) -> tuple[tuple[VerifierSpec, ...], SampleVerdicts]:
        return stack().specs(), stack().run(sample, Context())

    return judge
