"""Values under one of several names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from holdfast.reviewer.exchange.raw import RecordError


def has(record: dict[str, Any], names: Sequence[str]) -> bool:
    """Whether the record has one of the names."""
    return any(name in record for name in names)


def take(record: dict[str, Any], what: str, names: Sequence[str]) -> Any:
    """Take the first value out of the record that is there and not null; RecordError where there is none."""
    for name in names:
        if record.get(name) is not None:
            return record.pop(name)
    raise RecordError(f"the record has no {what} ({' or '.join(names)})")
