"""Untrusted text made visible: nothing in it can steer a terminal, and nothing in it is hidden.

What is shown instead of what (everything else is shown as it is, newline included):

* C0 controls and DEL: their control pictures (ESC is ␛, CR is ␍, so CRLF is ␍ and a new line). A tab is ⇥ and three
  spaces: indentation stays readable and every tab looks the same wherever it stands.
* C1 controls, bidi controls, zero-width and other invisible characters, fillers, line and paragraph separators, BOM,
  tag characters, variation selectors and skin tones outside emoji, lone surrogates, noncharacters, and characters that
  this Python's Unicode does not know (except in the blocks of emoji and ideographs): a token such as ⟨U+202E⟩.
* Joiners: a ZWJ inside an emoji sequence (at most three, as in the longest standard ones) stays. Where a script needs
  a joiner (Persian, Sinhala, …) it is one cell, ¦ for ZWNJ and ‿ for ZWJ: terminals do not shape such text, so it would
  be invisible, and they disagree with Textual about its width. Anywhere else it is a token.
* Combining marks: six on one base; further ones, and marks with nothing to stand on, are tokens.

A literal ␛ looks the same as an ESC: `Display.marks` says where replacements stand so that a screen can style them.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from functools import cache, cached_property, lru_cache
from itertools import accumulate

from holdfast.reviewer.graphemes import (
    JAMO_TAIL,
    SELECTORS,
    TONE,
    ZWJ,
    ZWNJ,
    attaches,
    cells,
    joins_emoji,
    joins_script,
    same_cluster,
    selects_emoji,
    tones_emoji,
)

MAX_MARKS = 6
MAX_JOINS = 3

# The inside of a regular expression's brackets. Few ranges beyond U+FFFF: each costs time on every character of a text.
_C0 = r"\x00-\x09\x0b-\x1f\x7f"
_SPECIAL = (
    _C0 + r"\x80-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\u2800\u3164\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
)
_ASTRAL = r"\U00010000-\U0010ffff"
_SPECIAL_ASTRAL = (
    r"\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    + "".join(f"\\U{plane:04x}fffe\\U{plane:04x}ffff" for plane in range(1, 17))
)

_CONTROL = re.compile(f"[{_C0}]")
_REPLACED = re.compile(f"[{_SPECIAL}{_SPECIAL_ASTRAL}]")
_GROWING = re.compile(r"[\U0001f000-\U0001faff\U0001fc00-\U0003ffff]")  # blocks that every Unicode version adds to
_RAW = re.compile(r"[^\n -\[\]-~]")

Change = tuple[int, str]


class Display:
    """A text as it is shown, with the way from code points of the source to code points of `text` and back.

    `changes` are the source's code points that are not shown as themselves: the offset of each and what stands for it.
    """

    def __init__(self, source: str, changes: list[Change] | None = None) -> None:
        self.source = source
        self.changes = changes or []
        self.text = _apply(source, changes) if changes else source

    def __repr__(self) -> str:
        return f"Display({self.source!r}, {len(self.changes)} replaced)"

    @cached_property
    def _at(self) -> list[int]:
        return [at for at, _ in self.changes]

    @cached_property
    def _growth(self) -> list[int]:
        """How much longer the text has become before the nth replacement."""
        return list(accumulate((len(shown) - 1 for _, shown in self.changes), initial=0))

    @cached_property
    def marks(self) -> list[tuple[int, int]]:
        """The spans of `text` that stand for a character which is not shown as itself."""
        starts = [at + grown for at, grown in zip(self._at, self._growth, strict=False)]
        return [(start, start + len(shown)) for start, (_, shown) in zip(starts, self.changes, strict=True)]

    def offset(self, offset: int) -> int:
        """Where in `text` the source's code point at `offset` begins; offsets beyond the ends are clamped."""
        offset = min(max(offset, 0), len(self.source))
        return offset + self._growth[bisect_left(self._at, offset)]

    def original(self, offset: int) -> int:
        """Which code point of the source is shown at `offset` of `text`; offsets beyond the ends are clamped."""
        offset = min(max(offset, 0), len(self.text))
        index = bisect_right(self.marks, (offset, len(self.text))) - 1
        if index >= 0 and offset < self.marks[index][1]:
            return self._at[index]
        return offset - self._growth[index + 1]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span of `text` for `source[start:end]`, widened to whole grapheme clusters of what is shown."""
        start = min(max(start, 0), len(self.source))
        end = min(max(end, start), len(self.source))
        empty = start == end
        while self._inside_cluster(start):
            start -= 1
        while not empty and self._inside_cluster(end):
            end += 1
        return (self.offset(start), self.offset(start if empty else end))

    def _changed(self, index: int) -> bool:
        place = bisect_left(self._at, index)
        return place < len(self._at) and self._at[place] == index

    def _inside_cluster(self, index: int) -> bool:
        if not 0 < index < len(self.source) or not same_cluster(self.source, index):
            return False
        return not (self._changed(index - 1) or self._changed(index))


def sanitise(text: str) -> Display:
    """Make untrusted text safe and complete to show, with the map from its code points to what is shown."""
    if text.isascii():
        return Display(text, [(match.start(), _picture(match[0])) for match in _CONTROL.finditer(text)])
    patterns = _patterns()
    suspect = patterns.suspect.search(text) or any(fault.search(text) for fault in patterns.mark_faults)
    return Display(text, _changes(text)) if suspect else Display(text)


def raw_escaped(text: str) -> Display:
    """Show text as printable ASCII and newlines: everything else, and the backslash, as Python's escapes."""
    return Display(text, [(match.start(), _escape(match[0])) for match in _RAW.finditer(text)])


