"""What a container yields: raw records, each with its place, and the reasons why some cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from holdfast.db.errors import HoldfastError
from holdfast.db.rows import RAW_LIMIT

MAX_RECORD = 64 << 20
"""Bytes beyond which a record is quarantined instead of read."""


class RecordError(HoldfastError):
    """A record cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A record that cannot be read; `raw` is cut at RAW_LIMIT of its `raw_bytes` bytes."""

    reason: str
    raw: bytes = b""
    raw_bytes: int = 0


class Raw(NamedTuple):
    """One record as it stands in its file: JSON text, the cells of a table's row, or a problem.

    `line` is the line on which it starts, or the record's number where a file has no lines.
    """

    line: int | None
    payload: bytes | dict[str, Any] | Problem
    text: bytes | None = None


def problem(reason: str, raw: bytes = b"", raw_bytes: int | None = None) -> Problem:
    """A problem with what it is about, cut to what the quarantine keeps."""
    return Problem(reason, bytes(raw[:RAW_LIMIT]), len(raw) if raw_bytes is None else raw_bytes)


def too_long(head: bytes, raw_bytes: int) -> Problem:
    """The problem of a record over MAX_RECORD bytes."""
    return problem(f"the record is over {MAX_RECORD >> 20} MB ({raw_bytes:,} bytes)", head, raw_bytes)
