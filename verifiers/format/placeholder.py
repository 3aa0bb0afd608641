"""Text that stands where an answer should stand: nothing at all, a placeholder, an unfilled template."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Literal

from holdfast.db.models import PASS, Finding, Outcome, Sample, Severity, Verdict
from holdfast.verifiers.base import Context, verifier
from holdfast.verifiers.format.passages import without_code
from holdfast.verifiers.shown import shown

PLACEHOLDERS = frozenset(
    {
        "answer goes here", "answer here", "content goes here", "fixme", "insert answer here", "insert text here",
        "lorem ipsum", "n/a", "nan", "no answer provided", "no input", "no output", "no response", "none provided",
        "noinput", "nooutput", "not applicable", "not provided", "null", "placeholder",
        "sample text", "tba", "tbd", "text goes here", "text here", "to be added", "to be determined", "todo",
        "undefined", "your answer", "your answer here", "your response here", "your text here",
    }
)  # fmt: skip
"""Whole texts, without case, brackets and outer punctuation, that say nothing."""

_OUTER = " \t\r\n.,:;!?…-–—_*#\"'`<>[](){}"
_VARIABLE = re.compile(r"\{\{\s{0,4}[A-Za-z_][\w.-]{0,40}\s{0,4}\}\}")
# Their first character comes first, and what may not stand before it is looked at after: they are searched faster so.
_BRACED = re.compile(
    r"\{(?:(?<![\w{}$\\\"'@]\{)|(?<=[\s(]\$\{)|(?<=\A\$\{))(?:input|output|instructions?|question|answer|context|prompt|name|text|query|topic|response"
    r"|user|content|document|passage|title|language|[a-z]{2,20}_[a-z_]{2,20})\}(?![}\"'{])"
)
_BLANK = re.compile(
    r"[\[<](?:\s?(?:INSERT|(?:[Ii]nsert|[Aa]dd|[Ee]nter|[Ss]pecify|[Pp]laceholder|[Yy]our|YOUR)\s)[^\[\]<>\n]{0,60}[\]>]"
    r"|(?<=<)(?:(?:FIRST|LAST|FULL|USER|COMPANY)[_ ])?(?:NAME|DATE|CITY|EMAIL|PHONE|ADDRESS|COMPANY|PERSON|LOCATION)>"
    r"|(?<=\[)(?<![\w\])]\[)(?:[\w'’.&-]{1,20}[ /]){0,4}"
    r"(?i:names?|dates?|address|numbers?|e-?mail|company|employers?|recipients?|positions?|designation|job title"
    r"|department|organi[sz]ation|university|location|website|link|url|amount|signature|contact information"
    r"|user|friend|recruiter|manager|professor|customer|client|candidate|applicant)\])(?![(\[:\w])"
)
_FILLER = re.compile(r"\?{3,}|[xX]{3,}|_{3,}|[\[<(](?:blank|empty)[\])>]", re.IGNORECASE)
_LOREM = re.compile(r"lorem ipsum", re.IGNORECASE)
_WANTED = re.compile(
    r"\b(?:placeholders?|templates?|brackets?|fill(?:ed)? in|blanks?|variables?|forms?)\b", re.IGNORECASE
)
_PROGRAM = re.compile(
    r"\bf[\"']|\.format\(|^[ \t]*(?:def|class|import|return|print|echo|export)\b|=>|^#!|;[ \t]*$", re.MULTILINE
)
_VARIABLE_LEFT = "the template variable {} was never filled in"
_LONGEST_WHOLE = 80
_SHOWN = 20


@verifier(layer="format", version="2")
def empty_or_placeholder(sample: Sample, ctx: Context) -> Verdict:
    """Fail an empty response; flag one that is a placeholder, and template variables that were never filled in."""
    response = sample.response
    if not response or response.isspace():
        return PASS if _calls_tools(sample) or not _has_response(sample) else _empty(response)
    findings = [*_whole(sample), *_unfilled(response, sample.prompt), *_unfilled_prompt(sample.prompt, response)]
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
    if core in PLACEHOLDERS or _FILLER.fullmatch(text.strip()):
        return True
    return not core and not any(mark.isalnum() for mark in text) and "…" in text.replace("...", "…")


def _unfilled(text: str, asked: str) -> Iterator[Finding]:
    """Findings for what a response leaves to be filled in, unless it is code or the prompt wants or holds some too."""
    if "{" in text:
        if "{{" in text and "{{" not in asked:
            yield from _each(_VARIABLE, text, "response", "unfilled-template", _VARIABLE_LEFT)
        if _BRACED.search(text) and "{" not in asked and not _PROGRAM.search(text) and not _WANTED.search(asked):
            yield from _each(_BRACED, text, "response", "unfilled-template", _VARIABLE_LEFT)
    bracketed = ("[" in text or "<" in text) and _BLANK.search(text)
    if bracketed and not _BLANK.search(asked) and not _WANTED.search(asked):
        yield from _each(_BLANK, text, "response", "unfilled-template", "{} was never filled in")
    if "ipsum" in text and _LOREM.search(text) and not _LOREM.search(asked):
        yield from _each(_LOREM, text, "response", "filler-text", "{} is filler text")


def _unfilled_prompt(prompt: str, response: str) -> Iterator[Finding]:
    """Findings for template variables of a prompt, unless it is about templates or code."""
    if "{" not in prompt or "{" in response:
        return
    if "{{" in prompt:
        yield from _each(_VARIABLE, prompt, "prompt", "unfilled-template", _VARIABLE_LEFT)
    if _BRACED.search(prompt) and not _PROGRAM.search(prompt) and not _WANTED.search(prompt):
        yield from _each(_BRACED, prompt, "prompt", "unfilled-template", _VARIABLE_LEFT)


def _each(
    pattern: re.Pattern[str], text: str, of: Literal["response", "prompt"], code: str, message: str
) -> Iterator[Finding]:
    for found in islice(pattern.finditer(without_code(text)), _SHOWN):
        yield Finding(code, Severity.WARN, message.format(shown(found.group(), _LONGEST_WHOLE)), found.span(), of)
