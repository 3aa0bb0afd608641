"""Texts that stand where an answer should stand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from holdfast.db.models import Message, Outcome, Sample, ToolCall, Verdict
from holdfast.verifiers.format.placeholder import empty_or_placeholder

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]


@pytest.mark.parametrize("response", ["", "   ", "\n\t \u3000\n"])
def test_an_empty_response_fails(check: Check, sample: MakeSample, response: str) -> None:
    verdict = check(empty_or_placeholder, sample(response=response))
    assert verdict.outcome is Outcome.FAIL
    assert [one.code for one in verdict.findings] == ["empty-response"]


def test_what_cannot_be_seen_is_written_out(check: Check, sample: MakeSample) -> None:
    (finding,) = check(empty_or_placeholder, sample(response="Dear [your \x1bfull\u202e name],")).findings
    assert finding.message == r"[your \x1bfull\u202e name] was never filled in"


def test_a_tool_call_is_no_empty_response(check: Check, turns: Callable[..., Sample]) -> None:
    call = Message(role="assistant", content="", tool_calls=(ToolCall(name="look_up", arguments="{}"),))
    assert check(empty_or_placeholder, turns(("user", "x"), call)).outcome is Outcome.PASS


@pytest.mark.parametrize(
    "response",
    [
        "<noinput>",
        "N/A",
        "n/a.",
        " TODO ",
        "[TBD]",
        "Lorem ipsum…",
        "...",
        "…",
        "[Your answer here]",
        "NaN",
        "null",
        "???",
        "xxx",
        "____",
        "<blank>",
        "Not applicable.",
    ],
)
def test_a_placeholder_is_flagged_where_it_stands(check: Check, sample: MakeSample, response: str) -> None:
    verdict = check(empty_or_placeholder, sample(response=response))
    assert verdict.outcome is Outcome.FLAG
    finding = next(one for one in verdict.findings if one.code == "placeholder")
    assert finding.span is not None
    assert response[slice(*finding.span)] == response.strip()


@pytest.mark.parametrize(
    "response", ["None", "no", "0", "-", "?", "Answer: 4", "todos", "print('TODO')", "N/A is a label"]
)
def test_short_answers_are_no_placeholders(check: Check, sample: MakeSample, response: str) -> None:
    assert check(empty_or_placeholder, sample(response=response)).outcome is Outcome.PASS


def test_a_placeholder_that_the_sample_expects_is_an_answer(check: Check, sample: MakeSample) -> None:
    for field in ("label", "reference"):
        assert check(empty_or_placeholder, sample(response="N/A", **{field: "N/A"})).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("response", "shown"),
    [
        ("Dear {{name}}, welcome.", "{{name}}"),
        ("Dear {{ customer.first_name }}!", "{{ customer.first_name }}"),
        ("Sincerely,\n[Your Name]", "[Your Name]"),
        ("We sold [INSERT NUMBER] units.", "[INSERT NUMBER]"),
        ("Call <insert phone number here> now", "<insert phone number here>"),
        ("We meet in [location].", "[location]"),
        ("Welcome, ${user}!", "{user}"),
        ("<NAME> lives here.", "<NAME>"),
        ("Dear [Boss's Name],", "[Boss's Name]"),
        ("I joined [Company Name] today.", "[Company Name]"),
        ("Hi <your supervisor's name>,", "<your supervisor's name>"),
        ("Answer the question: {question}", "{question}"),
        ("Welcome to {city_name}!", "{city_name}"),
        ("Text: lorem ipsum dolor sit amet", "lorem ipsum"),
    ],
)
def test_what_was_never_filled_in_is_flagged_at_its_place(
    check: Check, sample: MakeSample, response: str, shown: str
) -> None:
    verdict = check(empty_or_placeholder, sample(response=response))
    assert verdict.outcome is Outcome.FLAG
    (finding,) = verdict.findings
    assert finding.span is not None
    assert response[slice(*finding.span)] == shown
    assert shown in finding.message


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        ("Write a template with {{name}} in it.", "Dear {{name}},"),
        ("Use placeholders such as [Your Name].", "Regards, [Your Name]"),
        ("How does Jinja print a variable?", "Write `{{ name }}` in the template."),
        ("Show it.", "```jinja\n{{ name }}\n```\nDone."),
        ("What does lorem ipsum mean?", "Lorem ipsum is filler text."),
        ("x", "f(x) = {{1, 2}, {3, 4}} and a[i][j] and list[int]"),
        ("x", "See [Insertion sort](https://example.org)."),
        ("x", "See [my website](https://example.org) and [link][1]; x[name] = y[date]."),
        ("Write a template of a letter.", "Dear [Name],"),
        ("Use at least two placeholders in square brackets.", "Dear [Name], [address]"),
        ("x", 'print(f"Hello {name}")\nprint(f"Bye, dear {user_name}")'),
        ("Fill {name} in.", "Dear {name}"),
        ("x", "The set {name, text} holds two, $\\frac{name}{text}$ is a share."),
        ("Insert the statute.", "He said that [he] would, in fact, [sic] go [NASA]."),
    ],
)
def test_what_was_asked_for_and_code_are_left_alone(
    check: Check, sample: MakeSample, prompt: str, response: str
) -> None:
    assert check(empty_or_placeholder, sample(prompt, response)).outcome is Outcome.PASS


def test_an_unfilled_prompt_is_flagged_as_the_prompt(check: Check, sample: MakeSample) -> None:
    verdict = check(empty_or_placeholder, sample("Write about {{topic}}.", "About what?"))
    assert [(one.of, one.span) for one in verdict.findings] == [("prompt", (12, 21))]
    verdict = check(empty_or_placeholder, sample("Summarise this: {document}", "It says nothing."))
    assert [(one.of, one.span) for one in verdict.findings] == [("prompt", (16, 26))]
    code = sample("What does this print?\nname = 1\nprint(f'so {name}')", "so 1")
    assert check(empty_or_placeholder, code).outcome is Outcome.PASS


@pytest.mark.parametrize(
    "piece", ["{{", "{a", "[", "[a ", "[your ", "<insert ", "{a_", "[a/b ", "lorem ", "`", "a\n\n", ";  \n"]
)
def test_long_texts_are_read_in_one_go(check: Check, sample: MakeSample, piece: str) -> None:
    text = piece * (200_000 // len(piece))
    assert check(empty_or_placeholder, sample(text, text)).outcome in (Outcome.PASS, Outcome.FLAG)
    assert check(empty_or_placeholder, sample("x", text + " lorem ipsum")).outcome is Outcome.FLAG
    assert check(empty_or_placeholder, sample("x", "x\n" + "\n" * 100_000 + piece + "Dear {name}")).findings is not None
