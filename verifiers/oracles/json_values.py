"""JSON in a text: its value, and where in the text each part of it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from holdfast.db.models import Span
from holdfast.verifiers.format.json_scan import Defect, scan, skip_space
from holdfast.verifiers.shown import shown

_FENCE = re.compile(r"\s*```[ \t]*(?:json5?|JSON)?[ \t]*\n")
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKETS_AND_STRINGS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_ATOM = re.compile(r"[^\s,\]}]+")

Path = Sequence[str | int]

FOLLOWED = "json-followed"
"""The code of text behind JSON."""
UNREADABLE = "json-unreadable"
"""The code of what may be JSON and is beyond what can be read."""
_LONGEST_PATH = 120
_DEEPEST = 60


class Json(NamedTuple):
    """A JSON value and the part of the text that it is."""

    value: Any
    span: Span


class Place(NamedTuple):
    """Where a value stands, and the key that names it, if it has one."""

    value: Span
    key: Span | None


def read_json(text: str) -> Json | Defect:
    """The JSON that a whole text is, in a code fence or bare; else the first mistake, at its place."""
    start, end = _bounds(text)
    try:
        return Json(orjson.loads(text[start:end]), (start, end))
    except (orjson.JSONDecodeError, RecursionError):
        pass
    result = scan(text[:end], start)
    if result.defects:
        return result.defects[0]
    if skip_space(text, result.end) < end:
        return Defect(FOLLOWED, (skip_space(text, result.end), end), "more text follows the JSON")
    return Defect(
        UNREADABLE,
        (start, max(end, start + 1)),
        "too deeply nested to be read, or holds a number too great or half a character",
    )


def locate(text: str, root: Span, path: Path) -> Place:
    """Where in the JSON at `root` the value of a path stands; as far as it can be followed, and no deeper than 60."""
    place = Place(root, None)
    for step in path[:_DEEPEST]:
        inner = _member(text, place.value[0], step) if isinstance(step, str) else _item(text, place.value[0], step)
        if inner is None:
            return place
        place = inner
    return place


def key_place(text: str, root: Span, path: Path, key: str) -> Span:
    """Where a key of the object at a path stands."""
    place = locate(text, root, [*path, key])
    return place.key if place.key is not None else place.value


def item_spans(text: str, array: Span) -> Iterator[Span]:
    """Where each item of the array at a place stands, in order."""
    at = skip_space(text, array[0] + 1)
    while at < array[1] and text[at] != "]":
        end = _end(text, at)
        yield at, end
        at = skip_space(text, skip_space(text, end) + 1)


def path_text(path: Path) -> str:
    """A path as it is written, cut where it is long: $.a.b[0]."""
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path]
    return shown("$" + "".join(steps), _LONGEST_PATH)


def _bounds(text: str) -> Span:
    fence = _FENCE.match(text) if "```" in text else None
    start = fence.end() if fence else skip_space(text, 0)
    end = len(text.rstrip())
    if fence and text[:end].endswith("```"):
        end = len(text[: end - 3].rstrip())
    return start, max(start, end)


def _member(text: str, at: int, key: str) -> Place | None:
    """The last value that an object has under a key, which is the one that counts."""
    if text[at : at + 1] != "{":
        return None
    found = None
    at = skip_space(text, at + 1)
    while (match := _STRING.match(text, at)) is not None:
        start = skip_space(text, skip_space(text, match.end()) + 1)
        end = _end(text, start)
        if _decoded(match.group()) == key:
            found = Place((start, end), match.span())
        at = skip_space(text, end)
        if text[at : at + 1] != ",":
            break
        at = skip_space(text, at + 1)
    return found


def _item(text: str, at: int, index: int) -> Place | None:
    if text[at : at + 1] != "[":
        return None
    at = skip_space(text, at + 1)
    for _ in range(index):
        at = skip_space(text, _end(text, at))
        if text[at : at + 1] != ",":
            return None
        at = skip_space(text, at + 1)
    return Place((at, _end(text, at)), None)


def _end(text: str, at: int) -> int:
    """Where the value that begins at a place ends."""
    mark = text[at : at + 1]
    if mark == '"':
        match = _STRING.match(text, at)
        return match.end() if match else len(text)
    if mark not in ("{", "["):
        match = _ATOM.match(text, at)
        return match.end() if match else at
    depth = 0
    for match in _BRACKETS_AND_STRINGS.finditer(text, at):
        found = match.group()
        depth += (found in ("{", "[")) - (found in ("}", "]"))
        if depth == 0:
            return match.end()
    return len(text)


def _decoded(raw: str) -> Any:
    try:
        return orjson.loads(raw) if "\\" in raw else raw[1:-1]
    except orjson.JSONDecodeError:
        return raw[1:-1]
