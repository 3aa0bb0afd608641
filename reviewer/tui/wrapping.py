"""Text to screen lines: pure, exact about which characters stand where, and quick for long plain text."""

from __future__ import annotations

import re
from bisect import bisect_right

from rich.cells import cell_len, split_graphemes

Line = tuple[int, int]
"""Half-open offsets of one screen line; the newline that ends it, and one space that did not fit, are left out."""

_NARROW = re.compile(r"[ -~¡-¬®-˿Ͱ-҂─-◼❶-❿⓫-⓴✖▲•]*")
"""Rows of these alone need no measuring: each is one cell, and none joins another."""


def wrap(text: str, width: int) -> list[Line]:
    """The screen lines of a text at a width in cells; words are kept whole where they fit."""
    lines: list[Line] = []
    start = 0
    width = max(width, 1)
    for row in text.split("\n"):
        narrow = row.isascii() or _NARROW.fullmatch(row) is not None
        if len(row) <= width and (narrow or cell_len(row) <= width):
            lines.append((start, start + len(row)))
        elif narrow:
            _wrap_row(row, start, width, lines)
        else:
            _wrap_wide_row(row, start, width, lines)
        start += len(row) + 1
    return lines


def line_of(lines: list[Line], offset: int) -> int:
    """The index of the screen line that shows the character at an offset."""
    return max(bisect_right(lines, (offset, len(lines) + offset)) - 1, 0)


def _wrap_row(row: str, base: int, width: int, lines: list[Line]) -> None:
    """Wrap a row in which every character is one cell wide."""
    at = 0
    while len(row) - at > width:
        space = row.rfind(" ", at + 1, at + width + 1)
        end = space if space > at else at + width
        lines.append((base + at, base + end))
        at = end + 1 if space > at else end
    lines.append((base + at, base + len(row)))


def _wrap_wide_row(row: str, base: int, width: int, lines: list[Line]) -> None:
    """Wrap a row of grapheme clusters of any width."""
    at = used = 0
    space = -1
    for start, end, cells in split_graphemes(row)[0]:
        if used + cells > width and start > at:
            cut = space if space > at else start
            lines.append((base + at, base + cut))
            if cut == space and space == start:
                at, used, space = end, 0, -1
                continue
            at = cut + 1 if cut == space else cut
            used = cell_len(row[at:start])
            space = -1
        if row[start] == " " and start > at:
            space = start
        used += cells
    if at <= len(row):
        lines.append((base + at, base + len(row)))
