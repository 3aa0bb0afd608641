"""A widget that paints its own lines and, when asked to repaint, refreshes only those that changed.

Textual's style cache paints each line several times dearer than the line is, and refreshes a widget whole.
"""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.events import Resize
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from holdfast.reviewer.tui.docs import KINDS

PLAIN: frozenset[int] = frozenset()
Row = list[Segment]


class Painted(Widget):
    """Subclasses give `paint`; their runs are styled by the component classes `doc--KIND`."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"doc--{kind}" for kind in KINDS}

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._rows: list[Row] = []
        self._frame: list[Strip] = []
        self._styles: dict[tuple[str, ...], Style] = {}

    def paint(self) -> list[Row]:
        """Every line of the widget, as wide as it is."""
        raise NotImplementedError

    def repaint(self) -> None:
        """Paint anew and refresh the lines that changed."""
        rows = self.paint() if self.size else []
        if len(rows) != len(self._rows):
            self._drop()
            return
        changed = [y for y, (was, now) in enumerate(zip(self._rows, rows, strict=True)) if was != now]
        self._rows = rows
        for y, strip in zip(changed, self._strips([rows[y] for y in changed]), strict=True):
            self._frame[y] = strip
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def notify_style_update(self) -> None:
        """Paint in the new colours."""
        super().notify_style_update()
        self._styles.clear()
        self._drop()

    def on_resize(self, event: Resize) -> None:
        """Paint at the new size."""
        self._drop()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of a region of the widget."""
        if not self._frame and self.size:
            self._rows = self.paint()
            self._frame = self._strips(self._rows)
        strips = self._frame[crop.y : crop.bottom]
        if crop.column_span != (0, self.size.width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def style_of(self, kinds: tuple[str, ...], numbers: frozenset[int] = PLAIN) -> Style:
        """The widget's style under those of the kinds; a kind with `--` in it names a component class itself."""
        if kinds not in self._styles:
            style = self.style_of(()) if kinds else self.rich_style
            for kind in kinds:
                style += self.get_component_rich_style(kind if "--" in kind else f"doc--{kind}", partial=True)
            self._styles[kinds] = style
        return self._styles[kinds]

    def _strips(self, rows: list[Row]) -> list[Strip]:
        """Rows through the app's line filters."""
        strips = [Strip(row, self.size.width) for row in rows]
        background = self.background_colors[1]
        for line_filter in self.get_line_filters():
            strips = [strip.apply_filter(line_filter, background) for strip in strips]
        return strips

    def _drop(self) -> None:
        self._rows = []
        self._frame = []
        self.refresh()
