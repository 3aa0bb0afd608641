"""What a judge panel did, judge by judge."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class JudgeTally:
    """What one judge did in a run.

    `unparsed` answers gave no vote; `failed` requests got no answer; `too_long` ones were not sent. Of `pairs` compared
    in both orders, `flips` had another winner when the order changed. `cost_usd` is None where no price is known.
    """

    judge: str
    calls: int = 0
    cached: int = 0
    votes: int = 0
    unparsed: int = 0
    failed: int = 0
    too_long: int = 0
    injections: int = 0
    pairs: int = 0
    flips: int = 0
    cost_usd: float | None = 0.0
    problem: str | None = None
    """What the last request that failed came to."""
    unread: str | None = None
    """Why the last answer that gave no vote gave none."""

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
