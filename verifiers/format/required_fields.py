"""Is there a prompt and a response?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from holdfast.db.models import PASS, Finding, Sample, Severity, Verdict
from holdfast.verifiers.base import Context, verifier
from holdfast.verifiers.sources import source_key

FEWEST = 20
"""Samples that a source must have before it counts as one of plain texts, which have no prompts."""


@verifier(layer="format", version="2")
def required_fields(sample: Sample, ctx: Context) -> Verdict:
    """Fail a sample without a response; flag one without a prompt.

    In a source of plain texts (most of its samples have no prompt) a missing prompt is only noted.
    """
    if not any(message.role == "assistant" for message in sample.messages):
        return Verdict.fail("no-response", "there is no assistant turn: nothing to review or to train on")
    if has_prompt(sample):
        return PASS
    plain_texts = source_key(sample) in (ctx.state("required_fields") or ())
    severity = Severity.INFO if plain_texts else Severity.WARN
    return Verdict.found([Finding("no-prompt", severity, "the prompt is empty: no user turn says what was asked")])


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
