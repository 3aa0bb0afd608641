"""Classification: `text` and `label`; one user turn, the label as response."""

from __future__ import annotations

from typing import Any

from holdfast.reviewer.exchange.fields import read_field
from holdfast.reviewer.exchange.named import take

NAME = "labelled"


def matches(record: dict[str, Any]) -> bool:
    """Whether the record has a text and its label."""
    return "text" in record and "label" in record


def read(record: dict[str, Any]) -> dict[str, Any]:
    """Take text and label out of the record; a label that is no text counts by its JSON text."""
    text = take(record, "prompt", ("text",))
    label = read_field("label", take(record, "response", ("label",)))
    return {"prompt": text, "response": label or "", "label": label}
