"""ShareGPT: `conversations`, a list of turns with from and value."""

from __future__ import annotations

from typing import Any

NAME = "sharegpt"


def matches(record: dict[str, Any]) -> bool:
    """Whether the record has such a list."""
    return "conversations" in record


def read(record: dict[str, Any]) -> dict[str, Any]:
    """Take the conversation out of the record."""
    return {"messages": record.pop("conversations", None)}
