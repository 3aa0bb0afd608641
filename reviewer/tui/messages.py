"""What worker threads tell the triage screen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from textual.message import Message

from holdfast.db.errors import HoldfastError
from holdfast.reviewer.pipeline.desk import Answer, ClaimedItem, Progress, Reason, Receipt, Redone, Undone
from holdfast.reviewer.tui.sheets import Sheet


@dataclass
class Claimed(Message):
    """A sample is ours, laid out and ready to show; `wanted` marks one that was asked for by name.

    `round` tells claims made under an earlier filter from those of now.
    """

    item: ClaimedItem
    sheet: Sheet
    round: int
    wanted: bool = False


@dataclass
class ClaimsEnded(Message):
    """The claiming is over; `dry` if the queue had no more, `error` if it failed."""

    round: int
    dry: bool = False
    error: HoldfastError | None = None


@dataclass
class ClaimFailed(Message):
    """A sample that was asked for by name cannot be had."""

    error: HoldfastError


@dataclass
class Saved(Message):
    """A decision is durable."""

    item: ClaimedItem
    receipt: Receipt


@dataclass
class NotSaved(Message):
    """A decision was not stored; the sample and the answer come back."""

    item: ClaimedItem
    answer: Answer
    error: HoldfastError


@dataclass
class NotKept(Message):
    """A draft could not be saved just now."""

    error: HoldfastError


@dataclass
class TakenBack(Message):
    """An undo was done; None if there was nothing to undo."""

    undone: Undone | None
    sheet: Sheet | None = None


@dataclass
class MadeAgain(Message):
    """A redo was done; None if there was nothing to redo."""

    redone: Redone | None


@dataclass
class StepFailed(Message):
    """An undo or redo failed."""

    verb: str
    error: HoldfastError


class Drained(Message):
    """Nothing is on its way to the store any more."""


@dataclass
class Waiting(Message):
    """The store is locked by another process; it is tried again. `what` names the work that waits."""

    what: str
    seconds: float

    def can_replace(self, message: Message) -> bool:
        """Only the newest matters."""
        return isinstance(message, Waiting)


@dataclass
class WaitOver(Message):
    """The store answered again."""


@dataclass
class LeasesRenewed(Message):
    """A heartbeat's answer: what was asked for and what is still held."""

    asked: frozenset[str]
    leases: dict[str, datetime]


@dataclass
class HeartbeatFailed(Message):
    """The leases could not be renewed just now."""

    error: HoldfastError


@dataclass
class ProgressRead(Message):
    """Where the queue, under a filter, and I stand."""

    where: str
    progress: Progress

    def can_replace(self, message: Message) -> bool:
        """Only the newest matters."""
        return isinstance(message, ProgressRead)


@dataclass
class Closed(Message):
    """The claims are given back and the store is closed."""

    error: HoldfastError | None = None


@dataclass
class ReasonsRead(Message):
    """The project's reject reasons."""

    reasons: tuple[Reason, ...]


@dataclass
class SheetMade(Message):
    """The sample on screen laid out under another view."""

    sheet: Sheet
