"""Grounded answers that say much in words which their source does not use."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from holdfast.db.models import Provenance, Sample, Span, Verdict
from holdfast.verifiers.base import Context, Threshold, above, verifier
from holdfast.verifiers.consistency.grounding import ENOUGH_BATCH, ENOUGH_REAL, source_text
from holdfast.verifiers.consistency.specimens import Specimens
from holdfast.verifiers.consistency.words import words
from holdfast.verifiers.sources import source_key, source_name, task_key

_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?]+(?!\s)[^.!?\n]+)*[.!?]*")
_SHORT = 3
"""ASCII words up to this length are taken for function words, which support nothing."""
_SHRINK = 6
_LEAST_SPREAD = 0.1
_LOOKED_AT = 20_000
_MOST_TEXTS = 300
_MOST_TEXTS_IN_ALL = 4_000


class _Sentence(NamedTuple):
    """A sentence's content words, those of them that the source lacks, and where it stands."""

    n: int
    missing: int
    span: Span

    @property
    def weight(self) -> float:
        """How much it says without support; grows with the length of a sentence and with the share of its words."""
        return self.missing / math.sqrt(self.n + _SHRINK)


@verifier(layer="consistency", version="1")
def weak_support(sample: Sample, ctx: Context, *, source: str = "source", flag_at: Threshold = above(2.5)) -> Verdict:
    """Score how much more a grounded answer's worst sentence says in words that its source lacks than is usual.

    The score is a robust z, the smaller one among the task's real samples and among the sample's own source. It is a
    hint: other words can say the same, and the same words something else. `source` is the path in the metadata of the
    text, or the list of texts, to which the answer must keep.

    Options:
        source: dotted place in the metadata of the text that the response must keep to
        flag_at: how many robust spreads a sentence's support may lie below the usual
    """
    state = ctx.state("weak_support")
    given = source_text(sample, source) if state else None
    if not state or given is None or not sample.response:
        return Verdict.abstain()
    bands = [("real", state["real"].get(task_key(sample))), ("batch", state["batch"].get(source_key(sample)))]
    worst = _worst(sample, given)
    found = [((worst.weight - band[0]) / band[1], name) for name, band in bands if band is not None]
    if not found:
        return Verdict.abstain()
    z, reference = min(found)
    whose = f"real samples {sample.task or ''}".rstrip() if reference == "real" else source_name(sample)
    message = (
        f"{worst.missing} of {worst.n} content words of this sentence do not stand in the source, "
        f"more than is usual of {whose} (reference: {reference})"
    )
    return Verdict.score(round(z, 3), code="weak-support", message=message, span=worst.span)


def _worst(sample: Sample, given: str) -> _Sentence:
    """The sentence that says most without support."""
    known = set(words(given))
    sentences = list(_sentences(sample.response[:_LOOKED_AT], known))
    return max(sentences, key=lambda one: one.weight, default=_Sentence(0, 0, (0, len(sample.response))))


def _sentences(text: str, known: set[str]) -> Iterator[_Sentence]:
    for match in _SENTENCE.finditer(text):
        content = [word for word in words(match.group()) if len(word) > _SHORT or not word.isascii()]
        if content:
            start = match.start() + len(match.group()) - len(match.group().lstrip())
            yield _Sentence(len(content), sum(word not in known for word in content), (start, match.end()))


@weak_support.fit
def _learn_support(samples: Iterable[Sample], *, source: str) -> dict[str, dict[str, list[float]]]:
    """Middle and spread of the weight of the worst sentence, by task among real samples, and by source."""

    def measured(sample: Sample) -> tuple[float, ...]:
        return (_worst(sample, source_text(sample, source) or "").weight,)

    real: Specimens[tuple[float, ...]] = Specimens(measured, most=_MOST_TEXTS, total=_MOST_TEXTS_IN_ALL)
    batch: Specimens[tuple[float, ...]] = Specimens(measured, most=_MOST_TEXTS, total=_MOST_TEXTS_IN_ALL)
    for sample in samples:
        if sample.response and source_text(sample, source) is not None:
            batch.add(source_key(sample), sample)
            if sample.provenance is Provenance.HUMAN:
                real.add(task_key(sample), sample)
    return {"real": _bands(real, ENOUGH_REAL), "batch": _bands(batch, ENOUGH_BATCH)}


def _bands(specimens: Specimens[Any], enough: int) -> dict[str, list[float]]:
    kept = {key: [weight for (weight,) in specimens.of(key)] for key in specimens.counts}
    return {key: _band(weights) for key, weights in kept.items() if len(weights) >= enough}


def _band(weights: Sequence[float]) -> list[float]:
    import numpy as np

    middle = float(np.median(weights))
    spread = 1.4826 * float(np.median(np.abs(np.array(weights) - middle)))
    return [round(middle, 4), round(max(spread, _LEAST_SPREAD), 4)]
