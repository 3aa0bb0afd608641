"""The verifiers of a project as the judge of revisions."""

from __future__ import annotations

from holdfast.db.store import Store
from holdfast.reviewer.pipeline import verify
from holdfast.reviewer.pipeline.decide import Judge
from holdfast.reviewer.project import Project


def judge_of(project: Project, store: Store) -> Judge:
    """A judge that loads the project's stack at its first revision."""
    return verify.judge_of(project)
