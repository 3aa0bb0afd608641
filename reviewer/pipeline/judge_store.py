"""Where a panel's answers, votes and costs go: one thread that writes, many waiting calls to a transaction."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from holdfast.db.errors import StoreBusy
from holdfast.db.models import Vote
from holdfast.db.responses import Response, add_response, reserve, responses_to, settle, spent
from holdfast.db.store import Store, text_of
from holdfast.db.votes import add_votes
from holdfast.reviewer.pipeline.judge_tasks import Said
from holdfast.verifiers.calls import BudgetSpent, Reply, Request

_PATIENCE = 60
"""How often a write is tried while others hold the store, each time for as long as the store waits for its lock."""


@dataclass
class _Batch:
    """One write transaction, and the votes that it adds at its end."""

    connection: sqlite3.Connection
    at: str
    votes: list[tuple[int, Vote]] = field(default_factory=list)


_Write = Callable[[_Batch], Any]


class Writer:
    """A thread that does writes in the order in which they come, all that wait in one transaction; a context manager.

    What was handed over before the end of the block is written.
    """

    def __init__(self, store: Store, actor: str) -> None:
        self._store = store
        self._actor = actor
        self._waiting: queue.SimpleQueue[tuple[_Write, Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="judge-writer")

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.put(None)
        self._thread.join()

    async def do(self, write: _Write) -> Any:
        """Hand a write over and wait until it is on the disk."""
        future: Future[Any] = Future()
        self._waiting.put((write, future))
        # A call that is cancelled meanwhile must not take its write with it.
        return await asyncio.shield(asyncio.wrap_future(future))

    def _work(self) -> None:
        ended = False
        while not ended:
            taken = [self._waiting.get()]
            while not self._waiting.empty():
                taken.append(self._waiting.get())
            ended = None in taken
            writes = [one for one in taken if one is not None]
            try:
                answers = self._written([write for write, _ in writes])
            except BaseException as error:
                for _, future in writes:
                    future.set_exception(error)
            else:
                for (_, future), answer in zip(writes, answers, strict=True):
                    future.set_result(answer)

    def _written(self, writes: list[_Write]) -> list[Any]:
        for patience in range(_PATIENCE, -1, -1):
            try:
                return self._transaction(writes)
            except StoreBusy:
                if not patience:
                    raise
        raise AssertionError

    def _transaction(self, writes: list[_Write]) -> list[Any]:
        if not writes:
            return []
        with self._store.write() as connection:
            batch = _Batch(connection, text_of(self._store.now()))
            answers = [write(batch) for write in writes]
            if batch.votes:
                add_votes(connection, batch.votes, actor=self._actor, at=batch.at)
        return answers


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

        def write(batch: _Batch) -> None:
            add_response(batch.connection, response, at=batch.at)
            settle(batch.connection, reservation, cost)
            batch.votes += said.votes

        await self._writer.do(write)
        await self._close(reservation, cost or 0)

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
        reservation = int(
            await self._writer.do(
                lambda batch: reserve(batch.connection, request.key, request.model, greatest, at=batch.at)
            )
        )
        self._open[reservation] = promise
        return reservation

    async def settle(self, reservation: int, cost: int) -> None:
        """Count a cost for a call that gave no answer."""
        await self._writer.do(lambda batch: settle(batch.connection, reservation, cost))
        await self._close(reservation, cost)

    async def _close(self, reservation: int, cost: int) -> None:
        async with self._changed:
            self._promised -= self._open.pop(reservation)
            self._spent += cost
            self._changed.notify_all()
