"""A scrolling pane: swapping its page costs the lines that change, whatever the page's length.

It scrolls by itself, since Textual's scroll machinery lays the whole screen out again at each swap.
"""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.events import Blur, Focus, MouseScrollDown, MouseScrollUp, Resize
from textual.geometry import Size
from textual.message import Message

from holdfast.db.models import Severity
from holdfast.reviewer.tui.docs import ONE_LINE, Doc, Page
from holdfast.reviewer.tui.widgets.painted import Painted, Row

_WHEEL_LINES = 3


class PageView(Painted, can_focus=True):
    """A title line and a page under it, with a thumb at the right edge."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"page--title", "page--focused", "page--track", "page--thumb"}

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.page: Page = Doc()
        self.page_title = Doc()
        self.top = 0
        self.current = 0

    @property
    def text_width(self) -> int:
        """The width in cells that lines are wrapped at: a margin left and right, and the last column is the thumb's."""
        return max(self.size.width - 3, 1)

    @property
    def text_height(self) -> int:
        """How many lines of the page are in view."""
        return max(self.size.height - 1, 0)

    @property
    def bottom(self) -> int:
        """The greatest value of `top`."""
        return max(self.page.height(self.text_width) - self.text_height, 0)

    def show(self, page: Page, title: Doc | None = None) -> None:
        """Swap the page, from its beginning."""
        self.page = page
        self.page_title = self.page_title if title is None else title
        self.top = self.current = 0
        self.unseen = self.repaint() or not self.size

    def retitle(self, title: Doc) -> None:
        """Change the title alone."""
        self.page_title = title
        self.repaint()

    def scroll_lines(self, lines: int) -> None:
        """Move by so many lines, as far as the page goes."""
        top = min(max(self.top + lines, 0), self.bottom)
        if top != self.top:
            self.top = top
            self.repaint()

    def scroll_pages(self, pages: int) -> None:
        """Move by so many panes less one line."""
        self.scroll_lines(pages * max(self.text_height - 1, 1))

    def point_at(self, number: int) -> bool:
        """Mark a numbered finding as the current one and scroll to it; False if it is not on this page."""
        line = self.page.line_of(number, self.text_width)
        self.current = number if line is not None else 0
        if line is not None and not self.top <= line < self.top + self.text_height - 1:
            self.top = min(max(line - self.text_height // 3, 0), self.bottom)
        self.repaint()
        return line is not None

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """The height at which nothing needs scrolling, where the stylesheet says `auto`."""
        return self.page.height(max(width - 3, 1)) + 1

    class Resized(Message):
        """The pane has another size."""

    def on_resize(self, event: Resize) -> None:
        """Stay within the page."""
        self.top = min(self.top, self.bottom)
        self.post_message(self.Resized())

    def on_focus(self, event: Focus) -> None:
        """Show in the title which pane the keys move."""
        self.repaint()

    def on_blur(self, event: Blur) -> None:
        """Show in the title which pane the keys move."""
        self.repaint()

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Scroll with the wheel."""
        self.scroll_lines(_WHEEL_LINES)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Scroll with the wheel."""
        self.scroll_lines(-_WHEEL_LINES)

    def paint(self) -> list[Row]:
        """The title and the lines in view."""
        width, height = self.text_width, self.text_height
        total = self.page.height(width)
        base = self.style_of(())
        left, empty = Segment(" ", base), Segment(" " * (width + 1), base)
        rows = [self._title()]
        for line, thumb in enumerate(self._thumbs(height, total), self.top):
            parts = self.page.segments(line, width, self._style_of_run) if line < total else []
            used = sum(cell_len(part.text) for part in parts)
            right = Segment(" " * (width - used + 1), base) if used else empty
            rows.append([left, *parts, right, thumb])
        return rows

    def _title(self) -> Row:
        base = "page--focused" if self.has_focus else "page--title"
        parts = self.page_title.segments(0, ONE_LINE, lambda kinds, _: self.style_of((base, *kinds)))
        sign = Segment("▌" if self.has_focus else " ", self.style_of((base,)))
        return Segment.adjust_line_length([sign, *parts], self.size.width, self.style_of((base,)))

    def _thumbs(self, height: int, total: int) -> list[Segment]:
        track = Segment("│", self.style_of(("page--track",)))
        if total <= height:
            return [track] * height
        size = max(height * height // total, 1)
        first = round((height - size) * self.top / (total - height))
        thumb = Segment("┃", self.style_of(("page--thumb",)))
        return [thumb if first <= y < first + size else track for y in range(height)]

    def _style_of_run(self, kinds: tuple[str, ...], numbers: frozenset[int]) -> Style:
        if not self.current or self.current not in numbers:
            return self.style_of(kinds)
        text_itself = kinds[-1] in {severity.value for severity in Severity}
        return self.style_of((*kinds, "here" if text_itself else "current"))
