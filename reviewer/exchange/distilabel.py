"""distilabel's columns: `instruction` or a conversation, and `generation` or several `generations`.

Of several the best rated is the response (the first where there are no ratings); all stay in metadata.
"""

from __future__ import annotations

from typing import Any

from holdfast.reviewer.exchange.named import has, take
from holdfast.reviewer.exchange.raw import RecordError

NAME = "distilabel"

_PROMPTS = ("instruction", "prompt", "messages", "input")
_RESPONSES = ("generation", "response", "completion", "output")


def matches(record: dict[str, Any]) -> bool:
    """Whether the record carries distilabel's mark, or a prompt and generated text under its names."""
    if "distilabel_metadata" in record:
        return "conversation" in record or (has(record, _PROMPTS) and has(record, (*_RESPONSES, "generations")))
    generated = isinstance(record.get("generation"), str) or "generations" in record
    return generated and ("instruction" in record or "messages" in record)


def read(record: dict[str, Any]) -> dict[str, Any]:
    """Take prompt, response and the model's name out of the record."""
    named = {"model": record.pop("model_name")} if isinstance(record.get("model_name"), str) else {}
    if "system_prompt" in record:
        named["system"] = record.pop("system_prompt")
    if "conversation" in record:
        return {"messages": record.pop("conversation"), **named}
    prompt = take(record, "prompt", _PROMPTS)
    if isinstance(record.get("generations"), list):
        return {"prompt": prompt, **named, **_best(record)}
    return {"prompt": prompt, "response": take(record, "response", _RESPONSES), **named}


def _best(record: dict[str, Any]) -> dict[str, Any]:
    generations: list[Any] = record["generations"]
    if not generations:
        raise RecordError("the record has no response (generations is empty)")
    ratings = record.get("ratings")
    best = 0
    if isinstance(ratings, list) and len(ratings) == len(generations):
        rated = [float(rating) if isinstance(rating, (int, float)) else float("-inf") for rating in ratings]
        best = rated.index(max(rated))
    found = {"response": generations[best]}
    for names in ("generation_models", "model_names"):
        models = record.get(names)
        if isinstance(models, list) and len(models) == len(generations):
            found["model"] = models[best]
    return found
