"""Turns of a conversation, in the shapes in which tools write them, as messages."""

from __future__ import annotations

from typing import Any

import orjson

from holdfast.db.models import Message, ToolCall
from holdfast.reviewer.exchange.raw import RecordError
from holdfast.reviewer.exchange.values import dumps, kind_of, scalar_text

ROLES = {
    "system": "system",
    "developer": "developer",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
    "function_call": "assistant",
    "tool": "tool",
    "function": "tool",
    "function_response": "tool",
    "observation": "tool",
}
_TEXT_PARTS = frozenset({"text", "input_text", "output_text"})
_KNOWN = frozenset({"role", "content", "from", "value", "name", "tool_call_id", "tool_calls", "function_call"})


def read_turns(value: Any, what: str = "messages") -> tuple[list[Message], list[dict[str, Any]]]:
    """Read a list of role/content or from/value turns; also returns what else they hold, with their `index`.

    Text is parsed as JSON first, since tables hold lists as text. RecordError names the turn that cannot be read.
    """
    if isinstance(value, str):
        value = _parsed(value, what)
    if not isinstance(value, list):
        raise RecordError(f"{what} is {kind_of(value)}, not a list of turns")
    if not value:
        raise RecordError(f"{what} holds no turn")
    messages: list[Message] = []
    extras: list[dict[str, Any]] = []
    for index, turn in enumerate(value):
        place = f"{what}[{index}]"
        if not isinstance(turn, dict):
            raise RecordError(f"{place} is {kind_of(turn)}, not an object")
        messages.append(_message(turn, place))
        if not turn.keys() <= _KNOWN:
            more = {key: item for key, item in turn.items() if key not in _KNOWN and item is not None}
            if more:
                extras.append({"index": index, **more})
    return messages, extras


def read_text(value: Any, what: str) -> str:
    """Content as text: text parts are joined; RecordError for parts that are no text, and for other types."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        raise RecordError(f"{what} is {kind_of(value)}, not text")
    return "".join(_part(part, f"{what}[{index}]") for index, part in enumerate(value))


def is_turns(value: Any) -> bool:
    """Whether a value looks like a list of turns."""
    first = value[0] if isinstance(value, list) and value else None
    return isinstance(first, dict) and ("role" in first or "from" in first)


def ends_with_answer(turns: list[Any]) -> bool:
    """Whether the last turn is an assistant's."""
    last = turns[-1]
    named = last.get("role", last.get("from")) if isinstance(last, dict) else None
    return isinstance(named, str) and ROLES.get(named) == "assistant"


def _parsed(text: str, what: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise RecordError(f"{what} is text, not a list of turns") from None


def _message(turn: dict[str, Any], place: str) -> Message:
    named = turn.get("role", turn.get("from"))
    role = ROLES.get(named) if isinstance(named, str) else None
    if role is None:
        raise RecordError(f"{place} has the role {scalar_text(named)!r}; it must be system, user, assistant or tool")
    content = turn.get("content", turn.get("value"))
    text = "" if content is None else read_text(content, f"{place}.content")
    if len(turn) == 2:
        return Message(role=role, content=text)  # type: ignore[arg-type]
    return Message(
        role=role,  # type: ignore[arg-type]
        content=text,
        name=_optional_text(turn, "name", place),
        tool_call_id=_optional_text(turn, "tool_call_id", place),
        tool_calls=_tool_calls(turn, place),
    )


def _optional_text(turn: dict[str, Any], key: str, place: str) -> str | None:
    value = turn.get(key)
    if value is None:
        return None
    text = scalar_text(value)
    if text is None:
        raise RecordError(f"{place}.{key} is {kind_of(value)}, not text")
    return text


def _tool_calls(turn: dict[str, Any], place: str) -> tuple[ToolCall, ...] | None:
    calls = turn.get("tool_calls")
    if calls is None and turn.get("function_call") is not None:
        calls = [turn["function_call"]]
    if not calls:
        return None
    if not isinstance(calls, list):
        raise RecordError(f"{place}.tool_calls is {kind_of(calls)}, not a list")
    return tuple(_tool_call(call, f"{place}.tool_calls[{index}]") for index, call in enumerate(calls))


def _tool_call(call: Any, place: str) -> ToolCall:
    function = call.get("function", call) if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise RecordError(f"{place} names no function")
    arguments = function.get("arguments")
    text = "" if arguments is None else arguments if isinstance(arguments, str) else dumps(arguments)
    return ToolCall(id=_optional_text(call, "id", place), name=function["name"], arguments=text)


def _part(part: Any, place: str) -> str:
    if isinstance(part, str):
        return part
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in _TEXT_PARTS and isinstance(part.get("text"), str):
        return str(part["text"])
    shown = kind if isinstance(kind, str) else kind_of(part)
    raise RecordError(f"{place} is no text ({shown}); only text is reviewed")
