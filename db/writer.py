"""Writes of many tasks at a time: one thread that does them, all that wait in one transaction."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from holdfast.db.errors import HoldfastError, StoreBusy
from holdfast.db.models import Vote
from holdfast.db.store import Store, text_of
from holdfast.db.votes import add_votes

_PATIENCE = 60
"""How often a write is tried while others hold the store, each time for as long as the store waits for its lock."""


@dataclass
class Batch:
    """One write transaction, and the votes that it adds at its end."""

    connection: sqlite3.Connection
    at: str
    votes: list[tuple[int, Vote]] = field(default_factory=list)


Write = Callable[[Batch], Any]
"""A write, and what it answers; SQL on the batch's connection."""

Waiting = tuple[Write, Future[Any]]


class Writer:
    """A thread that does writes in the order in which they come, all that wait in one transaction; a context manager.

    What was handed over before the end of the block is written.
    """

    def __init__(self, store: Store, actor: str) -> None:
        self._store = store
        self._actor = actor
        self._waiting: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="judge-writer")

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.put(None)
        self._thread.join()

    async def do(self, write: Write) -> Any:
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
            waiting = [one for one in taken if one is not None]
            if not self._done(waiting, alone=len(waiting) < 2):
                # One that cannot be written must not take the others with it.
                for one in waiting:
                    self._done([one], alone=True)

    def _done(self, waiting: list[Waiting], *, alone: bool) -> bool:
        """Write and answer; False where it is not known which of the writes is to blame that it failed."""
        try:
            answers = self._written([write for write, _ in waiting])
        except BaseException as error:
            if not alone and not isinstance(error, HoldfastError):
                return False
            for _, future in waiting:
                future.set_exception(error)
        else:
            for (_, future), answer in zip(waiting, answers, strict=True):
                future.set_result(answer)
        return True

    def _written(self, writes: list[Write]) -> list[Any]:
        for patience in range(_PATIENCE, -1, -1):
            try:
                return self._transaction(writes)
            except StoreBusy:
                if not patience:
                    raise
        raise AssertionError

    def _transaction(self, writes: list[Write]) -> list[Any]:
        if not writes:
            return []
        with self._store.write() as connection:
            batch = Batch(connection, text_of(self._store.now()))
            answers = [write(batch) for write in writes]
            if batch.votes:
                add_votes(connection, batch.votes, actor=self._actor, at=batch.at)
        return answers
