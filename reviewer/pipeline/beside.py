"""What a reviewer is given beside the queue, where it comes among the items of the queue, and how much of it waits."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from holdfast.db import personal, queue
from holdfast.db.models import Stream
from holdfast.db.personal import STREAM_OF, Kind, Waiting
from holdfast.db.queue import QueueRow, Slots
from holdfast.db.store import Store
from holdfast.reviewer.policy.streams import Shares, above, sequence, slot, tries

_COUNTED = 5_000
"""So many items ahead are looked at one by one to tell how many of them are gold; beyond, by its share."""


def slots_of(user: str, shares: Shares, *, lead: bool) -> Slots:
    """What kinds of item the user may be given, by the number of the item; leads know the answers to gold."""

    def kinds(number: int) -> tuple[tuple[Kind, ...], float]:
        tried = tries(slot(user, number, shares))
        return tuple(kind for kind in tried if not (lead and kind == "gold")), above(user, number, shares)

    return kinds


def waiting_beside(store: Store, shares: Shares, user: str, *, lead: bool, batch: str | None = None) -> Counter[Stream]:
    """How many items wait for the user beside the queue, by stream; those that the user holds count."""
    with store.snapshot():
        found = personal.waiting(store, user, lead=lead, batch=batch)
        counts = Counter(STREAM_OF[one.kind] for one in found.held)
        counts[Stream.REREVIEW] += len(found.rereview)
        counts[Stream.OVERLAP] += len(found.second)
        if found.gold:
            counts[Stream.GOLD] += _gold_ahead(store, shares, user, found, batch)
    return +counts


def interleaved(
    store: Store, shares: Shares, user: str, rows: Iterable[QueueRow], *, lead: bool, batch: str | None = None
) -> Iterator[QueueRow]:
    """The queue's rows with what the user is given beside them, in the order in which all of it is given."""
    found = personal.waiting(store, user, lead=lead, batch=batch)
    kinds = _kinds(store, shares, user, found, lead=lead, batch=batch)
    placed = _placed(store, _Ahead(rows), found, ((above(user, number, shares), kind) for number, kind in kinds))
    held = deque(sorted(_held_rows(store, user, found), key=lambda row: -row.entry.priority))
    for position, row in enumerate(_merged(placed, held), start=1):
        yield replace(row, position=position)


def _merged(rows: Iterable[QueueRow], held: deque[QueueRow]) -> Iterator[QueueRow]:
    for row in rows:
        while held and held[0].entry.priority >= row.entry.priority:
            yield held.popleft()
        yield row
    yield from held


class _Ahead:
    """Rows with a look at those that come next."""

    def __init__(self, rows: Iterable[QueueRow]) -> None:
        self._rows = iter(rows)
        self._seen: deque[QueueRow] = deque()

    def first(self) -> QueueRow | None:
        """The next row, which stays."""
        self._look(1)
        return self._seen[0] if self._seen else None

    def take(self) -> QueueRow:
        """The next row, which goes."""
        self._look(1)
        return self._seen.popleft()

    def free(self, count: int) -> list[QueueRow]:
        """The next rows that nobody holds."""
        found: list[QueueRow] = []
        for depth in range(1, 1_000):
            if not self._look(depth) or len(found) == count:
                break
            if self._seen[depth - 1].reviewer is None:
                found.append(self._seen[depth - 1])
        return found

    def _look(self, depth: int) -> bool:
        self._seen.extend(islice(self._rows, max(0, depth - len(self._seen))))
        return len(self._seen) >= depth


def _placed(store: Store, ahead: _Ahead, found: Waiting, kinds: Iterator[tuple[float, Kind]]) -> Iterator[QueueRow]:
    """The rows of the queue, and between them those beside it, as `kinds` has them for those that nobody holds."""
    left = {"gold": iter(found.gold), "rereview": iter(found.rereview), "second": iter(found.second)}
    for over, kind in kinds:
        if kind == "queue":
            while (row := ahead.first()) is not None and row.reviewer is not None:
                yield ahead.take()
            if row is not None:
                yield ahead.take()
            continue
        sample_id = next(left[kind])
        shown = queue.disguise([row.entry for row in ahead.free(2)], over)
        entry = queue.entry_of(store, sample_id)
        yield QueueRow(sample_id, 0, queue.beside(entry, kind, shown.get("priority"), shown.get("p_shown")), None)
    while ahead.first() is not None:
        yield ahead.take()


def _held_rows(store: Store, user: str, found: Waiting) -> Iterator[QueueRow]:
    for one in found.held:
        entry = queue.beside(queue.entry_of(store, one.sample_id), one.kind, one.priority, one.p_shown)
        yield QueueRow(one.sample_id, 0, entry, user)


def _kinds(
    store: Store, shares: Shares, user: str, found: Waiting, *, lead: bool, batch: str | None
) -> Iterator[tuple[int, Kind]]:
    """Numbers and kinds of what the user will be given, in order."""
    left: dict[Kind, int] = {
        "queue": queue.waiting(store, batch=batch, lead=False, free=True),
        "gold": len(found.gold),
        "rereview": len(found.rereview),
        "second": len(found.second),
    }
    number = found.number
    if lead:
        # What was handed up to leads comes before everything else.
        for _ in range(queue.waiting(store, batch=batch, lead=True, free=True) - left["queue"]):
            yield number, "queue"
            number += 1
    yield from sequence(user, number, shares, left)


def _gold_ahead(store: Store, shares: Shares, user: str, found: Waiting, batch: str | None) -> int:
    """How many gold samples come before the queue is empty."""
    kinds = _kinds(store, shares, user, found, lead=False, batch=batch)
    seen = Counter(kind for _, kind in islice(kinds, _COUNTED))
    beyond = 0 if sum(seen.values()) < _COUNTED else queue.waiting(store, batch=batch, free=True, lead=False)
    return min(len(found.gold), seen["gold"] + round(max(0, beyond - seen["queue"]) * shares.gold))
