"""Is there something to review?"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from holdfast.db.models import Outcome, Sample, Severity, Verdict
from holdfast.verifiers.format.required_fields import required_fields

Check = Callable[..., Verdict]
Turns = Callable[..., Sample]


@pytest.mark.parametrize("roles", [["user", "assistant"], ["system", "user", "assistant", "user", "assistant"]])
def test_a_prompt_and_a_response_pass(check: Check, turns: Turns, roles: list[str]) -> None:
    assert check(required_fields, turns(*((role, "x") for role in roles))).outcome is Outcome.PASS


def test_without_a_response_there_is_nothing_to_train_on(check: Check, turns: Turns) -> None:
    verdict = check(required_fields, turns(("user", "x")))
    assert verdict.outcome is Outcome.FAIL
    assert [one.code for one in verdict.findings] == ["no-response"]


@pytest.mark.parametrize("messages", [[("assistant", "x")], [("user", " \n"), ("assistant", "x")]])
def test_an_empty_prompt_is_flagged(check: Check, turns: Turns, messages: list[tuple[str, str]]) -> None:
    verdict = check(required_fields, turns(*messages))
    assert verdict.outcome is Outcome.FLAG
    assert [one.code for one in verdict.findings] == ["no-prompt"]


def test_in_a_source_of_plain_texts_a_missing_prompt_is_only_noted(check: Check, turns: Turns) -> None:
    plain = [turns(("assistant", f"text {number}")) for number in range(30)]
    answers = [turns(("user", "x"), ("assistant", f"answer {number}"), model="model-b") for number in range(30)]
    verdict = check(required_fields, plain[0], [*plain, *answers])
    assert verdict.outcome is Outcome.PASS
    assert [(one.code, one.severity) for one in verdict.findings] == [("no-prompt", Severity.INFO)]
    other = turns(("assistant", "x"), model="model-b")
    assert check(required_fields, other, [*plain, *answers]).outcome is Outcome.FLAG
