"""Responses that are meant to be JSON and are not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from holdfast.db.models import Finding, Sample, Severity, Verdict
from holdfast.verifiers.base import Context, verifier
from holdfast.verifiers.format.json_scan import MOST_DUPLICATES, Defect, scan, skip_space

_ASKED = re.compile(
    r"\b(?:respond|reply|answer|output|return|response|results?|format(?:ted)?|wrap(?:ped)?|present(?:ed)?|provided?"
    r"|given?|written|encoded|structured|convert(?:ed)?|generate|produce|create|list)\b[^.?!\n]{0,60}?\bjson\b"
    r"(?! (?:schema|file|files|parser|web|path|to\b|into\b))",
    re.IGNORECASE,
)
_NOTHING_ELSE = re.compile(
    r"\b(?:only|just|nothing else|entire|whole|no other text|without any|valid) [^.?!\n]{0,40}\bjson\b"
    r"|\bjson\b[^.?!\n]{0,40}\b(?:only|and nothing else|alone)\b|\bnothing else\b"
    r"|\bno (?:other|additional|extra) text\b",
    re.IGNORECASE,
)
_OF_CODE = re.compile(
    r"\b(?:how (?:do|to|can)|explain|what|why|python|dict(?:ionary)?|javascript|typescript|function|script|code|program"
    r"|parse|flask|api|pandas|class|yaml|xml|csv)\b",
    re.IGNORECASE,
)
_LOOKS = re.compile(r'\s*(?:\{\s*"[^"\n]{0,200}"\s*:|\[\s*\{\s*"[^"\n]{0,200}"\s*:|```(?:json|JSON)\s)')
_FENCE = re.compile(r"```[ \t]*(?:json5?|JSON)?[ \t]*\n?")
_OPENS = re.compile(r'\{\s*["\'}A-Za-z_“]|\[\s*[\[{"\'\]\d-]')


class _Place(NamedTuple):
    """Where the JSON of a response begins and ends, and where its fence, if it has one, begins and ends."""

    start: int
    end: int
    outer: tuple[int, int]


@verifier(layer="format", version="1")
def json_text(sample: Sample, ctx: Context) -> Verdict:
    """Flag a response that is meant to be JSON and does not parse, and arguments of tool calls that do not.

    Meant to be JSON is what a schema (`metadata.schema`) or the prompt asks for, and what begins as JSON. Duplicate
    keys, NaN, comments, trailing commas and other quotation marks are mistakes, and so is text around JSON where JSON
    alone was asked for.
    """
    text, prompt = sample.response, sample.prompt
    findings = list(_arguments(sample))
    schema = sample.metadata_json is not None and '"schema"' in sample.metadata_json and "schema" in sample.metadata
    asked = schema or (("JSON" in prompt or "json" in prompt) and _asks(prompt))
    if not text or not (asked or (text.lstrip()[:1] in ("{", "[", "`") and _begins(sample))):
        return Verdict.found(findings) if findings or _calls(sample) else Verdict.abstain()
    alone = schema or (asked and _NOTHING_ELSE.search(prompt) is not None)
    findings += _judge(text, asked, alone)
    return Verdict.found(findings)


def _calls(sample: Sample) -> bool:
    return any(message.tool_calls for message in sample.messages)


def _arguments(sample: Sample) -> Iterator[Finding]:
    """Findings for tool calls whose arguments are no JSON; they stand in no text, so they have no span."""
    for message in sample.messages:
        for call in message.tool_calls or ():
            if not _is_sound(call.arguments):
                result = scan(call.arguments)
                what = _described(call.arguments, result.defects[0]) if result.defects else "text follows the JSON"
                message_text = f"the arguments of the call to {call.name[:60]!r} are no JSON: {what}"
                yield Finding("json-arguments", Severity.WARN, message_text)


def _asks(prompt: str) -> bool:
    return _ASKED.search(prompt) is not None and _OF_CODE.search(prompt) is None


def _begins(sample: Sample) -> bool:
    """Whether the response begins as JSON, rather than as an object of a programming language.

    Where tools are given, what opens with a brace is a call of one.
    """
    if "tools" in sample.metadata and sample.response.lstrip()[:1] == "{":
        return True
    return _LOOKS.match(sample.response) is not None and _OF_CODE.search(sample.prompt) is None


def _judge(text: str, asked: bool, alone: bool) -> Iterator[Finding]:
    place = _place(text)
    if place is None:
        if not _is_sound(text):
            yield Finding("no-json", Severity.WARN, "JSON was asked for, and there is none")
        return
    after = place.outer[1]
    if not _is_sound(text[place.start : place.end]):
        defects, end = _defects(text[: place.end], place.start)
        yield from (Finding(one.code, Severity.WARN, _described(text, one), one.span) for one in defects)
        after = max(end, after) if after > place.end else end
    if asked:
        severity = Severity.WARN if alone else Severity.INFO
        yield from _beside(text, 0, place.outer[0], "before", severity)
        yield from _beside(text, after, len(text), "after", severity)


def _defects(text: str, at: int) -> tuple[list[Defect], int]:
    """The defects of a value, or of several on lines of their own, and where what is JSON ends."""
    found: list[Defect] = []
    while len(found) < MOST_DUPLICATES:
        result = scan(text, at)
        found += result.defects
        if any(one.code != "json-duplicate-key" for one in result.defects):
            return found, len(text)
        at = skip_space(text, result.end)
        if text[at : at + 1] not in ("{", "["):
            return found, result.end
    return found, len(text)


def _place(text: str) -> _Place | None:
    """The first passage that begins as JSON, in a fence or bare."""
    fence = _FENCE.search(text)
    while fence is not None and not _OPENS.match(text, fence.end()):
        fence = _FENCE.search(text, fence.end())
    bare = _OPENS.search(text)
    if bare is None:
        return None
    if fence is not None and fence.end() <= bare.start():
        close = text.find("```", fence.end())
        end, after = (close, close + 3) if close >= 0 else (len(text), len(text))
        return _Place(fence.end(), end, (fence.start(), after))
    return _Place(bare.start(), len(text), (bare.start(), len(text)))


def _beside(text: str, start: int, end: int, where: str, severity: Severity) -> Iterator[Finding]:
    words = text[start:end].strip()
    if words:
        at = text.index(words, start)
        yield Finding("text-around-json", severity, f"text {where} the JSON", (at, at + len(words)))


def _is_sound(text: str) -> bool:
    """Whether the text is JSON without duplicate keys; a quick yes, and a no that the scanner explains."""
    try:
        json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("duplicate key")


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _described(text: str, defect: Defect) -> str:
    at = defect.span[0]
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    return f"line {line}, column {column}: {defect.what}"
