"""How an item beside the queue passes for one of the queue: by the place that is shown of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from holdfast.db.personal import STREAM_OF
from holdfast.db.states import UNRANKED, QueueEntry


def disguise(heads: Sequence[QueueEntry], given: Iterable[float], above: float) -> dict[str, float]:
    """Priority and p_bad to be shown of an item beside the queue that comes before the next two of the queue.

    It stands above those, by no more than they are apart, but not above what comes before it: the least of the
    priorities `given` before that is not below them. `above` says where in between, from 0 to 1.
    """
    first, last = (*heads, UNRANKED, UNRANKED)[:2]
    over = min((one for one in given if one >= first.priority), default=None)
    if not heads:
        return {} if over is None else {"priority": round(above * over, 6)}
    room = first.priority - last.priority
    room = room if over is None else min(room, over - first.priority)
    seen = [one.p_bad if one.p_shown is None else one.p_shown for one in (first, last)]
    return {
        "priority": round(first.priority + above * room, 6),
        "p_shown": round(seen[1] + above * (seen[0] - seen[1]), 6),
    }


def beside(entry: QueueEntry | None, kind: str, priority: float | None, p_shown: float | None) -> QueueEntry:
    """The place of an item beside the queue, from its own place in the queue and what is shown instead of that."""
    entry, stream = entry or UNRANKED, STREAM_OF[kind]
    if priority is None:
        return replace(entry, stream=stream)
    why = (*entry.why, (stream.value, round(priority - entry.priority, 6)))
    return replace(entry, stream=stream, priority=priority, p_shown=p_shown, why=why)
