"""The review queue: listing it in order, narrowing it by a filter, claiming from it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from itertools import chain, islice

from holdfast.db import queue
from holdfast.db.models import Role, Status
from holdfast.db.queue import Claim, QueueRow
from holdfast.db.samples import Stored, each, load_many
from holdfast.db.states import UNRANKED
from holdfast.db.store import Store
from holdfast.db.users import role_of
from holdfast.db.verdicts import current
from holdfast.reviewer.config import Config
from holdfast.reviewer.policy.filters import Candidate, parse

Item = tuple[QueueRow, Stored]

_PAGE_ROWS = 200
_CANDIDATES = 64


def is_lead(store: Store, user: str) -> bool:
    """Whether the user is a lead."""
    return role_of(store, user) is Role.LEAD


def items(
    store: Store, config: Config, *, user: str, batch: str | None = None, where: str = "", unflagged: bool = False
) -> Generator[Item, None, None]:
    """The queue in order with its samples; `unflagged` adds the undecided samples that nothing flagged, after it."""
    lead = is_lead(store, user)
    rows: Iterable[QueueRow] = queue.listing(store, batch=batch, lead=lead)
    found = _with_samples(store, rows)
    if unflagged:
        found = chain(found, _unflagged(store, batch, after=queue.waiting(store, batch=batch, lead=lead)))
    keep = _filter(store, config, where) if where.strip() else None
    for row, stored in found:
        if keep is None or keep(stored):
            yield row, stored


def claim(
    store: Store, config: Config, *, user: str, batch: str | None = None, where: str = "", session: bool = False
) -> Claim | None:
    """Lease the next item that is due to the user; None when nothing is, or nothing that the filter lets through."""
    lease, lead = config.review.lease_seconds, is_lead(store, user)
    if not where.strip():
        return queue.claim(store, reviewer=user, lease_seconds=lease, batch=batch, lead=lead, session=session)
    tried: set[int] = set()
    while among := _first_open(store, config, user, batch, where, tried):
        taken = queue.claim(
            store, reviewer=user, lease_seconds=lease, batch=batch, lead=lead, session=session, among=among
        )
        if taken is not None:
            return taken
        tried.update(among)
    return None


def _first_open(store: Store, config: Config, user: str, batch: str | None, where: str, tried: set[int]) -> list[int]:
    """Row ids of the first items that the filter lets through and nobody holds."""
    # The listing is read to its end or dropped here: a read that stays open would bar this connection from writing.
    with closing(items(store, config, user=user, batch=batch, where=where)) as found:
        free = (stored.id for row, stored in found if row.reviewer is None and stored.id not in tried)
        return list(islice(free, _CANDIDATES))


def _filter(store: Store, config: Config, where: str) -> Callable[[Stored], bool]:
    from holdfast.verifiers.registry import names, split_ref

    known = {*names(), *(split_ref(ref)[1] for ref in config.verifiers.files)}
    test = parse(where, known)
    return lambda stored: test(Candidate(stored, lambda: current(store, stored.id)))


def _with_samples(store: Store, rows: Iterable[QueueRow]) -> Iterator[Item]:
    waiting = iter(rows)
    while page := list(islice(waiting, _PAGE_ROWS)):
        yield from zip(page, load_many(store, (row.sample_id for row in page)), strict=True)


def _unflagged(store: Store, batch: str | None, *, after: int) -> Iterator[Item]:
    """Undecided samples that nothing flagged, by uid, so that no batch comes first; audit items are in the queue."""
    position = after
    for status in (Status.PASSED, Status.PENDING):
        found = (stored for stored in each(store, status=status, batch=batch) if not stored.audit)
        ranked = sorted((stored.uid, stored.id) for stored in found)
        rows = [QueueRow(sample_id, position + place, UNRANKED, None) for place, (_, sample_id) in enumerate(ranked, 1)]
        yield from _with_samples(store, rows)
        position += len(rows)
