"""Where a project stands: counts, what is due, pace, time left."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from holdfast.db.decisions import count_since, decisions_by
from holdfast.db.models import Source, Status, Stream
from holdfast.db.samples import Tally, batches, tallies
from holdfast.db.store import Store, instant_of
from holdfast.db.told import tallies_for
from holdfast.db.workload import by_stream, in_hand
from holdfast.reviewer.config import Config
from holdfast.reviewer.pipeline.beside import Beside
from holdfast.reviewer.pipeline.queue import is_lead
from holdfast.reviewer.policy.pace import minutes_left, per_minute
from holdfast.reviewer.policy.quota import source_name
from holdfast.reviewer.policy.streams import Shares

_RECENT = 50


def status(store: Store, config: Config, user: str) -> dict[str, Any]:
    """Counts by status, stream and source, and the user's work, as a JSON document; all of one instant.

    To annotators the streams look alike here too.
    """
    with store.snapshot():
        return _status(store, config, user)


def tallies_of(store: Store, user: str) -> list[Tally]:
    """The counts by source and status as the user may know them."""
    return tallies(store) if is_lead(store, user) else tallies_for(store, user)


def _status(store: Store, config: Config, user: str) -> dict[str, Any]:
    lead = is_lead(store, user)
    statuses = dict.fromkeys((one for one in Status if lead or one is not Status.GOLD), 0)
    sources: dict[Source, dict[str, Any]] = {}
    for tally in tallies_of(store, user):
        statuses[tally.status] += tally.samples
        row = sources.setdefault(tally.source, _source(tally.source))
        row["samples"] += tally.samples
        row["tokens"] += tally.tokens
        row["statuses"][tally.status.value] = tally.samples
    streams = _streams(store, config, user, lead=lead)
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


def _streams(store: Store, config: Config, user: str, *, lead: bool) -> dict[str, int]:
    """What is due to the user, by stream; to an annotator all streams look alike."""
    found = by_stream(store) + Beside(store, Shares.of(config.review), user, lead).counts()
    if lead:
        return {stream.value: count for stream, count in found.items()}
    return {"review": sum(count for stream, count in found.items() if stream is not Stream.ADJUDICATION)}


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
