"""How fast a reviewer decides, from the instants of recent decisions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

BREAK_SECONDS = 300
"""A longer gap between two decisions is a break and does not count."""

AT_ONCE_SECONDS = 0.2
"""A shorter one is a script's or a bulk decision's."""

AT_LEAST = 5
"""Gaps without which a pace would be a guess."""


def per_minute(instants: Sequence[datetime]) -> float | None:
    """Decisions a minute of working time, breaks left out; None while there are too few decisions."""
    ordered = sorted(instants)
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(ordered)]
    worked = [gap for gap in gaps if AT_ONCE_SECONDS <= gap <= BREAK_SECONDS]
    if len(worked) < AT_LEAST:
        return None
    return 60 * len(worked) / sum(worked)


def minutes_left(due: int, pace: float | None) -> float | None:
    """How long the work that is due takes at a pace; None without one."""
    return None if pace is None else due / pace
