"""A text as rendered Markdown: links inert, headings and lists laid out; made on demand."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from typing import TYPE_CHECKING

from rich.segment import Segment

if TYPE_CHECKING:
    from holdfast.reviewer.tui.docs import StyleOf

_STYLES = {
    "markdown.code": "bold",
    "markdown.code_block": "none",
    "markdown.link": "underline",
    "markdown.link_url": "underline",
    "markdown.h1.border": "none",
    "markdown.item.bullet": "bold",
    "markdown.item.number": "bold",
    "markdown.hr": "dim",
    "markdown.block_quote": "italic",
}


class Rendered:
    """One text as Markdown; the lines of a width are laid out when first asked for."""

    anchors: Mapping[int, int] = {}

    def __init__(self, text: str) -> None:
        self._text = text
        self._laid_out: dict[int, list[list[Segment]]] = {}

    def height(self, width: int) -> int:
        """How many screen lines the text has at a width in cells."""
        return len(self._lines(width))

    def line_of(self, number: int, width: int) -> int | None:
        """None: Markdown moves text, so that findings have no place in it."""
        return None

    def segments(self, line: int, width: int, style_of: StyleOf) -> list[Segment]:
        """One screen line over the pane's own style."""
        return list(Segment.apply_style(self._lines(width)[line], style_of((), frozenset())))

    def _lines(self, width: int) -> list[list[Segment]]:
        if width not in self._laid_out:
            from markdown_it import MarkdownIt
            from rich.console import Console
            from rich.markdown import Markdown
            from rich.theme import Theme

            theme = Theme(_STYLES)
            console = Console(file=StringIO(), width=width, force_terminal=True, color_system="truecolor", theme=theme)
            markdown = Markdown("", hyperlinks=False, code_theme="bw")
            # entities would bring back what the sanitiser took out; HTML and definitions would be left out of sight
            parser = MarkdownIt(options_update={"html": False}).enable(["strikethrough", "table"])
            markdown.parsed = parser.disable(["entity", "reference"]).parse(self._text)
            lines = console.render_lines(markdown, pad=False, new_lines=False)
            self._laid_out[width] = [[Segment(part.text, part.style) for part in line] for line in lines]
        return self._laid_out[width]
