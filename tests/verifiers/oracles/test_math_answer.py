"""The final answer against the reference: right, wrong, in other units, as formulas, and out of bounds."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers import Context
from holdfast.verifiers.oracles import symbolic
from holdfast.verifiers.oracles.math_answer import math_answer

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]

GSM8K = Path(__file__).parents[4] / "shared" / "data" / "gsm8k_solutions.jsonl.gz"


@pytest.fixture(autouse=True)
def no_process_left() -> Iterator[None]:
    yield
    symbolic.close()


@pytest.mark.parametrize(
    ("response", "reference"),
    [
        ("13 * 2 = 26\nA: 26", "9 * 2 = 18\nA: 26"), ("A: $1,250.00", "#### 1250"), (r"So \boxed{\frac{1}{2}}.", "0.5"),
        ("The answer is 5 km.", "5"), (r"\boxed{5\text{ km}}", "5 km"), ("A: 5000 m", "5 km"),
        ("A: 90 minutes", "1.5 hours"), ("It makes 18 in all", "18"),
        ("A: 28.00000000000001", "28"), ("A: 50%", "50 percent"), ("−4", "-4"), ("A: 3 1/2", "7/2"),
        ("The answer is 75 = 3 * 25", "75"),
    ],
)  # fmt: skip
def test_the_same_answer_passes(check: Check, sample: MakeSample, response: str, reference: str) -> None:
    assert check(math_answer, sample("How many?", response, reference=reference)).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("response", "reference", "message", "said"),
    [
        ("13 * 2 = 26\nA: 26", "A: 18", "answers 26; the reference says 18", "26"),
        ("#### $1,200.50", "#### 1250", "answers 1,200.50; the reference says 1250", "1,200.50"),
        ("The answer is 5 km.", "6 km", "answers 5 km; the reference says 6 km", "5"),
        (r"\boxed{\frac12}", r"\boxed{\frac{1}{3}}", r"answers \frac12; the reference says \frac{1}{3}", r"\frac12"),
        ("A: -4", "4", "answers -4; the reference says 4", "-4"),
        ("😀 A: 17.6\nA: 17.6", "18", "answers 17.6; the reference says 18", "17.6"),
    ],
)  # fmt: skip
def test_another_answer_fails_at_its_place(
    check: Check, sample: MakeSample, response: str, reference: str, message: str, said: str
) -> None:
    verdict = check(math_answer, sample("How many?", response, reference=reference))
    assert verdict.outcome is Outcome.FAIL
    (finding,) = verdict.findings
    assert (finding.code, finding.message) == ("wrong-answer", message)
    assert finding.span is not None
    assert response[slice(*finding.span)] == said


@pytest.mark.parametrize(
    ("response", "code"),
    [
        ("Then he pays 5 * 3 = 15 pesos for an", "no-final-answer"),
        ("The answer is 5 hours and 6 minutes.", "no-final-answer"),
        ("I cannot tell.", "no-final-answer"),
        (r"So it is \boxed{}.", "no-final-answer"),
        ("9" * 300, "no-final-answer"),
        ("The answer is 1 020", "no-final-answer"),
        ("A: 18 cm", "wrong-unit"),
    ],
)
def test_a_doubtful_answer_is_flagged(check: Check, sample: MakeSample, response: str, code: str) -> None:
    verdict = check(math_answer, sample("How much?", response, reference="18 m" if "unit" in code else "18"))
    assert verdict.outcome is Outcome.FLAG
    assert [one.code for one in verdict.findings] == [code]
    assert all(one.span is None or one.span[0] < one.span[1] for one in verdict.findings)


@pytest.mark.parametrize(
    ("response", "reference"),
    [
        ("A: 5", None),
        ("A: 5", "It depends on the tide."),
        ("apples = 5\nans = apples * 2", "A: 18"),
        ("import math\nans = math.sqrt(81)", "A: 18"),
        ("A: 0.33", "1/3"),
        ("A: 33.3%", "1/3"),
        ("The answer is twelve.", "12"),
        ("A: 180 minutes", "3"),
        ("The answer is either 18 or 19.", "18"),
        ("There are eighteen of them.", "18"),
        ("On 2024-05-06", "2024-05-07"),
        ("C. 18", "2"),
    ],
)
def test_where_it_cannot_tell_it_abstains(
    check: Check, sample: MakeSample, response: str, reference: str | None
) -> None:
    prompt = "Which?\nA. 16\nB. 17\nC. 18" if response.startswith("C.") else "How many?"
    assert check(math_answer, sample(prompt, response, reference=reference)).outcome is Outcome.ABSTAIN


@pytest.mark.parametrize(
    ("response", "reference", "outcome"),
    [
        (r"So it is \boxed{2\sqrt{2}}.", r"$\sqrt{8}$", Outcome.PASS),
        (r"\boxed{(x+1)^2}", r"\boxed{x^2 + 2x + 1}", Outcome.PASS),
        (r"\boxed{\{2, 1\}}", r"\{1,2\}", Outcome.PASS),
        (r"\boxed{x^2}", r"\boxed{x^2}", Outcome.PASS),
        (r"\boxed{2\sqrt{3}}", r"$\sqrt{8}$", Outcome.FAIL),
        (r"\boxed{(x+1)^3}", r"\boxed{x^2 + 2x + 1}", Outcome.FLAG),
        (r"\boxed{\sqrt{81}}", "9", Outcome.PASS),
        (r"\boxed{1.41}", r"\sqrt{2}", Outcome.ABSTAIN),
        (r"\boxed{9^{9^{9^9}}}", r"\sqrt{2}", Outcome.ABSTAIN),
        (r"\boxed{2^{99999}}", r"\sqrt{2}", Outcome.ABSTAIN),
        (r"\boxed{" + "{" * 70 + "2" + "}" * 70 + "}", r"\sqrt{2}", Outcome.ABSTAIN),
        (r"\boxed{__import__('os')}", r"\sqrt{2}", Outcome.ABSTAIN),
    ],
)
def test_formulas(check: Check, sample: MakeSample, response: str, reference: str, outcome: Outcome) -> None:
    pytest.importorskip("math_verify")
    verdict = check(math_answer, sample("What is it?", response, reference=reference))
    assert verdict.outcome is outcome
    for finding in verdict.findings:
        assert finding.span is not None
        assert "{" + response[slice(*finding.span)] + "}" in response


def test_a_formula_that_takes_too_long_is_left_and_the_next_one_is_judged(check: Check, sample: MakeSample) -> None:
    pytest.importorskip("math_verify")
    heavy = r"\boxed{(((x+1)^{100}+1)^{100}+1)^{100}}"
    assert check(math_answer, sample("x", heavy, reference=r"\sqrt{2}"), seconds=0.2).outcome is Outcome.ABSTAIN
    assert check(math_answer, sample("x", r"\boxed{\sqrt{8}}", reference=r"2\sqrt{2}")).outcome is Outcome.PASS


def test_formulas_are_judged_from_threads_too(check: Check, sample: MakeSample) -> None:
    pytest.importorskip("math_verify")
    outcomes: list[Outcome] = []
    asked = sample("x", r"\boxed{\sqrt{8}}", reference=r"2\sqrt{2}")
    threads = [threading.Thread(target=lambda: outcomes.append(check(math_answer, asked).outcome)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [Outcome.PASS] * 4


@pytest.mark.parametrize(
    "text", ["A: " + "9" * 200_000, "1 " * 100_000, r"\boxed{" * 30_000, "A: 1e999999999", "^" * 200_000]
)
def test_hostile_texts_are_judged_at_once(check: Check, sample: MakeSample, text: str) -> None:
    check(math_answer, sample(text, text, reference="A: 5"))
    check(math_answer, sample("x", text, reference=text))


@pytest.mark.skipif(not GSM8K.is_file(), reason="the shared data sets are not here")
def test_it_agrees_with_the_published_verdicts(sample: MakeSample) -> None:
    agreed = number = 0
    with gzip.open(GSM8K, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            asked = sample(row["prompt"], row["response"], reference=row["reference"])
            verdict = math_answer.function(asked, Context())
            if row["source"]["model"].startswith("codex"):
                assert verdict.outcome is Outcome.ABSTAIN
                continue
            number += 1
            agreed += (
                verdict.outcome is not Outcome.ABSTAIN and (verdict.outcome is Outcome.PASS) == row["labels"]["correct"]
            )
            for finding in verdict.findings:
                assert finding.span is not None
                assert any(mark.isdigit() for mark in row["response"][slice(*finding.span)])
    assert number == 2_584
    assert agreed >= 0.999 * number
