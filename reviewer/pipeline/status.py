"""Where a project stands: counts, what is due, pace, time left."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from holdfast.db.decisions import count_since, decisions_by
from holdfast.db.models import Source, Status
from holdfast.db.samples import batches, tallies
from holdfast.db.store import Store, instant_of
from holdfast.db.workload import by_stream, in_hand
from holdfast.reviewer.pipeline.queue import is_lead
from holdfast.reviewer.policy.pace import minutes_left, per_minute
from holdfast.reviewer.policy.quota import source_name

_RECENT = 50


def status(store: Store, user: str) -> dict[str, Any]:
    """Counts by status, stream and source, and the user's work, as a JSON document; all of one instant."""
    with store.snapshot():
        return _status(store, user)


def _status(store: Store, user: str) -> dict[str, Any]:
    statuses = dict.fromkeys(Status, 0)
    sources: dict[Source, dict[str, Any]] = {}
    for tally in tallies(store):
        statuses[tally.status] += tally.samples
        row = sources.setdefault(tally.source, _source(tally.source))
        row["samples"] += tally.samples
        row["tokens"] += tally.tokens
        row["statuses"][tally.status.value] = tally.samples
    streams = _streams(store, user)
    due, pace = sum(streams.values()), pace_of(store, user)
    held = in_hand(store)
    return {
        "samples": sum(statuses.values()),
        "batches": batches(store),
        "statuses": {status.value: count for status, count in statuses.items()},
        "streams": streams,
        "sources": [sources[source] for source in sorted(sources, key=source_name)],
        "due": due,
        "claimed": {"mine": held.get(user, 0), "others": sum(held.values()) - held.get(user, 0)},
        "decided_today": decided_today(store, user),
        "per_minute": pace,
        "minutes_left": minutes_left(due, pace),
    }


def pace_of(store: Store, user: str) -> float | None:
    """The user's recent decisions a minute; None while there are too few."""
    return per_minute([instant_of(decision.at) for decision in decisions_by(store, user, limit=_RECENT)])


def decided_today(store: Store, user: str) -> int:
    """How many decisions the user has made since midnight, local time."""
    midnight: datetime = store.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    return count_since(store, user, midnight)


def _streams(store: Store, user: str) -> dict[str, int]:
    """What is due to the user, by stream; to an annotator all streams look alike."""
    found = {stream.value: count for stream, count in by_stream(store).items()}
    if is_lead(store, user):
        return found
    found.pop("adjudication", None)
    return {"review": sum(found.values())}


def _source(source: Source) -> dict[str, Any]:
    return {
        "source": source_name(source),
        "provenance": source.provenance,
        "model": source.model,
        "generation": source.generation,
        "domain": source.domain,
        "samples": 0,
        "tokens": 0,
        "statuses": {},
    }
