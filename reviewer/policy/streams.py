"""What a reviewer is given beside the queue: gold, own decisions again, and what others decided. All by hash. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from holdfast.db.personal import Kind
from holdfast.reviewer.config import ReviewConfig
from holdfast.reviewer.policy.audit_draw import uniform


@dataclass(frozen=True, slots=True)
class Shares:
    """How much of a reviewer's work each kind is, and how many people decide a sample of the overlap."""

    gold: float = 0.0
    rereview: float = 0.0
    overlap: float = 0.0
    opinions: int = 2

    @classmethod
    def of(cls, config: ReviewConfig) -> Shares:
        """The shares that a project has set."""
        return cls(config.gold_share, config.rereview_share, config.overlap_share, config.overlap_reviewers)

    @property
    def slots(self) -> tuple[tuple[Kind, float], ...]:
        """Share of what is given that each kind takes; opinions are given as fast as first decisions ask for them."""
        again, others = self.rereview, self.overlap * (self.opinions - 1)
        return ("gold", self.gold), ("rereview", again / (1 + again)), ("second", others / (1 + others))


@lru_cache(maxsize=16_384)
def slot(reviewer: str, number: int, shares: Shares) -> Kind:
    """What kind of item a reviewer is given as the one of that number."""
    drawn = uniform("slot", f"{reviewer}\0{number}")
    for kind, share in shares.slots:
        drawn -= share
        if drawn < 0:
            return kind
    return "queue"


def tries(kind: Kind) -> tuple[Kind, ...]:
    """In which order kinds are tried for a slot of one kind."""
    return tuple(dict.fromkeys((kind, "queue", "second", "rereview")))


def above(reviewer: str, number: int) -> float:
    """Where between the next item of the queue and the one before an item beside it seems to stand, in [0, 1)."""
    return float(uniform("above", f"{reviewer}\0{number}"))


def sequence(reviewer: str, number: int, shares: Shares, left: Mapping[Kind, int]) -> Iterator[tuple[int, Kind]]:
    """Numbers and kinds of what a reviewer is given while there is something left, the item of that number first.

    Gold hides among the queue: what is left of it once the queue is empty is not given.
    """
    have = dict(left)
    while have["queue"]:
        kind = slot(reviewer, number, shares)
        kind = kind if have[kind] else "queue"
        have[kind] -= 1
        yield number, kind
        number += 1
    for kind in ("second", "rereview"):
        for _ in range(have[kind]):
            yield number, kind
            number += 1


def is_shown_again(uid: str, reviewer: str, shares: Shares) -> bool:
    """Whether a reviewer is to see a sample of their own again."""
    return uniform("again", f"{uid}\0{reviewer}") < shares.rereview


def opinions_on(uid: str, shares: Shares) -> int | None:
    """How many people are to decide a sample, where it takes more than one."""
    return shares.opinions if uniform("overlap", uid) < shares.overlap else None
