"""Sources that give one label far more often than real data do."""

from __future__ import annotations

import math
from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from holdfast.db.models import PASS, Provenance, Sample, Verdict
from holdfast.verifiers.base import Context, Threshold, above, verifier
from holdfast.verifiers.consistency.specimens import hash_of
from holdfast.verifiers.sources import source_key, source_name, task_key

ENOUGH_REAL = 50
"""Labelled real samples of a task and domain from which the shares of its labels are learned."""
ENOUGH_BATCH = 20
"""Labelled samples that a source must have, and that other sources must have where there are too few real ones."""
REPRESENTATIVES = 5
"""Samples of an over-represented label that are flagged, so that the queue is not flooded by all of them."""
MOST_LABELS = 1_000
"""With more labels than this those of a task are taken for free text."""

Setting = tuple[str, str | None]
"""Task and domain: the samples whose labels are compared."""

_STANDARD_ERRORS = 4
_LONGEST = 100


@verifier(layer="consistency", version="1")
def label_imbalance(sample: Sample, ctx: Context, *, flag_at: Threshold = above(0.15)) -> Verdict:
    """Score by how much the share of a label in its source exceeds that on the task's real samples; five are flagged.

    Of a source whose labels are out of balance five samples of the label, chosen by hash, carry score and finding: a
    reviewer looks at them and judges the source. The others pass. Where task and domain have too few real samples their
    other sources stand for them.

    Options:
        flag_at: how far a label's share in a source may exceed its share in the real samples
    """
    state = ctx.state("label_imbalance")
    if not state or sample.label is None:
        return Verdict.abstain()
    labels = state.get(source_key(sample))
    if labels is None:
        return Verdict.abstain()
    label = sample.label[:_LONGEST]
    found = labels.get(label)
    if found is None or hash_of(sample) not in found[-1]:
        return PASS
    share, n, usual, n_usual, reference, hashes = found
    whose = "real samples" if reference == "real" else "samples of other sources"
    message = (
        f"{share:.0%} of the {n:,} labels of {source_name(sample)} are {label!r}; of {n_usual:,} {whose} "
        f"{usual:.0%} have it; one of {len(hashes)} samples that stand for them (reference: {reference})"
    )
    return Verdict.score(round(share - usual, 4), code="label-imbalance", message=message)


@label_imbalance.fit
def _learn_shares(samples: Iterable[Sample]) -> dict[str, dict[str, list[Any]]]:
    """For each source the labels that it gives too often, and the hashes of the samples that stand for each."""
    counts: defaultdict[Setting, defaultdict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    lowest: dict[tuple[str, str], list[int]] = {}
    real: defaultdict[Setting, Counter[str]] = defaultdict(Counter)
    labels_of: defaultdict[Setting, set[str]] = defaultdict(set)
    for sample in samples:
        setting = (task_key(sample), sample.domain)
        if sample.label is None or len(labels_of[setting]) > MOST_LABELS:
            continue
        label = sample.label[:_LONGEST]
        labels_of[setting].add(label)
        if sample.provenance is Provenance.HUMAN:
            real[setting][label] += 1
        else:
            source = source_key(sample)
            counts[setting][source][label] += 1
            _keep_lowest(lowest.setdefault((source, label), []), hash_of(sample))
    state: dict[str, dict[str, list[Any]]] = {}
    for setting, sources in counts.items():
        if len(labels_of[setting]) > MOST_LABELS:
            continue
        for source, labels in sources.items():
            usual, reference, enough = real[setting], "real", ENOUGH_REAL
            if usual.total() < enough:
                usual, reference, enough = _all_but(source, sources), "batch", ENOUGH_BATCH
            if labels.total() >= ENOUGH_BATCH and usual.total() >= enough:
                state[source] = {
                    label: [*found, reference, lowest[source, label]]
                    for label, found in _too_many(labels, usual).items()
                }
    return state


def _keep_lowest(hashes: list[int], found: int) -> None:
    if len(hashes) < REPRESENTATIVES or found < hashes[-1]:
        insort(hashes, found)
        del hashes[REPRESENTATIVES:]


def _all_but(source: str, sources: dict[str, Counter[str]]) -> Counter[str]:
    others: Counter[str] = Counter()
    for name, labels in sources.items():
        if name != source:
            others.update(labels)
    return others


def _too_many(labels: Counter[str], usual: Counter[str]) -> dict[str, list[float]]:
    """Labels whose share exceeds the usual one by more than chance: share, of how many, usual share, of how many."""
    n, n_usual = labels.total(), usual.total()
    found = {}
    for label, count in labels.items():
        share, before = count / n, usual[label] / n_usual
        pooled = (count + usual[label]) / (n + n_usual)
        if share - before > _STANDARD_ERRORS * math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / n_usual)):
            found[label] = [round(share, 4), n, round(before, 4), n_usual]
    return found
