"""Records of annotation tools: texts under names of the project's own, and people's answers to its questions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from holdfast.reviewer.exchange.named import has, take
from holdfast.reviewer.exchange.raw import RecordError
from holdfast.reviewer.exchange.turns import ends_with_answer, is_turns
from holdfast.reviewer.exchange.values import scalar_text

_PROMPTS = ("prompt", "instruction", "question", "input", "text")
_RESPONSES = ("response", "completion", "generation", "answer", "output")


def read_texts(texts: dict[str, Any], answers: Iterator[Any]) -> dict[str, Any]:
    """Take prompt and response out of the texts; where these hold no response, the first answer is response and label.

    A conversation among the texts, or a single text under any name, counts as the prompt.
    """
    for name, value in texts.items():
        if is_turns(value):
            turns = texts.pop(name)
            if ends_with_answer(turns):
                return {"messages": turns}
            return {"prompt": turns, **_answered(texts, answers)}
    if has(texts, _PROMPTS):
        prompt = take(texts, "prompt", _PROMPTS)
    else:
        named = [name for name, value in texts.items() if isinstance(value, str) and name not in _RESPONSES]
        if len(named) != 1:
            raise RecordError(f"the record has no prompt among its texts ({', '.join(texts) or 'none'}); use --map")
        prompt = texts.pop(named[0])
    return {"prompt": prompt, **_answered(texts, answers)}


def _answered(texts: dict[str, Any], answers: Iterator[Any]) -> dict[str, Any]:
    if has(texts, _RESPONSES):
        return {"response": take(texts, "response", _RESPONSES)}
    for answer in answers:
        text = scalar_text(answer)
        if text is not None:
            return {"response": text, "label": text}
    raise RecordError("the record has no response: neither a text for it nor a person's answer")
