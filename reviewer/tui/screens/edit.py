"""The edit screen: the original locked at the left, the editor at the right, below them what the edit amounts to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.getters import query_one
from textual.message import Message as TextualMessage
from textual.widgets import TextArea

from holdfast.db.errors import HoldfastError
from holdfast.reviewer.pipeline.desk import ClaimedItem, EditPreview
from holdfast.reviewer.tui import bars
from holdfast.reviewer.tui.bindings import KEYS, keys_of
from holdfast.reviewer.tui.diffs import add_word_diff
from holdfast.reviewer.tui.docs import Builder, Doc
from holdfast.reviewer.tui.drafts import Turns, changed_turns, draft_of, turns_of, with_text
from holdfast.reviewer.tui.panels import counted, findings_list, name_of, percent
from holdfast.reviewer.tui.screens.dialogs import ConfirmScreen
from holdfast.reviewer.tui.screens.overriding import ask_override
from holdfast.reviewer.tui.screens.pressing import PressScreen, textual_bindings
from holdfast.reviewer.tui.screens.seat import SeatScreen
from holdfast.reviewer.tui.sheets import in_order, turn_doc
from holdfast.reviewer.tui.widgets.bar import Bar, KeyBar
from holdfast.reviewer.tui.widgets.exact_text_area import ExactTextArea
from holdfast.reviewer.tui.widgets.page_view import PageView


@dataclass(frozen=True, slots=True)
class Edited:
    """How an edit ended: its turns, whether to store them, and why over a finding that still blocks."""

    turns: Turns
    save: bool
    override: str | None = None


class EditScreen(PressScreen[Edited], inherit_bindings=False):
    """Edits one sample; every call of the desk is made in a worker thread."""

    BINDINGS: ClassVar[list[BindingType]] = textual_bindings(keys_of("edit", KEYS))
    AUTO_FOCUS = "#editor"

    original = query_one("#original", PageView)
    editor = query_one("#editor", ExactTextArea)
    outcome = query_one("#outcome", PageView)
    edit_title = query_one("#edit-title", Bar)
    message_bar = query_one("#edit-message", Bar)
    key_bar = query_one("#edit-keys", KeyBar)

    @dataclass
    class Previewed(TextualMessage):
        """What some version of the edit amounts to."""

        turns: Turns
        preview: EditPreview | None
        page: Doc
        error: HoldfastError | None = None

    def __init__(self, seat: SeatScreen, item: ClaimedItem, turns: Turns) -> None:
        super().__init__()
        self._seat = seat
        self._keys = keys_of("edit", seat.keys)
        self._item = item
        self._turns = turns
        self._turn = item.response_turn
        self._preview: tuple[Turns, EditPreview] | None = None
        self._saving = False
        self._drafted = turns

    def compose(self) -> ComposeResult:
        """Original and editor side by side, the outcome below."""
        with Horizontal(id="texts"):
            yield PageView(id="original")
            with Vertical(id="typing"):
                yield Bar(id="edit-title")
                yield ExactTextArea(id="editor", soft_wrap=True, tab_behavior="focus", show_line_numbers=False)
        yield PageView(id="outcome")
        yield Bar(id="edit-message")
        yield KeyBar(id="edit-keys")

    def on_mount(self) -> None:
        """Start the clocks."""
        self._show_turn()
        self.set_interval(self._seat.settings.draft_seconds, self._keep_draft)
        self._look()

    def _show_turn(self) -> None:
        """Put the turn on both sides."""
        item, turn = self._item, self._turn
        role = turns_of(item)[turn].role
        title = Builder().add("ORIGINAL ", "strong").add(f"{role} · {name_of(item)} · locked", "dim").build()
        self.original.show(turn_doc(item, turn), title)
        self.editor.load_text(self._turns[turn].content)
        self._show_keys()

    def _show_keys(self) -> None:
        typing = self.editor.has_focus
        mode = "letters are typed" if typing else "letters are commands"
        self.edit_title.show(Builder().add("YOUR EDIT ", "strong").add(f"· {mode}", "dim").build())
        doc, targets = bars.keys(self._keys, self.size.width - 2, lambda action: False, typing=typing)
        self.key_bar.targets = targets
        self.key_bar.show(doc)

    @on(TextArea.Changed)
    def _on_text_changed(self) -> None:
        turns = with_text(self._turns, self._turn, self.editor.text)
        if turns != self._turns:
            self._turns = turns
            self.set_timer(self._seat.settings.preview_seconds, partial(self._look_if, turns))

    def _look_if(self, turns: Turns) -> None:
        if turns is self._turns:
            self._look()

    def _look(self) -> None:
        """Have the edit checked."""
        self.run_worker(partial(self._check, self._turns), thread=True, group="preview", exclusive=True)

    def _check(self, turns: Turns) -> None:
        try:
            preview = self._seat.desk.preview_edit(self._item, turns)
        except HoldfastError as error:
            self.post_message(self.Previewed(turns, None, Doc(), error))
        else:
            self.post_message(
                self.Previewed(turns, preview, outcome_page(self._item, turns, preview, self.outcome.text_width))
            )

    @on(Previewed)
    def _on_previewed(self, message: Previewed) -> None:
        if message.turns is not self._turns:
            return
        if message.error is not None:
            self._saving = False
            self.say(f"the edit could not be checked: {message.error}", "block")
        if message.preview is None:
            return
        self._preview = (message.turns, message.preview)
        self.outcome.show(message.page, outcome_title(message.preview))
        if self._saving:
            self._store(message.preview)

    def do_edit_save(self) -> None:
        """Store the edit, once it is checked as it stands."""
        if not changed_turns(self._item, self._turns):
            self.say("nothing is changed: leave with q and accept with a", "warn")
        elif self._preview is not None and self._preview[0] is self._turns:
            self._store(self._preview[1])
        else:
            self._saving = True
            self.say("checking the edit …", "info")
            self._look()

    def _store(self, preview: EditPreview) -> None:
        self._saving = False
        if preview.blocking:
            ask_override(self.app, self._store_over)
        else:
            self.dismiss(Edited(self._turns, save=True))

    def _store_over(self, reason: str | None) -> None:
        if reason is not None:
            self.dismiss(Edited(self._turns, save=True, override=reason))

    def do_edit_leave_text(self) -> None:
        """Make letters commands; a second time, leave."""
        if self.editor.has_focus:
            self.outcome.focus()
            self.call_after_refresh(self._show_keys)
        else:
            self.do_edit_leave()

    def do_edit_text(self) -> None:
        """Go on typing."""
        self.editor.focus()
        self.call_after_refresh(self._show_keys)

    def do_edit_turn(self) -> None:
        """Edit the next turn."""
        self._turn = (self._turn + 1) % len(self._turns)
        self._show_turn()

    def do_edit_original(self) -> None:
        """Drop the changes, after a question."""

        def answered(yes: bool | None) -> None:
            if yes:
                self._turns = turns_of(self._item)
                self._show_turn()
                self._look()

        if changed_turns(self._item, self._turns):
            self.app.push_screen(ConfirmScreen("Drop every change?", "back to the original", "keep them"), answered)

    def do_edit_leave(self) -> None:
        """Leave; what is changed is kept as a draft."""
        self.dismiss(Edited(self._turns, save=False))

    def _keep_draft(self) -> None:
        if self._turns is not self._drafted:
            self._drafted = self._turns
            self._seat.keep(self._item, "edit", draft_of(self._item, self._turns, self._seat.now()))

    def say(self, text: str, tone: bars.Tone = "info") -> None:
        """Write the message line."""
        self.message_bar.show(bars.message(text, tone))


def outcome_title(preview: EditPreview) -> Doc:
    """What the edit would be stored as."""
    builder = Builder().add("EDIT ", "strong").add(f"{percent(preview.edit_share)} changed → ")
    builder.add(str(preview.provenance_after), "strong").add(" · ", "dim")
    if preview.blocking:
        return builder.add("✖ a finding still blocks: saving asks for a reason", "block-sign").build()
    if preview.findings:
        return builder.add(f"▲ {counted(len(preview.findings), 'finding')}", "warn-sign").build()
    return builder.add("✓ no check objects", "good").build()


def outcome_page(item: ClaimedItem, turns: Turns, preview: EditPreview, width: int) -> Doc:
    """The word difference of every changed turn, then what the checks say of the edit."""
    builder = Builder()
    changed = changed_turns(item, turns)
    if not changed:
        return builder.add("Nothing is changed yet.", "dim").build()
    for number in changed:
        if number != item.response_turn:
            builder.add(f"{turns[number].role}\n", "heading")
        add_word_diff(builder, turns_of(item)[number].content, turns[number].content).add("\n\n")
    return findings_list(builder, in_order(preview.findings), width).build()
