"""The last thing before the terminal: whatever a widget renders, no character of it can steer the terminal.

Texts are made visible by `holdfast.reviewer.sanitise` before any widget sees them. This is the belt to those braces,
and lets an editor keep a text's own characters: they are left out of the line that is painted, not of the document.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ReturnType
from textual.color import Color
from textual.filter import LineFilter
from textual.strip import Strip

from holdfast.reviewer.sanitise import sanitise


class TerminalSafe(LineFilter):
    """Leaves controls, bidi controls, zero-width characters and links out of every line; emoji stay whole.

    It treats the line as one text, since a cluster may be spread over segments of different styles. Textual's own
    sequences are made later, from styles and positions, and never pass through here.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The line without what could steer a terminal, as wide as it was."""
        if any(segment.style is not None and segment.style.link for segment in segments):
            segments = [Segment(text, _unlinked(style)) for text, style, _ in segments]
        line = "".join(segment.text for segment in segments)
        if line.isascii() and line.isprintable():
            return segments
        changes = sanitise(line.replace("\n", "\r")).changes
        return _without(segments, {at: line[at] for at, _ in changes}) if changes else segments


class SafeApp(App[ReturnType]):
    """An app of which neither the lines nor the error report at its end can steer the terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._terminal_safe = TerminalSafe()
        self.error_console.push_render_hook(_VisibleControls())

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's filters, then the one that must see what they made."""
        return [*super().get_line_filters(), self._terminal_safe]


class _VisibleControls(RenderHook):
    """Makes the text of everything printed visible: exceptions and their locals quote samples."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Visible(renderable) for renderable in renderables]


class _Visible:
    def __init__(self, renderable: ConsoleRenderable) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for text, style, control in console.render(self._renderable, options):
            if not control:
                yield Segment(sanitise(text).text, _unlinked(style))


def _unlinked(style: Style | None) -> Style | None:
    return style.update_link(None) if style is not None and style.link else style


def _without(segments: list[Segment], unsafe: dict[int, str]) -> list[Segment]:
    """The segments without the characters at some offsets of their line, cropped or padded to the width before."""
    kept: list[Segment] = []
    start = 0
    for text, style, _ in segments:
        clean = "".join(_belted(char) if start + at in unsafe else char for at, char in enumerate(text))
        if clean:
            kept.append(Segment(clean, style))
        start += len(text)
    width = sum(cell_len(segment.text) for segment in segments)
    return list(Strip(kept).adjust_cell_length(width))


@lru_cache(4096)
def _belted(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Cs":
        return "\ufffd"
    return char if category not in {"Cc", "Cf", "Zl", "Zp"} and cell_len(char) else ""
