"""A source whose labels are out of balance is shown on a few of its samples."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import pytest

from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers import Verifier
from holdfast.verifiers.consistency.label_imbalance import REPRESENTATIVES, label_imbalance

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]
Labelled = Callable[..., list[Sample]]

REAL = {"provenance": "human", "model": None, "generation": None}


@pytest.fixture
def labelled(sample: MakeSample) -> Labelled:
    """Samples of a task with so many of each label."""

    def make(counts: Mapping[str, int], **fields: object) -> list[Sample]:
        spread = [label for label, count in counts.items() for _ in range(count)]
        return [
            sample(f"text {number}", label, **{"label": label, "task": "mood", **fields})
            for number, label in enumerate(spread)
        ]

    return make


def flagged(check: Check, corpus: list[Sample]) -> list[Sample]:
    """The samples of the corpus that are flagged."""
    return [one for one in corpus if check(label_imbalance, one, corpus).outcome is Outcome.FLAG]


def test_a_few_samples_stand_for_the_over_represented_label(check: Check, labelled: Labelled) -> None:
    real = labelled({"positive": 40, "negative": 60}, **REAL)
    corpus = [*real, *labelled({"positive": 81, "negative": 19})]
    found = flagged(check, corpus)
    assert len(found) == REPRESENTATIVES
    assert {one.label for one in found} == {"positive"}
    verdict = check(label_imbalance, found[0], corpus)
    assert verdict.value == pytest.approx(0.41)
    assert verdict.findings[0].message == (
        "81% of the 100 labels of model-a are 'positive'; of 100 real samples 40% have it; one of 5 samples that stand "
        "for them (reference: real)"
    )
    assert flagged(check, corpus[::-1]) == found[::-1]


def test_without_real_samples_other_sources_are_the_measure(check: Check, labelled: Labelled) -> None:
    others = labelled({"positive": 40, "negative": 60}, model="model-b")
    corpus = [*others, *labelled({"positive": 81, "negative": 19})]
    found = flagged(check, corpus)
    assert [one.label for one in found if one.model == "model-a"] == ["positive"] * REPRESENTATIVES
    assert "samples of other sources" in check(label_imbalance, found[-1], corpus).findings[0].message


def test_chance_and_other_domains_are_no_imbalance(check: Check, labelled: Labelled) -> None:
    real = labelled({"positive": 40, "negative": 60}, **REAL)
    assert flagged(check, [*real, *labelled({"positive": 13, "negative": 9})]) == []
    elsewhere = labelled({"positive": 90, "negative": 10}, domain="praise")
    assert check(label_imbalance, elsewhere[0], [*real, *elsewhere]).outcome is Outcome.ABSTAIN


def test_what_cannot_be_compared_is_not_judged(check: Check, sample: MakeSample, labelled: Labelled) -> None:
    corpus = labelled({"positive": 81, "negative": 19})
    human = labelled({"positive": 60}, **REAL)
    for stray, samples in ((corpus[0], corpus), (corpus[0], None), (sample(), [*corpus, *human]), (human[0], human)):
        assert check(label_imbalance, stray, samples).outcome is Outcome.ABSTAIN


def test_the_state_is_the_same_for_any_order(labelled: Labelled) -> None:
    corpus = [*labelled({"positive": 40, "negative": 60}, **REAL), *labelled({"positive": 81, "negative": 19})]
    verifier: Verifier[...] = label_imbalance
    plain = verifier.settings({})
    assert verifier.freeze(corpus, plain) == verifier.freeze(random.Random(3).sample(corpus, len(corpus)), plain)
