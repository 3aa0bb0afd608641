"""CSV with a header line; the delimiter is whichever of comma, semicolon and tab the header holds most of."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from holdfast.db.errors import UsageError
from holdfast.reviewer.exchange.chunks import Chunks, lines
from holdfast.reviewer.exchange.raw import MAX_RECORD, Problem, Raw, problem, too_long

_DELIMITERS = (",", ";", "\t")


class _Broken(Exception):
    """The record being read cannot be read."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


class _Feed:
    """Lines for the csv module, which remembers those of the record being read; csv pulls more where a cell goes on."""

    def __init__(self, chunks: Chunks) -> None:
        self._lines = lines(chunks)
        self._next: tuple[int, bytes | Problem] | None = None
        self.line = 0
        self.taken: list[bytes] = []
        self._size = 0

    def begin(self) -> None:
        """Forget the lines of the last record."""
        self.taken, self._size = [], 0

    def peek(self) -> bytes:
        """The next line that is not blank, which stays the next one; empty at the end of the file."""
        for number, line in self._lines:
            if isinstance(line, Problem) or line.strip():
                self._next = (number, line)
                return b"" if isinstance(line, Problem) else line
        return b""

    def raw(self) -> bytes:
        """The record's lines as they stand in the file."""
        return b"".join(self.taken).rstrip(b"\r\n")

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        number, line = self._next or next(self._lines)
        self._next = None
        if not self.taken:
            self.line = number
        if isinstance(line, Problem):
            before = self.raw()
            raise _Broken(problem(line.reason, before + line.raw, len(before) + line.raw_bytes))
        self.taken.append(line + b"\n")
        self._size += len(line) + 1
        if self._size > MAX_RECORD:
            raise _Broken(too_long(self.raw(), self._size))
        # What is no UTF-8 is found in the record's raw lines.
        return self.taken[-1].decode("utf-8", "replace")


def read(chunks: Chunks, name: str) -> Iterator[Raw]:
    """Yield each row as a record of text cells by the header's names; UsageError for a header that cannot be used."""
    csv.field_size_limit(MAX_RECORD)
    feed = _Feed(chunks)
    head = feed.peek().decode("utf-8", "replace")
    reader = csv.reader(feed, delimiter=max(_DELIMITERS, key=head.count), strict=True)
    header: list[str] | None = None
    while True:
        feed.begin()
        try:
            row = next(reader)
        except StopIteration:
            return
        except _Broken as broken:
            yield Raw(feed.line, broken.problem)
            continue
        except csv.Error as error:
            yield Raw(feed.line, problem(f"malformed CSV: {error}", feed.raw()))
            continue
        if header is None and row:
            header = _checked_header(row, feed, name)
        elif header is not None and row:
            yield _record(header, row, feed)


def _checked_header(row: list[str], feed: _Feed, name: str) -> list[str]:
    wrong = _wrong(feed.raw())
    twice = [column for column in row if row.count(column) > 1]
    if wrong or twice:
        raise UsageError(f"{name}:{feed.line}: the header line {wrong or f'names the column {twice[0]!r} twice'}")
    return row


def _record(header: list[str], row: list[str], feed: _Feed) -> Raw:
    raw = feed.raw()
    wrong = _wrong(raw)
    if wrong:
        return Raw(feed.line, problem(f"the row {wrong}", raw))
    if len(row) != len(header):
        return Raw(feed.line, problem(f"the row has {len(row)} cells, the header {len(header)}", raw))
    return Raw(feed.line, dict(zip(header, row, strict=True)), raw)


def _wrong(raw: bytes) -> str | None:
    if b"\0" in raw:
        return f"holds a NUL byte (byte {raw.index(0) + 1} of the row)"
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return f"holds invalid UTF-8 (byte {error.start + 1} of the row)"
    return None
