"""The triage screen: what each deciding and asking key does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textual import on
from textual.timer import Timer

from holdfast.db.errors import HoldfastError
from holdfast.db.models import REASONS, Choice
from holdfast.reviewer.pipeline.desk import Answer, ClaimedItem, Draft, Reason
from holdfast.reviewer.tui import messages
from holdfast.reviewer.tui.docs import Doc
from holdfast.reviewer.tui.drafts import Turns, draft_of, drafted
from holdfast.reviewer.tui.guards import why_not
from holdfast.reviewer.tui.pages import decisions_page, history_page, why_page
from holdfast.reviewer.tui.panels import name_of
from holdfast.reviewer.tui.screens.dialogs import ConfirmScreen, LineScreen, PickScreen
from holdfast.reviewer.tui.screens.overriding import ask_override
from holdfast.reviewer.tui.screens.reading import VIEWS
from holdfast.reviewer.tui.screens.seat import SeatScreen
from holdfast.reviewer.tui.sheets import view_of

_DECISIONS_LISTED = 200


class TriageScreen(SeatScreen):
    """Decides about the sample on screen, and opens what asks for more than a key."""

    reasons: tuple[Reason, ...] = tuple(Reason(code, code) for code in REASONS)
    _note_timer: Timer | None = None

    def on_mount(self) -> None:
        """Ask for the project's reasons."""
        self.run_worker(self._read_reasons, thread=True, group="reasons")

    def _read_reasons(self) -> None:
        try:
            self.post_message(messages.ReasonsRead(self.desk.reasons()))
        except HoldfastError as error:
            self.log(f"reasons: {error}")

    @on(messages.ReasonsRead)
    def _on_reasons_read(self, message: messages.ReasonsRead) -> None:
        self.reasons = message.reasons

    def refusal(self, action: str) -> str | None:
        """Why a key does nothing just now."""
        return why_not(action, self.state())

    def do_accept(self) -> None:
        """Accept; over a blocking finding with a reason."""
        item = self._item()
        if item.blocking:
            ask_override(self.app, self._then(item, lambda reason: Answer(Choice.ACCEPT, override=reason)))
        else:
            self.submit(Answer(Choice.ACCEPT))

    def do_reject(self) -> None:
        """Reject with one of nine reasons; `other` asks for a note."""
        item = self._item()
        reject = self._then(item, lambda code: Answer(Choice.REJECT, reason=code))

        def noted(text: str | None) -> None:
            if text is not None:
                self.session.notes[item.uid] = text
                reject("other")

        def picked(code: str | None) -> None:
            if code == "other" and not self.session.notes.get(item.uid):
                self.app.push_screen(LineScreen("Why is it rejected?", needed=True), noted)
            else:
                reject(code)

        choices = tuple((reason.code, reason.label) for reason in self.reasons)
        self.app.push_screen(PickScreen(f"Reject {name_of(item)} because it is", choices), picked)

    def do_skip(self) -> None:
        """Put the sample back."""
        self.submit(Answer(Choice.SKIP))

    def do_escalate(self) -> None:
        """Hand the sample to a lead."""
        self.submit(Answer(Choice.ESCALATE))

    def do_undo(self) -> None:
        """Take back my last decision."""
        self.say("taking back …")
        self.step("undo")

    def do_redo(self) -> None:
        """Make the decision again that was taken back."""
        self.say("making again …")
        self.step("redo")

    def do_edit(self) -> None:
        """Open the editor, with the kept draft if there is one."""
        item = self._item()
        self.open_editor(item, drafted(item))

    def do_edit_external(self) -> None:
        """Open the reviewer's own editor."""
        from holdfast.reviewer.tui.screens.outside import edit_outside

        item = self._item()
        turns = drafted(item)
        self.run_worker(edit_outside(self.app, item, turns, self.say, partial(self.open_editor, item)), group="outside")

    def open_editor(self, item: ClaimedItem, turns: Turns) -> None:
        """Edit the sample beside its original, beginning with these turns."""
        from holdfast.reviewer.tui.screens.edit import Edited, EditScreen

        def edited(result: Edited | None) -> None:
            if result is None:
                return
            if result.save:
                answer = Answer(Choice.EDIT, messages=result.turns, override=result.override)
                self._then(item, lambda _: answer)("")
                return
            draft = draft_of(item, result.turns, self.now())
            self.session.keep_edit(item.uid, draft)
            self.keep(item, "edit", draft)

        self.app.push_screen(EditScreen(self, item, turns), edited)

    def do_note(self) -> None:
        """Write the note that goes with the decision; what is typed is kept as a draft all the while."""
        item = self._item()
        uid = item.uid
        text = self.session.unfinished.get(uid) or self.session.notes.get(uid, "")

        def typed(text: str) -> None:
            self.session.unfinished[uid] = text
            if self._note_timer is None:
                self._note_timer = self.set_timer(self.settings.draft_seconds, partial(self._keep_note, item))

        def done(text: str | None) -> None:
            if text is None:
                return
            self.session.unfinished.pop(uid, None)
            self.session.notes[uid] = text
            self.show_titles()
            self._keep_note(item)

        title = f"Note on {name_of(item)}"
        self.app.push_screen(
            LineScreen(title, hint="it is stored with your decision", text=text, on_change=typed), done
        )

    def _keep_note(self, item: ClaimedItem) -> None:
        if self._note_timer is not None:
            self._note_timer.stop()
            self._note_timer = None
        current = self.session.current
        if current is not None and current.uid == item.uid:
            text = self.session.unfinished.get(item.uid, self.session.notes.get(item.uid, ""))
            self.keep(item, "note", Draft("note", text, self.now()) if text else None)

    def do_view(self) -> None:
        """Show the texts the next way; what Markdown takes long to lay out is made in a worker."""
        self.view = VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)]
        self.run_worker(partial(self._make_sheet, self._item()), thread=True, group="view", exclusive=True)

    def _make_sheet(self, item: ClaimedItem) -> None:
        self.post_message(messages.SheetMade(self.sheet_of(item)))

    @on(messages.SheetMade)
    def _on_sheet_made(self, message: messages.SheetMade) -> None:
        item = self.session.current
        sheet = message.sheet
        if item is not None and item.token == sheet.item.token and sheet.view == view_of(item, self.view):
            self.show_sheet(sheet)
            if sheet.view != self.view:
                self.say("the text is too long to lay out as Markdown; it stays plain", "warn")

    def do_why(self) -> None:
        """Say why this sample is next."""
        item = self._item()
        self._read(f"WHY {name_of(item)} IS HERE", lambda: why_page(item))

    def do_history(self) -> None:
        """Show the sample's history."""
        item = self._item()
        self._read(f"HISTORY OF {name_of(item)}", lambda: history_page(self.desk.history(item.uid)))

    def do_my_decisions(self) -> None:
        """Show my last decisions."""
        self._read("MY LAST DECISIONS", lambda: decisions_page(self.desk.my_decisions(_DECISIONS_LISTED)))

    def _read(self, title: str, make: Callable[[], Doc]) -> None:
        from holdfast.reviewer.tui.screens.reader import ReaderScreen

        self.app.push_screen(ReaderScreen(title, make))

    def do_filter(self) -> None:
        """Choose what to review."""
        from holdfast.reviewer.tui.screens.filtering import FilterScreen, Wanted

        def chosen(wanted: Wanted | None) -> None:
            if wanted is None:
                return
            if wanted.where != self.where:
                self.restart(wanted.where)
            if wanted.uid is not None:
                self.claim_this(wanted.uid)

        self.app.push_screen(FilterScreen(self.desk, self.where), chosen)

    def do_palette(self) -> None:
        """Find a command by name."""
        from holdfast.reviewer.tui.palette import open_palette

        open_palette(self)

    def do_help(self) -> None:
        """Show every key and the guideline."""
        from holdfast.reviewer.tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self.desk, self.keys))

    def do_quit(self) -> None:
        """Leave once everything is saved; asked again, leave without."""
        if not self.closing:
            self.leave()
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.leave_now()

        unsaved = len(self.session.writing)
        question = f"{unsaved} of your answers are not saved yet. Leave without them?"
        self.app.push_screen(ConfirmScreen(question, "leave; they are lost", "wait"), answered)

    def _item(self) -> ClaimedItem:
        if self.session.current is None:
            raise RuntimeError("a key that needs a sample was let through without one")
        return self.session.current

    def _then(self, item: ClaimedItem, answer: Callable[[str], Answer]) -> Callable[[str | None], None]:
        """What a dialog's result does: answer for the sample it was opened on, and for no other."""

        def done(result: str | None) -> None:
            if result is None:
                return
            current = self.session.current
            if current is None or current.uid != item.uid:
                self.say(f"{name_of(item)} is no longer on screen: nothing was decided", "warn")
                return
            self.submit(answer(result))

        return done
