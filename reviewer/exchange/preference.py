"""Preference pairs: `prompt`, `chosen`, `rejected`; the chosen answer is the response, the other one stays in metadata.

Where prompt or answers are conversations, the turns that `chosen` repeats from the prompt count once.
"""

from __future__ import annotations

from typing import Any

from holdfast.reviewer.exchange.named import take
from holdfast.reviewer.exchange.turns import is_turns

NAME = "preference"


def matches(record: dict[str, Any]) -> bool:
    """Whether the record has both answers."""
    return "chosen" in record and "rejected" in record


def read(record: dict[str, Any]) -> dict[str, Any]:
    """Take prompt and chosen answer out of the record."""
    chosen = take(record, "response", ("chosen",))
    model = record.pop("chosen_model", None)
    named = {} if model is None else {"model": model}
    if not is_turns(chosen):
        return {"prompt": take(record, "prompt", ("prompt", "question", "instruction")), "response": chosen, **named}
    prompt = record.pop("prompt", None)
    if len(chosen) > 1 or prompt is None:
        return {"messages": chosen, **named}
    if is_turns(prompt):
        return {"messages": [*prompt, *chosen], **named}
    return {"prompt": prompt, "response": chosen[0].get("content", chosen[0].get("value")), **named}
