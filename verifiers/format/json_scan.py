"""Where and how a text departs from JSON (RFC 8259): a scanner that names the first mistake and every duplicate key."""

from __future__ import annotations

import re
from typing import NamedTuple

import orjson

from holdfast.db.models import Span
from holdfast.verifiers.shown import shown

MOST_DUPLICATES = 5

_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*')
_ATOM = re.compile(r"(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)(?![\w.+-])")
_CONSTANT = re.compile(r"[+-]?(?:NaN|Infinity|inf|nan)\b|(?:True|False|None|undefined|TRUE|FALSE|NULL)\b")
_COMMENT = re.compile(r"//[^\n]*|#[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_SINGLE = re.compile(r"'(?:[^'\\\n]|\\.)*'?|[“”‘’][^“”‘’\n]*[“”‘’]?")
_NAME = re.compile(r"[A-Za-z_$][\w$-]*(?=\s*:)")
_NUMBER = re.compile(r"[+.-]?\d[\w.+-]*")


class Defect(NamedTuple):
    """A departure from JSON: its code, where it stands, and what is wrong in words."""

    code: str
    span: Span
    what: str


class Scan(NamedTuple):
    """How far a value reaches, and its defects; after a mistake other than a duplicate key the scan stops."""

    end: int
    defects: tuple[Defect, ...]


def scan(text: str, at: int = 0) -> Scan:
    """Read one JSON value from an offset; linear in the text, whatever its nesting."""
    return _Scanner(text).value(at)


def skip_space(text: str, at: int) -> int:
    """The first offset from the given one at which no white space of JSON stands."""
    match = _SPACE.match(text, at)
    return match.end() if match else at


class _Scanner:
    """The state of one scan: open brackets, the keys of the open objects, duplicates found so far."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.open: list[str] = []
        self.keys: list[set[str]] = []
        self.twice: list[Defect] = []

    def value(self, at: int) -> Scan:
        """Scan a value and all within it."""
        expected = "a value"
        comma: int | None = None
        while True:
            at = skip_space(self.text, at)
            mark = self.text[at : at + 1]
            if expected in ("a value", "a value or ]") and mark in ("{", "["):
                self._enter(mark)
                at, comma, expected = at + 1, None, "a key or }" if mark == "{" else "a value or ]"
                continue
            if mark and mark == self._closing() and (expected.endswith(mark) or comma is not None):
                if comma is not None:
                    what = f"a comma before {mark}, which JSON does not allow"
                    return self._stop(Defect("json-trailing-comma", (comma, comma + 1), what))
                self._leave()
                at += 1
            elif expected == "a colon" and mark == ":":
                at, expected = at + 1, "a value"
                continue
            elif expected.startswith("a comma") and mark == ",":
                comma, at = at, at + 1
                expected = "a key" if self.open[-1] == "{" else "a value"
                continue
            elif expected.startswith("a key") and (end := self._string(at)):
                self._note_key(at, end)
                at, comma, expected = end, None, "a colon"
                continue
            elif expected.startswith("a value") and (end := self._string(at) or self._atom(at)):
                at, comma = end, None
            else:
                return self._stop(_explain(self.text, at, expected))
            if not self.open:
                return Scan(at, tuple(self.twice))
            expected = f"a comma or {self._closing()}"

    def _string(self, at: int) -> int:
        match = _STRING.match(self.text, at)
        return match.end() + 1 if match and self.text[match.end() : match.end() + 1] == '"' else 0

    def _atom(self, at: int) -> int:
        match = _ATOM.match(self.text, at)
        return match.end() if match else 0

    def _closing(self) -> str:
        return ("}" if self.open[-1] == "{" else "]") if self.open else ""

    def _enter(self, mark: str) -> None:
        self.open.append(mark)
        if mark == "{":
            self.keys.append(set())

    def _leave(self) -> None:
        if self.open.pop() == "{":
            self.keys.pop()

    def _note_key(self, start: int, end: int) -> None:
        raw = self.text[start:end]
        key = _decoded(raw)
        if key in self.keys[-1] and len(self.twice) < MOST_DUPLICATES:
            what = f"the key {shown(raw)} comes twice in one object"
            self.twice.append(Defect("json-duplicate-key", (start, end), what))
        self.keys[-1].add(key)

    def _stop(self, defect: Defect) -> Scan:
        return Scan(defect.span[1], (*self.twice, defect))


def _decoded(raw: str) -> str:
    if "\\" not in raw:
        return raw[1:-1]
    try:
        return str(orjson.loads(raw))
    except orjson.JSONDecodeError:
        return raw[1:-1]


def _explain(text: str, at: int, expected: str) -> Defect:
    """What stands in the place of what was expected."""
    if at >= len(text):
        return Defect("json-cut-off", _last(text), f"the text ends where {expected} should follow")
    if text[at] == '"':
        return _broken_string(text, at, expected) if expected[:7] != "a comma" else _missing_comma(text, at)
    for pattern, code, what in (
        (_COMMENT, "json-comment", "a comment, which JSON does not have"),
        (_SINGLE, "json-quotes", "quotation marks other than the double ones of JSON"),
        (_NAME, "json-quotes", "a key without quotation marks"),
        (_CONSTANT, "json-constant", "{}, which is no JSON value"),
    ):
        found = pattern.match(text, at)
        if found:
            return Defect(code, found.span(), what.format(found.group()))
    if expected.startswith("a comma") and (text[at] in "{[" or _ATOM.match(text, at)):
        return _missing_comma(text, at)
    number = _NUMBER.match(text, at)
    if number and expected.startswith("a value"):
        return Defect("json-number", number.span(), f"{number.group()[:40]} is no JSON number")
    return Defect("json-syntax", (at, at + 1), f"{text[at]!r} where {expected} should stand")


def _missing_comma(text: str, at: int) -> Defect:
    return Defect("json-syntax", (at, at + 1), "a comma is missing before this")


def _broken_string(text: str, at: int, expected: str) -> Defect:
    """Why a string that begins here is none."""
    match = _STRING.match(text, at)
    end = match.end() if match else at
    if end >= len(text):
        return Defect("json-cut-off", _last(text), "the text ends inside a string")
    if text[end] == '"':
        return Defect("json-syntax", (at, end + 1), f"a string where {expected} should stand")
    if text[end] == "\\":
        return Defect("json-escape", (end, min(end + 2, len(text))), f"{text[end : end + 2]!r} is no escape of JSON")
    return Defect("json-control-character", (end, end + 1), f"a bare {_control(text[end])} inside a string")


def _control(mark: str) -> str:
    return {"\n": "line break", "\t": "tab", "\r": "carriage return"}.get(mark, f"U+{ord(mark):04X}")


def _last(text: str) -> Span:
    """The last character that is no white space, where a cut shows."""
    end = len(text.rstrip()) or len(text)
    return max(0, end - 1), end
