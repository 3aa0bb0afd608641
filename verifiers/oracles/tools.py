"""Tools that a sample may call, in any of the usual spellings, and the calls that a response makes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from holdfast.db.models import Span
from holdfast.verifiers.base import did_you_mean
from holdfast.verifiers.format.json_scan import Defect, scan, skip_space
from holdfast.verifiers.oracles.given import parsed
from holdfast.verifiers.oracles.json_values import FOLLOWED, UNREADABLE, Json, item_spans, key_place, locate, read_json

MOST_CALLS = 1_000
"""Most calls of one response that are looked at."""
NAMES = ("name", "tool", "tool_name", "function_name")
ARGUMENTS = ("arguments", "parameters", "args", "input")

_KNOWN_KEYS = frozenset({*NAMES, *ARGUMENTS, "id", "type", "function", "index", "call_id", "tool_call_id"})
_TAG = re.compile(r"<(tool_call|functioncall|function_call|tool_use)>|\[TOOL_CALLS\]", re.IGNORECASE)
_INSIDE = re.compile(r'[{\[]\s*(?:\{\s*)?"(?:name|function|tool|tool_name|function_name|tool_calls|function_call)"\s*:')
_CALL_LIKE = re.compile(r"[\s\S]{0,40}?(?:name|function|tool|arguments|parameters)\b", re.IGNORECASE)
_TYPES = {
    "dict": "object", "map": "object", "float": "number", "double": "number", "decimal": "number", "int": "integer",
    "long": "integer", "str": "string", "text": "string", "list": "array", "tuple": "array", "bool": "boolean",
}  # fmt: skip
_NO_END_OF_JSON = ("}", "]", ",", ":", '"')
_DEEPEST_SCHEMA = 60
_MOST_KEYS = 10
_COMBINING = ("allOf", "anyOf", "oneOf", "$ref", "if", "patternProperties", "additionalProperties", "not")


Mistake = tuple[str, str, Span | None]
"""A code, what is wrong, and where."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it was made: its parts, and where they stand; without spans where it stands in no text.

    `arguments` is None where the call has none, or is no JSON object; `mistakes` are those of the call's own shape.
    """

    name: Any
    arguments: Any
    name_span: Span | None = None
    arguments_span: Span | None = None
    readable: bool = True
    mistakes: tuple[Mistake, ...] = ()


def tools_of(value: Any) -> dict[str, Any] | None:
    """The argument schemas of tools by name, None where any arguments will do; None if the value lists no tools."""
    value = parsed(value)
    if isinstance(value, Mapping):
        value = value.get("functions", value.get("tools", [value] if "name" in value or "function" in value else None))
    if not isinstance(value, list):
        return None
    tools: dict[str, Any] = {}
    for one in value:
        tool = parsed(one)
        tool = tool.get("function", tool) if isinstance(tool, Mapping) else None
        if not isinstance(tool, Mapping) or not isinstance(tool.get("name"), str):
            return None
        schema = next((tool[key] for key in ("parameters", "input_schema", "inputSchema") if key in tool), None)
        tools[tool["name"]] = closed(parsed(schema)) if isinstance(parsed(schema), Mapping) and schema else None
    return tools


def closed(schema: Any, depth: int = 0) -> Any:
    """A tool's schema in standard terms, in which objects have the properties that are listed and no others."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST_SCHEMA:
        return schema
    made: dict[str, Any] = dict(schema)
    kind = made.get("type")
    if isinstance(kind, str):
        if kind == "any":
            del made["type"]
        else:
            made["type"] = _TYPES.get(kind, kind)
    if isinstance(made.get("required"), bool):
        del made["required"]
    for key in ("properties", "$defs", "definitions"):
        if isinstance(made.get(key), Mapping):
            made[key] = {name: closed(one, depth + 1) for name, one in made[key].items()}
    if "items" in made:
        made["items"] = closed(made["items"], depth + 1)
    if isinstance(made.get("properties"), Mapping) and not any(key in made for key in _COMBINING):
        made["additionalProperties"] = False
    return made


