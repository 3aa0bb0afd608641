"""What decisions teach beyond the rule score, how much of it may count, and how well it did. Pure.

`learned_state` imports scikit-learn: call it in a child process alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.db.ranking import Rankable
from holdfast.reviewer.policy import calibration
from holdfast.reviewer.policy.rule import BASE, Rule, rule_state

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from holdfast.reviewer.policy.design import Design

    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]

__all__ = ["ENOUGH", "ENOUGH_OF_RARER", "Decided", "learned_state", "rule_state"]

ENOUGH = 50
"""Decisions without which nothing is learned from them."""
ENOUGH_OF_RARER = 10
"""Of these, accepted and not accepted ones each."""

_HELD_OUT = 0.2
_BLOCKS = 40
_MOST_ROUNDS = 8_000
"""Decisions, the newest and all of the rarer class first, on which it is tried out how much may count."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decided sample: `bad` is reject or edit, `weight` one over its chance to be looked at, `seq` its age."""

    rankable: Rankable
    bad: bool
    weight: float
    seq: int


@dataclass(frozen=True, slots=True)
class _Cases:
    """Decided samples in the order of their decisions, as parallel arrays."""

    design: Design
    bad: Floats
    weight: Floats
    folds: Rows
    blocks: Rows


@dataclass(frozen=True, slots=True)
class _Taught:
    """How much of the learned score may count, its weights, and the map of their blend to probabilities."""

    blend: float
    fitted: Any
    curve: calibration.Curve

    def scores(self, cases: _Cases, rows: Rows) -> Floats:
        """The log-odds that order the rows."""
        rule: Floats = cases.design.rule[rows] + BASE
        if not self.blend:
            return rule
        learned: Floats = self.fitted.scores(cases.design, rows)
        return (1 - self.blend) * rule + self.blend * learned


def learned_state(rule: Mapping[str, Any], decided: Sequence[Decided]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What decisions teach beyond the rule score, and a report on it; the same for the same decisions in any order.

    The state is empty where decisions are too few. Its weights count only as far as decisions on other prompts have
    shown that they order better than the rule score does; the probabilities are calibrated in any case. The report has
    `held_out`, measured on the newest fifth with what the older ones teach, where both are enough.
    """
    ordered = sorted(decided, key=lambda one: (one.seq, one.rankable.uid))
    report: dict[str, Any] = {
        "decisions": len(ordered),
        "bad": sum(one.bad for one in ordered),
        "learned": False,
        "blend": 0.0,
        "held_out": None,
        "trained_on": 0,
    }
    if not _enough([one.bad for one in ordered]):
        return {}, report
    import sklearn.linear_model  # noqa: F401 - only libraries that are loaded by then can be limited
    from threadpoolctl import threadpool_limits

    # With one thread sums are the same on all machines, and a screen beside it keeps its core.
    with threadpool_limits(limits=1):
        return _learned(_cases(rule, ordered), report)


def _learned(cases: _Cases, report: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    import numpy as np

    taught = _teach(cases, np.arange(len(cases.bad)))
    found = {"learned": True, "blend": taught.blend, "trained_on": len(cases.bad), "held_out": _held_out(cases)}
    return _state(cases, taught), report | found


def _enough(bad: Sequence[bool] | Floats) -> bool:
    rarer = min(sum(map(bool, bad)), len(bad) - sum(map(bool, bad)))
    return len(bad) >= ENOUGH and rarer >= ENOUGH_OF_RARER


def _cases(rule: Mapping[str, Any], ordered: Sequence[Decided]) -> _Cases:
    import numpy as np

    from holdfast.reviewer.policy.design import design_of
    from holdfast.reviewer.policy.fitting import FOLDS, places_of

    samples = [one.rankable for one in ordered]
    prompts = [one.prompt or one.uid for one in samples]
    return _Cases(
        design_of(samples, Rule(rule)),
        np.array([one.bad for one in ordered], float),
        np.array([one.weight for one in ordered], float),
        places_of(prompts, FOLDS, "fold"),
        places_of(prompts, _BLOCKS, "block"),
    )


def _teach(cases: _Cases, rows: Rows) -> _Taught:
    """What the rows teach: tried out on parts of them, then fitted on all."""
    from holdfast.reviewer.policy.fitting import blend_of, fit, out_of_fold

    tried = _tried(rows, cases.bad)
    bad, weight = cases.bad[tried], cases.weight[tried]
    rule = cases.design.rule[tried] + BASE
    learned = out_of_fold(cases.design, tried, cases.folds, cases.bad, cases.weight)
    blend = 0.0 if learned is None else blend_of(rule, learned, bad, weight, cases.blocks[tried])
    if learned is None or not blend:
        return _Taught(0.0, None, calibration.curve(rule, bad, weight))
    mixed = (1 - blend) * rule + blend * learned
    return _Taught(blend, fit(cases.design, rows, cases.bad, cases.weight), calibration.curve(mixed, bad, weight))


def _tried(rows: Rows, bad: Floats) -> Rows:
    """The rows to try out on: all, or evenly spread ones of so many."""
    import numpy as np

    if len(rows) <= _MOST_ROUNDS:
        return rows
    return rows[np.linspace(0, len(rows) - 1, _MOST_ROUNDS).astype(np.intp)]


def _held_out(cases: _Cases) -> dict[str, Any] | None:
    """How good the probabilities of the newest decisions are that the older ones give, beside the rule score's."""
    import numpy as np

    cut = len(cases.bad) - round(_HELD_OUT * len(cases.bad))
    older, newest = np.arange(cut), np.arange(cut, len(cases.bad))
    if not _enough(cases.bad[older]) or not 0 < cases.bad[newest].sum() < len(newest):
        return None
    taught = _teach(cases, older)
    scores = taught.scores(cases, newest)
    p = np.array([calibration.at(taught.curve, score) for score in scores.tolist()])
    rule = cases.design.rule[newest] + BASE
    bad, weight = cases.bad[newest], cases.weight[newest]
    of_rule = np.array([calibration.probability(score) for score in rule.tolist()])
    found = {
        "n": len(newest),
        "brier": calibration.brier(p, bad, weight),
        "log_loss": calibration.log_loss(p, bad, weight),
        "rule_brier": calibration.brier(of_rule, bad, weight),
        "rule_log_loss": calibration.log_loss(of_rule, bad, weight),
        "auc": calibration.auc(scores, bad, weight),
        "rule_auc": calibration.auc(rule, bad, weight),
        "reliability": calibration.reliability(p, bad, weight),
    }
    return calibration.rounded(found)


def _state(cases: _Cases, taught: _Taught) -> dict[str, Any]:
    from holdfast.reviewer.policy.fitting import parts

    curve = [list(knot) for knot in taught.curve]
    if not taught.blend:
        return {"curve": curve}
    return {"curve": curve, **parts(cases.design, taught.fitted, taught.blend)}
