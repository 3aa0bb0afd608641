"""Answers on their way to the store: in the order in which they were given, one at a time, never dropped."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TypeVar

from textual.message import Message

from holdfast.db.errors import HoldfastError, StoreBusy
from holdfast.reviewer.pipeline.desk import Answer, ClaimedItem, Desk, Draft, DraftKind
from holdfast.reviewer.tui.messages import (
    Drained,
    MadeAgain,
    NotKept,
    NotSaved,
    Saved,
    StepFailed,
    TakenBack,
    Waiting,
    WaitOver,
)
from holdfast.reviewer.tui.sheets import Sheet

T = TypeVar("T")
Post = Callable[[Message], object]


@dataclass(frozen=True)
class Decide:
    """Store an answer."""

    item: ClaimedItem
    answer: Answer


@dataclass(frozen=True)
class Keep:
    """Save a draft, or forget it; before any answer for the sample that comes after."""

    item: ClaimedItem
    kind: DraftKind
    draft: Draft | None


@dataclass(frozen=True)
class Step:
    """Undo or redo, after every answer before it; dropped if the one it was meant for, by token, fails."""

    verb: str
    behind: str | None = None


class Patience:
    """Tries a call again while the store is locked, and says so; `stop` ends the waiting."""

    def __init__(self, post: Post, pause: float) -> None:
        self._post = post
        self._pause = pause
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End every wait: the next locked answer is raised."""
        self._stopped.set()

    def call(self, what: str, work: Callable[[], T]) -> T:
        """The call's result; StoreBusy only after `stop`."""
        begun = monotonic()
        waited = False
        while True:
            try:
                result = work()
            except StoreBusy:
                if self._stopped.is_set():
                    raise
                waited = True
                self._post(Waiting(what, monotonic() - begun))
                self._stopped.wait(self._pause)
            else:
                if waited:
                    self._post(WaitOver())
                return result


class Writer:
    """`put` work, then run `drain` in a worker thread if it says so; several drains never run at once."""

    def __init__(self, desk: Desk, post: Post, patience: Patience, sheet_of: Callable[[ClaimedItem], Sheet]) -> None:
        self._desk = desk
        self._post = post
        self._patience = patience
        self._sheet_of = sheet_of
        self._lock = threading.Lock()
        self._work: deque[Decide | Keep | Step] = deque()
        self._draining = False
        self._failed: set[str] = set()

    def put(self, work: Decide | Keep | Step) -> bool:
        """Queue work; True if a drain has to be started for it."""
        with self._lock:
            self._work.append(work)
            starts, self._draining = not self._draining, True
        return starts

    @property
    def working(self) -> bool:
        """Whether work is queued or under way."""
        return self._draining

    def drain(self) -> None:
        """Do the work until none is left."""
        self._work_off()
        self._post(Drained())

    def _work_off(self) -> None:
        while (work := self._next()) is not None:
            if isinstance(work, Keep):
                self._keep(work)
            elif isinstance(work, Decide):
                self._decide(work)
            elif work.behind is None or work.behind not in self._failed:
                self._step(work.verb)
            else:
                self._post(StepFailed(work.verb, HoldfastError("the answer before it was not stored")))

    def _next(self) -> Decide | Keep | Step | None:
        with self._lock:
            if self._work:
                return self._work.popleft()
            self._draining = False
            return None

    def _decide(self, work: Decide) -> None:
        self._failed.discard(work.item.token)
        try:
            receipt = self._patience.call("an answer", partial(self._desk.decide, work.item, work.answer))
        except HoldfastError as error:
            self._failed.add(work.item.token)
            self._post(NotSaved(work.item, work.answer, error))
        else:
            self._post(Saved(work.item, receipt))

    def _keep(self, work: Keep) -> None:
        try:
            if work.draft is None:
                self._patience.call("a draft", partial(self._desk.drop_draft, work.item, work.kind))
            else:
                self._patience.call("a draft", partial(self._desk.save_draft, work.item, work.draft))
        except HoldfastError as error:
            self._post(NotKept(error))

    def _step(self, verb: str) -> None:
        try:
            if verb == "undo":
                undone = self._patience.call("the undo", self._desk.undo)
                item = undone.item if undone else None
                self._post(TakenBack(undone, self._sheet_of(item) if item else None))
            else:
                self._post(MadeAgain(self._patience.call("the redo", self._desk.redo)))
        except HoldfastError as error:
            self._post(StepFailed(verb, error))


def claim_ahead(
    desk: Desk,
    patience: Patience,
    *,
    held: Collection[str],
    wanted: int,
    where: str,
    on_item: Callable[[ClaimedItem], None],
) -> bool:
    """Claim up to so many samples, handing each over as it comes; True if the queue ran dry."""
    known = set(held)
    for _ in range(wanted):
        item = patience.call("the next sample", partial(desk.claim, held=frozenset(known), where=where))
        if item is None:
            return True
        known.add(item.uid)
        on_item(item)
    return False
