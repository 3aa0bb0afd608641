"""Sentences of a grounded answer whose words the source lacks stand out against what is usual."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers import Verifier
from holdfast.verifiers.consistency.weak_support import weak_support

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]
Grounded = Callable[..., Sample]

TOPICS = "lighthouse keeper granite lantern harbour channel fishing vessel winter storm signal engineer tower island"
INVENTED = (
    "Dragons guarded seventeen enchanted emeralds beneath forgotten marble palaces until wizards arrived laughing."
)


@pytest.fixture
def grounded(sample: MakeSample) -> Grounded:
    """A sample with a source, and a response made of its words and one word more."""

    def make(number: int, response: str | None = None, **fields: Any) -> Sample:
        told = random.Random(number).sample(TOPICS.split(), 8)
        source = f"The {' and the '.join(told)} were there."
        said = f"There was a {told[0]} near the {told[1]}. A {told[2]} and perhaps the {told[3]}."
        return sample(f"q{number}", response or said, metadata_json=json.dumps({"source": source}), **fields)

    return make


def test_an_invented_sentence_is_marked(check: Check, grounded: Grounded) -> None:
    corpus = [grounded(number) for number in range(40)]
    answer = grounded(100, f"There was a tower. {INVENTED} So it was.")
    verdict = check(weak_support, answer, corpus)
    assert verdict.outcome is Outcome.FLAG
    (finding,) = verdict.findings
    assert finding.span is not None
    assert answer.response[slice(*finding.span)] == INVENTED
    assert finding.message == (
        "13 of 13 content words of this sentence do not stand in the source, more than is usual of model-a "
        "(reference: batch)"
    )
    assert [check(weak_support, one, corpus).outcome for one in corpus[:5]] == [Outcome.PASS] * 5


def test_what_is_usual_of_real_samples_passes(check: Check, grounded: Grounded) -> None:
    real = {"provenance": "human", "model": None, "generation": None}
    free = [grounded(number, INVENTED, **real) for number in range(60)]
    corpus = [*free, *(grounded(number) for number in range(40))]
    assert check(weak_support, grounded(100, INVENTED), corpus).outcome is Outcome.PASS


def test_without_source_or_enough_samples_it_abstains(check: Check, sample: MakeSample, grounded: Grounded) -> None:
    corpus = [grounded(number) for number in range(40)]
    assert check(weak_support, sample(), corpus).outcome is Outcome.ABSTAIN
    assert check(weak_support, corpus[0], corpus[:19]).outcome is Outcome.ABSTAIN
    assert check(weak_support, corpus[0]).outcome is Outcome.ABSTAIN


def test_the_state_is_the_same_for_any_order(grounded: Grounded) -> None:
    corpus = [grounded(number) for number in range(400)]
    verifier: Verifier[...] = weak_support
    plain = verifier.settings({})
    assert verifier.freeze(corpus, plain) == verifier.freeze(random.Random(3).sample(corpus, len(corpus)), plain)
