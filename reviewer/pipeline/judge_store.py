"""Where a panel's answers, votes and costs go: the cache and the ledger of its calls, in the lineage store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from holdfast.db.responses import Response, add_response, reserve, responses_to, settle, spent
from holdfast.db.store import Store
from holdfast.db.writer import Batch, Write, Writer
from holdfast.reviewer.pipeline.judge_tasks import Said
from holdfast.verifiers.calls import BudgetSpent, Reply, Request


class PanelStore:
    """The cache and the ledger of a panel, in the lineage store: what a model answered is kept with its votes."""

    def __init__(self, store: Store, writer: Writer, read: Callable[[Request, Reply], tuple[Said, tuple[str, ...]]], *,
                 budget: int | None) -> None:  # fmt: skip
        self._store = store
        self._writer = writer
        self._read = read
        self._budget = budget
        self._spent = spent(store)
        self._open: dict[int, int] = {}
        self._promised = 0
        self._changed = asyncio.Condition()

    @property
    def spent(self) -> int:
        """What all calls on the store cost, those under way at their greatest cost, in billionths of a US dollar."""
        return self._spent + self._promised

    async def get(self, request: Request) -> Reply | None:
        """The answer to a request, if the store holds it."""
        found = responses_to(self._store, [request.key]).get(request.key)
        if found is None:
            return None
        return Reply(found.reply, found.served, found.finish, found.tokens_in, found.tokens_out)

    async def put(self, request: Request, reply: Reply, *, reservation: int, cost: int | None) -> None:
        """Keep an answer with its votes and settle its reservation, in one transaction."""
        said, uids = self._read(request, reply)
        response = Response(
            request.key, request.model, reply.served, uids, said.status, reply.finish, reply.tokens_in,
            reply.tokens_out, cost, reply.text,
        )  # fmt: skip

        def write(batch: Batch) -> None:
            add_response(batch.connection, response, at=batch.at)
            settle(batch.connection, reservation, cost)
            batch.votes += said.votes

        await self._close(reservation, cost or 0, write)

    async def keep(self, said: Said) -> None:
        """Store the votes that an answer gives which the store held already."""
        await self._writer.do(lambda batch: batch.votes.extend(said.votes))

    async def reserve(self, request: Request, greatest: int | None) -> int:
        """Reserve a call's greatest cost; waits for calls under way while only they stand in the way."""
        promise = greatest or 0
        async with self._changed:
            while self._budget is not None and self._spent + self._promised + promise > self._budget:
                if not self._promised:
                    raise BudgetSpent
                await self._changed.wait()
            self._promised += promise
        try:
            reservation = int(
                await self._writer.do(
                    lambda batch: reserve(batch.connection, request.key, request.model, greatest, at=batch.at)
                )
            )
        except BaseException:
            await self._count(promise, 0)
            raise
        self._open[reservation] = promise
        return reservation

    async def settle(self, reservation: int, cost: int) -> None:
        """Count a cost for a call that gave no answer."""
        await self._close(reservation, cost, lambda batch: settle(batch.connection, reservation, cost))

    async def _close(self, reservation: int, cost: int, write: Write) -> None:
        """Write how a call ended; where that fails it counts at its greatest cost, and nobody waits for it any more."""
        promise = counted = self._open.pop(reservation)
        try:
            await self._writer.do(write)
            counted = cost
        finally:
            await self._count(promise, counted)

    async def _count(self, promise: int, cost: int) -> None:
        async with self._changed:
            self._promised -= promise
            self._spent += cost
            self._changed.notify_all()
