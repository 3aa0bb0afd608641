"""Can a conversation run like this?"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from holdfast.db.models import Message, Outcome, Sample, ToolCall, Verdict
from holdfast.verifiers.format.message_roles import SHOWN, message_roles

Check = Callable[..., Verdict]
Turns = Callable[..., Sample]


def calling(*ids: str | None) -> Message:
    """An assistant turn with a tool call for each id."""
    return Message(
        role="assistant", content="", tool_calls=tuple(ToolCall(id=one, name="f", arguments="{}") for one in ids)
    )


def answer(to: str | None, text: str = "42") -> Message:
    """A tool's answer."""
    return Message(role="tool", content=text, tool_call_id=to)


ASKED = ("user", "How many?")
SAID = ("assistant", "42")


@pytest.mark.parametrize(
    "roles",
    [
        ["assistant"],
        ["user", "assistant"],
        ["system", "user", "assistant"],
        ["system", "developer", "user", "assistant", "user", "assistant"],
    ],
)
def test_conversations_in_order_pass(check: Check, turns: Turns, roles: list[str]) -> None:
    assert check(message_roles, turns(*((role, "x") for role in roles))).outcome is Outcome.PASS


@pytest.mark.parametrize(
    "messages",
    [
        [ASKED, calling("a")],
        [ASKED, calling("a"), answer("a"), SAID],
        [ASKED, calling("a"), answer("a", ""), SAID],
        [ASKED, calling("a", "b"), answer("b"), answer("a"), SAID, ASKED, SAID],
        [ASKED, calling("a"), answer("a"), calling("b"), answer("b"), SAID],
        [ASKED, calling(None), answer(None), SAID],
        [ASKED, calling(None), answer("a"), SAID],
        [ASKED, calling("a"), answer(None), SAID],
    ],
)
def test_answered_tool_calls_pass(check: Check, turns: Turns, messages: list[Message]) -> None:
    assert check(message_roles, turns(*messages)).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("roles", "words"),
    [
        (["user", "user", "assistant"], "turn 2 (user) follows another user turn"),
        (["user", "assistant", "assistant"], "turn 3 (assistant) follows another assistant turn"),
        (["user", "system", "assistant"], "turn 2 (system) comes after the conversation has begun"),
        (["user", "assistant", "user"], "turn 3 (user) ends the conversation, and nothing answers it"),
        (["assistant", "user", "assistant"], "turn 1 (assistant) speaks before any user does"),
        (["system", "assistant", "user", "assistant"], "turn 2 (assistant) speaks before any user does"),
    ],
)
def test_turns_out_of_order_are_flagged_by_number(check: Check, turns: Turns, roles: list[str], words: str) -> None:
    verdict = check(message_roles, turns(*((role, "x") for role in roles)))
    assert verdict.outcome is Outcome.FLAG
    assert [(one.code, one.message) for one in verdict.findings] == [("turn-order", words)]


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([ASKED, answer("a"), SAID], "turn 2 (tool) answers the tool call 'a', which was never made"),
        ([ASKED, answer(None), SAID], "turn 2 (tool) answers a tool call that was never made"),
        ([ASKED, calling("a"), answer("a"), answer("a"), SAID], "turn 4 (tool) answers the tool call 'a' again"),
        (
            [ASKED, calling("a", "b"), answer("a"), SAID],
            "turn 4 (assistant) comes before the tool call 'b' was answered",
        ),
        ([ASKED, calling("a"), ASKED, SAID], "turn 3 (user) comes before the tool call 'a' was answered"),
        ([ASKED, calling("a", "a"), answer("a")], "turn 2 (assistant) gives 2 tool calls the id 'a'"),
    ],
)
def test_tool_calls_have_to_match_their_answers(
    check: Check, turns: Turns, messages: list[Message], words: str
) -> None:
    verdict = check(message_roles, turns(*messages))
    assert verdict.outcome is Outcome.FLAG
    assert (verdict.findings[0].code, verdict.findings[0].message) == ("tool-order", words)


def test_a_misplaced_turn_of_the_prompt_is_shown(check: Check, turns: Turns) -> None:
    talk = turns(("system", "Be brief."), ("user", "Hello"), ("user", "Are you there?"), ("assistant", "Yes."))
    (finding,) = check(message_roles, talk).findings
    assert finding.of == "prompt"
    assert finding.span is not None
    assert talk.prompt[slice(*finding.span)] == "Are you there?"


def test_an_empty_turn_within_the_conversation_is_flagged(check: Check, turns: Turns) -> None:
    verdict = check(message_roles, turns(ASKED, ("assistant", " \n"), ("user", "Well?"), SAID))
    assert [(one.code, one.message) for one in verdict.findings] == [("empty-turn", "turn 2 (assistant) is empty")]
    verdict = check(message_roles, turns(("system", ""), ASKED, SAID))
    assert [one.code for one in verdict.findings] == ["empty-turn"]


def test_what_other_checks_say_is_not_said_again(check: Check, turns: Turns) -> None:
    assert check(message_roles, turns(ASKED, ("assistant", ""))).outcome is Outcome.PASS
    assert check(message_roles, turns(("user", ""), SAID)).outcome is Outcome.PASS
    assert check(message_roles, turns(("system", "x"), SAID)).outcome is Outcome.PASS
    assert check(message_roles, turns(ASKED)).outcome is Outcome.ABSTAIN


def test_a_long_conversation_in_disorder_is_read_in_one_go(check: Check, turns: Turns) -> None:
    verdict = check(message_roles, turns(*[ASKED] * 5_000, *[calling("a")] * 5_000, SAID))
    assert len(verdict.findings) == SHOWN
    many = turns(ASKED, calling(*map(str, range(20_000))), *(answer(str(one)) for one in range(20_000)), SAID)
    assert check(message_roles, many).outcome is Outcome.PASS
