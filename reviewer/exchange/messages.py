"""OpenAI chat: `messages`, a list of turns with role and content."""

from __future__ import annotations

from typing import Any

NAME = "messages"


def matches(record: dict[str, Any]) -> bool:
    """Whether the record has such a list."""
    return "messages" in record


def read(record: dict[str, Any]) -> dict[str, Any]:
    """Take the conversation out of the record."""
    return {"messages": record.pop("messages", None)}
