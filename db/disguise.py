"""How an item beside the queue passes for one of the queue: by the place that is shown of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from holdfast.db.personal import STREAM_OF
from holdfast.db.states import UNRANKED, QueueEntry


def disguise(heads: Sequence[QueueEntry], above: float) -> dict[str, float]:
    """Priority and p_bad to be shown of an item beside the queue that comes before the next two of the queue."""
    if not heads:
        return {}
    first, last = heads[0], heads[-1]
    seen = [one.p_bad if one.p_shown is None else one.p_shown for one in (first, last)]
    return {
        "priority": round(first.priority + above * (first.priority - last.priority), 6),
        "p_shown": round(seen[1] + above * (seen[0] - seen[1]), 6),
    }


def beside(entry: QueueEntry | None, kind: str, priority: float | None, p_shown: float | None) -> QueueEntry:
    """The place of an item beside the queue, from its own place in the queue and what is shown instead of that."""
    entry, stream = entry or UNRANKED, STREAM_OF[kind]
    if priority is None:
        return replace(entry, stream=stream)
    why = (*entry.why, (stream.value, round(priority - entry.priority, 6)))
    return replace(entry, stream=stream, priority=priority, p_shown=p_shown, why=why)
