"""Grounded answers that name what their source does not hold."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable
from itertools import islice

from holdfast.db.models import PASS, Finding, Provenance, Sample, Severity, Verdict
from holdfast.verifiers.base import Context, Threshold, above, verifier
from holdfast.verifiers.consistency.checkable import Lookup, Token, tokens
from holdfast.verifiers.consistency.grounding import ENOUGH_REAL, source_text
from holdfast.verifiers.shown import shown
from holdfast.verifiers.sources import task_key

_SHOWN = 10
_LONGEST = 60
_LOOKED_AT = 100_000
_LOOKED_UP = 300


@verifier(layer="consistency", version="1")
def unsupported_by_source(
    sample: Sample, ctx: Context, *, source: str = "source", flag_at: Threshold = above(0)
) -> Verdict:
    """Score by how many numbers, names and quotations a grounded answer has that neither source nor prompt holds.

    `source` is the path in the metadata of the text, or the list of texts, to which the answer must keep. Where most
    real samples of a task have such tokens too, only what exceeds their middle counts. Names that begin a sentence,
    and the numbers of lists and references, are not looked up: that they are right is not checked, nor anything else.

    Options:
        source: dotted place in the metadata of the text that the response must keep to
        flag_at: how many things that the source does not hold a response may have
    """
    given = source_text(sample, source)
    if given is None or not sample.response:
        return Verdict.abstain()
    found = unsupported(sample, given)
    if not found:
        return _NONE
    usual = (ctx.state("unsupported_by_source") or {}).get(task_key(sample), 0.0)
    return Verdict.score(max(0.0, len(found) - usual), findings=[_finding(one) for one in found[:_SHOWN]])


_NONE = Verdict(PASS.outcome, 0.0)


def _finding(token: Token) -> Finding:
    text = shown(token.text, _LONGEST)
    message = f"the source does not mention “{text}”"
    if token.kind == "quotation":
        message = f"“{text}” stands in quotes, but not in the source"
    return Finding(f"unsupported-{token.kind}", Severity.WARN, message, token.span)


def unsupported(sample: Sample, given: str) -> list[Token]:
    """The checkable tokens of the response that neither the source nor the prompt holds, each once."""
    candidates = list(islice(tokens(sample.response[:_LOOKED_AT]), _LOOKED_UP))
    if not candidates:
        return []
    known = Lookup(f"{given}\n{sample.prompt}")
    missing = {token.text.casefold(): token for token in reversed(candidates) if not known.holds(token)}
    return sorted(missing.values(), key=lambda token: token.span)


@unsupported_by_source.fit
def _usual(samples: Iterable[Sample], *, source: str) -> dict[str, float]:
    """By task, the middle of the counts of its real samples, where there are enough of them and it is not 0."""
    import numpy as np

    counts: defaultdict[str, array[int]] = defaultdict(lambda: array("l"))
    for sample in samples:
        if sample.provenance is Provenance.HUMAN:
            given = source_text(sample, source)
            if given is not None:
                counts[task_key(sample)].append(len(unsupported(sample, given)))
    middles = {key: float(np.median(found)) for key, found in counts.items() if len(found) >= ENOUGH_REAL}
    return {key: middle for key, middle in middles.items() if middle}
