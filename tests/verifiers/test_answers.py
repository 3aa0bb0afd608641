"""Reading the answer of a text: equal answers compare equal, and what is unclear is no answer."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.db.models import Sample
from holdfast.verifiers.answers import number_in, read_answer, read_text_answer, stated_part
from holdfast.verifiers.numbers import canonical, numbers


def asked(prompt: str, response: str, **fields: Any) -> Sample:
    turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": response}]
    return Sample.model_validate({"messages": turns, "provenance": "synthetic", "model": "model-a", **fields})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("26", 26), ("26.0", 26), ("$26", 26), ("26.00", 26), ("26.", 26), ("+26", 26), ("**26**", 26),
        ("-5", -5), ("−5", -5), ("$-5", -5), ("-$5.50", Fraction(-11, 2)), ("- 5", -5),
        ("1,234", 1234), ("1,234,567.5", Fraction(2469135, 2)), ("1 234", None), ("1\u202f234", 1234), ("12,00", None),
        ("1/2", Fraction(1, 2)), ("3 1/2", Fraction(7, 2)), ("3½", Fraction(7, 2)), ("⅓", Fraction(1, 3)),
        (r"\frac{3}{4}", Fraction(3, 4)),
        (r"-\dfrac{3}{4}", Fraction(-3, 4)), (r"1{,}000", 1000), (r"\$12", 12),
        ("1.5e6", 1_500_000), ("1.5 × 10^6", 1_500_000), (r"2 \times 10^{-2}", Fraction(1, 50)),
        ("-1.8 billion", -1_800_000_000), (r"5\text{ cm}", 5), (r"\frac12", Fraction(1, 2)),
        ("50%", 50), (r"50\%", 50), ("5 km", 5), ("26 eggs", 26), ("20 °C", 20), ("007", 7), ("-0", 0),
        (".5", Fraction(1, 2)),
        ("٢٦", 26),
        ("3:30", None), ("1/2/2024", None), ("1.2.3", None), ("1,2,3", None), ("1/0", None), ("2x", None),
        ("x = 5", None), (r"\sqrt{81}", None), ("x^2", None),
        ("26 eggs for 3 people", None), ("", None), ("no number", None), ("1e99999", None), ("9" * 101, None),
    ],
)  # fmt: skip
def test_a_text_that_is_one_number(text: str, value: Fraction | int | None) -> None:
    assert number_in(text) == value


@pytest.mark.parametrize(
    ("text", "value", "said"),
    [
        ("16 - 3 = 13\nA: 26", "26", "26"),
        ("13 * 2 = 26\n#### 26", "26", "26"),
        ("She has 3 left.\nAnswer: $1,234.50", "1234.5", "1,234.50"),
        ("So 3 + 4 is 7. The answer is 7.", "7", "7"),
        ("The answer to the question is -4 degrees.", "-4", "-4"),
        ("**Final answer:** 12 eggs", "12", "12"),
        ("Final answer:\n12", "12", "12"),
        (r"We get \boxed{\frac{1}{2}} of 10.", "0.5", r"\frac{1}{2}"),
        (r"First \boxed{3}, then \boxed{4}.", "4", "4"),
        ("The answer is 5 + 3 = 8.", "8", "8"),
        ("x = 3\ny = 4\nA: 12", "12", "12"),
        ("A: -1.8 billion", "-1800000000", "-1.8 billion"),
        ("It was 3 in 2019, so 15 remain.", "15", "15"),
    ],
)
def test_the_final_answer_of_a_text(text: str, value: str, said: str) -> None:
    answer = read_text_answer(text, kind="number")
    assert answer is not None
    assert answer.span is not None
    assert (answer.value, text[slice(*answer.span)]) == (value, said)


@pytest.mark.parametrize(
    "text", ["The answer is 5 or 6.", "A: 3:30", "A: 5 hours and 30 minutes", "total = 5\nans = total * 2", "", "none"]
)
def test_an_unclear_answer_is_none(text: str) -> None:
    assert read_text_answer(text, kind="number") is None


def test_what_merely_comes_last_is_not_stated() -> None:
    answer = read_text_answer("Three times 5 makes 15 eggs", kind="number")
    assert answer is not None
    assert (answer.value, answer.stated, answer.unit) == ("15", False, "eggs")


OPTIONS = ("Paris", "London", "New York", "York")


@pytest.mark.parametrize(
    ("text", "letter", "said"),
    [
        ("B", "B", "B"), ("b)", "B", "b"), ("(C) New York", "C", "C"), ("**B. London**", "B", "B"),
        ("london.", "B", "london."),
        ("The answer is (B).", "B", "B"), ("The correct answer is B, since it rains.", "B", "B"),
        ("Answer: option C", "C", "C"),
        (r"\boxed{\text{D}}", "D", "D"), ("It must be New York.", "C", "New York"), ("A", "A", "A"),
        ("I would say that (C) fits best.", "C", "C"),
    ],
)  # fmt: skip
def test_the_option_that_a_text_names(text: str, letter: str, said: str) -> None:
    answer = read_text_answer(text, kind="choice", choices=OPTIONS)
    assert answer is not None
    assert answer.span is not None
    assert (answer.value, text[slice(*answer.span)]) == (letter, said)


@pytest.mark.parametrize("text", ["A big city.", "I do not know.", "Paris or London", "E", "Between (A) and (B)", ""])
def test_no_option_or_several_is_no_choice(text: str) -> None:
    assert read_text_answer(text, kind="choice", choices=OPTIONS) is None


@pytest.mark.parametrize(
    ("sample", "kind", "value"),
    [
        (asked("Which?\nA. red\nB. blue", "blue"), "choice", "B"),
        (asked("Which one? (A) red (B) blue", "The answer is (A)."), "choice", "A"),
        (asked("Which?", "2", metadata_json='{"choices":["1","2"]}'), "choice", "B"),
        (asked("How many?", "It is 4, no, 5", reference="#### 5"), "number", "5"),
        (asked("How many?", "A: 26.0"), "number", "26"),
        (asked("Sentiment?", " Positive.\n", label="positive"), "label", "positive"),
        (asked("Data?", '```json\n{"b": 1.0, "a": [true]}\n```'), "json", '{"a":[true],"b":1}'),
        (asked("Capital?", "The answer is Paris."), "text", "paris"),
        (asked("Capital?", "  PARIS "), "text", "paris"),
    ],
)
def test_the_sample_decides_what_its_answer_is(sample: Sample, kind: str, value: str) -> None:
    answer = read_answer(sample)
    assert answer is not None
    assert (answer.kind, answer.value) == (kind, value)


@pytest.mark.parametrize(
    "sample",
    [
        asked("Why?", "Because the tide turned and took the boats with it, as it does every day of the year."),
        asked("Add.", "a_number = 1\nans = a_number + 1", reference="A: 2"),
        asked("Add.", "def add(a, b):\n    return a + b"),
        asked("x", ""),
    ],
)
def test_prose_and_programs_have_no_answer_to_compare(sample: Sample) -> None:
    assert read_answer(sample) is None


@given(st.fractions(min_value=-(10**12), max_value=10**12, max_denominator=10**6))
@settings(max_examples=100, deadline=None)
def test_a_canonical_number_reads_as_itself(value: Fraction) -> None:
    assert number_in(canonical(value)) == value


@given(st.text(alphabet="0123456789.,/-−+ $%eE^{}\\½xkm:A#\nboxedanswer is", max_size=60))
@settings(max_examples=300, deadline=None)
def test_every_span_holds_the_number_that_was_read(text: str) -> None:
    for number in numbers(text):
        assert number_in(text[slice(*number.span)]) == Fraction(number.value)
    part = stated_part(text)
    assert part is None or 0 <= part[0] <= part[1] <= len(text)


@pytest.mark.parametrize(
    "text", ["1" * 200_000, "1," * 100_000, "111," * 50_000, "A: " * 60_000, "answer " * 30_000, "\\boxed{" * 30_000,
             "{" * 200_000, " " * 200_000, "(A) " * 50_000, "the answer is " * 15_000]
)  # fmt: skip
def test_hostile_texts_are_read_at_once(text: str) -> None:
    read_answer(asked(text, text, reference="A: 5"))
    read_answer(asked("x", text))
