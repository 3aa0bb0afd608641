"""The judge panel: models that rate samples, or compare those of a group; every answer that was paid for is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from holdfast.db.store import Store
from holdfast.reviewer.project import Project

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many requests are answered and how many there are (0: not known)."""
Say = Callable[[str], None]


@dataclass
class JudgeTally:
    """What one judge did in a run.

    `unparsed` answers gave no vote; `failed` requests got no answer. Of `pairs` compared in both orders, `flips` had
    another winner when the order changed. `cost_usd` is None where no price is known.
    """

    judge: str
    calls: int = 0
    cached: int = 0
    votes: int = 0
    unparsed: int = 0
    failed: int = 0
    injections: int = 0
    pairs: int = 0
    flips: int = 0
    cost_usd: float | None = 0.0

    @property
    def flip_rate(self) -> float | None:
        """The share of pairs whose winner changed with the order; None without pairs."""
        return self.flips / self.pairs if self.pairs else None


@dataclass
class JudgeReport:
    """What a panel did; `stopped` says why it ended before every sample had its votes, None where it did not.

    `spent_usd` counts every run on the store, answers that were lost on the way at their greatest cost.
    """

    judges: list[JudgeTally] = field(default_factory=list)
    stopped: str | None = None
    spent_usd: float = 0.0
    seconds: float = 0.0

    @property
    def votes(self) -> int:
        """How many votes were added."""
        return sum(judge.votes for judge in self.judges)

    def document(self) -> dict[str, Any]:
        """The report as `verify --json` prints it."""
        judges = [{**vars(one), "flip_rate": one.flip_rate} for one in self.judges]
        return {
            "judges": judges,
            "stopped": self.stopped,
            "spent_usd": self.spent_usd,
            "seconds": round(self.seconds, 3),
        }


def run_judges(
    project: Project,
    store: Store,
    *,
    batch: str | None = None,
    actor: str,
    progress: Progress = lambda *_: None,
    warn: Say = lambda _: None,
) -> JudgeReport:
    """Ask the judges of `[judges] models` about live, verified, undecided samples that lack their votes.

    An empty report where no judge is configured. UsageError where the panel cannot start (litellm is missing, a budget
    with a model of unknown price); HoldfastError when its process dies. A run that ended early says so in `stopped`:
    the caller goes on with what there is, and ends with that message and exit status 1. The same command goes on.
    """
    return JudgeReport()
