"""Calls of tools against the tools that were on offer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import orjson

from holdfast.db.models import PASS, Finding, Sample, Severity, Span, Verdict
from holdfast.verifiers.base import Context, did_you_mean, verifier
from holdfast.verifiers.oracles.given import given
from holdfast.verifiers.oracles.json_values import key_place, locate, path_text
from holdfast.verifiers.oracles.schemas import BadSchema, TooDeep, Violation, violations
from holdfast.verifiers.oracles.tools import ARGUMENTS, Call, call_of, calls_in, malformed, tools_of
from holdfast.verifiers.shown import shown

SHOWN = 10
"""Most findings of one sample."""

_DOUBTFUL = frozenset(
    {
        "arguments-as-text", "unknown-key", "text-around-call", "repeated-call", "unlisted-call", "argument-format",
        "duplicate-key", "unreadable-call",
    }
)  # fmt: skip
"""What some runtimes put up with: flagged, not failed."""
_CODES = {"type": "wrong-type", "required": "missing-argument", "additionalProperties": "unknown-argument",
          "enum": "not-in-enum", "const": "not-in-enum", "format": "argument-format"}  # fmt: skip


@verifier(layer="oracle", version="1")
def tool_call(sample: Sample, ctx: Context, *, within: str = "") -> Verdict:
    """Fail calls of tools that are malformed or do not fit the tools in `metadata.tools`, at the part that is wrong.

    Reads calls in the response (JSON, tagged JSON) and beside it (`tool_calls` of the turns), and tools as OpenAI and
    Anthropic write them, or as a list of name, description and parameters. `within` is the dotted path of the part of
    the metadata that holds them where that is not the top. A response without a call is left to others.

    Options:
        within: dotted place in the metadata under which `tools` stands; empty for the top
    """
    offered = given(sample, "tools", within)
    tools = tools_of(offered if offered is not None else given(sample, "functions", within))
    if tools is None:
        return Verdict.abstain()
    text = sample.response
    calls, defect, around = calls_in(text, tools)
    beside = [call_of(call.name, call.arguments) for turn in sample.messages for call in turn.tool_calls or ()]
    findings: list[Finding] = []
    if defect is not None:
        span = defect.span if defect.span[0] < len(text) else None
        findings.append(_finding(*malformed("the call is", defect, span)))
    elif not calls and not beside:
        return Verdict.abstain()
    if around is not None and text[slice(*around)].strip():
        findings.append(_finding("text-around-call", "text stands before the call", around))
    try:
        for call in [*calls, *beside]:
            findings.extend(_of_call(text, call, tools))
            if len(findings) >= SHOWN:
                break
    except BadSchema as error:
        return Verdict.error(f"the schema of a tool in the metadata cannot be used: {error}")
    except TooDeep:
        return Verdict.error("the arguments are nested too deeply to be checked")
    findings.extend(_repeated(calls))
    return Verdict.found(findings[:SHOWN]) if findings else PASS


def _of_call(text: str, call: Call, tools: Mapping[str, Any]) -> Iterator[Finding]:
    prefix = f"call of {call.name[:60]!r}: " if isinstance(call.name, str) else ""
    for code, what, span in call.mistakes:
        yield _finding(code, prefix + what, span)
    if call.name is None:
        return
    if not isinstance(call.name, str):
        yield _finding("wrong-nesting", "the name of the tool is not a text", call.name_span)
        return
    if call.name not in tools:
        known = did_you_mean(call.name, tools) or f"; on offer: {shown(', '.join(list(tools)[:5])) or 'none'}"
        yield _finding("unknown-tool", f"calls {call.name[:60]!r}, which is not on offer{known}", call.name_span)
        return
    if not call.readable:
        return
    if not isinstance(call.arguments, Mapping):
        yield _finding("wrong-type", f"{prefix}the arguments are no object", call.arguments_span)
        return
    schema = tools[call.name]
    if schema is None:
        return
    nested = _nested(call.arguments, schema)
    if nested is not None:
        span = _key(text, call, (), nested)
        yield _finding("wrong-nesting", f"{prefix}the arguments stand one level too deep, under {nested!r}", span)
        return
    for violation in islice(violations(call.arguments, schema), SHOWN):
        yield _of_violation(text, call, violation, prefix)


def _of_violation(text: str, call: Call, violation: Violation, prefix: str) -> Finding:
    code = _CODES.get(violation.keyword, "wrong-argument")
    if violation.keyword == "additionalProperties" and violation.key is not None:
        where = f" of {path_text(violation.path)[2:]}" if violation.path else ""
        what = f"the tool has no argument {violation.key[:60]!r}{where}"
        return _finding(code, prefix + what, _key(text, call, violation.path, violation.key))
    argument = path_text(violation.path)[2:]
    what = f"argument {argument}: {violation.what}" if argument else f"argument {violation.what}"
    return _finding(code, prefix + what, _value(text, call, violation.path))


def _value(text: str, call: Call, path: Sequence[str | int]) -> Span | None:
    if call.arguments_span is None or text[call.arguments_span[0]] == '"':
        return call.arguments_span
    return locate(text, call.arguments_span, path).value


def _key(text: str, call: Call, path: Sequence[str | int], key: str) -> Span | None:
    if call.arguments_span is None or text[call.arguments_span[0]] == '"':
        return call.arguments_span
    return key_place(text, call.arguments_span, path, key)


def _nested(arguments: Mapping[str, Any], schema: Mapping[str, Any]) -> str | None:
    """The key under which the arguments stand once more, where the tool has no such argument."""
    properties = schema.get("properties")
    if len(arguments) != 1 or not isinstance(properties, Mapping):
        return None
    (key, value), *_ = arguments.items()
    if key in properties or not isinstance(value, Mapping):
        return None
    return str(key) if key in (*ARGUMENTS, "properties") or any(one in properties for one in value) else None


def _repeated(calls: Sequence[Call]) -> Iterator[Finding]:
    seen: set[bytes] = set()
    for call in calls:
        if not isinstance(call.name, str) or not call.readable:
            continue
        key = orjson.dumps([call.name, call.arguments], option=orjson.OPT_SORT_KEYS)
        if key in seen:
            message = f"call of {call.name[:60]!r}: the same call with the same arguments comes again"
            yield _finding("repeated-call", message, call.name_span)
        seen.add(key)


def _finding(code: str, message: str, span: Span | None) -> Finding:
    severity = Severity.WARN if code in _DOUBTFUL else Severity.BLOCK
    return Finding(code, severity, message[0].upper() + message[1:] if message.startswith("call of") else message, span)
