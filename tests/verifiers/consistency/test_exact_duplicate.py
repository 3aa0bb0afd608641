"""Copies: one of them stays, the others are flagged and name it."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.db.models import Message, Outcome, Sample, Verdict
from holdfast.verifiers.consistency.exact_duplicate import duplicate_key, exact_duplicate, normalised

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]


def flagged(check: Check, corpus: list[Sample]) -> list[bool]:
    """Which samples of the corpus are flagged."""
    return [check(exact_duplicate, one, corpus).outcome is Outcome.FLAG for one in corpus]


def test_of_synthetic_copies_the_earliest_stays(check: Check, sample: MakeSample) -> None:
    corpus = [sample(model=model) for model in ("model-a", "model-b", "model-c")]
    assert flagged(check, corpus) == [False, True, True]
    finding = check(exact_duplicate, corpus[2], corpus).findings[0]
    assert finding.code == "exact-duplicate"
    assert finding.message == f"an exact copy of {corpus[0].uid[:16]}, which came first"


def test_a_human_copy_stays_whenever_it_came(check: Check, sample: MakeSample) -> None:
    human = [
        sample(provenance="human", model=None, generation=None),
        sample(provenance="human", model=None, generation=0),
    ]
    corpus = [sample(), *human, sample(model="model-b")]
    assert flagged(check, corpus) == [True, False, True, True]
    finding = check(exact_duplicate, corpus[0], corpus).findings[0]
    assert finding.message == f"an exact copy of {human[0].uid[:16]}, which a person wrote"


@pytest.mark.parametrize(
    ("one", "other"),
    [("Yes, it is.", "yes,  it is. "), ("Straße", "STRASSE"), ("cafe\u0301", "café"), ("a\n\nb", "A B"), ("x", "X")],
)
def test_case_white_space_and_composition_do_not_count(check: Check, sample: MakeSample, one: str, other: str) -> None:
    assert flagged(check, [sample(response=one), sample(response=other)]) == [False, True]


def test_the_same_answer_to_another_question_is_no_copy(check: Check, sample: MakeSample) -> None:
    assert flagged(check, [sample("What is 2 + 2?"), sample("What is 3 + 1?")]) == [False, False]
    turns = (Message(role="system", content="What is 2 + 2?"), Message(role="assistant", content="4"))
    assert flagged(check, [sample("What is 2 + 2?"), sample(messages=turns)]) == [False, False]


def test_empty_responses_are_no_copies_of_each_other(check: Check, sample: MakeSample) -> None:
    corpus = [sample(response=response, model=model) for response in ("", " ") for model in ("a", "b")]
    assert [check(exact_duplicate, one, corpus).outcome for one in corpus] == [Outcome.ABSTAIN] * 4


def test_before_a_fit_the_check_abstains(check: Check, sample: MakeSample) -> None:
    assert check(exact_duplicate, sample()).outcome is Outcome.ABSTAIN


def test_twenty_short_answers_keep_one_of_each(check: Check, sample: MakeSample) -> None:
    answers = [f"answer {number % 14}" for number in range(20)]
    corpus = [sample(response=answer, model=f"model-{number}") for number, answer in enumerate(answers)]
    assert flagged(check, corpus).count(False) == 14


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalised(text)
    assert normalised(once).encode() == normalised(normalised(once)).encode()
    assert " ".join(once.split()) == once


def test_each_group_keeps_exactly_one_whatever_the_corpus(check: Check, sample: MakeSample) -> None:
    dice = random.Random(7)
    corpus = [
        sample(
            response=str(dice.randrange(40)), model=f"model-{number}", provenance=dice.choice(["human", "synthetic"])
        )
        for number in range(200)
    ]
    kept = [one for one, drop in zip(corpus, flagged(check, corpus), strict=True) if not drop]
    assert len({duplicate_key(one) for one in kept}) == len(kept) == len({duplicate_key(one) for one in corpus})
    for one in kept:
        copies = [other for other in corpus if duplicate_key(other) == duplicate_key(one)]
        human = [other for other in copies if other.provenance == "human"]
        assert one == (human or copies)[0]
