"""Answers that are programs, against the number of the reference."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from jails import need_a_jail

from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers.oracles.program_answer import program_answer
from holdfast.verifiers.oracles.programs import executed_answer, program_of

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]

DATA = Path(__file__).parents[4] / "shared" / "data" / "gsm8k_solutions.jsonl.gz"
PROGRAM = "def solver():\n    eggs = 16 - 3\n    return eggs * 2\nans = solver()"


@pytest.fixture(autouse=True)
def jailed() -> None:
    need_a_jail()


@pytest.mark.parametrize(
    "response",
    [
        PROGRAM,
        "print('a', 5)\nprint(f'They make ${13 * 2:,} a day')",
        "import numpy as np\nans = np.float64(26.000000000000004)",
        "import numpy as np\nans = np.array([26])",
        "from fractions import Fraction\nans = Fraction(52, 2)",
        "total_eggs = 13\nans = str(total_eggs * 2) + ' dollars'",
        "Here is the program:\n\n```python\nans = 13 * 2\n```\nIt prints nothing.",
        "- first:\n\n  ```py\n  price_paid = 13\n  print(price_paid * 2)\n  ```\n",
    ],
)
def test_the_right_number_passes(check: Check, sample: MakeSample, response: str) -> None:
    verdict = check(program_answer, sample(response=response, reference="16 - 3 = 13, 13 * 2 = 26\n#### 26"))
    assert verdict.outcome is Outcome.PASS
    assert "run in" in verdict.findings[0].message


@pytest.mark.parametrize(
    ("response", "code", "said", "shown"),
    [
        (PROGRAM.replace("16", "17"), "wrong-answer", "computes 28; the reference says 26", "ans = solver()"),
        ("print(28)\nprint()", "wrong-answer", "computes 28", None),
        ("ans = None\nprint(1)", "no-answer", "leaves None in `ans`", "ans = None"),
        ("ans = (26, 1)\nprint(26)", "no-answer", "leaves (26, 1)", "ans = (26, 1)"),
        ("eggs_left = 13\neggs_sold = 26", "no-answer", "prints no number", None),
        (PROGRAM.replace("16", "sixteen"), "exception", "name 'sixteen' is not defined, line 2", "eggs = sixteen - 3"),
        (PROGRAM.replace("()", "("), "syntax-error", "is no valid Python", "def solver(:"),
        ("Code:\n```python\n\nans = 1 / 0\n```", "exception", "ZeroDivisionError", "ans = 1 / 0"),
        ("import sys\nans = 26\nsys.exit('no')", "exits-early", "before the end of the program", None),
    ],
)
def test_what_is_wrong_fails_at_its_line(
    check: Check, sample: MakeSample, response: str, code: str, said: str, shown: str | None
) -> None:
    verdict = check(program_answer, sample(response=response, reference="26"))
    assert verdict.outcome is Outcome.FAIL
    (finding,) = verdict.findings
    assert finding.code == code
    assert said in finding.message
    assert (response[slice(*finding.span)] if finding.span else None) == shown


@pytest.mark.parametrize(
    ("response", "reference"),
    [
        ("The answer is 26.", "26"),
        ("Let x = 13.\nThen y = 26, as from above.", "26"),
        ('```json\n{"ans": 26}\n```', "26"),
        ("```\nans: 26\n```", "26"),
        (PROGRAM, "as many as there are"),
        (PROGRAM, ""),
    ],
)
def test_what_is_no_program_or_has_no_number_to_compare_is_left_alone(
    check: Check, sample: MakeSample, response: str, reference: str
) -> None:
    assert check(program_answer, sample(response=response, reference=reference)).outcome is Outcome.ABSTAIN


def test_a_program_with_tests_is_left_to_them(check: Check, sample: MakeSample) -> None:
    tested = sample(response=PROGRAM, reference="26", metadata_json='{"tests": "assert solver() == 26"}')
    assert check(program_answer, tested).outcome is Outcome.ABSTAIN


@pytest.mark.parametrize(
    ("value", "reference", "outcome"),
    [
        ("3.9999999999999996", "4", Outcome.PASS),
        ("100 / 3", "33.33", Outcome.PASS),
        ("100 / 3", "33", Outcome.FAIL),
        ("385000.00000000006", "385,000", Outcome.PASS),
        ("float('nan')", "4", Outcome.FAIL),
        ("float('inf')", "4", Outcome.FAIL),
        ("10**5000", "4", Outcome.FAIL),
        ("True", "1", Outcome.FAIL),
        ("-0.0", "0", Outcome.PASS),
    ],
)
def test_numbers_compare_as_numbers(
    check: Check, sample: MakeSample, value: str, reference: str, outcome: Outcome
) -> None:
    assert check(program_answer, sample(response=f"ans = {value}\n", reference=reference)).outcome is outcome


def test_a_package_that_is_not_allowed_is_an_error_with_its_remedy(check: Check, sample: MakeSample) -> None:
    imports = sample(response="import numpy\nans = 26", reference="26")
    verdict = check(program_answer, imports, packages=())
    assert verdict.outcome is Outcome.ERROR
    assert 'packages = ["numpy"]' in verdict.findings[0].message
    verdict = check(program_answer, imports, packages=("no_such_package",))
    assert verdict.outcome is Outcome.ERROR
    assert "'no_such_package' is not installed" in verdict.findings[0].message


def test_an_import_that_nobody_has_is_for_a_person_to_judge(check: Check, sample: MakeSample) -> None:
    verdict = check(program_answer, sample(response="import no_such_package\nans = 26", reference="26"))
    assert [finding.code for finding in verdict.findings] == ["missing-package"]
    assert verdict.outcome is Outcome.FLAG


def test_what_a_program_computes_is_an_answer_that_compares(sample: MakeSample) -> None:
    answers = [
        executed_answer(sample(response=response))
        for response in ("ans = 4 + 1e-15", "print('so:', 12 / 3)", "ans = 9", "It is 4.", "ans = 'four'")
    ]
    assert [answer and answer.value for answer in answers] == ["4", "4", "9", None, None]


@pytest.mark.parametrize("text", ["a = " * 50_000, "```\n" * 50_000, "def " * 49_000, "x: " * 66_000, "~~~" * 60_000])
def test_hostile_texts_are_read_in_no_time(text: str) -> None:
    program_of(text)


@pytest.mark.skipif(not DATA.is_file(), reason="the shared data sets are not here")
def test_real_programs_are_judged_as_published(check: Check, sample: MakeSample) -> None:
    with gzip.open(DATA, "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row["source"]["model"].startswith("codex")]
    for row in rows[::25]:
        one = sample(row["prompt"], row["response"], reference=row["reference"])
        expected = Outcome.PASS if row["labels"]["correct"] else Outcome.FAIL
        assert check(program_answer, one).outcome is expected, row["id"]


@pytest.mark.skipif(not DATA.is_file(), reason="the shared data sets are not here")
def test_real_texts_are_told_from_programs() -> None:
    with gzip.open(DATA, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            assert (program_of(row["response"]) is not None) == row["source"]["model"].startswith("codex"), row["id"]
