"""Examples of an interactive session, against the code."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from jails import need_a_jail

from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers.oracles.doctests import doctests
from holdfast.verifiers.oracles.examples import examples_in

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]

PROMPT = 'def mean(xs):\n    """The mean.\n\n    >>> mean([1, 2])\n    1.5\n    >>> mean([4])\n    4.0\n    """\n'
WHOLE = "def mean(xs):\n    return sum(xs) / len(xs)"


@pytest.fixture(autouse=True)
def jailed() -> None:
    need_a_jail()


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        (PROMPT, "    return sum(xs) / len(xs)\n"),
        (PROMPT, WHOLE),
        (PROMPT, f"```python\n{WHOLE}\n```"),
        ("Write mean.", f"```\n{WHOLE}\n```\n\nFor example:\n\n>>> mean([1, 2])\n1.5\n"),
        ("Write mean.", f"```python\n{WHOLE}\n```\n```pycon\n>>> x = mean([1, 2])\n>>> x\n1.5\n```"),
        ("Show it.", "You can do this:\n\n>>> xs = [3, 1]\n>>> sorted(xs)\n[1, 3]\n"),
        ("Write f.", 'def f():\n    """\n    >>> f()\n    "it\'s"\n    """\n    return "it\'s"'),
        ("Write f.", 'def f(x):\n    """\n    >>> f(1)["a"]\n    [1,2]"""\n    return {"a": [x, 2]}'),
        ("Write f.", 'def f(x):\n    """\n    >>> for i in range(2):\n    ...     print(f(i))\n    0\n    1\n    """\n    return x'),  # noqa: E501
        (
            "Write f.",
            'def f(x):\n    """\n    >>> f(0)\n    Traceback (most recent call last):\n      ...\n'
            '    ZeroDivisionError: division by zero\n    """\n    return 1 / x',
        ),
        ("Write f.", 'def f(x):\n    """\n    >>> f(3)\n    0.333...\n    """\n    return 1 / x'),
        ("Write f.", 'def f(x):\n    """\n    >>> f(3)\n    0.33333333\n    """\n    return 1 / x'),
        ("Write all.", 'def all(xs):\n    """\n    >>> all(3)\n    [1,  "3"]\n    """\n    return [1, str(xs)]\nlen = map = all'),  # noqa: E501
        ("Write f.", 'def f(x):\n    """\n    >>> f(3)\n    None\n    """\n'),
    ],
)  # fmt: skip
def test_examples_that_hold_pass(check: Check, sample: MakeSample, prompt: str, response: str) -> None:
    verdict = check(doctests, sample(prompt, response))
    assert verdict.outcome is Outcome.PASS, verdict.findings


@pytest.mark.parametrize(
    ("prompt", "response", "said", "shown"),
    [
        (PROMPT, "    return sum(xs)\n", "mean([1, 2]) gives 3, not 1.5", "prompt:>>> mean([1, 2])"),
        (PROMPT, "    return xs[9]\n", "mean([1, 2]) raises IndexError: list index out of range", "prompt:>>> mean([1, 2])"),  # noqa: E501
        ("Write mean.", f"{WHOLE}\n\n>>> mean([1, 2])\n1.5\n>>> mean([9])\n8.0\n", "mean([9]) gives 9.0, not 8.0", "response:>>> mean([9])"),  # noqa: E501
        ("Show it.", "So:\n\n>>> sum([1, 2])\n4\n", "sum([1, 2]) gives 3, not 4", "response:>>> sum([1, 2])"),
        ("Write f.", 'def f(x):\n    """\n    >>> f(0)\n    Traceback (most recent call last):\n    ValueError\n    """\n', "f(0) raises nothing", "response:>>> f(0)"),  # noqa: E501
    ],
)  # fmt: skip
def test_an_example_that_shows_another_value_fails_at_its_place(
    check: Check, sample: MakeSample, prompt: str, response: str, said: str, shown: str
) -> None:
    verdict = check(doctests, sample(prompt, response))
    assert verdict.outcome is Outcome.FAIL
    (finding,) = verdict.findings
    assert said in finding.message
    assert finding.span is not None
    text = prompt if finding.of == "prompt" else response
    assert f"{finding.of}:{text[slice(*finding.span)]}" == shown


def test_an_example_that_may_mean_the_same_is_only_flagged(check: Check, sample: MakeSample) -> None:
    response = 'def f():\n    """\n    >>> f()\n    a list of three numbers\n    """\n    return [1, 2, 3]'
    verdict = check(doctests, sample("Write f.", response))
    assert verdict.outcome is Outcome.FLAG
    assert verdict.findings[0].code == "example-fails"


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        (PROMPT, "The mean is the sum divided by the count."),
        ("Write f.", "On Monday you wrote:\n>>> see you there\n>> fine"),
        ("Write f.", 'def f():\n    """\n    >>> g(1)\n    2\n    """\n    return 1'),
        ("Write f.", 'def f(s):\n    """\n    >>> f("a\\\\nb")\n    2\n    """\n    return 1'),
        ("What is 2 + 2?", "4"),
    ],
)
def test_what_cannot_be_judged_is_left_alone(check: Check, sample: MakeSample, prompt: str, response: str) -> None:
    assert check(doctests, sample(prompt, response)).outcome is Outcome.ABSTAIN


def test_code_that_does_not_run_fails(check: Check, sample: MakeSample) -> None:
    response = "def mean(xs):\n    return sum(xs)\n\nprint(mean(3))"
    verdict = check(doctests, sample(PROMPT, response))
    assert [finding.code for finding in verdict.findings] == ["exception"]


@pytest.mark.parametrize(
    "text", [">>> x\n" * 30_000, ">>> (\n" + "... \n" * 40_000, " " * 200_000 + ">>>", ">>> 1\n'''\n" * 9_000]
)
def test_hostile_texts_are_read_in_no_time(text: str) -> None:
    assert len(examples_in(text)) <= 50
