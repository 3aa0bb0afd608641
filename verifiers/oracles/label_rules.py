"""Labels against the rules of a labelling task, as the project states them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from holdfast.db.models import Finding, Sample, Severity, Span, Verdict
from holdfast.verifiers.base import Context, did_you_mean, verifier

ANY_TASK = "*"
"""Stands for every task that is not named itself."""
_SHOWN = 60
_NO_LABELS: Mapping[str, tuple[str, ...]] = {}
_NO_RULES: Mapping[re.Pattern[str], str] = {}


@verifier(layer="oracle", version="1")
def label_rules(
    sample: Sample,
    ctx: Context,
    *,
    allowed: Mapping[str, tuple[str, ...]] = _NO_LABELS,
    rules: Mapping[re.Pattern[str], str] = _NO_RULES,
) -> Verdict:
    """Flag labels that their task does not have, or that a keyword of the prompt contradicts.

    `allowed` gives the labels by task ("*": any other task); `rules` gives, by a regular expression searched for in the
    prompt, the label that a match asks for. The label is the sample's own, else its response.

    Options:
        allowed: the labels that a task may have, by task; `*` stands for every other one
        rules: by regular expression, the label of the samples whose prompt it matches
    """
    label = sample.label if sample.label is not None else sample.response.strip()
    labels = allowed.get(sample.task or ANY_TASK, allowed.get(ANY_TASK))
    if not label or (labels is None and not rules):
        return Verdict.abstain()
    findings = [*_not_allowed(sample, label, labels), *_against_rules(sample, label, rules)]
    if findings or labels is not None or any(pattern.search(sample.prompt) for pattern in rules):
        return Verdict.found(findings)
    return Verdict.abstain()


def _not_allowed(sample: Sample, label: str, labels: Sequence[str] | None) -> Iterator[Finding]:
    if labels is None or label in labels:
        return
    known = did_you_mean(label, labels) or f" (allowed: {_clipped(', '.join(labels))})"
    message = f"{_clipped(label)!r} is no label of {f'task {sample.task!r}' if sample.task else 'this task'}{known}"
    yield Finding("label-not-allowed", Severity.WARN, message, _place(sample, label))


def _against_rules(sample: Sample, label: str, rules: Mapping[re.Pattern[str], str]) -> Iterator[Finding]:
    for pattern, wanted in rules.items():
        match = pattern.search(sample.prompt)
        if match is not None and label != wanted:
            message = f"rule {_clipped(pattern.pattern)!r} asks for {wanted!r}, the label is {_clipped(label)!r}"
            yield Finding("label-rule", Severity.WARN, message, match.span(), "prompt")


def _place(sample: Sample, label: str) -> Span | None:
    """Where the response is the label, or holds it."""
    at = sample.response.find(label)
    return (at, at + len(label)) if at >= 0 else None


def _clipped(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