def calls_in(text: str, names: Mapping[str, Any]) -> tuple[list[Call], Defect | None, Span | None]:
    """The calls that a text makes, its first mistake as JSON, and text around an untagged call."""
    tags = list(_TAG.finditer(text))
    if tags:
        calls: list[Call] = []
        for number, tag in enumerate(tags):
            end = tags[number + 1].start() if number + 1 < len(tags) else len(text)
            # The last one, since what stands in the arguments may hold tags of its own.
            closing = text.rfind(f"</{tag[1]}>" if tag[1] else "</", tag.end(), end)
            found = _calls_at(text, (tag.end(), closing if closing >= 0 else end), names)
            if isinstance(found, Defect):
                return calls, found, None
            calls.extend(found)
        return calls, None, None
    start = len(text) - len(text.lstrip())
    if text[start : start + 1] in ("{", "[") or text.startswith("```", start):
        found = _calls_at(text, (0, len(text)), names)
        if isinstance(found, Defect) and found.code == FOLLOWED and not text.startswith(_NO_END_OF_JSON, found.span[0]):
            return _one_after_another(text, names)
        if isinstance(found, Defect):
            return [], found if _CALL_LIKE.match(text, start) else None, None
        return found, None, None
    inside = _INSIDE.search(text)
    if inside is None:
        return [], None, None
    found = _calls_at(text, (inside.start(), max(text.rfind("}"), text.rfind("]"), inside.start()) + 1), names)
    if isinstance(found, Defect) or not any(call.name in names for call in found if isinstance(call.name, str)):
        return [], None, None
    return found, None, (0, inside.start())


def call_of(name: str, arguments: str) -> Call:
    """A call given beside the text, its arguments as JSON text."""
    found = read_json(arguments) if arguments.strip() else Json({}, (0, 0))
    if isinstance(found, Defect):
        return Call(name, None, readable=False, mistakes=(malformed("its arguments are", found, None),))
    return Call(name, found.value)


def malformed(what: str, defect: Defect, span: Span | None) -> Mistake:
    """The mistake that JSON of a call is none, or cannot be read."""
    code = "unreadable-call" if defect.code == UNREADABLE else "malformed-call"
    return code, f"{what} {'' if defect.code == UNREADABLE else 'no JSON: '}{defect.what}", span


def _one_after_another(text: str, names: Mapping[str, Any]) -> tuple[list[Call], Defect | None, Span | None]:
    """The calls of a text that begins with one and goes on behind it, with others or with words."""
    calls: list[Call] = []
    at = min(place for mark in "{[" if (place := text.find(mark)) >= 0)
    while text.startswith(("{", "["), at) and len(calls) < MOST_CALLS:
        end = scan(text, at).end
        found = _calls_at(text, (at, end), names)
        if isinstance(found, Defect):
            return calls, found, None
        if calls and found:
            what = "stands behind the call before it, not in a list with it"
            found[0] = replace(found[0], mistakes=(*found[0].mistakes, ("unlisted-call", what, (at, end))))
        if not found:
            break
        calls += found
        at = skip_space(text, end)
        if text.startswith("```", at):
            at = skip_space(text, at + 3)
    rest = at, len(text.rstrip())
    if calls and rest[0] < rest[1]:
        mistake = "text-around-call", "text stands behind the call", rest
        calls[-1] = replace(calls[-1], mistakes=(*calls[-1].mistakes, mistake))
    return calls, None, None


def _calls_at(text: str, span: Span, names: Mapping[str, Any]) -> list[Call] | Defect:
    found = read_json(text[slice(*span)])
    if isinstance(found, Defect):
        return found._replace(span=(found.span[0] + span[0], found.span[1] + span[0]))
    root = (found.span[0] + span[0], found.span[1] + span[0])
    calls = []
    for place, value in islice(_single(text, root, found.value), MOST_CALLS):
        if isinstance(value, Mapping) and _may_be_call(value, names):
            calls.append(_call(text, place, value, names))
    if calls:
        twice = scan(text[slice(*root)]).defects
        mistakes = [("duplicate-key", one.what, (one.span[0] + root[0], one.span[1] + root[0])) for one in twice]
        calls[0] = replace(calls[0], mistakes=(*calls[0].mistakes, *mistakes))
    return calls


def _single(text: str, root: Span, value: Any) -> Iterator[tuple[Span, Any]]:
    """The objects of a list of calls, or the one there is, with their places."""
    for key, kind in (("tool_calls", list), ("function_call", dict)):
        if isinstance(value, dict) and isinstance(value.get(key), kind):
            root, value = locate(text, root, (key,)).value, value[key]
    if isinstance(value, list):
        yield from zip(item_spans(text, root), value, strict=False)
    else:
        yield root, value


