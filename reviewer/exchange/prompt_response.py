"""A prompt and its response under their usual names."""

from __future__ import annotations

from typing import Any

from holdfast.reviewer.exchange.named import has, take

NAME = "prompt-response"

PROMPTS = ("prompt", "question", "input")
RESPONSES = ("response", "completion", "answer", "output")


def matches(record: dict[str, Any]) -> bool:
    """Whether the record has one name of each."""
    return has(record, PROMPTS) and has(record, RESPONSES)


def read(record: dict[str, Any]) -> dict[str, Any]:
    """Take prompt and response out of the record."""
    return {"prompt": take(record, "prompt", PROMPTS), "response": take(record, "response", RESPONSES)}
