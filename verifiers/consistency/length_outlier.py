"""Responses that are far longer or shorter than those they should be like."""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence

from holdfast.db.models import Outcome, Provenance, Sample, Verdict
from holdfast.verifiers.base import Context, Threshold, above, verifier
from holdfast.verifiers.sources import source_key, source_name, task_key

ENOUGH_REAL = 50
"""Real samples of a task from which its lengths are learned."""
ENOUGH_BATCH = 20
"""Samples of a source and task from which lengths are learned where there are too few real ones."""

_OFFSET = 20
"""Characters added before the logarithm, so that a word more or less in a one-word answer is no outlier."""
_LEAST_SPREAD = 0.2
"""Spread that is taken for granted, in log units: lengths within some 20 % of each other are alike."""


_WORTH_WORDS = 2.0
"""At lower scores there is no finding to be shown."""


@verifier(layer="consistency", version="1")
def length_outlier(sample: Sample, ctx: Context, *, flag_at: Threshold = above(3.5)) -> Verdict:
    """Score how far a response's length lies from those of its task's real samples and of its own source.

    The score is the smaller of the two robust z: a source that writes longer than people do is no outlier in itself.

    Options:
        flag_at: how many robust spreads a length may lie from the middle
    """
    length, state = len(sample.response), ctx.state("length_outlier")
    if not state or not length:
        return Verdict.abstain()
    value = _measure(length)
    known = (("real", state["real"].get(task_key(sample))), ("batch", state["batch"].get(source_key(sample))))
    distances = [(_distance(band, value), reference, band) for reference, band in known if band is not None]
    if not distances:
        return Verdict.abstain()
    z, reference, band = min(distances, key=lambda one: abs(one[0]))
    score = round(abs(z), 3)
    if score < _WORTH_WORDS:
        return Verdict(Outcome.PASS, score)
    middle, below, above_ = band
    low, high = _length(middle - below), _length(middle + above_)
    whose = f"real samples {sample.task or ''}".rstrip() if reference == "real" else source_name(sample)
    message = f"{length:,} characters; typical of {whose}: {low:,} to {high:,} (reference: {reference})"
    return Verdict.score(score, code="too-long" if z > 0 else "too-short", message=message)


def _distance(band: Sequence[float], value: float) -> float:
    """How many spreads the value lies from the middle, with its sign."""
    middle, below, above_ = band
    return (value - middle) / (above_ if value > middle else below)


@length_outlier.fit
def _learn_bands(samples: Iterable[Sample]) -> dict[str, dict[str, Sequence[float]]]:
    """The bands of each task (its real samples) and of each source within a task."""
    real: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))
    batch: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))
    for sample in samples:
        if not sample.response:
            continue
        value = _measure(len(sample.response))
        batch[source_key(sample)].append(value)
        if sample.provenance is Provenance.HUMAN:
            real[task_key(sample)].append(value)
    return {
        "real": {key: _band(values) for key, values in real.items() if len(values) >= ENOUGH_REAL},
        "batch": {key: _band(values) for key, values in batch.items() if len(values) >= ENOUGH_BATCH},
    }


def _band(values: array[float]) -> list[float]:
    """Median and, on either side, the median distance from it, scaled as for a normal distribution."""
    import numpy as np

    numbers = np.frombuffer(values)
    middle = float(np.median(numbers))
    sides = []
    for side in (middle - numbers[numbers <= middle], numbers[numbers >= middle] - middle):
        sides.append(round(max(1.4826 * float(np.median(side)), _LEAST_SPREAD), 6))
    return [round(middle, 6), *sides]


def _measure(length: int) -> float:
    return math.log(length + _OFFSET)


def _length(measure: float) -> int:
    return max(0, round(math.exp(measure) - _OFFSET))
