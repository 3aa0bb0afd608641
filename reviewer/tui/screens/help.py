"""Every key beside the guideline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.getters import query_one
from textual.message import Message
from textual.screen import ModalScreen

from holdfast.db.errors import HoldfastError
from holdfast.reviewer.pipeline.desk import Desk, Guideline
from holdfast.reviewer.sanitise import sanitise
from holdfast.reviewer.tui import notices
from holdfast.reviewer.tui.bindings import Key
from holdfast.reviewer.tui.docs import Builder
from holdfast.reviewer.tui.pages import keys_page
from holdfast.reviewer.tui.rendered import Rendered
from holdfast.reviewer.tui.widgets.page_view import PageView


class HelpScreen(ModalScreen[None]):
    """Scrolls like the desk; tab moves between keys and guideline."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "close", "close", show=False),
        Binding("j,down", "scroll(1)", "down", show=False),
        Binding("k,up", "scroll(-1)", "up", show=False),
        Binding("space,pagedown", "page(1)", "page down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
    ]
    AUTO_FOCUS = "#help-keys"

    keys_view = query_one("#help-keys", PageView)
    guideline_view = query_one("#guideline", PageView)

    @dataclass
    class Read(Message):
        """The guideline, or why it cannot be read."""

        guideline: Guideline | None
        error: HoldfastError | None = None

    def __init__(self, desk: Desk, keys: tuple[Key, ...]) -> None:
        super().__init__()
        self._desk = desk
        self._keys = keys

    def compose(self) -> ComposeResult:
        """Keys left, guideline right."""
        with Horizontal(id="help"):
            yield PageView(id="help-keys")
            yield PageView(id="guideline")

    def on_mount(self) -> None:
        """Show the keys and ask for the guideline."""
        self.run_worker(self._read, thread=True, group="guideline", exclusive=True)

    @on(PageView.Resized)
    def _show_keys(self) -> None:
        """Wrap the keys for the pane."""
        title = Builder().add("KEYS ", "strong").add("j k scroll · tab other side · esc closes", "dim").build()
        self.keys_view.show(keys_page(self._keys, self.keys_view.text_width), title)

    def _read(self) -> None:
        try:
            self.post_message(self.Read(self._desk.guideline()))
        except HoldfastError as error:
            self.post_message(self.Read(None, error))

    @on(Read)
    def _on_read(self, message: Read) -> None:
        title = Builder().add("GUIDELINE", "strong")
        if message.guideline is None:
            page = notices.failed(message.error or HoldfastError("it cannot be read"))
            self.guideline_view.show(page, title.build())
            return
        text = message.guideline.text or "There is no guideline yet."
        self.guideline_view.show(
            Rendered(sanitise(text).text), title.add(f" {message.guideline.version}", "dim").build()
        )

    @property
    def _scrolled(self) -> PageView:
        return self.guideline_view if self.guideline_view.has_focus else self.keys_view

    def action_close(self) -> None:
        """Back to the desk."""
        self.dismiss()

    def action_scroll(self, lines: int) -> None:
        """Scroll by lines."""
        self._scrolled.scroll_lines(lines)

    def action_page(self, pages: int) -> None:
        """Scroll by pages."""
        self._scrolled.scroll_pages(pages)
