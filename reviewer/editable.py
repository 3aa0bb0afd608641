"""Text for an editor that knows one kind of line break: every other becomes a visible stand-in, and comes back."""

from __future__ import annotations

from itertools import chain
from typing import NamedTuple

_STAND_INS = {
    "\r": "␍",
    "\x0b": "␋",
    "\x0c": "␌",
    "\x1c": "␜",
    "\x1d": "␝",
    "\x1e": "␞",
    "\x85": "␤",
    "\u2028": "↵",
    "\u2029": "¶",
}
"""Textual's editor splits lines at each of these, as `str.splitlines` does, and would give a newline back for it."""


class Editable(NamedTuple):
    """A text as an editor gets it, and which of its characters stand for which line break."""

    text: str
    stands_for: dict[int, str]

    def restored(self, edited: str) -> str:
        """The text after an edit, with the line breaks of the source; without an edit it is exactly the source."""
        return edited.translate(self.stands_for)


def editable(text: str) -> Editable:
    """Make a text safe for the editor; stand-ins are characters that the text itself does not hold."""
    breaks = [char for char in _STAND_INS if char in text]
    private = map(chr, chain(range(0xE000, 0xF900), range(0xF0000, 0xFFFFE)))
    spare = (char for char in private if char not in text)
    stand_ins = {char: _STAND_INS[char] if _STAND_INS[char] not in text else next(spare) for char in breaks}
    shown = text.translate({ord(char): stand_in for char, stand_in in stand_ins.items()})
    return Editable(shown, {ord(stand_in): char for char, stand_in in stand_ins.items()})
