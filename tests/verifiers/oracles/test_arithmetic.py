"""Equations worked out again: wrong ones are found at their place, and what is no plain sum is left alone."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers.oracles.arithmetic import arithmetic, equations

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]

DATA = Path(__file__).parents[4] / "shared" / "data"


@pytest.mark.parametrize(
    ("text", "said", "message"),
    [
        ("So 24 + 18 = 43 in all.", "24 + 18 = 43", "says 24 + 18 = 43; it is 42"),
        ("20-11 = <<20-11=9.20>>9.20 dollars", "20-11=9.20", "says 20 - 11 = 9.20; it is 9"),
        ("130,000*.15 = $<<130000*.15=19500.0>>195,000", None, "says 130,000 * .15 = $195,000; it is 19500"),
        ("😀 $5.00 + $3.50 = $8.60", "$5.00 + $3.50 = $8.60", "says $5.00 + $3.50 = $8.60; it is 8.5"),
        ("4500 pounds / 2250 pounds/trip = 3 trips", None, "says 4500 / 2250 = 3; it is 2"),
        ("2 rides * 6 tickets = 13 tickets", "2 rides * 6 tickets = 13", "says 2 * 6 = 13; it is 12"),
        ("A = ((-6) * (-7)) + (-10) = 33.", None, "says ((-6) * (-7)) + (-10) = 33; it is 32"),
        ("(the total, 5 + 3 = 9)", "5 + 3 = 9", "says 5 + 3 = 9; it is 8"),
        ("so 5 + 3 = 9 and x = 4", "5 + 3 = 9", "says 5 + 3 = 9; it is 8"),
        ("25% of 80 = 21", "25% of 80 = 21", "says 25% of 80 = 21; it is 20"),
        ("He makes 50 * 2 = 60 a year", "50 * 2 = 60", "says 50 * 2 = 60; it is 100"),
        ("So **7 - 2** = **6** boats", "7 - 2** = **6", "says 7 - 2 = 6; it is 5"),
        (
            "1/2 + 1/4 = 1/4",
            "1/2 + 1/4 = 1/4",
            "says 1 / 2 + 1 / 4 = 1 / 4; the left side is 0.75, the right side 0.25",
        ),
        ("Then 20% of the $50 is $12.", "20% of the $50 is $12", "says 20% of the $50 = $12; it is 10"),
        ("30/60 = 51%", "30/60 = 51%", "says 30 / 60 = 51%; it is 50%"),
        ("3 × 4 = 13", "3 × 4 = 13", "says 3 × 4 = 13; it is 12"),
        ("5x3=16", "5x3=16", "says 5 x 3 = 16; it is 15"),
        (r"\(3 \times 4 = 13\)", r"3 \times 4 = 13", r"says 3 \times 4 = 13; it is 12"),
        ("10 ÷ 3 = 3.34", "10 ÷ 3 = 3.34", "says 10 ÷ 3 = 3.34; it is about 3.3333"),
        ("2^3 = 9", "2^3 = 9", "says 2 ^ 3 = 9; it is 8"),
        ("17 % 5 = 3", "17 % 5 = 3", "says 17 % 5 = 3; it is 2"),
        ("10 - 3 = 7 - 2 = 6", "7 - 2 = 6", "says 7 - 2 = 6; it is 5"),
        ("15 = 3 * 4", "15 = 3 * 4", "says 15 = 3 * 4, which is 12"),
        ("6 + 2 = 10 - 1", None, "says 6 + 2 = 10 - 1; the left side is 8, the right side 9"),
        ("3 + 4 equals 8", "3 + 4 equals 8", "says 3 + 4 = 8; it is 7"),
        ("* 3 + 4 = 8", "3 + 4 = 8", "says 3 + 4 = 8; it is 7"),
        ("**3 + 4 = 8**", "3 + 4 = 8", "says 3 + 4 = 8; it is 7"),
        ("3 - 5 = 2", "3 - 5 = 2", "says 3 - 5 = 2; it is -2"),
        ("1,000 + 2,000 = 4,000", "1,000 + 2,000 = 4,000", "says 1,000 + 2,000 = 4,000; it is 3000"),
    ],
)
def test_a_wrong_equation_is_flagged_at_its_place(
    check: Check, sample: MakeSample, text: str, said: str | None, message: str
) -> None:
    verdict = check(arithmetic, sample("How many?", text))
    assert verdict.outcome is Outcome.FLAG
    (finding,) = verdict.findings
    assert (finding.code, finding.message) == ("wrong-arithmetic", message)
    assert finding.span is not None
    assert said is None or text[slice(*finding.span)] == said


@pytest.mark.parametrize(
    "text",
    [
        "24 + 18 = 42", "16 - 3 = <<16-3=13>>13 eggs", "5 + 3 = 8 * 2 = 16", "10/3 = 3.33", "2/3 = 0.67", "2/3 = 0.66",
        "7/2 = 4", "25% of 80 = 20", "20% of $50 is $10", "so 80 % of that is 5740 × 0.8 = 4592",
        "30% of people are 40 + 2 = 42", "20% of it is 10 + 2 = 12", "**2** + **3** = **5**", "2 ** 3 = 8",
        "10/3 = 3.33 * 3 = 9.99",
        "25% * 100 riders = <<25*.01*100=25.0>>25 riders",
        "30/60 = 50%", "30/60 * 100 = 50%", "100% - 20% = 80%", "100% - 20% = 80", "3² + 1 = 10", "2**3 = 8",
        "-3 + 5 = 2", "3 - -2 = 5", "2(3+4) = 14", "3 1/2 + 1/2 = 4", "5 million + 3 million = 8 million",
        "0.1 + 0.2 = 0.3",
        "3 x 6.022 x 10^23 = 1.807 x 10^24", "1 - 1/3 = 2/3", "<<20-11.2=8.799999999999999>>", "12 / 3 / 2 = 2",
    ],
)  # fmt: skip
def test_a_right_equation_passes(check: Check, sample: MakeSample, text: str) -> None:
    assert check(arithmetic, sample("How many?", text)).outcome is Outcome.PASS


@pytest.mark.parametrize(
    "text",
    [
        "", "No equation.", "1 foot = 12 inches", "1/2 hour = 30 minutes", "1/2 dozen = 6 eggs", "3x + 4 = 10",
        "a + 3 = 5",
        "f(2) + 3 = 9", "5! = 120", "√16 + 3 = 8", "10 000 + 5 = 10 005", "8:00 + 2 = 11:00", "(5/2)x + 1 = 4",
        "x^2 + 3 = 7",
        "2 rides on the coaster * 6 tickets = 13", "8 packs of 5 bags * $4 = $160", "2 + 3 and B = 6", "1/0 = 5",
        "9^9^9 = 5",
        "1 tray x 2 trays", "x = 5\ny = x + 3 * 2",
        "total = 5 + 3\nans = total == 9", "5 + 3 >= 9", "n != 3 + 4", "5 + = 3", "In base-9, 5+5=11",
        "10.1 Gauss = 18.39 x 10^-4 cm-1", "5 m^2 * 2 = 11",
        "5 + 3 =", "2(3)/4(5) = 6", "v1.2 + 3 = 4", "3 + 4 = 8y", "11 pm + 2 hours = 1 am", "is 2 + 3 = 6?",
    ],
)  # fmt: skip
def test_what_is_no_plain_sum_is_left_alone(check: Check, sample: MakeSample, text: str) -> None:
    assert check(arithmetic, sample("How many?", text)).outcome is Outcome.ABSTAIN


def test_many_wrong_equations_are_counted(check: Check, sample: MakeSample) -> None:
    verdict = check(arithmetic, sample("How many?", "\n".join(f"{number} + 1 = {number}" for number in range(2, 14))))
    assert len(verdict.findings) == 5
    assert verdict.findings[-1].message.endswith("; 12 wrong equations in all")


@given(
    st.lists(st.tuples(st.sampled_from("+-*"), st.integers(-99, 999)), min_size=1, max_size=6),
    st.integers(-99, 999),
    st.integers(-3, 3),
)
@settings(max_examples=100, deadline=None)
def test_sums_are_worked_out_as_python_does(rest: list[tuple[str, int]], first: int, off: int) -> None:
    written = f"{first} " + " ".join(f"{sign} {number}" for sign, number in rest)
    text = f"It is {written} = {eval(written) + off}."  # of integers that this test made
    ((span, wrong),) = equations(text)
    assert text[slice(*span)] == text[6:-1]
    assert (wrong is None) == (off == 0)


@given(st.text(alphabet="0123456789+-*/^%=()., x$\naof<>", max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_can_be_read(text: str) -> None:
    for span, _ in equations(text):
        assert 0 <= span[0] < span[1] <= len(text)


@pytest.mark.parametrize(
    "text",
    ["1+" * 100_000 + "=5", "1+1=" * 50_000, "=" * 200_000, "(" * 200_000 + "=5+3", "<<1+1=3>>" * 20_000,
     "<<" * 100_000,
     "5 " + "a " * 100_000 + "= 3+3", "5% of " * 40_000 + "=3", "5% of 3 is " * 20_000, "9" * 200_000 + "+1=3",
     "=%" + "x " * 100_000, "2^1000*" * 20 + "1 = 5", "1/(2^1000*3^999) + 1 = 5", "1 + 1 = 3\n" * 20_000]
)  # fmt: skip
def test_hostile_texts_are_judged_at_once(check: Check, sample: MakeSample, text: str) -> None:
    assert check(arithmetic, sample("x", text)).outcome is not Outcome.ERROR


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not here")
def test_right_solutions_are_hardly_ever_flagged(check: Check, sample: MakeSample) -> None:
    right = flagged = 0
    with gzip.open(DATA / "gsm8k_solutions.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if row["labels"]["correct"] and not row["source"]["model"].startswith("codex"):
                right += 1
                flagged += check(arithmetic, sample(row["prompt"], row["response"])).outcome is Outcome.FLAG
    assert flagged <= 0.01 * right


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not here")
def test_the_first_finding_lies_in_the_first_mistaken_step(check: Check, sample: MakeSample) -> None:
    found = placed = 0
    with gzip.open(DATA / "bigbench_mistake.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            mistake = row["labels"]["mistake_index"]
            if row["extra"]["task"] != "multistep_arithmetic" or mistake is None:
                continue
            verdict = check(arithmetic, sample(row["prompt"], row["response"]))
            found += bool(verdict.findings)
            if verdict.findings:
                span = verdict.findings[0].span
                assert span is not None
                placed += row["response"].rfind(f"Step {mistake}: ", 0, span[0]) == row["response"].rfind(
                    "Step ", 0, span[0]
                )
    assert found >= 100
    assert placed >= Fraction(95, 100) * found
