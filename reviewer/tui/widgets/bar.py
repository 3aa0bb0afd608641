"""A strip of one or more lines: status, messages, keys."""

from __future__ import annotations

from collections.abc import Mapping

from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.message import Message

from holdfast.reviewer.tui.docs import Doc
from holdfast.reviewer.tui.widgets.painted import Painted, Row


class Bar(Painted):
    """Shows a document from its first line, and nothing of what does not fit."""

    def __init__(self, doc: Doc | None = None, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.doc = doc or Doc()

    def show(self, doc: Doc) -> None:
        """Swap the document."""
        if doc != self.doc:
            self.doc = doc
            self.repaint()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as the document has."""
        return self.doc.height(max(width - 2, 1))

    def paint(self) -> list[Row]:
        """The document's lines with a margin of one cell."""
        width, base = self.size.width, self.style_of(())
        count = self.doc.height(max(width - 2, 1))
        rows: list[Row] = []
        for y in range(self.size.height):
            parts = self.doc.segments(y, width - 2, self.style_of) if y < count else []
            rows.append(Segment.adjust_line_length([Segment(" ", base), *parts], width, base))
        return rows


class KeyBar(Bar):
    """The keys, which can also be clicked; `targets` maps a number in the document's regions to an action's id."""

    class Pressed(Message):
        """A key of the bar was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.targets: Mapping[int, str] = {}

    def on_click(self, event: events.Click) -> None:
        """Call the action under the pointer."""
        lines = self.doc.lines(max(self.size.width - 2, 1))
        if event.y < len(lines):
            offset = lines[event.y][0] + event.x - 1
            for run in self.doc.runs:
                if run.start <= offset < run.end:
                    for number in run.numbers:
                        self.post_message(self.Pressed(self.targets[number]))
