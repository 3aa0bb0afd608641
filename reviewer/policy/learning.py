"""What an ordering's state is made of: how verifiers' scores are spread, and what decisions teach. Pure.

`learned_state` imports scikit-learn: call it in a child process alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.db.ranking import Rankable
from holdfast.reviewer.policy.rule import rule_state

__all__ = ["Decided", "learned_state", "rule_state"]

ENOUGH = 50
"""Decisions without which nothing is learned from them."""
ENOUGH_OF_RARER = 10
"""Of these, accepted and not accepted ones each."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decided sample: `bad` is reject or edit, `weight` one over its chance to be looked at, `seq` its age."""

    rankable: Rankable
    bad: bool
    weight: float
    seq: int


def learned_state(rule: Mapping[str, Any], decided: Sequence[Decided]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What decisions teach beyond the rule score, empty where they are too few, and a report on how well it does."""
    bad = sum(one.bad for one in decided)
    report = {"decisions": len(decided), "bad": bad, "learned": False, "blend": 0.0, "held_out": None, "trained_on": 0}
    return {}, report
