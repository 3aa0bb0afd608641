"""A text area that gives back every character it was given: only `\\n` divides lines, nothing is normalised."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.document._document import Document, EditResult, Location
from textual.document._document_navigator import DocumentNavigator
from textual.document._wrapped_document import WrappedDocument
from textual.widgets import TextArea


class ExactDocument(Document):
    """Textual's document turns `\\r\\n`, form feeds, U+2028 and other line ends into one kind; this one does not."""

    def __init__(self, text: str) -> None:
        self._newline = "\n"
        self._lines = text.split("\n")

    def replace_range(self, start: Location, end: Location, text: str) -> EditResult:
        """Replace text at a range, keeping what is inserted to the letter."""
        top, bottom = sorted((start, end))
        replaced = self.get_text_range(top, bottom)
        lines = self._lines
        before = lines[top[0]][: top[1]] if top[0] < len(lines) else ""
        after = lines[bottom[0]][bottom[1] :] if bottom[0] < len(lines) else ""
        inserted = text.split("\n")
        column = len(inserted[-1]) + (len(before) if len(inserted) == 1 else 0)
        inserted[0] = before + inserted[0]
        inserted[-1] += after
        lines[top[0] : bottom[0] + 1] = inserted
        return EditResult((top[0] + len(inserted) - 1, column), replaced)


class ExactTextArea(TextArea):
    """The editor of the edit screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+home", "text_start", "beginning of the text", show=False),
        Binding("ctrl+end", "text_end", "end of the text", show=False),
    ]

    def action_text_start(self) -> None:
        """Move to the beginning of the text."""
        self.move_cursor((0, 0))

    def action_text_end(self) -> None:
        """Move to the end of the text."""
        self.move_cursor(self.document.end)

    def _set_document(self, text: str, language: str | None) -> None:
        super()._set_document("", None)
        self.document = ExactDocument(text)
        self.wrapped_document = WrappedDocument(self.document, tab_width=self.indent_width)
        self.navigator = DocumentNavigator(self.wrapped_document)
        self._build_highlight_map()
        self._rewrap_and_refresh_virtual_size()

    def on_paste(self, event: events.Paste) -> None:
        """Terminals send the line ends of a paste as carriage returns."""
        event.text = event.text.replace("\r\n", "\n").replace("\r", "\n")
