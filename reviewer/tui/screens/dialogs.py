"""Small questions over the sample, which stays in view: a list of choices, a line of text, yes or no."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from holdfast.reviewer.tui.docs import Builder, Doc
from holdfast.reviewer.tui.widgets.bar import Bar

_CANCEL = "esc"


class PickScreen(ModalScreen[str | None]):
    """Up to nine choices, each one key; answers with the code of the choice, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "cancel", "cancel", show=False)]

    def __init__(self, title: str, choices: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._title = title
        self._choices = tuple(choices)[:9]

    def compose(self) -> ComposeResult:
        """One line per choice."""
        builder = Builder()
        for number, (_, label) in enumerate(self._choices, 1):
            builder.add(f" {number} ", "key").add(f" {label}\n")
        builder.add(f"{_CANCEL} goes back; nothing is decided", "dim")
        with Vertical(classes="dialog"):
            yield Bar(Builder().add(self._title, "strong").build(), classes="dialog-title")
            yield Bar(builder.build())

    def on_key(self, event: events.Key) -> None:
        """Answer with the choice of the digit."""
        if event.character and event.character.isdecimal() and 1 <= int(event.character) <= len(self._choices):
            event.stop()
            self.dismiss(self._choices[int(event.character) - 1][0])

    def action_cancel(self) -> None:
        """Answer with None."""
        self.dismiss(None)


class LineScreen(ModalScreen[str | None]):
    """A line of text; answers with it, or None. `on_change` hears of every change."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel", show=False)]

    def __init__(
        self,
        title: str,
        *,
        hint: str = "",
        text: str = "",
        needed: bool = False,
        on_change: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__()
        self._title = title
        self._hint = f"enter keeps it · {_CANCEL} goes back{f' · {hint}' if hint else ''}"
        self._text = text
        self._needed = needed
        self._on_change = on_change

    def compose(self) -> ComposeResult:
        """Title, input and hint."""
        with Vertical(classes="dialog"):
            yield Bar(Builder().add(self._title, "strong").build(), classes="dialog-title")
            yield Input(self._text, select_on_focus=False)
            yield Bar(Builder().add(self._hint, "dim").build())

    @on(Input.Changed)
    def _on_changed(self, event: Input.Changed) -> None:
        if self._on_change is not None and event.value != self._text:
            self._text = event.value
            self._on_change(event.value)

    @on(Input.Submitted)
    def _on_submitted(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        if text or not self._needed:
            self.dismiss(text)

    def action_cancel(self) -> None:
        """Answer with None."""
        self.dismiss(None)


class ConfirmScreen(ModalScreen[bool]):
    """A question that only `y` affirms."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes", show=False),
        Binding("n,escape,q", "answer(False)", "no", show=False),
    ]

    def __init__(self, question: str, yes: str, no: str) -> None:
        super().__init__()
        self._question = question
        self._choices = (("y", yes), ("n", no))

    def compose(self) -> ComposeResult:
        """The question and its two answers."""
        with Vertical(classes="dialog"):
            yield Bar(Builder().add(self._question, "strong").build(), classes="dialog-title")
            yield Bar(self._answers())

    def _answers(self) -> Doc:
        builder = Builder()
        for key, label in self._choices:
            builder.add(f" {key} ", "key").add(f" {label}\n")
        return builder.build()

    def action_answer(self, yes: bool) -> None:
        """Answer."""
        self.dismiss(yes)
