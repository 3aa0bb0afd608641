"""Is there a prompt and a response, and are the turns in an order that a conversation can have?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from holdfast.db.models import PASS, Finding, Message, Outcome, Sample, Severity, Verdict
from holdfast.verifiers.base import Context, verifier
from holdfast.verifiers.sources import source_key

FEWEST = 20
"""Samples that a source must have before it counts as one of plain texts, which have no prompts."""


@verifier(layer="format", version="1")
def required_fields(sample: Sample, ctx: Context) -> Verdict:
    """Fail a sample without a response; flag one without a prompt, or with turns out of order.

    In a source of plain texts (most of its samples have no prompt) a missing prompt is only noted.
    """
    messages = sample.messages
    if not any(message.role == "assistant" for message in messages):
        return Verdict.fail("no-response", "there is no assistant turn: nothing to review or to train on")
    disorder = turns_out_of_order(messages)
    findings = [Finding("turn-order", Severity.WARN, disorder)] if disorder else []
    if not has_prompt(sample):
        plain_texts = source_key(sample) in (ctx.state("required_fields") or ())
        severity = Severity.INFO if plain_texts else Severity.WARN
        findings.append(Finding("no-prompt", severity, "the prompt is empty: no user turn says what was asked"))
    if not findings:
        return PASS
    flagged = any(finding.severity is Severity.WARN for finding in findings)
    return Verdict(Outcome.FLAG if flagged else Outcome.PASS, None, tuple(findings))


@required_fields.fit
def _sources_of_plain_texts(samples: Iterable[Sample]) -> Sequence[str]:
    """Keys of the sources of which most samples have no prompt."""
    counts: Counter[str] = Counter()
    without: Counter[str] = Counter()
    for sample in samples:
        key = source_key(sample)
        counts[key] += 1
        without[key] += not has_prompt(sample)
    return sorted(key for key, n in counts.items() if n >= FEWEST and 2 * without[key] > n)


def has_prompt(sample: Sample) -> bool:
    """Whether any user turn says something."""
    return any(
        message.role == "user" and not message.content.isspace() and message.content for message in sample.messages
    )


def turns_out_of_order(messages: Sequence[Message]) -> str | None:
    """What is wrong with the order of the turns, in words; None where nothing is."""
    before: Message | None = None
    open_calls: set[Any] = set()
    for number, message in enumerate(messages, start=1):
        problem = _misplaced(message, before, open_calls)
        if problem:
            return f"turn {number} ({message.role}) {problem}"
        if message.role == "assistant":
            open_calls = {call.id for call in message.tool_calls or ()}
        before = message
    if messages[-1].role != "assistant":
        return f"the conversation ends with a {messages[-1].role} turn that nothing answers"
    return None


def _misplaced(message: Message, before: Message | None, open_calls: set[Any]) -> str | None:
    previous = before.role if before is not None else None
    if message.role in ("system", "developer"):
        return None if previous in (None, "system", "developer") else "comes after the conversation has begun"
    if message.role == "tool":
        if not open_calls:
            return "answers a tool call that was never made"
        if message.tool_call_id is not None and message.tool_call_id not in open_calls:
            return f"answers the tool call {message.tool_call_id!r}, which was never made"
        return None
    if message.role == "user" and previous == "user":
        return "follows another user turn"
    if message.role == "assistant" and previous == "assistant":
        return "follows another assistant turn"
    if message.role == "user" and previous == "assistant" and before is not None and before.tool_calls:
        return "comes before the tool call of the turn above was answered"
    return None
