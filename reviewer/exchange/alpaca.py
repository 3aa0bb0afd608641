"""Alpaca: `instruction`, an optional `input`, `output`."""

from __future__ import annotations

from typing import Any

from holdfast.reviewer.exchange.named import take
from holdfast.reviewer.exchange.turns import read_text

NAME = "alpaca"


def matches(record: dict[str, Any]) -> bool:
    """Whether the record has an instruction and an output."""
    return "instruction" in record and "output" in record


def read(record: dict[str, Any]) -> dict[str, Any]:
    """Take instruction and input, joined by a blank line, as the prompt, and the output as the response."""
    instruction = read_text(take(record, "prompt", ("instruction",)), "instruction")
    more = record.pop("input", None)
    prompt = f"{instruction}\n\n{read_text(more, 'input')}" if more else instruction
    return {"prompt": prompt, "response": take(record, "response", ("output",))}
