"""Numbers, names and quotations of a grounded answer are looked up in its source."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers.consistency.checkable import Lookup, plain_number, tokens
from holdfast.verifiers.consistency.unsupported_by_source import unsupported_by_source

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]
Grounded = Callable[..., Sample]

SOURCE = (
    "The lighthouse at Skerry Point was built in 1874 by the engineer Ada Thorne. It stands 38 metres high and its "
    "light is seen 22 miles away. Thorne called it “the patient eye of the whole coast”. Twelve keepers served there."
)


@pytest.fixture
def grounded(sample: MakeSample) -> Grounded:
    """A sample with a source to keep to."""

    def make(response: str, source: Any = SOURCE, **fields: Any) -> Sample:
        return sample("What of the light?", response, metadata_json=json.dumps({"source": source}), **fields)

    return make


def named(check: Check, sample: Sample) -> list[str]:
    """The passages that are not supported."""
    verdict = check(unsupported_by_source, sample)
    return [sample.response[slice(*one.span)] for one in verdict.findings if one.span is not None]


def test_what_the_source_does_not_hold_is_named_and_marked(check: Check, grounded: Grounded) -> None:
    answer = grounded(
        "It was built in 1887 by Ada Thorne, and Ben Marsh kept it. She called it “a lamp for lost sailors”."
    )
    verdict = check(unsupported_by_source, answer)
    assert (verdict.outcome, verdict.value) == (Outcome.FLAG, 3)
    assert [finding.message for finding in verdict.findings] == [
        "the source does not mention “1887”",
        "the source does not mention “Ben Marsh”",
        "“a lamp for lost sailors” stands in quotes, but not in the source",
    ]
    assert [finding.code for finding in verdict.findings] == [
        "unsupported-number",
        "unsupported-name",
        "unsupported-quotation",
    ]
    assert named(check, answer) == ["1887", "Ben Marsh", "a lamp for lost sailors"]


@pytest.mark.parametrize(
    "answer",
    [
        "It was built in 1,874 by Thorne's team and stands 38.0 metres high.",
        "In all 12 keepers served at Skerry Point, and “the patient eye” was its name.",
        "1. It is old.\n2. It is high.\n\nStep 3: see [4] and [5, 6].",
        "## What Makes It Great\n\nIt is high.\n\n**Key Facts About It**",
        "THE LIGHT IS SEEN FROM AFAR BY EVERYBODY",
        "Perhaps. Yes! Nobody knows.",
        "Der Turm ist hoch und das Licht ist hell, so dass die Fischer den Hafen finden.",
        "It is “very tall”.",
    ],
)
def test_what_is_supported_or_says_nothing_passes(check: Check, grounded: Grounded, answer: str) -> None:
    assert named(check, grounded(answer)) == []
    assert check(unsupported_by_source, grounded(answer)).outcome is Outcome.PASS


def test_the_prompt_supports_too(check: Check, grounded: Grounded) -> None:
    assert named(check, grounded("You asked of the light.")) == []
    assert named(check, grounded("It was 1874, not 1999.", ["Built in 1874.", {"note": "restored in 1999"}])) == []


def test_without_a_source_it_abstains_and_the_place_can_be_named(check: Check, sample: MakeSample) -> None:
    elsewhere = sample("What?", "In 1887.", metadata_json='{"context": {"passage": "Built in 1874."}}')
    assert check(unsupported_by_source, elsewhere).outcome is Outcome.ABSTAIN
    assert check(unsupported_by_source, sample()).outcome is Outcome.ABSTAIN
    assert check(unsupported_by_source, elsewhere, source="context.passage").outcome is Outcome.FLAG
    assert check(unsupported_by_source, elsewhere, source="context.nothing").outcome is Outcome.ABSTAIN


def test_what_real_samples_of_the_task_add_as_a_rule_does_not_count(check: Check, grounded: Grounded) -> None:
    real = {"provenance": "human", "model": None, "generation": None, "task": "chat"}
    corpus = [grounded(f"I was there in {1900 + number}.", **real) for number in range(60)]
    answer = grounded("It was built in 1887.", task="chat")
    assert check(unsupported_by_source, answer, corpus).outcome is Outcome.PASS
    assert check(unsupported_by_source, answer, corpus[:40]).outcome is Outcome.FLAG


@pytest.mark.parametrize(
    ("one", "other"), [("1,000", "1000"), ("5.50", "5.5"), ("007", "7"), ("19th", "19"), ("0.0", "0")]
)
def test_spellings_of_a_number_are_equal(one: str, other: str) -> None:
    assert plain_number(one) == plain_number(other)


@settings(max_examples=60)
@given(st.text(max_size=80))
def test_a_text_supports_itself(text: str) -> None:
    known = Lookup(text)
    for token in tokens(text):
        assert text[slice(*token.span)] == token.text
        assert known.holds(token)


@pytest.mark.parametrize(
    "text", ["1." * 50_000, "A " * 50_000, '"a ' * 40_000, "[1,1" * 25_000, "1. 1\n" * 20_000, " " * 100_000 + "1"]
)
def test_hostile_texts_are_read_in_linear_time(check: Check, grounded: Grounded, text: str) -> None:
    assert check(unsupported_by_source, grounded(text)).outcome in (Outcome.PASS, Outcome.FLAG)
