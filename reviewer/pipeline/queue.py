"""The review queue: listing it in order, narrowing it by a filter, claiming from it."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

from holdfast.db import filters, queue
from holdfast.db.filters import Condition
from holdfast.db.models import Role
from holdfast.db.queue import Claim, QueueRow
from holdfast.db.samples import Stored, load_many
from holdfast.db.store import Store
from holdfast.db.users import role_of
from holdfast.reviewer.config import Config
from holdfast.reviewer.pipeline import ordering_rest
from holdfast.reviewer.pipeline.beside import Beside
from holdfast.reviewer.policy.filters import parse
from holdfast.reviewer.policy.streams import Shares

Item = tuple[QueueRow, Stored]

_PAGE_ROWS = 200
_CANDIDATES = 64


def is_lead(store: Store, user: str) -> bool:
    """Whether the user is a lead."""
    return role_of(store, user) is Role.LEAD


def items(
    store: Store, config: Config, *, user: str, batch: str | None = None, where: str = "", unflagged: bool = False
) -> Generator[Item, None, None]:
    """The queue in order with its samples; `unflagged` adds the undecided samples that nothing flagged, after it.

    What the user is given beside the queue is there too. To be closed before the store is.
    """
    lead = is_lead(store, user)
    conditions = conditions_of(config, where)
    beside = Beside(store, Shares.of(config.review), user, lead, batch, conditions)
    rows: Iterable[QueueRow] = queue.listing(store, batch=batch, lead=lead)
    if conditions:
        wanted = set(filters.waiting(store, conditions, batch=batch, lead=lead))
        rows = (row for row in rows if row.sample_id in wanted)
    listed = 0
    for item in _with_samples(store, beside.interleaved(rows)):
        listed += 1
        yield item
    if unflagged:
        yield from _unflagged(store, conditions, batch, lead=lead, after=listed)


def waiting(store: Store, config: Config, *, user: str, where: str = "") -> int:
    """How many items wait for the user."""
    lead = is_lead(store, user)
    conditions = conditions_of(config, where)
    beside = Beside(store, Shares.of(config.review), user, lead, conditions=conditions)
    queued = len(filters.waiting(store, conditions, lead=lead)) if conditions else queue.waiting(store, lead=lead)
    return queued + sum(beside.counts().values())


def claim(
    store: Store, config: Config, *, user: str, batch: str | None = None, where: str = "", session: bool = False
) -> Claim | None:
    """Lease the next item that is due to the user; None when nothing is, or nothing that the filter lets through."""
    lease, lead = config.review.lease_seconds, is_lead(store, user)
    conditions = conditions_of(config, where)
    beside = Beside(store, Shares.of(config.review), user, lead, batch, conditions)
    ask = partial(
        queue.claim, store, reviewer=user, lease_seconds=lease, batch=batch, lead=lead, session=session,
        slots=beside.slots,
    )  # fmt: skip
    if not conditions:
        return ask()
    # Mostly one of the first is free; all are asked for only where the user has skipped those.
    for limit in (_CANDIDATES, None):
        among = filters.waiting(store, conditions, batch=batch, lead=lead, free=True, limit=limit) + beside.ids()
        taken = ask(among=among) if among else None
        if taken is not None:
            return taken
    return None


def conditions_of(config: Config, where: str) -> Sequence[Condition]:
    """What a filter asks for; UsageError where it is not understood."""
    if not where.strip():
        return ()
    from holdfast.verifiers.registry import names, split_ref

    return parse(where, {*names(), *(split_ref(ref)[1] for ref in config.verifiers.files)})


def _with_samples(store: Store, rows: Iterable[QueueRow]) -> Iterator[Item]:
    waiting = iter(rows)
    while page := list(islice(waiting, _PAGE_ROWS)):
        yield from zip(page, load_many(store, (row.sample_id for row in page)), strict=True)


def _unflagged(
    store: Store, conditions: Sequence[Condition], batch: str | None, *, lead: bool, after: int
) -> Iterator[Item]:
    """Undecided samples that nothing flagged, by how likely they are bad; audit items are in the queue."""
    ranked = enumerate(ordering_rest.unflagged(store, conditions, batch=batch, lead=lead), after + 1)
    yield from _with_samples(store, (QueueRow(sample_id, place, entry, None) for place, (sample_id, entry) in ranked))
