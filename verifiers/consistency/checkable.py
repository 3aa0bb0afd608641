"""The tokens of a text that can be looked up in another one: numbers, proper names, and what stands in quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from holdfast.db.models import Span
from holdfast.verifiers.consistency.words import words

_NUMBER = re.compile(r"(?<![\w.,])[-+]?\d[\d.,]*(?:th|st|nd|rd|s|k|m|bn)?(?!\w)")
_MARKER = re.compile(
    r"^[ \t]*\(?\d{1,3}[.):]|\[\d{1,3}(?:\s?[,;–-]\s?\d{1,3})*\]|^[ \t]*(?:Step|Answer|Question)\s\d+", re.M
)
"""Numbers of list items, steps and references."""
_QUOTED = re.compile(r"(?<![\w\"])[\"“](?=\S)([^\"“”\n]{3,200})(?<=\S)[\"”](?!\w)")
_CAPITAL = "A-ZÀ-ÖØ-ÞĆČĐŁŚŠŹŻŽΑ-ΩА-ЯЁ"
_NAME = re.compile(rf"\b[{_CAPITAL}][\w'’-]*(?: [{_CAPITAL}][\w'’-]*)*")
_ENDS_SENTENCE = frozenset(".!?:;\n\"“”'‘’([{*-–—•#>|/")

_TO_TWENTY = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
_SPELT = {word: str(value) for value, word in enumerate(_TO_TWENTY.split())}
_NO_NAMES = frozenset(
    {
        "i",
        "i'm",
        "i'd",
        "i'll",
        "i've",
        "ok",
        "okay",
        "tv",
        "mr",
        "mrs",
        "ms",
        "dr",
        "yes",
        "no",
        "oh",
        "lol",
        "wow",
        "omg",
    }
)
_GERMAN = frozenset({"der", "die", "das", "und", "ist", "nicht", "ein", "eine"})
"""Two of these words and the text is German, which writes every noun in capitals."""
_FEWEST_QUOTED = 3
_LINE = 200


class Token(NamedTuple):
    """A token that can be looked up: its kind, the text, and where it stands."""

    kind: str
    text: str
    span: Span


class Lookup:
    """What a source holds, for looking tokens up."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lowered = text.casefold()
        self._words = set(words(text))
        self._plain: str | None = None
        self._numbers: set[str] | None = None

    def holds(self, token: Token) -> bool:
        """Whether the source holds the number in any spelling, each word of the name, or all that is quoted."""
        if token.kind == "number":
            return self._holds_number(token.text)
        found = words(token.text)
        if token.kind == "quotation":
            return f" {' '.join(found)} " in self._flat
        return all(self._holds_word(word) for word in found)

    @property
    def _flat(self) -> str:
        if self._plain is None:
            self._plain = f" {' '.join(words(self._text))} "
        return self._plain

    def _holds_word(self, word: str) -> bool:
        # A plural, a possessive or another ending of a word of the source is supported by it.
        return (
            word in self._words
            or word in self._lowered
            or (len(word) > 4 and word[: max(4, len(word) - 2)] in self._lowered)
        )

    def _holds_number(self, text: str) -> bool:
        if self._numbers is None:
            self._numbers = {plain_number(found.group()) for found in _NUMBER.finditer(self._text)}
            self._numbers |= {_SPELT[word] for word in self._words if word in _SPELT}
            self._numbers |= set(re.findall(r"\d+", self._text))
        return plain_number(text) in self._numbers


def plain_number(text: str) -> str:
    """A number without thousands separators, sign and ending, and without zeros that do not count."""
    digits = text.lstrip("+-").rstrip("thsndrkmb").rstrip(".,").replace(",", "")
    whole, dot, part = digits.partition(".")
    part = part.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{part}" if dot and part else "")


def tokens(text: str) -> Iterator[Token]:
    """The checkable tokens of a text, without the numbers of lists and references."""
    if any(mark.isdigit() for mark in text):
        marked = {at for found in _MARKER.finditer(text) for at in range(*found.span())}
        for found in _NUMBER.finditer(text):
            if found.start() not in marked:
                end = found.start() + len(found.group().rstrip(".,"))
                yield Token("number", text[found.start() : end], (found.start(), end))
    if '"' in text or "“" in text:
        for found in _QUOTED.finditer(text):
            if len(words(found[1])) >= _FEWEST_QUOTED:
                yield Token("quotation", found[1], found.span(1))
    yield from _names(text)


def _names(text: str) -> Iterator[Token]:
    """Words in capitals within a sentence; none of headings, and none where capitals are the style of the text."""
    if text.isupper() or len(_GERMAN.intersection(text.lower().split())) > 1:
        return
    for found in _NAME.finditer(text):
        start = found.start()
        if _begins_sentence(text, start):
            # The first word of a sentence is in capitals anyway.
            rest = found.group().partition(" ")[2]
            if not rest:
                continue
            start = found.end() - len(rest)
        name = text[start : found.end()].rstrip("'’-")
        if len(name) > 1 and name.casefold() not in _NO_NAMES and not _in_heading(text, start):
            yield Token("name", name, (start, start + len(name)))


def _begins_sentence(text: str, at: int) -> bool:
    before = text[max(0, at - 20) : at].rstrip(" \t")
    return not before or before[-1] in _ENDS_SENTENCE


def _in_heading(text: str, at: int) -> bool:
    """Whether the text has several lines, and this one has no longer word in small letters."""
    if "\n" not in text:
        return False
    start, end = text.rfind("\n", max(0, at - _LINE), at) + 1, text.find("\n", at, at + _LINE)
    line = text[max(start, at - _LINE) : end if end >= 0 else at + _LINE]
    return not any(len(word) > 3 and word[0].islower() for word in line.split())
