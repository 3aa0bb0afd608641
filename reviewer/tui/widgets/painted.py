"""A widget that paints its own lines and, when asked to repaint, refreshes only those that changed.

Textual's style cache paints each line several times dearer than the line is, and refreshes a widget whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.events import Resize
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from holdfast.reviewer.tui.docs import KINDS

_FRAME_SECONDS = 0.04
"""Longer than Textual takes to paint what is due."""
PLAIN: frozenset[int] = frozenset()
_SHIFTY = re.compile("[\u200d\ufe0f\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff]")
"""Joiners, emoji selectors, flags and skin tones: some terminals draw such clusters wider or narrower than others."""
Row = list[Segment]


class Painted(Widget):
    """Subclasses give `paint`; their runs are styled by the component classes `doc--KIND`."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"doc--{kind}" for kind in KINDS}

    @dataclass
    class Spilled(Message):
        """Lines of `widget` may have run into what is to the right of it."""

        widget: Painted
        lines: tuple[int, ...]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._rows: list[Row] = []
        self._frame: list[Strip] = []
        self._styles: dict[tuple[str, ...], Style] = {}
        self._late: dict[int, Strip] = {}
        self._seen_at = 0.0
        self.unseen = False
        """Set by who swaps what is shown; unset when it is painted."""

    @property
    def seen_at(self) -> float:
        """Since when what was swapped in has been on the terminal; infinite until then."""
        return inf if self.unseen or self._late else self._seen_at

    def paint(self) -> list[Row]:
        """Every line of the widget, as wide as it is."""
        raise NotImplementedError

    def repaint(self) -> bool:
        """Paint anew and refresh the lines that changed; False if none did."""
        rows = self.paint() if self.size else []
        if len(rows) != len(self._rows):
            self._drop()
            return True
        changed = [y for y, (was, now) in enumerate(zip(self._rows, rows, strict=True)) if was != now]
        self._rows = rows
        self._put(changed)
        self._refresh(changed)
        return bool(changed)

    def paint_again(self) -> None:
        """Paint the lines anew whose width terminals disagree about: something lay over them."""
        shifty = [y for y, strip in enumerate(self._frame) if _SHIFTY.search(strip.text)]
        self._put(shifty)
        self._refresh(shifty)

    def notify_style_update(self) -> None:
        """Paint in the new colours."""
        super().notify_style_update()
        self._styles.clear()
        self._drop()

    def on_resize(self, event: Resize) -> None:
        """Paint at the new size."""
        self._drop()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of a region of the widget; they go to the terminal at once."""
        if self.unseen:
            self.unseen = False
            self._seen_at = monotonic()
        if not self._frame and self.size:
            self._rows = self.paint()
            self._frame = [Strip([])] * len(self._rows)
            self._put(range(len(self._rows)))
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

    def _put(self, lines: Sequence[int]) -> None:
        """Put lines into the frame; those whose width terminals disagree about are empty at first.

        Drawn over what was there before, such a line would leave a piece of it in sight, or run into its neighbour.
        """
        for y, strip in zip(lines, self._strips([self._rows[y] for y in lines]), strict=True):
            shifty = _SHIFTY.search(strip.text)
            self._frame[y] = Strip.blank(self.size.width, self.style_of(())) if shifty else strip
            self._late.pop(y, None)
            if shifty:
                self._late[y] = strip
        if self._late:
            self.set_timer(_FRAME_SECONDS, self._put_late)

    def _put_late(self) -> None:
        lines = tuple(self._late)
        for y in lines:
            self._frame[y] = self._late.pop(y)
        self._refresh(lines)
        if lines:
            self.set_timer(_FRAME_SECONDS, lambda: self.post_message(self.Spilled(self, lines)))

    def _refresh(self, lines: Sequence[int]) -> None:
        if lines:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in lines))

    def _drop(self) -> None:
        self._rows = []
        self._frame = []
        self._late.clear()
        self.refresh()
