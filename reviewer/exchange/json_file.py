"""JSON files: an array of records, an object with lists of records, one record, or JSON lines under another name."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any

from holdfast.reviewer.exchange import jsonl_file
from holdfast.reviewer.exchange.chunks import Chunks
from holdfast.reviewer.exchange.json_scan import CLOSE_ARRAY, CLOSE_OBJECT, OPEN_ARRAY, Scanner
from holdfast.reviewer.exchange.raw import MAX_RECORD, Raw, RecordError, problem
from holdfast.reviewer.exchange.values import loads


def read(chunks: Chunks, is_record: Callable[[dict[str, Any]], bool]) -> Iterator[Raw]:
    """Yield the records of a JSON file, holding no more than MAX_RECORD bytes of it.

    `is_record` tells a record that holds a list from an object that only wraps lists of records; of the latter
    every list of objects is read, and its other members are left.
    """
    head = _first_text(chunks)
    text = head.lstrip()
    if text[:1] == b"[":
        scanner = Scanner(chunks, head, after=b"[")
        yield from _end_of_file(scanner, (yield from _elements(scanner)))
    elif text[:1] == b"{":
        yield from _object(chunks, _look_ahead(chunks, head), is_record)
    else:
        chunks.give_back(head)
        yield from jsonl_file.read(chunks)


def _first_text(chunks: Chunks) -> bytes:
    """The file's first chunk that is not blank, with the newlines before it."""
    newlines = 0
    for chunk in chunks:
        if chunk.strip():
            return b"\n" * newlines + chunk
        newlines += chunk.count(b"\n")
    return b""


def _look_ahead(chunks: Chunks, head: bytes) -> bytes:
    buffer = bytearray(head)
    for chunk in chunks:
        buffer += chunk
        if len(buffer) > MAX_RECORD:
            break
    return bytes(buffer)


def _object(chunks: Chunks, text: bytes, is_record: Callable[[dict[str, Any]], bool]) -> Iterator[Raw]:
    """Yield the record or records of a file that begins with an object; `text` is its start, or all of it."""
    document = None if len(text) > MAX_RECORD else _parsed(text)
    if document is not None and (is_record(document) or not any(map(_lists_records, document.values()))):
        yield Raw(1, text)
        if chunks.damage:
            yield Raw(None, problem(chunks.damage))
    elif document is None and _has_lines(text):
        chunks.give_back(text)
        yield from jsonl_file.read(chunks)
    else:
        scanner = Scanner(chunks, text, after=b"{")
        yield from _end_of_file(scanner, (yield from _members(scanner)))


def _parsed(text: bytes) -> dict[str, Any] | None:
    try:
        return loads(text)
    except RecordError:
        return None


def _lists_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _has_lines(text: bytes) -> bool:
    """Whether the first line, or the second, is an object of its own."""
    first = text.lstrip().split(b"\n", 2)[:2]
    return any(_parsed(line) is not None for line in first)


def _elements(scanner: Scanner) -> Generator[Raw, None, bool]:
    """Yield the elements of the array that has just begun; returns whether it is closed."""
    while (stop := scanner.next_stop()) is not None:
        line, value = scanner.take()
        if value:
            yield Raw(line, value)
        if stop == CLOSE_ARRAY:
            return True
    return False


def _members(scanner: Scanner) -> Generator[Raw, None, bool]:
    """Yield the elements of every list of objects in the object that has just begun; returns whether it is closed."""
    while (stop := scanner.next_stop(in_object=True)) is not None:
        scanner.take()
        if stop == CLOSE_OBJECT:
            return True
        if stop == OPEN_ARRAY:
            yield from _elements(scanner)
    return False


def _end_of_file(scanner: Scanner, closed: bool) -> Iterator[Raw]:
    """Yield a problem unless the file ends well, behind the list or object it holds."""
    damage = scanner.chunks.damage
    line, rest = scanner.take_rest()
    if not closed:
        yield Raw(line, problem(damage or "the file ends inside a list: it is cut short", rest))
    elif damage or rest:
        yield Raw(line, problem(damage or "text follows the end of the list", rest))
