"""What a verify run has to do: which samples get which verifiers' verdicts, and whether any check runs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.db.models import Layer, VerifierSpec
from holdfast.db.selection import Judged
from holdfast.db.verdicts import currency_of

_LAYERS = list(Layer)

Specs = tuple[VerifierSpec, ...]


@dataclass(frozen=True, slots=True)
class Pass:
    """Samples that one stack judged last, and the verifiers whose verdicts they are to have.

    Where `runs` is False every score is stored already, and outcomes are derived from the scores alone; `again` runs
    nothing but the verifiers whose verdicts change with votes or other samples, since those have changed.
    """

    group: Judged
    specs: Specs
    runs: bool
    again: bool = False


def plan(groups: Sequence[Judged], stack: Specs, *, only: bool) -> list[Pass]:
    """The passes that bring every group up to date with the stack; cheap ones first.

    With `only` the stack is not the whole one: what others said of a sample is kept beside it.
    """
    passes = []
    for group in groups:
        specs = merged(group.specs, stack) if only else stack
        if specs != group.specs:
            passes.append(Pass(group, specs, runs=group.stack_id is None or not _holds(group.specs, specs)))
        elif group.stale and any(spec.looks_again for spec in stack):
            passes.append(Pass(group, specs, runs=True, again=True))
    return sorted(passes, key=lambda one: one.runs)


def merged(kept: Specs, added: Specs) -> Specs:
    """Both stacks in one, in stack order; of two verifiers of a name the added one."""
    names = {spec.name for spec in added}
    both = [*added, *(spec for spec in kept if spec.name not in names)]
    return tuple(sorted(both, key=lambda spec: (_LAYERS.index(spec.layer), spec.name)))


def _holds(stored: Specs, wanted: Specs) -> bool:
    """Whether every wanted verifier is stored with the same version, layer and options."""
    known = {currency_of([spec]) for spec in stored}
    return all(currency_of([spec]) in known for spec in wanted)
