"""What this screen holds: the sample on it, those claimed ahead, and those whose answers are being written."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from holdfast.reviewer.pipeline.desk import ClaimedItem, Draft
from holdfast.reviewer.tui.drafts import with_edit


@dataclass
class Session:
    """Plain bookkeeping; nothing here waits, asks or paints."""

    current: ClaimedItem | None = None
    ahead: deque[ClaimedItem] = field(default_factory=deque)
    writing: dict[str, ClaimedItem] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    unfinished: dict[str, str] = field(default_factory=dict)
    """Notes under way, by uid: offered again, but not stored with a decision until they are finished."""
    late: set[str] = field(default_factory=set)
    """Tokens of shown samples whose lease is lost: a decision becomes a second opinion."""

    def held(self) -> frozenset[str]:
        """The uids of everything held, so that none is claimed twice."""
        return frozenset(item.uid for item in self._all())

    def tokens(self) -> frozenset[str]:
        """The leases to keep alive."""
        return frozenset(item.token for item in self._all()) - self.late

    def add(self, item: ClaimedItem) -> None:
        """Keep a sample for later; one that is held already is the same claim with a new token."""
        if item.uid not in self.held():
            self.ahead.append(item)

    def advance(self) -> ClaimedItem | None:
        """The next sample comes up; None if there is none yet."""
        self.current = self.ahead.popleft() if self.ahead else None
        return self.current

    def send(self) -> ClaimedItem:
        """The current sample's answer goes off to be written."""
        item = self.current
        if item is None:
            raise ValueError("there is no current sample")
        self.writing[item.token] = item
        return item

    def written(self, item: ClaimedItem) -> None:
        """The answer is stored: nothing of the sample is held any more."""
        self.writing.pop(item.token, None)
        self.notes.pop(item.uid, None)
        self.unfinished.pop(item.uid, None)
        self.late.discard(item.token)

    def bring_back(self, item: ClaimedItem) -> None:
        """A sample comes on screen again; the one that was there waits behind it."""
        if self.current is not None and self.current.uid != item.uid:
            self.ahead.appendleft(self.current)
        self.next_up(item)
        self.advance()

    def next_up(self, item: ClaimedItem) -> None:
        """A sample waits right behind the one on screen."""
        self.writing.pop(item.token, None)
        self.ahead = deque(other for other in self.ahead if other.uid != item.uid)
        self.ahead.appendleft(item)

    def forget(self, uid: str) -> bool:
        """Let go of a sample that was decided otherwise; True if it was the current one."""
        self.ahead = deque(item for item in self.ahead if item.uid != uid)
        if self.current is not None and self.current.uid == uid:
            self.current = None
            return True
        return False

    def renewed(self, leases: Mapping[str, datetime], asked: Collection[str]) -> bool:
        """Take in a heartbeat's answer; True if the current sample's lease was lost just now.

        Samples ahead whose lease is gone are dropped: nobody has seen them here.
        """
        lost = frozenset(asked) - leases.keys()
        self.ahead = deque(_renew(item, leases) for item in self.ahead if item.token not in lost)
        if self.current is None:
            return False
        self.current = _renew(self.current, leases)
        if self.current.token in lost and self.current.token not in self.late:
            self.late.add(self.current.token)
            return True
        return False

    def keep_edit(self, uid: str, draft: Draft | None) -> None:
        """The sample's edit was left unfinished: it is offered again."""
        if self.current is not None and self.current.uid == uid:
            self.current = with_edit(self.current, draft)

    def let_go(self) -> frozenset[str]:
        """Drop the current sample and those ahead, keeping what is being written; the tokens to release."""
        tokens = self.tokens() - self.writing.keys()
        self.current = None
        self.ahead.clear()
        return tokens

    def _all(self) -> Iterator[ClaimedItem]:
        if self.current is not None:
            yield self.current
        yield from self.ahead
        yield from self.writing.values()


def _renew(item: ClaimedItem, leases: Mapping[str, datetime]) -> ClaimedItem:
    return replace(item, expires_at=leases[item.token]) if item.token in leases else item
