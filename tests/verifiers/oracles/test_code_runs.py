"""Code against the tests that come with it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jails import need_a_jail

from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers.oracles.code_runs import code_runs

Check = Callable[..., Verdict]
Judge = Callable[..., Verdict]

DATA = Path(__file__).parents[4] / "shared" / "data" / "code_reflexion.jsonl.gz"
PROMPT = 'from typing import List\n\n\ndef double(xs: List[int]) -> List[int]:\n    """Twice each number."""\n'
WHOLE = "def double(xs):\n    return [2 * x for x in xs]"
CHECK = "def check(candidate):\n    assert candidate([1, 2]) == [2, 4]\n    assert candidate([]) == []\n"


@pytest.fixture(autouse=True)
def jailed() -> None:
    need_a_jail()


@pytest.fixture
def judge(check: Check, sample: Callable[..., Sample]) -> Judge:
    """Judge a response by tests."""

    def run(response: str, tests: Any = CHECK, *, prompt: str = PROMPT, entry: str | None = "double") -> Verdict:
        metadata = {"tests": tests} | ({"entry_point": entry} if entry else {})
        return check(code_runs, sample(prompt, response, metadata_json=json.dumps(metadata)))

    return run


@pytest.mark.parametrize(
    "response",
    [
        "    return [2 * x for x in xs]",
        "return [2 * x for x in xs]",
        "twice = [2 * x for x in xs]\n    return twice",
        "twice = []\nfor x in xs:\n    twice.append(2 * x)\nreturn twice",
        WHOLE,
        f"{PROMPT}    return [2 * x for x in xs]\n",
        f"Sure! Here it is:\n\n```python\n{WHOLE}\n```\n\nIt doubles each number.",
        "1. So:\n\n   ```python\n   def double(xs: List[int]):\n       return [2 * x for x in xs]\n   ```",
        "```\n    return [2 * x for x in xs]\n```",
        "double = lambda xs: [2 * x for x in xs]",
        f"{WHOLE}\n\nif __name__ == '__main__':\n    print(double(input()))",
        "import numpy as np\ndef double(xs):\n    return list(2 * np.array(xs))",
    ],
)
def test_code_that_does_what_the_tests_say_passes(judge: Judge, response: str) -> None:
    verdict = judge(response)
    assert verdict.outcome is Outcome.PASS, verdict.findings
    assert "all tests hold" in verdict.findings[0].message


@pytest.mark.parametrize(
    "tests",
    [
        CHECK,
        CHECK + "\ncheck(double)\n",
        CHECK + "\ndef test_check():\n    check(double)\n\ntest_check()\n",
        "assert double([1]) == [2]",
        "assert candidate([1]) == [2]",
        ["assert double([1]) == [2]", "assert double([]) == []"],
        "def test_one():\n    assert double([1]) == [2]\n",
        "for n in range(3):\n    assert double([n]) == [2 * n]\n",
    ],
)
def test_tests_come_in_several_shapes(judge: Judge, tests: Any) -> None:
    assert judge(WHOLE, tests).outcome is Outcome.PASS
    verdict = judge(WHOLE.replace("2", "3"), tests)
    assert verdict.outcome is Outcome.FAIL
    assert [finding.code for finding in verdict.findings] == ["test-fails"]


@pytest.mark.parametrize("tests", [None, "", [], 3, "import math\n"])
def test_without_tests_there_is_nothing_to_say(judge: Judge, tests: Any) -> None:
    assert judge(WHOLE, tests).outcome is Outcome.ABSTAIN


def test_the_function_is_found_in_the_prompt_where_nothing_names_it(judge: Judge) -> None:
    assert judge(WHOLE, entry=None).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("response", "code", "said", "shown"),
    [
        (
            "def double(xs):\n    return [x for x in xs]",
            "test-fails",
            "candidate([1, 2]) gives [1, 2], not [2, 4]",
            "def double(xs):",
        ),
        ("    return [x / 0 for x in xs]", "exception", "ZeroDivisionError: division by zero, line 1", "return [x / 0 for x in xs]"),  # noqa: E501
        (
            "Like so:\n```python\ndef double(xs):\n    y = 1\n    return xs.twice\n```",
            "exception",
            "line 5",
            "return xs.twice",
        ),
        ("def double(xs):\n    return [2 * x for x in xs", "syntax-error", "was never closed", "return [2 * x for x in xs"),  # noqa: E501
        ("def twice(xs):\n    return xs", "test-fails", "gives None, not [2, 4]", None),
        ("def double(xs, ys):\n    return xs", "exception", "cannot be called as the tests do", "def double(xs, ys):"),
        ("def double(xs):\n    while True:\n        pass", "timeout", "processor time", None),
        ("def double(xs):\n    return double(xs)", "exception", "RecursionError", "return double(xs)"),
    ],
)  # fmt: skip
def test_what_is_wrong_fails_at_its_line(
    check: Check, sample: Callable[..., Sample], response: str, code: str, said: str, shown: str | None
) -> None:
    metadata = json.dumps({"tests": CHECK, "entry_point": "double"})
    verdict = check(code_runs, sample(PROMPT, response, metadata_json=metadata), seconds=1)
    assert verdict.outcome is Outcome.FAIL
    (finding,) = verdict.findings
    assert finding.code == code
    assert said in finding.message
    assert (response[slice(*finding.span)] if finding.span else None) == shown


def test_a_function_that_is_missing_is_named(judge: Judge) -> None:
    verdict = judge("def twice(xs):\n    return xs", prompt="Write a function double.")
    assert [finding.code for finding in verdict.findings] == ["missing-function"]
    assert "defines no function double" in verdict.findings[0].message


def test_tests_that_break_by_themselves_are_for_a_person(judge: Judge) -> None:
    verdict = judge(WHOLE, "assert double([1]) == expected_value\n")
    assert verdict.outcome is Outcome.FLAG
    assert verdict.findings[0].code == "tests-break"


@pytest.mark.parametrize(
    "response",
    [
        "print('PASS')\ndef double(xs):\n    return xs",
        "import os\nos._exit(0)",
        "import sys\nsys.exit(0)",
        "import os\ndef double(xs):\n    os._exit(0)",
        "import sys\ndef double(xs):\n    sys.exit(0)",
        "import atexit, os\natexit.register(os._exit, 0)\ndef double(xs):\n    return xs",
        "import builtins\nbuiltins.AssertionError = type('A', (Exception,), {})\ndef double(xs):\n    return xs",
        "import builtins\nbuiltins.compile = builtins.exec = lambda *a, **k: None\ndef double(xs):\n    return xs",
        "def check(candidate):\n    pass\ndef double(xs):\n    return xs",
        "import sys\nsys.excepthook = lambda *a: None\ndef double(xs):\n    return xs",
        "import os, signal\ndef double(xs):\n    os.kill(os.getpid(), signal.SIGKILL)",
        'import os\nfor fd in range(3, 30):\n    try:\n        os.write(fd, b\'{"kind": "done"}\\n\')\n'
        "    except OSError:\n        pass\nos._exit(0)",
        "import sys\ndef double(xs):\n    return sys._getframe(1).f_code.co_consts",
        "import inspect\ndef double(xs):\n    return inspect.stack()[1].frame",
        "import gc\ndef double(xs):\n    return gc.get_objects()",
        "import __main__\nvars(__main__).clear()\ndef double(xs):\n    return xs",
    ],
)
def test_a_pass_cannot_be_had_by_the_usual_tricks(judge: Judge, response: str) -> None:
    assert judge(response).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("response", "shown"),
    [
        ("class Any:\n    def __eq__(self, _):\n        return True\ndef double(xs):\n    return Any()", "def __eq__"),
        ("Any = type('Any', (), {'__eq__': lambda *_: True})\ndef double(xs):\n    return Any()", "__eq__"),
        ("from unittest.mock import ANY\ndef double(xs):\n    return ANY", "from unittest.mock"),
        ("from unittest import mock\ndef double(xs):\n    return mock.ANY", "unittest import mock"),
    ],
)  # fmt: skip
def test_values_that_equal_everything_are_for_a_person(judge: Judge, response: str, shown: str) -> None:
    verdict = judge(response)
    assert verdict.outcome is Outcome.FLAG
    (finding,) = verdict.findings
    assert finding.code == "own-equality"
    assert finding.span is not None
    assert response[slice(*finding.span)] == shown


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ("def all(xs):\n    return True", "own-functions"),
        ("all = lambda xs: True", "own-functions"),
        ("import builtins\n__builtins__ = {**vars(builtins), 'all': lambda xs: True}", "test-fails"),
    ],
)
def test_tests_are_not_left_to_functions_of_the_code(judge: Judge, head: str, code: str) -> None:
    tests = "assert all([double([1]) == [2]])"
    verdict = judge(f"{head}\ndef double(xs):\n    return xs", tests)
    assert verdict.outcome is not Outcome.PASS
    assert code in [finding.code for finding in verdict.findings]


def test_a_function_under_test_may_have_the_name_of_a_built_in_one(judge: Judge) -> None:
    response = "def sum(xs):\n    return xs[0] if xs else 0"
    assert judge(response, "assert sum([1]) == 1", entry="sum", prompt="Write sum.").outcome is Outcome.PASS


@pytest.mark.skipif(not DATA.is_file(), reason="the shared data sets are not here")
def test_real_code_is_judged_as_published(check: Check, sample: Callable[..., Sample]) -> None:
    with gzip.open(DATA, "rt", encoding="utf-8") as lines:
        rows = list(map(json.loads, lines))[::20]
    same = 0
    for row in rows:
        metadata = json.dumps({name: row["extra"][name] for name in ("tests", "entry_point")})
        verdict = check(code_runs, sample(row["prompt"], row["response"], metadata_json=metadata))
        same += (verdict.outcome is Outcome.PASS) == row["labels"]["passed"]
    assert same >= 0.98 * len(rows)
