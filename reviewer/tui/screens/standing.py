"""The lines around a sample: status, banner, message, keys, and how the queue and I stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

from holdfast.db.errors import HoldfastError
from holdfast.db.models import Choice
from holdfast.reviewer.pipeline.desk import ClaimedItem, Desk, Progress
from holdfast.reviewer.tui import bars, messages
from holdfast.reviewer.tui.bindings import Key, keys_of
from holdfast.reviewer.tui.docs import Doc
from holdfast.reviewer.tui.gate import gated
from holdfast.reviewer.tui.guards import State, why_not
from holdfast.reviewer.tui.screens.reading import ReadingScreen
from holdfast.reviewer.tui.session import Session
from holdfast.reviewer.tui.settings import Settings
from holdfast.reviewer.tui.sheets import Sheet
from holdfast.reviewer.tui.writer import Patience

_BANNERS = ("wait", "write", "lease")
"""The causes of a banner, the one to show first."""


class StandingScreen(ReadingScreen):
    """Knows the desk, what is held of it, and what the lines around the sample say."""

    def __init__(
        self,
        desk: Desk,
        settings: Settings,
        keys: tuple[Key, ...],
        now: Callable[[], datetime],
        input_time: Callable[[], float],
    ) -> None:
        super().__init__()
        self.desk = gated(desk)
        self.settings = settings
        self.keys = keys
        self.session = Session()
        self.where = ""
        self.paused = self.closing = self.read_only = False
        self.now = now
        self.input_time = input_time
        self.patience = Patience(self.post_message, settings.retry_seconds)
        self.progress: Progress | None = None
        self.shown_at = 0.0
        self._sheets: dict[str, Sheet] = {}
        self._banners: dict[str, Doc] = {}
        self._progress_stale = True
        self._key_bar_is: tuple[int, State] | None = None

    @property
    def seat(self) -> str:
        """Whose desk this is."""
        return f"{self.desk.project} · {self.desk.reviewer}"

    @property
    def on_top(self) -> bool:
        """Whether no dialog covers the screen."""
        return self.app.screen is self

    @property
    def _ready_at(self) -> float:
        """From when on a key is meant for the sample on screen: it was painted, and there was time to see it."""
        seen_at = max(pane.seen_at for pane in (self.prompt, self.response))
        return max(seen_at, self.shown_at) + self.settings.settle_ms / 1000

    def lease_banner(self, item: ClaimedItem) -> Doc | None:
        """What to say when the lease of the sample on screen is lost."""
        if item.token not in self.session.late:
            return None
        text = "The lease is lost: someone else may have this sample. Your decision is kept as a second opinion."
        return bars.message(text, "warn")

    def note_sign(self) -> str:
        """The note that goes with the current sample's decision."""
        item = self.session.current
        return self.session.notes.get(item.uid, "") if item is not None else ""

    def key(self, action: str) -> str:
        """The key of an action as people write it."""
        return next(key.shown for key in self.keys if key.id == action)

    def say(self, text: str, tone: bars.Tone = "info") -> None:
        """Write the message line."""
        self.message_bar.show(bars.message(text, tone))

    def set_banner(self, cause: str, doc: Doc | None) -> None:
        """Set or clear one cause's banner; the gravest is shown."""
        if doc is None:
            self._banners.pop(cause, None)
        else:
            self._banners[cause] = doc
        self.show_banner(next((self._banners[cause] for cause in _BANNERS if cause in self._banners), None))

    def state(self) -> State:
        """What the use of keys depends on just now."""
        return State(
            sample=self.sheet is not None,
            settled=self.input_time() >= self._ready_at,
            places=sum(finding.span is not None for finding in self.sheet.findings) if self.sheet else 0,
            read_only=self.read_only,
            closing=self.closing,
            can_suspend=not (self.app.is_headless or self.app.is_web),
        )

    def show_status(self) -> None:
        """Write the status line and the key bar."""
        width = self.size.width - 2
        item, late = self.session.current, False
        if item is not None:
            late = item.token in self.session.late
        self.status_bar.show(
            bars.status(self.progress, item, seat=self.seat, where=self.where, late=late, now=self.now(), width=width)
        )
        state = replace(self.state(), settled=True, places=1)
        if self._key_bar_is != (width, state):
            self._key_bar_is = (width, state)
            shown, targets = bars.keys(keys_of("triage", self.keys), width, lambda action: bool(why_not(action, state)))
            self.key_bar.targets = targets
            self.key_bar.show(shown)

    def tick(self) -> None:
        """Bring the lines up to date and read how the queue stands, if something changed."""
        self.show_status()
        if self._progress_stale:
            self.read_progress()

    def count(self, step: int, item: ClaimedItem | None, choice: Choice) -> None:
        """Keep the status line right until the next reading: one decision more (1) or less (-1)."""
        self._progress_stale = True
        known = self.progress
        if known is None:
            return
        quota = known.quota
        if quota is not None and item is not None and choice in {Choice.ACCEPT, Choice.EDIT}:
            quota = replace(quota, used=quota.used + step * item.quota_weight)
        left, today = max(known.left - step, 0), known.decided_today + step
        self.progress = replace(known, left=left, decided_today=today, quota=quota)

    def read_progress(self) -> None:
        """Ask how the queue and I stand."""
        self._progress_stale = False
        self.run_worker(partial(self._read_progress, self.where), thread=True, group="progress", exclusive=True)

    def _read_progress(self, where: str) -> None:
        try:
            self.post_message(messages.ProgressRead(where, self.desk.progress(where=where)))
        except HoldfastError as error:
            self.log(f"progress: {error}")
