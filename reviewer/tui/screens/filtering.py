"""The filter line with what it matches below it: enter reviews all of that, or the one sample that is picked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input

from holdfast.db.errors import HoldfastError
from holdfast.reviewer.pipeline.desk import Desk, Hit
from holdfast.reviewer.sanitise import plain_line
from holdfast.reviewer.tui.docs import Builder, Doc
from holdfast.reviewer.tui.panels import counted
from holdfast.reviewer.tui.widgets.bar import Bar
from holdfast.reviewer.tui.widgets.page_view import PageView

_LIMIT = 50
_PAUSE_SECONDS = 0.2
_HINT = "field:value · verifier:code · gen:2 · words     ↓ ↑ one sample · enter · esc goes back"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to review from now on: everything under a filter, or first one sample."""

    where: str
    uid: str | None = None


class FilterScreen(ModalScreen[Wanted | None]):
    """Answers with what is wanted, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", show=False),
        Binding("down", "move(1)", "next match", show=False, priority=True),
        Binding("up", "move(-1)", "previous match", show=False, priority=True),
    ]
    AUTO_FOCUS = "Input"

    hits = query_one("#hits", PageView)

    @dataclass
    class Found(Message):
        """What a filter matches."""

        where: str
        hits: tuple[Hit, ...] = ()
        error: HoldfastError | None = None

    def __init__(self, desk: Desk, where: str) -> None:
        super().__init__()
        self._desk = desk
        self._where = where
        self._hits: tuple[Hit, ...] = ()
        self._picked = 0

    def compose(self) -> ComposeResult:
        """The line, then the matches."""
        with Vertical(classes="dialog dialog-large"):
            yield Bar(Builder().add("Review only", "strong").build(), classes="dialog-title")
            yield Input(self._where, placeholder="everything", select_on_focus=False)
            yield PageView(id="hits")
            yield Bar(Builder().add(_HINT, "dim").build())

    def on_mount(self) -> None:
        """Show what the filter so far matches."""
        self.hits.can_focus = False
        self._look(self._where)

    @on(Input.Changed)
    def _on_changed(self, event: Input.Changed) -> None:
        if event.value != self._where:
            self._where = event.value
            self.set_timer(_PAUSE_SECONDS, partial(self._look_if, event.value))

    def _look_if(self, where: str) -> None:
        if where == self._where:
            self._look(where)

    def _look(self, where: str) -> None:
        self.run_worker(partial(self._search, where.strip()), thread=True, group="search", exclusive=True)

    def _search(self, where: str) -> None:
        try:
            self.post_message(self.Found(where, self._desk.search(where, _LIMIT)))
        except HoldfastError as error:
            self.post_message(self.Found(where, error=error))

    @on(Found)
    def _on_found(self, message: Found) -> None:
        if message.where != self._where.strip():
            return
        self._hits, self._picked = message.hits, 0
        title = Builder()
        if message.error is not None:
            title.add(str(message.error).replace("\n", " "), "warn-sign")
        else:
            more = "+" if len(message.hits) == _LIMIT else ""
            title.add(f"{len(message.hits)}{more} due", "strong")
        self.hits.show(self._page(), title.build())

    def _page(self) -> Doc:
        builder = Builder()
        width = max(self.hits.text_width - 4, 20)
        for number, hit in enumerate(self._hits, 1):
            builder.add("▸ " if number == self._picked else "  ", "key", number=number)
            builder.add(plain_line(f"{hit.name} · {counted(hit.findings, 'finding')} · {hit.snippet}", width)).add("\n")
        return builder.build()

    def action_move(self, step: int) -> None:
        """Pick one match, or none."""
        self._picked = min(max(self._picked + step, 0), len(self._hits))
        top = self.hits.top
        self.hits.show(self._page())
        self.hits.scroll_lines(top)
        if self._picked:
            self.hits.point_at(self._picked)

    @on(Input.Submitted)
    def _on_submitted(self) -> None:
        uid = self._hits[self._picked - 1].uid if self._picked else None
        self.dismiss(Wanted(self._where.strip(), uid))

    def action_cancel(self) -> None:
        """Answer with None."""
        self.dismiss(None)