def terminal_text(text: str) -> str:
    """Text of any number of lines as a command may print it."""
    return sanitise(text).text


def plain_line(text: str, limit: int) -> str:
    """Text on one line of at most `limit` terminal cells, newlines as ␊, ended by … where it is cut."""
    if limit <= 0:
        return ""
    head = text[: 16 * (limit + 1)]  # more code points than share so many cells
    shown = sanitise(head).text.replace("\n", "␊")[: 16 * (limit + 1)]
    widths = list(accumulate(map(cells, shown), initial=0))
    if len(head) == len(text) and widths[-1] <= limit:
        return shown
    cut = bisect_right(widths, limit - 1) - 1
    while 0 < cut < len(shown) and same_cluster(shown, cut):
        cut -= 1
    return shown[:cut] + "…"


def _apply(text: str, changes: list[Change]) -> str:
    pieces: list[str] = []
    last = 0
    for at, shown in changes:
        pieces += (text[last:at], shown)
        last = at + 1
    return "".join((*pieces, text[last:]))


def _escape(char: str) -> str:
    return "\\\\" if char == "\\" else ascii(char)[1:-1]


def _token(char: str) -> str:
    return f"⟨U+{ord(char):04X}⟩"


@lru_cache(4096)
def _picture(char: str) -> str:
    if char == "\t":
        return "⇥   "
    code = ord(char)
    return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else _token(char)


class _Patterns:
    """The patterns that need Unicode's tables, made when the first text beyond ASCII comes (about 10 ms)."""

    def __init__(self) -> None:
        marks: list[int] = []
        unknown: list[int] = []
        for code in (*range(0x300, 0xD800), *range(0xE000, 0x10000)):
            category = unicodedata.category(chr(code))
            if category == "Cn":
                unknown.append(code)
            elif category[0] == "M" and not _REPLACED.match(chr(code)):
                marks.append(code)
        special = _SPECIAL + _ranges(unknown) + _ASTRAL
        mark = _ranges(marks) + JAMO_TAIL
        self.suspect = re.compile(f"[{special}]")
        self.candidates = re.compile(f"[{special}{mark}]+")
        # marks without a base, too many on one: written so that the search can skip ahead
        self.mark_faults = (
            re.compile(f"\n[{mark}]"),
            re.compile(f"\\A[{mark}]"),
            re.compile(f"[{mark}][{mark}]{{{MAX_MARKS}}}"),
        )


@cache
def _patterns() -> _Patterns:
    return _Patterns()


def _ranges(codes: Iterable[int]) -> str:
    spans: list[tuple[int, int]] = []
    for code in codes:
        if spans and code == spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], code)
        else:
            spans.append((code, code))
    return "".join(f"\\u{first:04x}-\\u{last:04x}" for first, last in spans)


@lru_cache(4096)
def _kind(char: str) -> str:
    if char in (ZWJ, ZWNJ):
        return "joiner"
    if char in SELECTORS:
        return "selector"
    if _REPLACED.match(char) or (unicodedata.category(char) == "Cn" and not _GROWING.match(char)):
        return "replaced"
    if TONE.match(char):
        return "tone"
    return "mark" if attaches(char) else "plain"


def _changes(text: str) -> list[Change]:
    """Every replacement, in order of position; one code point is replaced at a time."""
    found: list[Change] = []
    joins = _Joins(text)
    for run in _patterns().candidates.finditer(text):
        start = run.start()
        room = MAX_MARKS if start > 0 and text[start - 1] != "\n" else 0  # for marks on the present base
        for at, char in enumerate(run[0], start):
            kind = _kind(char)
            if kind == "plain":
                room = MAX_MARKS
            elif kind == "mark" and room:
                room -= 1
            elif kind == "joiner" or not _kept(kind, text, at):
                shown = joins.shown(at) if kind == "joiner" else _picture(char)
                if shown is not None:
                    found.append((at, shown))
                    room = 0
    return found


def _kept(kind: str, text: str, at: int) -> bool:
    return (kind == "selector" and selects_emoji(text, at)) or (kind == "tone" and tones_emoji(text, at))


class _Joins:
    """Decides about the joiners of one text in turn, counting those of the emoji sequence each stands in."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._last = -10
        self._count = 0

    def shown(self, at: int) -> str | None:
        """What stands for the joiner at `at`, None if it is kept."""
        zwj = self._text[at] == ZWJ
        if zwj and joins_emoji(self._text, at):
            # between two joiners of one sequence stand a pictograph, a skin tone and a selector at most
            self._count = self._count + 1 if at - self._last <= 4 else 1
            self._last = at
            if self._count <= MAX_JOINS:
                return None
        if joins_script(self._text, at):
            return "‿" if zwj else "¦"
        return _picture(self._text[at])
