"""A batch's figures: as decisions accumulate, and where decisions say nothing or are few."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from triage import figures
from triage.project import Verified
from triage.replay import FOLDS, Ranked, Replay

BINS = 5
SHUFFLED, FEW = 400, 50
"""Decisions whose verdicts are shuffled, at most, and true ones that are few; on each fold's complement."""


@dataclass(frozen=True)
class Row:
    """The figures of one ranking; `queue` are recalls by the full priority, which are None where there is none."""

    name: str
    recalls: tuple[float, ...]
    auc: float
    brier: float | None = None
    log_loss: float | None = None
    queue: tuple[float, ...] | None = None
    learned: int = 0
    reliability: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Measured:
    """The rows of one batch, in order: counting flags, then as decisions accumulate."""

    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Tried:
    """Recall at a tenth of the batch: without decisions, after shuffled ones, and after a few true ones."""

    cold: float
    shuffled: float
    few: float


def measured(batch: Verified) -> Measured:
    """Replay a batch."""
    replay = Replay(batch)
    counts = [float(sum(seen.letter in "gfe" for seen in one.verdicts)) for one in batch.rankables]
    rows = [Row("flags counted", _recalls(batch, counts), figures.auc(counts, batch.bad))]
    rows += [_row(batch, ranked) for ranked in replay.as_decisions_come()]
    return Measured(tuple(rows))


def tried(batch: Verified, seeds: Iterable[int]) -> list[Tried]:
    """What shuffled decisions, and the first few of the queue of a random half, do to a batch; one for each seed."""
    replay = Replay(batch)
    cold = _at_a_tenth(batch, replay.after([{}] * FOLDS))
    found = []
    for seed in seeds:
        chance = random.Random(seed)
        mixed, few = [], []
        for fold in range(FOLDS):
            others = replay.others(fold)
            chosen = chance.sample(others, min(SHUFFLED, len(others)))
            verdicts = [batch.bad[at] for at in chosen]
            chance.shuffle(verdicts)
            mixed.append(dict(zip(chosen, verdicts, strict=True)))
            few.append(replay.true(replay.queue(chance.sample(others, len(others) // 2))[:FEW]))
        found.append(Tried(cold, _at_a_tenth(batch, replay.after(mixed)), _at_a_tenth(batch, replay.after(few))))
    return found


def _at_a_tenth(batch: Verified, ranked: Ranked) -> float:
    return figures.recall(figures.order(ranked.by_p_bad, _ties(batch)), batch.bad, 0.1)


def _row(batch: Verified, ranked: Ranked) -> Row:
    return Row(
        f"{ranked.decided:,.0f} decisions",
        _recalls(batch, ranked.by_p_bad),
        figures.auc(ranked.by_p_bad, batch.bad),
        figures.brier(ranked.p_bad, batch.bad),
        figures.log_loss(ranked.p_bad, batch.bad),
        _recalls(batch, ranked.by_priority),
        ranked.learned,
        tuple(figures.reliability(ranked.p_bad, batch.bad, BINS)),
    )


def _recalls(batch: Verified, scores: Sequence[float | None]) -> tuple[float, ...]:
    order = figures.order(scores, _ties(batch))
    return tuple(figures.recall(order, batch.bad, share) for share in figures.SHARES)


def _ties(batch: Verified) -> list[str]:
    return [one.uid for one in batch.rankables]
