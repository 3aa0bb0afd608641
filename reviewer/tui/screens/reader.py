"""A page to read over the desk: a sample's history, my decisions, why a sample is next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.getters import query_one
from textual.message import Message
from textual.screen import ModalScreen

from holdfast.db.errors import HoldfastError
from holdfast.reviewer.tui import notices
from holdfast.reviewer.tui.docs import Builder, Doc
from holdfast.reviewer.tui.widgets.page_view import PageView


class ReaderScreen(ModalScreen[None]):
    """Shows a page that a worker thread makes; the scrolling keys are those of the desk."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "close", show=False),
        Binding("j,down", "scroll(1)", "down", show=False),
        Binding("k,up", "scroll(-1)", "up", show=False),
        Binding("space,pagedown", "page(1)", "page down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("g,home", "scroll(-1000000000)", "top", show=False),
        Binding("G,end", "scroll(1000000000)", "bottom", show=False),
    ]
    AUTO_FOCUS = "#page"

    page = query_one("#page", PageView)

    @dataclass
    class Made(Message):
        """The page is there."""

        page: Doc

    def __init__(self, title: str, make: Callable[[], Doc]) -> None:
        super().__init__()
        self._title = title
        self._make = make

    def compose(self) -> ComposeResult:
        """One pane."""
        yield PageView(id="page")

    def on_mount(self) -> None:
        """Ask for the page."""
        title = Builder().add(self._title, "strong").add("   j k scroll · esc closes", "dim").build()
        self.page.show(Builder().add("\nreading …", "dim").build(), title)
        self.run_worker(self._read, thread=True, group="page", exclusive=True)

    def _read(self) -> None:
        try:
            page = self._make()
        except HoldfastError as error:
            page = notices.failed(error)
        self.post_message(self.Made(page))

    @on(Made)
    def _on_made(self, message: Made) -> None:
        self.page.show(message.page)

    def action_close(self) -> None:
        """Back to the desk."""
        self.dismiss()

    def action_scroll(self, lines: int) -> None:
        """Scroll by lines."""
        self.page.scroll_lines(lines)

    def action_page(self, pages: int) -> None:
        """Scroll by pages."""
        self.page.scroll_pages(pages)
