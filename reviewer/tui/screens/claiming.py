"""Samples claimed ahead, the one on screen, and the lines around it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from functools import partial
from time import monotonic

from textual import on

from holdfast.db.errors import HoldfastError, StoreReadOnly
from holdfast.reviewer.pipeline.desk import ClaimedItem, Desk, Progress
from holdfast.reviewer.tui import bars, messages, notices
from holdfast.reviewer.tui.bindings import Key, keys_of
from holdfast.reviewer.tui.docs import Doc
from holdfast.reviewer.tui.gate import gated
from holdfast.reviewer.tui.guards import State, why_not
from holdfast.reviewer.tui.screens.reading import ReadingScreen
from holdfast.reviewer.tui.session import Session
from holdfast.reviewer.tui.settings import Settings
from holdfast.reviewer.tui.sheets import Sheet, make_sheet, view_of
from holdfast.reviewer.tui.writer import Patience, claim_ahead

_BANNERS = ("wait", "write", "lease")
"""The causes of a banner, the one to show first."""


class ClaimingScreen(ReadingScreen):
    """Keeps samples claimed and shows the next one; every call of the desk is made in a worker thread."""

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
        self.shown_at = 0.0
        self._sheets: dict[str, Sheet] = {}
        self._banners: dict[str, Doc] = {}
        self._progress: Progress | None = None
        self._progress_stale = True
        self._claiming = False
        self._round = 0
        self._failure: HoldfastError | None = None
        self._key_bar_is: tuple[int, State] | None = None

    @property
    def seat(self) -> str:
        """Whose desk this is."""
        return f"{self.desk.project} · {self.desk.reviewer}"

    @property
    def on_top(self) -> bool:
        """Whether no dialog covers the screen."""
        return self.app.screen is self

    def refill(self) -> None:
        """Claim until enough samples wait behind the one on screen."""
        wanted = 1 + self.settings.claims_ahead - len(self.session.ahead) - (self.session.current is not None)
        if wanted > 0 and not (self._claiming or self.paused or self.closing):
            self._claiming = True
            work = partial(self._claim, self._round, self.session.held(), wanted, self.where)
            self.run_worker(work, thread=True, group="claim")

    def _claim(self, number: int, held: Collection[str], wanted: int, where: str) -> None:
        def arrived(item: ClaimedItem) -> None:
            self.post_message(messages.Claimed(item, self.sheet_of(item), number))

        try:
            dry = claim_ahead(self.desk, self.patience, held=held, wanted=wanted, where=where, on_item=arrived)
        except HoldfastError as error:
            self.post_message(messages.ClaimsEnded(number, error=error))
        else:
            self.post_message(messages.ClaimsEnded(number, dry=dry))

    def claim_this(self, uid: str) -> None:
        """Claim one sample by name and put it on screen."""
        self.run_worker(partial(self._claim_this, self._round, uid), thread=True, group="claim")

    def _claim_this(self, number: int, uid: str) -> None:
        try:
            item = self.patience.call("the sample", partial(self.desk.claim, uid=uid))
        except HoldfastError as error:
            self.post_message(messages.ClaimFailed(error))
            return
        if item is not None:
            self.post_message(messages.Claimed(item, self.sheet_of(item), number, wanted=True))

    def sheet_of(self, item: ClaimedItem) -> Sheet:
        """The item laid out for the screen as it is now; meant for worker threads."""
        sheet = make_sheet(item, self.view)
        sheet.prepare(self.response.text_width, self.pane, self.side.text_width)
        return sheet

    @on(messages.Claimed)
    def _on_claimed(self, message: messages.Claimed) -> None:
        item = message.item
        if message.round != self._round or self.paused or self.closing:
            self.release({item.token})
            return
        self.read_only = False
        self._sheets[item.token] = message.sheet
        if message.wanted:
            self.bring_up(item)
            return
        self.session.add(item)
        if self.session.current is None:
            self.next_sample()

    @on(messages.ClaimsEnded)
    def _on_claims_ended(self, message: messages.ClaimsEnded) -> None:
        self._claiming = False
        self._failure = error = message.error
        self.read_only = isinstance(error, StoreReadOnly)
        if message.round != self._round:
            self.refill()
        elif self.session.current is None and not (self.paused or self.closing):
            if error is not None:
                self.show_notice(notices.failed(error), notices.title("NO SAMPLE CAN BE CLAIMED"))
            elif message.dry:
                self._show_empty()
        elif error is not None:
            self.say(f"{notices.headline(error)}: {error}", "warn")
        self.show_status()

    @on(messages.ClaimFailed)
    def _on_claim_failed(self, message: messages.ClaimFailed) -> None:
        self.say(str(message.error), "warn")

    def restart(self, where: str) -> None:
        """Give every claim back and begin anew under a filter."""
        self.where = where
        self._round += 1
        self.release(self.session.let_go())
        self.show_notice(notices.loading(), notices.title("ONE MOMENT"))
        self._progress = None
        self.refill()
        self.read_progress()

    def release(self, tokens: Collection[str]) -> None:
        """Give claims back."""
        if tokens:
            self.run_worker(partial(self._release, frozenset(tokens)), thread=True, group="release")

    def _release(self, tokens: frozenset[str]) -> None:
        try:
            self.desk.release(tokens)
        except HoldfastError as error:
            self.log(f"{len(tokens)} leases end by themselves: {error}")

    def next_sample(self) -> None:
        """Show the next sample, or say that there is none yet."""
        item = self.session.advance()
        if item is not None:
            self.show_item(item)
            return
        self.refill()
        if self._claiming:
            self.show_notice(notices.loading(), notices.title("ONE MOMENT"))
        else:
            self._show_empty()

    def _show_empty(self) -> None:
        self.show_notice(notices.empty(self._progress, self.where), notices.title("THE QUEUE IS EMPTY"))
        self.show_status()
        self.read_progress()

    def bring_up(self, item: ClaimedItem) -> None:
        """Show a sample now; behind a dialog it waits as the next one, so that the dialog keeps its own."""
        if self.on_top:
            self.session.bring_back(item)
            self.show_item(item)
        else:
            self.session.next_up(item)

    def show_item(self, item: ClaimedItem) -> None:
        """Put a sample on screen; decisions count once it has been there for a moment."""
        sheet = self._sheets.pop(item.token, None)
        if sheet is None or sheet.view != view_of(item, self.view):
            sheet = make_sheet(item, self.view)
        self.shown_at = monotonic()
        for draft in item.drafts:
            if draft.kind == "note" and item.uid not in self.session.notes:
                self.session.unfinished.setdefault(item.uid, draft.text)
            self.say(
                f"an unfinished {draft.kind} of {draft.saved_at:%H:%M} is kept: {self.key(draft.kind)} goes on with it"
            )
        self.show_sheet(sheet)
        self.set_banner("lease", self.lease_banner(item))
        self.show_status()

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
            bars.status(self._progress, item, seat=self.seat, where=self.where, late=late, now=self.now(), width=width)
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

    def count(self, step: int) -> None:
        """Keep the status line right until the next reading: so many samples more are left."""
        self._progress_stale = True
        if self._progress is not None:
            left = max(self._progress.left + step, 0)
            self._progress = replace(self._progress, left=left, decided_today=self._progress.decided_today - step)

    def read_progress(self) -> None:
        """Ask how the queue and I stand."""
        self._progress_stale = False
        self.run_worker(partial(self._read_progress, self.where), thread=True, group="progress", exclusive=True)

    def _read_progress(self, where: str) -> None:
        try:
            self.post_message(messages.ProgressRead(where, self.desk.progress(where=where)))
        except HoldfastError as error:
            self.log(f"progress: {error}")

    @on(messages.ProgressRead)
    def _on_progress_read(self, message: messages.ProgressRead) -> None:
        if message.where != self.where:
            return
        self._progress = message.progress
        idle = self.session.current is None and not (self._claiming or self.paused or self.closing)
        if idle and self._failure is None:
            self.notice.show(notices.empty(message.progress, self.where))
        self.show_status()
