"""Is there something to review, and can a conversation run like this?"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from holdfast.db.models import Message, Outcome, Sample, Severity, ToolCall, Verdict
from holdfast.verifiers.format.required_fields import required_fields

Check = Callable[..., Verdict]
Turns = Callable[..., Sample]

CALL = Message(role="assistant", content="", tool_calls=(ToolCall(id="c1", name="look_up", arguments="{}"),))
ANSWER = Message(role="tool", content="42", tool_call_id="c1")


@pytest.mark.parametrize(
    "roles",
    [
        ["user", "assistant"],
        ["system", "user", "assistant"],
        ["system", "developer", "user", "assistant", "user", "assistant"],
    ],
)
def test_conversations_in_order_pass(check: Check, turns: Turns, roles: list[str]) -> None:
    assert check(required_fields, turns(*((role, "x") for role in roles))).outcome is Outcome.PASS


def test_a_tool_call_and_its_answer_pass(check: Check, turns: Turns) -> None:
    assert check(required_fields, turns(("user", "x"), CALL, ANSWER, ("assistant", "42"))).outcome is Outcome.PASS
    assert check(required_fields, turns(("user", "x"), CALL)).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("roles", "words"),
    [
        (["user", "user", "assistant"], "turn 2 (user) follows another user turn"),
        (["user", "assistant", "assistant"], "turn 3 (assistant) follows another assistant turn"),
        (["user", "system", "assistant"], "turn 2 (system) comes after the conversation has begun"),
        (["user", "assistant", "user"], "ends with a user turn that nothing answers"),
        (["user", "tool", "assistant"], "turn 2 (tool) answers a tool call that was never made"),
    ],
)
def test_turns_out_of_order_are_flagged_by_number(check: Check, turns: Turns, roles: list[str], words: str) -> None:
    verdict = check(required_fields, turns(*((role, "x") for role in roles)))
    assert verdict.outcome is Outcome.FLAG
    assert [one.code for one in verdict.findings] == ["turn-order"]
    assert words in verdict.findings[0].message


def test_tool_calls_have_to_match_their_answers(check: Check, turns: Turns) -> None:
    other = Message(role="tool", content="42", tool_call_id="c2")
    verdict = check(required_fields, turns(("user", "x"), CALL, other, ("assistant", "42")))
    assert "answers the tool call 'c2', which was never made" in verdict.findings[0].message
    verdict = check(required_fields, turns(("user", "x"), CALL, ("user", "well?"), ("assistant", "42")))
    assert "before the tool call of the turn above was answered" in verdict.findings[0].message


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
