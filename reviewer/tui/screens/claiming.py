"""Samples claimed ahead, and the one on screen."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from time import monotonic

from textual import on

from holdfast.db.errors import HoldfastError, StoreReadOnly
from holdfast.reviewer.pipeline.desk import ClaimedItem
from holdfast.reviewer.tui import messages, notices
from holdfast.reviewer.tui.screens.standing import StandingScreen
from holdfast.reviewer.tui.sheets import Sheet, make_sheet, view_of
from holdfast.reviewer.tui.writer import claim_ahead


class ClaimingScreen(StandingScreen):
    """Keeps samples claimed and shows the next one; every call of the desk is made in a worker thread."""

    _claiming = False
    _round = 0
    _failure: HoldfastError | None = None

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
        self.progress = None
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
        self.show_notice(notices.empty(self.progress, self.where), notices.title("THE QUEUE IS EMPTY"))
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

    @on(messages.ProgressRead)
    def _on_progress_read(self, message: messages.ProgressRead) -> None:
        if message.where != self.where:
            return
        self.progress = message.progress
        idle = self.session.current is None and not (self._claiming or self.paused or self.closing)
        if idle and self._failure is None:
            self.notice.show(notices.empty(message.progress, self.where))
        self.show_status()
