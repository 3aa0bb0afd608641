"""Text that stands where an answer should stand: nothing at all, a placeholder, an unfilled template."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Literal

from holdfast.db.models import PASS, Finding, Outcome, Sample, Severity, Verdict
from holdfast.verifiers.base import Context, verifier

PLACEHOLDERS = frozenset(
    {
        "answer here", "fixme", "insert answer here", "insert text here", "lorem ipsum", "n/a", "nan", "no input",
        "no output", "no response", "noinput", "nooutput", "placeholder", "tba", "tbd", "text here", "to be added",
        "to be determined", "todo", "undefined", "your answer", "your answer here", "your response here",
        "your text here",
    }
)  # fmt: skip
"""Whole texts, without case, brackets and outer punctuation, that say nothing."""

_OUTER = " \t\r\n.,:;!?…-–—_*#\"'`<>[](){}"
_VARIABLE = re.compile(r"\{\{\s{0,4}[A-Za-z_][\w.-]{0,40}\s{0,4}\}\}")
_INSERT = re.compile(r"[\[<]\s?(?:INSERT|(?:[Ii]nsert|Add|Enter|Your|YOUR)\s)[^\[\]<>\n]{0,60}[\]>]")
_LOREM = re.compile(r"lorem ipsum", re.IGNORECASE)
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_VARIABLE_LEFT = "the template variable {} was never filled in"
_LONGEST_WHOLE = 80
_SHOWN = 20


@verifier(layer="format", version="1")
def empty_or_placeholder(sample: Sample, ctx: Context) -> Verdict:
    """Fail an empty response; flag one that is a placeholder, and template variables that were never filled in."""
    response = sample.response
    if not response or response.isspace():
        return PASS if _calls_tools(sample) or not _has_response(sample) else _empty(response)
    findings = [*_whole(sample), *_unfilled(response, sample.prompt)]
    if "{{" in sample.prompt and "{{" not in response:
        findings += _each(_VARIABLE, sample.prompt, "prompt", "unfilled-template", _VARIABLE_LEFT)
    return Verdict(Outcome.FLAG, None, tuple(findings)) if findings else PASS


def _empty(response: str) -> Verdict:
    what = "holds white space alone" if response else "is empty"
    return Verdict.fail("empty-response", f"the response {what}")


def _has_response(sample: Sample) -> bool:
    # A missing turn is what required_fields reports.
    return any(message.role == "assistant" for message in sample.messages)


def _calls_tools(sample: Sample) -> bool:
    last = next((message for message in reversed(sample.messages) if message.role == "assistant"), None)
    return last is not None and bool(last.tool_calls)


def _whole(sample: Sample) -> Iterator[Finding]:
    """A finding where the whole response, or a whole turn of the prompt, is a placeholder."""
    if sample.response not in (sample.label, sample.reference) and is_placeholder(sample.response):
        text = sample.response.strip()
        start = sample.response.index(text)
        message = f"the whole response is the placeholder {text!r}"
        yield Finding("placeholder", Severity.WARN, message, (start, start + len(text)))
    if len(sample.prompt) <= _LONGEST_WHOLE and is_placeholder(sample.prompt):
        message = f"the whole prompt is the placeholder {sample.prompt.strip()!r}"
        yield Finding("placeholder", Severity.WARN, message, (0, len(sample.prompt)), "prompt")


def is_placeholder(text: str) -> bool:
    """Whether the text as a whole is a placeholder, whatever its case, brackets and outer punctuation."""
    if len(text) > _LONGEST_WHOLE:
        return False
    core = " ".join(text.strip(_OUTER).casefold().split())
    return core in PLACEHOLDERS or (
        not core and not any(mark.isalnum() for mark in text) and "…" in text.replace("...", "…")
    )


def _unfilled(text: str, asked: str) -> Iterator[Finding]:
    """Findings for template variables in a response, unless they are code or the prompt holds some too."""
    if "{{" in text and "{{" not in asked:
        yield from _each(_VARIABLE, text, "response", "unfilled-template", _VARIABLE_LEFT)
    if _INSERT.search(text) and not _INSERT.search(asked):
        yield from _each(_INSERT, text, "response", "unfilled-template", "{} was never filled in")
    if _LOREM.search(text) and not _LOREM.search(asked):
        yield from _each(_LOREM, text, "response", "filler-text", "{} is filler text")


def _each(
    pattern: re.Pattern[str], text: str, of: Literal["response", "prompt"], code: str, message: str
) -> Iterator[Finding]:
    if "`" in text:
        text = _CODE.sub(lambda code: " " * len(code.group()), text)
    for found in islice(pattern.finditer(text), _SHOWN):
        yield Finding(code, Severity.WARN, message.format(found.group()), found.span(), of)
