"""What a reviewer is given beside the queue, where it comes among the items of the queue, and how much of it waits."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from holdfast.db import filters, personal, queue
from holdfast.db.disguise import beside, disguise
from holdfast.db.filters import Condition
from holdfast.db.models import Stream
from holdfast.db.personal import STREAM_OF, Kind, Waiting
from holdfast.db.queue import QueueRow
from holdfast.db.store import Store
from holdfast.reviewer.policy.streams import Shares, above, sequence, slot, tries

_COUNTED = 5_000
"""So many items ahead are looked at one by one to tell how many of them are gold; beyond, by its share."""


@dataclass(frozen=True, slots=True)
class Beside:
    """One reviewer's work beside the queue, as far as it is of a batch and meets the conditions of a filter."""

    store: Store
    shares: Shares
    user: str
    lead: bool
    batch: str | None = None
    conditions: Sequence[Condition] = ()

    def slots(self, number: int) -> tuple[tuple[Kind, ...], float]:
        """What kinds the item of a number may be, and where it seems to stand; leads know the answers to gold."""
        tried = tries(slot(self.user, number, self.shares))
        kinds = tuple(kind for kind in tried if not (self.lead and kind == "gold"))
        return kinds, above(self.user, number)

    def ids(self) -> list[int]:
        """The samples that the reviewer could be given."""
        found = self._found()
        return [*found.gold, *found.rereview, *found.second]

    def counts(self) -> Counter[Stream]:
        """How many items wait, by stream; those that the reviewer holds count."""
        with self.store.snapshot():
            found = self._found()
            counts = Counter(STREAM_OF[one.kind] for one in found.held)
            counts[Stream.REREVIEW] += len(found.rereview)
            counts[Stream.OVERLAP] += len(found.second)
            if found.gold:
                counts[Stream.GOLD] += self._gold_ahead(found)
        return +counts

    def interleaved(self, rows: Iterable[QueueRow]) -> Iterator[QueueRow]:
        """The queue's rows with those beside them, in the order in which all of it is given."""
        found = self._found()
        kinds = ((above(self.user, number), kind) for number, kind in self._kinds(found))
        placed = _placed(self.store, _Ahead(rows), found, kinds)
        held = deque(sorted(self._held_rows(found), key=lambda row: -row.entry.priority))
        for position, row in enumerate(_merged(placed, held), start=1):
            yield replace(row, position=position)

    def _found(self) -> Waiting:
        found = personal.waiting(self.store, self.user, lead=self.lead, batch=self.batch)
        if not self.conditions:
            return found
        held = [one.sample_id for one in found.held]
        ids = [*found.gold, *found.rereview, *found.second, *held]
        kept = filters.meeting(self.store, self.conditions, ids, lead=self.lead, undecided=not self.lead)
        return replace(
            found,
            gold=tuple(one for one in found.gold if one in kept),
            rereview=tuple(one for one in found.rereview if one in kept),
            second=tuple(one for one in found.second if one in kept),
            held=tuple(one for one in found.held if one.sample_id in kept),
        )

    def _free(self, *, lead: bool) -> int:
        """How many items of the queue nobody holds."""
        if self.conditions:
            return len(filters.waiting(self.store, self.conditions, batch=self.batch, lead=lead, free=True))
        return queue.waiting(self.store, batch=self.batch, lead=lead, free=True)

    def _kinds(self, found: Waiting) -> Iterator[tuple[int, Kind]]:
        """Numbers and kinds of what the reviewer will be given, in order."""
        left: dict[Kind, int] = {
            "queue": self._free(lead=False),
            "gold": len(found.gold),
            "rereview": len(found.rereview),
            "second": len(found.second),
        }
        number = found.number
        if self.lead:
            # What was handed up to leads comes before everything else.
            for _ in range(self._free(lead=True) - left["queue"]):
                yield number, "queue"
                number += 1
        yield from sequence(self.user, number, self.shares, left)

    def _gold_ahead(self, found: Waiting) -> int:
        """How many gold samples come before the queue is empty."""
        seen = Counter(kind for _, kind in islice(self._kinds(found), _COUNTED))
        beyond = 0 if sum(seen.values()) < _COUNTED else self._free(lead=False) - seen["queue"]
        return min(len(found.gold), seen["gold"] + round(max(0, beyond) * self.shares.gold))

    def _held_rows(self, found: Waiting) -> Iterator[QueueRow]:
        for one in found.held:
            entry = beside(queue.entry_of(self.store, one.sample_id), one.kind, one.priority, one.p_shown)
            yield QueueRow(one.sample_id, 0, entry, self.user)


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
    given = found.places
    left = {"gold": iter(found.gold), "rereview": iter(found.rereview), "second": iter(found.second)}
    for over, kind in kinds:
        if kind == "queue":
            while (row := ahead.first()) is not None and row.reviewer is not None:
                yield ahead.take()
            if row is not None:
                given = (*found.places, row.entry.priority)
                yield ahead.take()
            continue
        sample_id = next(left[kind])
        shown = disguise([row.entry for row in ahead.free(2)], given, over)
        entry = beside(queue.entry_of(store, sample_id), kind, shown.get("priority"), shown.get("p_shown"))
        given = (*found.places, entry.priority)
        while (row := ahead.first()) is not None and row.reviewer is not None and row.entry.priority > entry.priority:
            yield ahead.take()
        yield QueueRow(sample_id, 0, entry, None)
    while ahead.first() is not None:
        yield ahead.take()
