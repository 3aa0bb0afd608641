"""Answers on their way and what happens when they fail, leases, and leaving: nothing a reviewer did is lost."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from time import monotonic

from textual import on

from holdfast.db.errors import HoldfastError, StoreReadOnly
from holdfast.reviewer.pipeline.desk import Answer, ClaimedItem, Draft, DraftKind
from holdfast.reviewer.tui import bars, messages, notices
from holdfast.reviewer.tui.drafts import draft_of, with_edit
from holdfast.reviewer.tui.panels import name_of
from holdfast.reviewer.tui.screens.claiming import ClaimingScreen
from holdfast.reviewer.tui.writer import Decide, Keep, Step, Writer

_TICK_SECONDS = 5.0
_PAINT_SECONDS = 0.02
"""How long the terminal gets to itself before a worker starts: threads take turns, and painting comes first."""


class SeatScreen(ClaimingScreen):
    """Writes answers in order, keeps leases alive while somebody is there, and closes the desk."""

    _unwritten = 0

    def on_mount(self) -> None:
        """Take the first sample and start the clocks."""
        self.writer = Writer(self.desk, self.post_message, self.patience, self.sheet_of)
        self.show_notice(notices.loading(), notices.title(f"HOLDFAST · {self.desk.project} · {self.desk.reviewer}"))
        self.refill()
        self.set_interval(self.settings.heartbeat_seconds, self.beat)
        self.set_interval(_TICK_SECONDS, self.tick)
        self.tick()

    def submit(self, answer: Answer) -> None:
        """Send the current sample's answer off; the next sample is painted before the writing begins."""
        item = self.session.send()
        answer = replace(
            answer,
            note=self.session.notes.get(item.uid),
            dwell_seconds=max(monotonic() - self.shown_at, 0.0),
            view=self.sheet.view if self.sheet else self.view,
            votes_seen=item.votes is not None and not item.votes.hidden,
        )
        self.set_banner("write", None)
        self.say(f"{bars.DONE[answer.choice]} {name_of(item)}", "good")
        self.count(1, item, answer.choice)
        self.next_sample()
        self._write_after_paint(Decide(item, answer))
        self.set_timer(self.settings.slow_seconds, partial(self._still_writing, item.token))

    def _still_writing(self, token: str) -> None:
        if token in self.session.writing:
            self.set_banner("wait", bars.message("Saving takes longer than usual; nothing is lost.", "warn"))

    def step(self, verb: str) -> None:
        """Undo or redo, after the answers that are on their way."""
        self._write_after_paint(Step(verb, behind=next(reversed(self.session.writing), None)))

    def keep(self, item: ClaimedItem, kind: DraftKind, draft: Draft | None) -> None:
        """Save or forget a draft, in order with the answers."""
        self._write(Keep(item, kind, draft))

    @on(messages.NotKept)
    def _on_not_kept(self, message: messages.NotKept) -> None:
        self.say(f"the draft could not be saved just now: {message.error}", "warn")

    def _write_after_paint(self, work: Decide | Step) -> None:
        self._unwritten += 1
        self.set_timer(_PAINT_SECONDS, partial(self._write_now, work))

    def _write_now(self, work: Decide | Step) -> None:
        self._unwritten -= 1
        self._write(work)

    def _write(self, work: Decide | Keep | Step) -> None:
        if self.writer.put(work):
            self.run_worker(self.writer.drain, thread=True, group="write")
        self.refill()

    @on(messages.Saved)
    def _on_saved(self, message: messages.Saved) -> None:
        self.session.written(message.item)
        if not self.session.writing:
            self.set_banner("wait", None)
        receipt = message.receipt
        if receipt.late or receipt.second_opinion:
            why = "its lease had run out" if receipt.late else "another decision stands"
            self.say(f"{name_of(message.item)} is kept as a second opinion: {why}", "warn")

    @on(messages.NotSaved)
    def _on_not_saved(self, message: messages.NotSaved) -> None:
        item, answer = message.item, message.answer
        if answer.note:
            self.session.notes[item.uid] = answer.note
        if answer.messages is not None:
            item = with_edit(item, draft_of(item, answer.messages, self.now()))
        self.read_only = isinstance(message.error, StoreReadOnly)
        self.closing = False
        self.count(-1, item, answer.choice)
        text = f"{name_of(item)} was not {bars.DONE[answer.choice]} and is back: {message.error}"
        self.set_banner("write", bars.message(text, "block"))
        self.say("")
        self.bring_up(item)

    @on(messages.TakenBack)
    def _on_taken_back(self, message: messages.TakenBack) -> None:
        undone = message.undone
        if undone is None:
            self.say("there is nothing to take back", "info")
            return
        self.count(-1, undone.item, undone.choice)
        done = bars.DONE[undone.choice]
        if undone.item is None:
            self.say(f"taken back: {done} {undone.uid[:6]}; another reviewer holds the sample now", "warn")
            return
        self.bring_up(undone.item)
        self.say(f"taken back: {done} {name_of(undone.item)}", "good")

    @on(messages.MadeAgain)
    def _on_made_again(self, message: messages.MadeAgain) -> None:
        redone = message.redone
        if redone is None:
            self.say("there is nothing to make again", "info")
            return
        self.count(1, None, redone.choice)
        if self.session.forget(redone.uid):
            self.next_sample()
            self.refill()
        self.say(f"made again: {bars.DONE[redone.choice]} {redone.uid[:6]}", "good")

    @on(messages.StepFailed)
    def _on_step_failed(self, message: messages.StepFailed) -> None:
        self.say(f"{message.verb} was not possible: {message.error}", "warn")

    @on(messages.Waiting)
    def _on_waiting(self, message: messages.Waiting) -> None:
        text = f"Another process has locked the store: {message.what} waits ({message.seconds:.0f} s). Nothing is lost."
        self.set_banner("wait", bars.message(text, "warn"))

    @on(messages.WaitOver)
    def _on_wait_over(self, message: messages.WaitOver) -> None:
        self.set_banner("wait", None)

    def beat(self) -> None:
        """Renew the leases while somebody is here; give them back when nobody is."""
        if self.paused or self.closing:
            return
        if monotonic() - max(self.input_time(), self.shown_at) >= self.settings.idle_minutes * 60:
            self.pause()
            return
        self.refill()
        tokens = self.session.tokens()
        if tokens:
            self.run_worker(partial(self._renew, tokens), thread=True, group="beat")

    def _renew(self, tokens: frozenset[str]) -> None:
        try:
            leases = dict(self.desk.heartbeat(tokens))
        except HoldfastError as error:
            self.post_message(messages.HeartbeatFailed(error))
        else:
            self.post_message(messages.LeasesRenewed(tokens, leases))

    @on(messages.LeasesRenewed)
    def _on_leases_renewed(self, message: messages.LeasesRenewed) -> None:
        self.read_only = False
        if self.session.renewed(message.leases, message.asked) and self.session.current is not None:
            self.set_banner("lease", self.lease_banner(self.session.current))
        self.refill()
        self.show_status()

    @on(messages.HeartbeatFailed)
    def _on_heartbeat_failed(self, message: messages.HeartbeatFailed) -> None:
        self.say(f"the leases could not be renewed just now: {message.error}", "warn")

    def pause(self) -> None:
        """Nobody is here: give the claims back. Dialogs close; what was typed in them is kept as a draft."""
        while not self.on_top:
            self.app.pop_screen()
        self.paused = True
        self._round += 1
        self.release(self.session.let_go())
        for cause in ("lease", "write"):
            self.set_banner(cause, None)
        self.show_notice(notices.paused(self.settings.idle_minutes), notices.title("PAUSED"))
        self.show_status()

    def wake(self) -> bool:
        """Somebody is here again: claim anew; False if nobody was away."""
        if not self.paused:
            return False
        self.paused = False
        self.say("")
        self.restart(self.where)
        return True

    def leave(self) -> None:
        """Close the desk once every answer is written."""
        self.closing = True
        if self.busy:
            self.show_notice(notices.closing(len(self.session.writing)), notices.title("CLOSING"))
            self.show_status()
        self._leave_when_done()

    def _leave_when_done(self) -> None:
        if self.closing and not self.busy:
            self.leave_now()

    @on(messages.Drained)
    def _on_drained(self) -> None:
        self._leave_when_done()

    @property
    def busy(self) -> bool:
        """Whether anything is on its way to the store."""
        return self._unwritten > 0 or self.writer.working

    def leave_now(self) -> None:
        """Close the desk without waiting for answers that the store does not take."""
        self.closing = True
        self.patience.stop()
        self.run_worker(self._close, thread=True, group="close")

    def _close(self) -> None:
        try:
            self.desk.close()
        except HoldfastError as error:
            self.post_message(messages.Closed(error))
        else:
            self.post_message(messages.Closed())

    @on(messages.Closed)
    def _on_closed(self, message: messages.Closed) -> None:
        self.app.exit(message=None if message.error is None else f"leases end by themselves: {message.error}")
