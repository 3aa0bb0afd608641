"""Several learners that each iterate over the same corpus, fed from one reading of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from queue import Empty, Full, Queue
from threading import Thread
from typing import Generic, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

_CHUNK = 500
_AHEAD = 4
_PATIENCE_SECONDS = 0.05


def fed_together(items: Iterable[Item], learners: Sequence[Callable[[Iterable[Item]], Made]]) -> list[Made]:
    """What each learner makes of the items, which are read once however many learners iterate over them.

    A learner that iterates a second time reads the items anew. The first error of a learner is raised.
    """
    if len(learners) < 2:
        return [learner(items) for learner in learners]
    seats = [_Seat(items, learner) for learner in learners]
    for seat in seats:
        seat.start()
    try:
        unread = iter(items)
        while chunk := list(islice(unread, _CHUNK)):
            for seat in seats:
                seat.give(chunk)
        for seat in seats:
            seat.give([])
    finally:
        for seat in seats:
            seat.leave()
    return [seat.result() for seat in seats]


class _Left(Exception):
    """The feeder has gone before the last item."""


class _Seat(Generic[Item, Made]):
    """One learner in a thread of its own, and the items that it is handed; it iterates over the seat itself."""

    def __init__(self, items: Iterable[Item], learner: Callable[[Iterable[Item]], Made]) -> None:
        self._items = items
        self._learner = learner
        self._chunks: Queue[Sequence[Item]] = Queue(_AHEAD)
        self._begun = self._fed = self._deserted = False
        self._made: list[Made] = []
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Let the learner begin."""
        self._thread.start()

    def give(self, chunk: Sequence[Item]) -> None:
        """Hand over items, none for the end; dropped once the learner is done."""
        while self._thread.is_alive():
            try:
                self._chunks.put(chunk, timeout=_PATIENCE_SECONDS)
            except Full:
                continue
            self._fed = self._fed or not chunk
            return

    def leave(self) -> None:
        """Wait for the learner, which gets nothing more."""
        self._deserted = not self._fed
        self._thread.join()

    def result(self) -> Made:
        """What the learner made; its error where it failed."""
        if self._error is not None:
            raise self._error
        return self._made[0]

    def __iter__(self) -> Iterator[Item]:
        if self._begun:
            yield from self._items
            return
        self._begun = True
        while chunk := self._next_chunk():
            yield from chunk

    def _next_chunk(self) -> Sequence[Item]:
        while True:
            try:
                return self._chunks.get(timeout=_PATIENCE_SECONDS)
            except Empty:
                if self._deserted:
                    raise _Left from None

    def _run(self) -> None:
        try:
            self._made.append(self._learner(self))
        except BaseException as error:
            self._error = error
