"""What the near-duplicate check learned of the corpus last."""

from __future__ import annotations

from holdfast.db.store import Store
from holdfast.reviewer.pipeline.fits import newest_context
from holdfast.reviewer.pipeline.stacks import chosen_stack
from holdfast.reviewer.project import Project
from holdfast.verifiers.consistency.near_duplicate_state import Neighbourhood, unpacked

VERIFIER = "near_duplicate"


def neighbourhood(project: Project, store: Store) -> Neighbourhood | None:
    """Where the samples stood when the corpus was last learned from; None before the first run."""
    state = newest_context(store, chosen_stack(project, [VERIFIER])).state(VERIFIER)
    return None if state is None else unpacked(state)