def _may_be_call(value: Mapping[str, Any], names: Mapping[str, Any]) -> bool:
    if any(key in names for key in value) or any(key in value for key in ARGUMENTS):
        return True
    if isinstance(value.get("function"), str | Mapping):
        return True
    # Other objects have names too: {"name": "Kim", "age": 40}.
    name = next((value[key] for key in NAMES if key in value), None)
    if isinstance(name, str) and (name in names or not _unknown_keys(value) or did_you_mean(name, names)):
        return True
    return _misnamed(value, names) is not None


def _misnamed(value: Mapping[str, Any], names: Mapping[str, Any]) -> str | None:
    """The key of another name under which an object names a tool."""
    return next((key for key, one in value.items() if isinstance(one, str) and one in names), None)


def _call(text: str, root: Span, value: Mapping[str, Any], names: Mapping[str, Any]) -> Call:
    mistakes: list[Mistake] = []
    wrapped = isinstance(value.get("function"), Mapping)
    if wrapped:
        mistakes += [_extra(text, root, key) for key in _unknown_keys(value)]
        root, value = locate(text, root, ("function",)).value, value["function"]
    name_key = next((key for key in (*NAMES, "function") if key in value), None)
    if name_key is None:
        mistakes.append(_nameless(text, root, value, names))
        return Call(None, None, None, root, False, tuple(mistakes))
    name, name_span = value[name_key], locate(text, root, (name_key,)).value
    if name is None:
        mistakes.append(("missing-name", "the name of the tool is null", name_span))
        return Call(None, None, None, root, False, tuple(mistakes))
    arguments_key = next((key for key in ARGUMENTS if key in value), None)
    extra = _unknown_keys(value)
    if arguments_key is None:
        beside = [key for key in extra if key in _properties(names, name)]
        if beside:
            what = 'the arguments stand beside the name instead of under "arguments"'
            mistakes.append(("wrong-nesting", what, key_place(text, root, (), beside[0])))
            return Call(name, None, name_span, root, False, tuple(mistakes))
    mistakes += [_extra(text, root, key) for key in extra]
    if arguments_key is None:
        return Call(name, {}, name_span, root, True, tuple(mistakes))
    span = locate(text, root, (arguments_key,)).value
    return _with_arguments(name, name_span, value[arguments_key], span, wrapped, mistakes)


def _nameless(text: str, root: Span, value: Mapping[str, Any], names: Mapping[str, Any]) -> Mistake:
    named = [key for key in value if key in names]
    misnamed = _misnamed(value, names)
    if misnamed is not None:
        what = f'the name of the tool stands under {misnamed[:60]!r}, not under "name"'
        return "unknown-key", what, key_place(text, root, (), misnamed)
    if len(named) != 1:
        return "missing-name", "the call names no tool", root
    what = f'the name {named[0][:60]!r} stands as a key, not as the value of "name"'
    return "wrong-nesting", what, key_place(text, root, (), named[0])


def _with_arguments(
    name: Any, name_span: Span, arguments: Any, span: Span, as_text: bool, mistakes: list[Mistake]
) -> Call:
    readable = True
    if isinstance(arguments, str):
        inner = read_json(arguments)
        if isinstance(inner, Defect):
            mistakes.append(malformed("the arguments are a text that is", inner, span))
            readable = False
        else:
            arguments = inner.value
            if not as_text:
                mistakes.append(("arguments-as-text", "the arguments are a text that holds JSON, not an object", span))
    return Call(name, arguments, name_span, span, readable, tuple(mistakes))


def _unknown_keys(value: Mapping[str, Any]) -> list[str]:
    return list(islice((key for key in value if key not in _KNOWN_KEYS), _MOST_KEYS))


def _extra(text: str, root: Span, key: str) -> Mistake:
    return "unknown-key", f"{key[:60]!r} is no part of a call", key_place(text, root, (), key)


def _properties(names: Mapping[str, Any], name: Any) -> Mapping[str, Any]:
    schema = names.get(name) if isinstance(name, str) else None
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    return properties if isinstance(properties, Mapping) else {}
