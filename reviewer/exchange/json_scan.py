"""Finds where the values of a JSON list end without parsing them: bounded memory, and one bad value spoils no other."""

from __future__ import annotations

import re

from holdfast.db.rows import RAW_LIMIT
from holdfast.reviewer.exchange.chunks import Chunks
from holdfast.reviewer.exchange.raw import MAX_RECORD, Problem, too_long

_QUOTE, _COMMA, OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT = b'",[]{}'

# Counted, since an endless repetition would remember every step of it. No possessive quantifiers: Python 3.11 matches
# some of them wrongly before 3.11.5.
_STRING = rb'"[^"\\]*(?:\\.[^"\\]*){0,999}"'
_NESTED = re.compile(rb'(?:[^"{}\[\]]+|' + _STRING + rb"){0,99}", re.DOTALL)
_TOP = re.compile(rb'(?:[^",{}\[\]]+|' + _STRING + rb"){0,99}", re.DOTALL)
_STRING_REST = re.compile(rb'[^"\\]*(?:\\.[^"\\]*){0,999}', re.DOTALL)
_BLANK = re.compile(rb"\s*")


class Scanner:
    """Scans the inside of one list or object; its buffer holds no more than one value and one chunk."""

    def __init__(self, chunks: Chunks, head: bytes, *, after: bytes) -> None:
        begin = head.index(after) + len(after)
        self.chunks = chunks
        self._buffer = bytearray(head[begin:])
        self._line = 1 + head.count(b"\n", 0, begin)
        self._start = 0
        self._at = 0
        self._depth = 0
        self._in_string = False
        self._long: tuple[int, bytes] | None = None
        self._dropped = 0

    def next_stop(self, *, in_object: bool = False) -> int | None:
        """Scan to the value's end and return the byte that stands there; None at the end of the file.

        That is a comma or the list's closing bracket; in an object a comma, its closing bracket, or the opening one of
        a list of objects.
        """
        while True:
            stop = self._scan(in_object)
            if stop is not None or not self._more():
                return stop

    def take(self) -> tuple[int, bytes | Problem]:
        """The value before the stop, stripped, with the line on which it begins; the next begins behind the stop."""
        return self._cut(self._at - 1)

    def take_rest(self) -> tuple[int, bytes]:
        """What is left of the file, stripped and cut to what the quarantine keeps, and its line."""
        while len(self._buffer) - self._start <= RAW_LIMIT and self._more():
            pass
        line, rest = self._cut(len(self._buffer))
        return line, rest.raw if isinstance(rest, Problem) else rest

    def _cut(self, end: int) -> tuple[int, bytes | Problem]:
        text = bytes(memoryview(self._buffer)[self._start : end])
        value = text.strip()
        line, head = self._long or (self._line + text.count(b"\n", 0, len(text) - len(text.lstrip())), value)
        size = self._dropped + len(text.rstrip() if self._long else value)
        self._line += text.count(b"\n")
        self._start, self._long, self._dropped = self._at, None, 0
        return line, too_long(head[:RAW_LIMIT], size) if size > MAX_RECORD else value

    def _more(self) -> bool:
        """Read a chunk, letting go of what has been taken, and of a value that has grown too long."""
        chunk = next(self.chunks, b"")
        if self._start:
            del self._buffer[: self._start]
            self._at -= self._start
            self._start = 0
        if len(self._buffer) > MAX_RECORD:
            self._let_go()
        self._buffer += chunk
        return bool(chunk)

    def _let_go(self) -> None:
        """Forget what has been scanned of a value that has grown too long, but for its head."""
        if self._long is None:
            blank = _end(_BLANK, self._buffer, 0)
            self._line += self._buffer.count(b"\n", 0, blank)
            self._long = (self._line, bytes(self._buffer[blank : blank + RAW_LIMIT]))
            self._dropped = -blank
            self._line -= self._buffer.count(b"\n", 0, blank)
        self._dropped += self._at
        self._line += self._buffer.count(b"\n", 0, self._at)
        del self._buffer[: self._at]
        self._at = 0

    def _scan(self, in_object: bool) -> int | None:
        size = len(self._buffer)
        while self._at < size:
            if self._in_string and not self._leave_string():
                return None
            self._at = _end(_NESTED if self._depth else _TOP, self._buffer, self._at)
            if self._at == size:
                return None
            byte = self._buffer[self._at]
            if in_object and byte == OPEN_ARRAY and not self._depth:
                inside = _end(_BLANK, self._buffer, self._at + 1)
                if inside == size:
                    return None  # what the list holds stands in the next chunk
                if self._buffer[inside] == OPEN_OBJECT:
                    self._at += 1
                    return byte
            self._at += 1
            if byte == _QUOTE:
                self._in_string = True
            elif byte in (OPEN_OBJECT, OPEN_ARRAY):
                self._depth += 1
            elif self._depth:
                self._depth -= byte in (CLOSE_OBJECT, CLOSE_ARRAY)
            elif byte in (_COMMA, CLOSE_OBJECT if in_object else CLOSE_ARRAY):
                return byte
        return None

    def _leave_string(self) -> bool:
        """Move behind the string's end; False where the string, or an escape in it, goes on in the next chunk."""
        while (end := _end(_STRING_REST, self._buffer, self._at)) > self._at:
            self._at = end
        if self._at == len(self._buffer) or self._buffer[self._at] != _QUOTE:
            return False
        self._in_string = False
        self._at += 1
        return True


def _end(pattern: re.Pattern[bytes], buffer: bytearray, at: int) -> int:
    match = pattern.match(buffer, at)
    return at if match is None else match.end()
