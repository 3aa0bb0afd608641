"""The parts of a judge's reply: what it shows without its thinking, its JSON objects, and its lines of prose."""

from __future__ import annotations

import ast
import json
import re
import unicodedata
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

LONGEST = 40_000
"""Of longer replies the end is read: the verdict stands there."""

_TAG = re.compile(r"<(/?)(?:think|thinking|thought|reasoning|scratchpad)>", re.IGNORECASE)
_HTML = re.compile(r"</?[a-zA-Z][^<>]{0,100}>")
_HTML_BREAK = re.compile(r"</?(?:p|br|div|li|tr|h[1-6])\b[^<>]{0,100}>", re.IGNORECASE)
_STARTS_LIKE_JSON = re.compile(r"\{\s{0,50}[\"'}]")
_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(\s{0,200}[}\]])', re.DOTALL)
_MARKUP = str.maketrans(dict.fromkeys('*_#`>|~[]{}"“”', " "))
_STRAIGHT = str.maketrans({"’": "'", "‘": "'"})


@dataclass(frozen=True, slots=True)
class Parts:
    """A reply in parts; places are offsets in the text shown. `cut` is the place of an object that never ends."""

    shown: str
    objects: tuple[tuple[int, int, Any], ...]
    cut: int | None

    def segments(self) -> Iterator[tuple[int, str]]:
        """The sentences outside objects, lower-cased, without markup, each with its place."""
        ends = [(start, end) for start, end, _ in self.objects]
        limit = len(self.shown) if self.cut is None else self.cut
        at = 0
        for start, end in [*ends, (limit, limit)]:
            yield from _sentences(self.shown, at, min(start, limit))
            at = end


class Unreadable:
    """Stands for an object that looks like JSON and is not."""


def parts_of(reply: str) -> Parts:
    """Take a reply apart; linear in its length."""
    normal = unicodedata.normalize("NFKC", reply[-LONGEST:])[-LONGEST:]
    shown = _without_thinking(normal.translate(_STRAIGHT))
    objects, cut = _objects(shown)
    return Parts(shown, tuple(objects), cut)


def _without_thinking(text: str) -> str:
    """What comes after the thinking; of thinking that never ends, an object at its very end."""
    text = text[text.rfind("<|message|>") + len("<|message|>") :] if "<|message|>" in text else text
    kept: list[str] = []
    at = 0
    open_since: int | None = None
    for tag in _TAG.finditer(text):
        if tag[1]:
            if open_since is None:
                kept.clear()  # all before a closing tag without an opening one was thought too
            open_since, at = None, tag.end()
        elif open_since is None:
            kept.append(text[at : tag.start()])
            open_since = tag.end()
    if open_since is None:
        return "".join(kept) + text[at:]
    objects, cut = _objects(text[open_since:])
    last = objects[-1] if objects and cut is None else None
    if last is not None and not text[open_since + last[1] :].strip("` \n"):
        kept.append(text[open_since + last[0] :])
    return "".join(kept)


def _objects(text: str) -> tuple[list[tuple[int, int, Any]], int | None]:
    """The outermost JSON objects with their places, and the place of one that never ends."""
    found: list[tuple[int, int, Any]] = []
    at = 0
    while start := _STARTS_LIKE_JSON.search(text, at):
        end = _end_of(text, start.start())
        if end is None:
            return found, start.start()
        found.append((start.start(), end, _load(text[start.start() : end])))
        at = end
    return found, None


def _end_of(text: str, start: int) -> int | None:
    """Where the object that begins at `start` ends: braces are counted outside strings."""
    depth, quote, at = 0, "", start
    while at < len(text):
        sign = text[at]
        if quote:
            if sign == "\\":
                at += 1
            elif sign == quote:
                quote = ""
        elif sign == '"':
            quote = sign
        elif sign == "{":
            depth += 1
        elif sign == "}":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return None


def _load(text: str) -> Any:
    for attempt in (text, _TRAILING_COMMA.sub(lambda found: found[1] or found[2], text)):
        try:
            return json.loads(attempt, strict=False, object_pairs_hook=_no_key_twice)
        except (ValueError, RecursionError):
            continue
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that Python does not know
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return Unreadable()


def _no_key_twice(pairs: list[tuple[str, Any]]) -> Any:
    keys = [key for key, _ in pairs]
    return dict(pairs) if len(set(keys)) == len(keys) else Unreadable()


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    at = start
    plain = _HTML.sub(" ", _HTML_BREAK.sub("\n", text[start:end]))
    for line in plain.splitlines(keepends=True):
        for sentence in re.split(r"(?<=[.!?;。])\s", line):
            words = " ".join(sentence.translate(_MARKUP).lower().split())
            if words:
                yield at, words.lstrip("-+•– ") if not re.match(r"[-+–]\d", words) else words
        at += len(line)
