"""Responses that decline to answer, and phrases in which a model speaks of itself as one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from holdfast.db.models import PASS, Finding, Sample, Severity, Verdict
from holdfast.verifiers.base import Context, verifier
from holdfast.verifiers.format import refusal_phrases as phrases
from holdfast.verifiers.format.passages import is_quoted, without_code
from holdfast.verifiers.reading import reading

OPENING = 200
"""Characters at the start of a response in which a refusal stands; later on the answer has already been given."""
GOES_ON = 120
"""Words from which a response that opens with a refusal goes on to answer: that is noted, not flagged."""

_SHOWN = 3
_FIRST_WORDS = 50
_ASKED_FOR = ("sorry", "apolog", "refus", "declin", "reject", "turn down", "say no", "translat")


@verifier(layer="format", version="1")
def refusal(sample: Sample, ctx: Context) -> Verdict:
    """Flag a response that declines to answer, and phrases in which a model speaks of itself ("as an AI…").

    Words in quotation marks, in code or in the prompt are somebody else's. A refusal that the reference holds too is
    the right answer.
    """
    view = reading(sample)
    lowered = view.lowered
    opening = lowered[:OPENING]
    first_words = opening[:_FIRST_WORDS]
    findings: list[Finding] = []
    if any(map(opening.__contains__, phrases.REFUSAL_WORDS)):
        findings += _refusals(sample, phrases.REFUSAL)
    if any(map(lowered.__contains__, phrases.SELF_WORDS)) or any(map(opening.__contains__, phrases.SELF_OPENING_WORDS)):
        findings += _self_descriptions(sample, phrases.SELF, sample.response)
    if any(map(first_words.__contains__, phrases.ELSEWHERE_WORDS if view.ascii else phrases.ELSEWHERE_LETTERS)):
        findings += _refusals(sample, phrases.REFUSAL_ELSEWHERE)
        findings += _self_descriptions(sample, phrases.SELF_ELSEWHERE, sample.response[:OPENING])
    return Verdict.found(findings) if findings else PASS


def _refusals(sample: Sample, pattern: re.Pattern[str]) -> Iterator[Finding]:
    """At most one finding: where the response's opening declines."""
    text = sample.response
    found = pattern.search(without_code(text[: OPENING + 100]), 0, OPENING)
    if found is None or is_quoted(text, found.start()):
        return
    asked = sample.prompt.lower()
    if any(map(asked.__contains__, _ASKED_FOR)) or pattern.search((sample.reference or "")[:OPENING]):
        return
    words = len(text.split())
    if words < GOES_ON:
        yield Finding("refusal", Severity.WARN, f"declines to answer: {_shown(found)}", found.span())
    else:
        message = f"opens with a refusal ({_shown(found)}) and goes on for {words:,} words"
        yield Finding("refusal", Severity.INFO, message, found.span())


def _self_descriptions(sample: Sample, pattern: re.Pattern[str], text: str) -> Iterator[Finding]:
    """Findings for the first phrases in which the writer calls itself a model."""
    asked = sample.prompt.lower()
    places = (found for found in pattern.finditer(without_code(text)) if found.group().lower() not in asked)
    for found in islice((found for found in places if not is_quoted(text, found.start())), _SHOWN):
        yield Finding("ai-boilerplate", Severity.WARN, f"a model speaks of itself: {_shown(found)}", found.span())


def _shown(found: re.Match[str]) -> str:
    phrase = " ".join(found.group().split()).rstrip(",. ")
    return repr(phrase if len(phrase) <= 80 else phrase[:79] + "…")
