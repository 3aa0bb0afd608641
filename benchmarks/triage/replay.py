"""A reviewer who knows the truth: what he decides, what is learned from it, and how what he has not seen is ranked."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from triage.figures import standing
from triage.project import Verified

from holdfast.reviewer.policy.audit_draw import AUDIT_SEED, uniform
from holdfast.reviewer.policy.calibration import IDENTITY
from holdfast.reviewer.policy.estimator import Estimate, Estimator
from holdfast.reviewer.policy.learning import Decided, learned_state
from holdfast.reviewer.policy.ordering import Placing, entry_of

FOLDS = 5
STEPS = (0, 50, 100, 200, 400, 800)
"""Numbers of decisions after which the rest is ranked; a last step has decisions on all of the other folds."""

_MOST = 0.7
"""Steps beyond this share of the batch are left out: some folds' complements may be smaller."""


@dataclass
class Ranked:
    """The batch ranked fold by fold, each by what decisions on the others gave; lists are by place in the batch.

    `by_p_bad` and `by_priority` are where a sample stands, by its fold's ordering, among all of the batch, 0 to 1; the
    latter is None for what the queue does not hold. Probabilities of several orderings do not compare themselves: folds
    with many bad samples are ranked by what others with few have taught, and would come last. `decided` counts the
    decisions, the mean over the folds, and `learned` the folds in which what they taught orders.
    """

    p_bad: list[float]
    by_p_bad: list[float]
    by_priority: list[float | None]
    decided: float
    learned: int


@dataclass(frozen=True)
class Fitted:
    """What a number of decisions gives: estimates, places, and whether what they taught orders."""

    estimator: Estimator
    placing: Placing
    learned: bool


class Replay:
    """A verified batch, cut into folds by prompt."""

    def __init__(self, one: Verified) -> None:
        self.samples, self.bad = one.rankables, one.bad
        self._rule, self._placing, self._chances = one.rule, one.placing, one.audit_chances
        folds = [int(hashlib.sha256(group.encode()).hexdigest()[:8], 16) % FOLDS for group in one.group]
        self.held_out = [[at for at, of in enumerate(folds) if of == fold] for fold in range(FOLDS)]

    def as_decisions_come(self) -> Iterator[Ranked]:
        """The batch ranked after each of STEPS for which there are samples enough, and after all decisions."""
        steps = [step for step in STEPS if step < _MOST * len(self.samples)]
        folds = [self._reviewed(fold, (*steps, len(self.others(fold)))) for fold in range(FOLDS)]
        for found in zip(*folds, strict=True):
            yield self._ranked([fitted for fitted, _ in found], [count for _, count in found])

    def after(self, decisions: Sequence[Mapping[int, bool]]) -> Ranked:
        """The batch ranked by `p_bad` after decisions: by fold, places in the batch with what was said of them."""
        fits = [self._fitted(said) for said in decisions]
        return self._ranked(fits, [len(said) for said in decisions], queue=False)

    def true(self, places: Iterable[int]) -> dict[int, bool]:
        """What there is to say of samples."""
        return {at: self.bad[at] for at in places}

    def others(self, fold: int) -> list[int]:
        """Places of what is not in a fold."""
        inside = set(self.held_out[fold])
        return [at for at in range(len(self.samples)) if at not in inside]

    def queue(self, places: Sequence[int], fitted: Fitted | None = None) -> list[int]:
        """Places in the order in which they are looked at: the queue; then, by their audit draw, what is not in it.

        So where the queue ends, the audit goes on drawing.
        """
        fitted = fitted or self._fitted({})
        priorities = self._priorities(self._estimates(places, fitted), fitted.placing)
        queued = sorted(priorities, key=lambda at: (-priorities[at], self.samples[at].uid))
        rest = [at for at in places if at not in priorities]
        return queued + sorted(rest, key=lambda at: uniform(AUDIT_SEED, self.samples[at].uid))

    def _reviewed(self, fold: int, steps: Sequence[int]) -> Iterator[tuple[Fitted, int]]:
        """What is known after so many decisions, and how many they are.

        The reviewer works down the queue of the other folds, which is ordered anew at each step.
        """
        others = self.others(fold)
        decided: list[int] = []
        fitted = self._fitted({})
        for wanted in steps:
            seen = set(decided)
            left = [at for at in others if at not in seen]
            if wanted > len(decided) and left:
                decided += self.queue(left, fitted)[: wanted - len(decided)]
                fitted = self._fitted(self.true(decided), of=others)
            yield fitted, len(decided)

    def _fitted(self, said: Mapping[int, bool], of: Sequence[int] = ()) -> Fitted:
        """What decisions give, in their order; where they are what was looked at first `of` some, as it is weighed."""
        chances = self._looked_at(said, of)
        known = []
        for seq, (at, bad) in enumerate(said.items()):
            one = self.samples[at]
            weight = 1.0 if one.flagged else 1 / chances.get(one.source, 1.0)
            known.append(Decided(one, bad, weight, seq))
        learned, report = learned_state(self._rule, known)
        curve = tuple(map(tuple, learned.get("curve", IDENTITY)))
        placing = replace(self._placing, looks=Counter(self.samples[at].source for at in said), curve=curve)
        if learned:
            placing = replace(placing, turns={}, rounds=0)
        return Fitted(Estimator({"rule": self._rule, "learned": learned}), placing, report["blend"] > 0)

    def _looked_at(self, decided: Iterable[int], of: Sequence[int]) -> dict[str, float]:
        """By source, the chance that an unflagged sample was looked at: the audit's, more where it went on drawing."""
        every = Counter(self.samples[at].source for at in of if not self.samples[at].flagged)
        seen = Counter(self.samples[at].source for at in decided if not self.samples[at].flagged)
        return {
            source: max(min(self._chances.get(source, 1.0), 1.0), seen[source] / count)
            for source, count in every.items()
        }

    def _priorities(self, estimates: Mapping[int, Estimate], placing: Placing) -> dict[int, float]:
        """The priorities of what the queue holds."""
        drawn = [one.p_bad for at, one in estimates.items() if self.samples[at].flagged and not self.samples[at].audit]
        placing = replace(placing, drawn=sorted(drawn))
        return {
            at: entry_of(self.samples[at], one, placing, 1).priority
            for at, one in estimates.items()
            if self.samples[at].flagged or self.samples[at].audit
        }

    def _estimates(self, places: Sequence[int], fitted: Fitted) -> dict[int, Estimate]:
        found = fitted.estimator.estimate_many([self.samples[at] for at in places])
        return dict(zip(places, found, strict=True))

    def _ranked(self, fits: Sequence[Fitted], counts: Sequence[int], *, queue: bool = True) -> Ranked:
        size = len(self.samples)
        ranked = Ranked([0.0] * size, [0.0] * size, [None] * size, sum(counts) / len(counts), 0)
        for places, fitted in zip(self.held_out, fits, strict=True):
            estimates = self._estimates(range(size), fitted)
            priorities = self._priorities(estimates, fitted.placing) if queue else {}
            every, queued = sorted(one.p_bad for one in estimates.values()), sorted(priorities.values())
            for at in places:
                ranked.p_bad[at] = estimates[at].p_bad
                ranked.by_p_bad[at] = standing(estimates[at].p_bad, every)
                if at in priorities:
                    ranked.by_priority[at] = standing(priorities[at], queued)
            ranked.learned += fitted.learned
        return ranked
