"""Responses that are far longer or shorter than those they should be like."""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from holdfast.db.models import Provenance, Sample, Verdict
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


class _Band(NamedTuple):
    """The middle of the log lengths and their robust spread on either side."""

    middle: float
    below: float
    above: float

    def distance(self, value: float) -> float:
        """How many spreads the value lies from the middle, with its sign."""
        return (value - self.middle) / (self.above if value > self.middle else self.below)


@verifier(layer="consistency", version="1")
def length_outlier(sample: Sample, ctx: Context, *, flag_at: Threshold = above(3.5)) -> Verdict:
    """Score how far a response's length lies from those of its task's real samples and of its own source.

    The score is the smaller of the two robust z: a source that writes longer than people do is no outlier in itself.

    Options:
        flag_at: how many robust spreads a length may lie from the middle
    """
    length = len(sample.response)
    bands = _bands(ctx.state("length_outlier"), sample)
    if not bands or not length:
        return Verdict.abstain()
    value = _measure(length)
    reference, band = min(bands, key=lambda one: abs(one[1].distance(value)))
    z = band.distance(value)
    low, high = _length(band.middle - band.below), _length(band.middle + band.above)
    whose = f"real samples {sample.task or ''}".rstrip() if reference == "real" else source_name(sample)
    message = f"{length:,} characters; typical of {whose}: {low:,} to {high:,} (reference: {reference})"
    code = "too-long" if z > 0 else "too-short"
    return Verdict.score(round(abs(z), 3), code=code, message=message)


def _bands(state: Any, sample: Sample) -> list[tuple[str, _Band]]:
    if not state:
        return []
    real = state["real"].get(task_key(sample))
    own = state["batch"].get(source_key(sample))
    return [(name, _Band(*band)) for name, band in (("real", real), ("batch", own)) if band is not None]


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
