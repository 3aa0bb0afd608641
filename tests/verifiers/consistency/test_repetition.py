"""Loops are found where they are; short texts, tables, code and lists are left alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers import Context
from holdfast.verifiers.consistency.repetition import repetition

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]

LEAD = "The committee met in the spring to look into the matter and came to this view. "
PROSE = (
    "Slow start begins with a small window and doubles it for every round trip until a loss is seen. After that the "
    "sender grows the window by one segment a round trip, which is called congestion avoidance. When an answer "
    "does not arrive in time the window falls back to one segment and the search begins again from there. Modern "
    "variants replace the doubling by a cubic function of the time since the last loss, so that the window grows "
    "quickly far from the point of loss and slowly near it."
)


@pytest.mark.parametrize(
    ("loop", "times"),
    [
        ("and so on ", 30),
        ("the sea, ", 20),
        ("It is the most visited city in the world. ", 6),
        ("x1 = 4\n    ", 40),
        ("! ", 120),
        ("哈", 80),
        ("我喜欢你", 30),
        ("हाँ ", 40),
    ],
)
def test_a_loop_is_flagged_at_its_place(check: Check, sample: MakeSample, loop: str, times: int) -> None:
    text = LEAD + loop * times
    verdict = check(repetition, sample(response=text))
    assert verdict.outcome is Outcome.FLAG
    (finding,) = verdict.findings
    assert finding.code == "loop"
    assert finding.span is not None
    shown = text[slice(*finding.span)]
    assert shown.startswith(loop.strip()[:1])
    assert len(shown) >= 0.8 * len(loop.strip()) * times
    assert len(LEAD) - len(loop) <= finding.span[0] <= len(LEAD) + len(loop)


def test_the_message_quotes_the_phrase_and_counts(check: Check, sample: MakeSample) -> None:
    verdict = check(repetition, sample(response=LEAD + "MLB or " * 44))
    assert verdict.findings[0].message == "'MLB or' comes 44 times in a row"


def test_one_long_word_that_stutters(check: Check, sample: MakeSample) -> None:
    verdict = check(repetition, sample(response="well " + "ha" * 100))
    assert verdict.findings[0].message == "'ha' comes 100 times in a row"
    assert verdict.findings[0].span == (5, 205)


def test_a_text_that_says_all_twice_and_more(check: Check, sample: MakeSample) -> None:
    text = "\n".join(f"Part {number}. {PROSE}" for number in range(4))
    verdict = check(repetition, sample(response=text))
    assert verdict.outcome is Outcome.FLAG
    assert verdict.findings[0].code == "repeats-itself"
    assert "% of the words repeat sequences of 8 or more that came before" in verdict.findings[0].message


def test_a_loop_at_the_end_of_a_long_text_counts_in_full(check: Check, sample: MakeSample) -> None:
    words = " ".join(f"word{number}" for number in range(5000))
    verdict = check(repetition, sample(response=f"{words} {'and then ' * 30}"))
    assert verdict.outcome is Outcome.FLAG


TABLE = "| name | ok | ok | ok |\n| --- | --- | --- | --- |\n" + "| row | yes | no | yes |\n" * 12
CODE = "def f(a, b):\n" + "".join(f"        if a == {n}:\n            return b[{n}]\n" for n in range(30))
CHESS = "\n".join(". . . . . . . ." for _ in range(8))
JSON = "[" + ", ".join(f'{{"name": "n{n}", "age": {n}, "active": true}}' for n in range(30)) + "]"
MATRIX = "[" + ",\n".join("[" + "0, " * 7 + "0]" for _ in range(7)) + "]"
LIST = "\n".join(f"{n}. The capital of country {n} is city {n}." for n in range(1, 20))
ROWS = "board = [" + "None, " * 24 + "]"


@pytest.mark.parametrize(
    "text",
    [
        PROSE, LEAD, TABLE, CODE, CHESS, JSON, MATRIX, LIST, ROWS, "", "no no no no no", "ha ha ha ha ha ha ha",
        "row, row, row your boat, gently down the stream, merrily, merrily, merrily, merrily, life is but a dream",
        "=" * 200 + "\n" + PROSE + "\n" + "-" * 200, "a  b\t\t\tc" * 3, "Contents\n" + "." * 300,
    ],
)  # fmt: skip
def test_what_only_looks_repetitive_is_left_alone(check: Check, sample: MakeSample, text: str) -> None:
    verdict = check(repetition, sample(response=text))
    assert verdict.outcome is Outcome.PASS, (verdict.value, verdict.findings)


def test_a_huge_text_is_judged_by_its_end(check: Check, sample: MakeSample) -> None:
    text = " ".join(f"w{number}" for number in range(200_000)) + " over and over" * 50
    verdict = check(repetition, sample(response=text))
    assert verdict.outcome is Outcome.FLAG
    assert verdict.findings[0].span is not None
    assert text[slice(*verdict.findings[0].span)].startswith("over and over")


@given(st.lists(st.sampled_from(["a", "b", "\n", "哈", "| x |", "word", "None,", "\t"]), max_size=80))
def test_scores_and_spans_stay_in_bounds(tokens: list[str]) -> None:
    text = " ".join(tokens)
    sample = Sample.model_validate(
        {"messages": [{"role": "assistant", "content": text}], "provenance": "synthetic", "model": "m"}
    )
    verdict = repetition(sample, Context())
    assert verdict.value is not None
    assert 0 <= verdict.value <= 1
    for finding in verdict.findings:
        assert finding.span is not None
        assert 0 <= finding.span[0] < finding.span[1] <= len(text)
