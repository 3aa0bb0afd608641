"""Calls of tools: real ones pass, and every kind of planted defect is found at its place."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast.db.models import Message, Outcome, Sample, ToolCall, Verdict
from holdfast.verifiers.oracles.tool_call import SHOWN, tool_call

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]

DATA = Path(__file__).parents[4] / "shared" / "data" / "toolcall_json.jsonl.gz"

TOOLS: list[dict[str, Any]] = [
    {
        "name": "tide",
        "description": "The tide at a place",
        "parameters": {
            "type": "object",
            "properties": {
                "place": {"type": "string"},
                "hours": {"type": "integer"},
                "unit": {"type": "string", "enum": ["m", "ft"]},
                "at": {"type": "object", "properties": {"lat": {"type": "number"}}, "required": ["lat"]},
            },
            "required": ["place"],
        },
    },
    {"name": "stop", "description": "End the talk"},
]
RIGHT = '{"name": "tide", "arguments": {"place": "Kiel", "hours": 3, "unit": "m"}}'


def offered(sample: MakeSample, response: str, tools: Any = TOOLS, **fields: Any) -> Sample:
    return sample("How high is the tide?", response, metadata_json=json.dumps({"tools": tools}), **fields)


@pytest.mark.parametrize(
    "response",
    [
        RIGHT,
        f"```json\n{RIGHT}\n```",
        f"<tool_call>\n{RIGHT}\n</tool_call>\n<tool_call>\n{RIGHT.replace('3', '4')}\n</tool_call>",
        f"Let me see. <functioncall> {RIGHT}",
        '<tool_call>{"name": "tide", "arguments": {"place": "<b>Kiel</b>"}}</tool_call>',
        f"[{RIGHT}, {{\"name\": \"stop\", \"arguments\": {{}}}}]",
        '{"name": "stop"}',
        '{"name": "stop", "arguments": {"whatever": 1}}',
        '{"type": "function", "function": {"name": "tide", "arguments": "{\\"place\\": \\"Kiel\\"}"}}',
        '{"tool_calls": [{"id": "c1", "function": {"name": "tide", "arguments": "{\\"place\\": \\"Kiel\\"}"}}]}',
    ],
)  # fmt: skip
def test_sound_calls_pass(check: Check, sample: MakeSample, response: str) -> None:
    assert check(tool_call, offered(sample, response)).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("response", "outcome", "code", "said", "words"),
    [
        ('{"name": "tides", "arguments": {}}', "fail", "unknown-tool", '"tides"', "did you mean 'tide'?"),
        ('{"name": "tide", "arguments": {"hours": 3}}', "fail", "missing-argument", '{"hours": 3}', "'place' is"),
        ('{"name": "tide", "arguments": {"place": "Kiel", "day": 1}}', "fail", "unknown-argument", '"day"', "'day'"),
        ('{"name": "tide", "arguments": {"place": "Kiel", "hours": "3"}}', "fail", "wrong-type", '"3"', "hours"),
        ('{"name": "tide", "arguments": {"place": null}}', "fail", "wrong-type", "null", "place"),
        ('{"name": "tide", "arguments": {"place": "Kiel", "unit": "km"}}', "fail", "not-in-enum", '"km"', "unit"),
        ('{"name": "tide", "arguments": {"place": "K", "at": {"lat": "1"}}}', "fail", "wrong-type", '"1"', "at.lat"),
        ('{"name": "tide", "arguments": {"place": "K", "at": {"lat": 1, "q": 2}}}', "fail", "unknown-argument", '"q"',
         "of at"),
        ('{"name": "tide", "arguments": {"place": "Kiel"}', "fail", "malformed-call", "}", "no JSON"),
        ("{'name': 'tide', 'arguments': {'place': 'Kiel'}}", "fail", "malformed-call", "'name'", "no JSON"),
        (RIGHT + "}", "fail", "malformed-call", "}", "more text follows"),
        (RIGHT + " There you are.", "flag", "text-around-call", "There you are.", "behind the call"),
        (f"```json\n{RIGHT}\n```\nThere you are.", "flag", "text-around-call", "There you are.", "behind the call"),
        (RIGHT + '\n{"name": "stop"}', "flag", "unlisted-call", '{"name": "stop"}', "not in a list"),
        ("Sure! " + RIGHT, "flag", "text-around-call", "Sure! ", "before the call"),
        (f"[{RIGHT}, {RIGHT}]", "flag", "repeated-call", '"tide"', "comes again"),
        ('{"name": "tide", "arguments": "{\\"place\\": \\"Kiel\\"}"}', "flag", "arguments-as-text", None,
         "a text that holds JSON"),
        ('{"name": "tide", "arguments": "place=Kiel"}', "fail", "malformed-call", '"place=Kiel"', "no JSON"),
        ('{"name": "tide", "arguments": ["Kiel"]}', "fail", "wrong-type", '["Kiel"]', "no object"),
        ('{"name": "tide", "place": "Kiel"}', "fail", "wrong-nesting", '"place"', "beside the name"),
        ('{"tide": {"place": "Kiel"}}', "fail", "wrong-nesting", '"tide"', "as a key"),
        ('{"name": "tide", "arguments": {"arguments": {"place": "Kiel"}}}', "fail", "wrong-nesting", '"arguments"',
         "too deep"),
        ('{"name": {"tide": 1}, "arguments": {}}', "fail", "wrong-nesting", '{"tide": 1}', "not a text"),
        ('{"arguments": {"place": "Kiel"}}', "fail", "missing-name", None, "names no tool"),
        ('{"name": null, "arguments": {"place": "Kiel"}}', "fail", "missing-name", "null", "is null"),
        ('{"call_this": "tide", "with": {"place": "Kiel"}}', "flag", "unknown-key", '"call_this"', "not under"),
        ('{"name": "tide", "arguments": {"place": "\ud800"}}', "flag", "unreadable-call", None, "half a character"),
        ('{"name": "tide", "arguments": {"place": "Kiel"}, "mood": 1}', "flag", "unknown-key", '"mood"', "no part"),
        ('{"name": "tide", "name": "stop", "arguments": {}}', "flag", "duplicate-key", '"name"', "twice"),
        ("<tool_call>{\"name\": \"tide\"</tool_call>", "fail", "malformed-call", None, "no JSON"),
    ],
)  # fmt: skip
def test_each_defect_is_found_at_its_place(
    check: Check, sample: MakeSample, response: str, outcome: str, code: str, said: str | None, words: str
) -> None:
    verdict = check(tool_call, offered(sample, response))
    assert verdict.outcome == outcome
    assert [one.code for one in verdict.findings] == [code]
    (finding,) = verdict.findings
    assert words in finding.message
    assert finding.span is not None
    assert said is None or response[slice(*finding.span)] == said


def test_calls_beside_the_text_are_judged_too(check: Check, sample: MakeSample) -> None:
    def called(name: str, arguments: str) -> Verdict:
        turn = Message(role="assistant", content="", tool_calls=(ToolCall(id="c1", name=name, arguments=arguments),))
        return check(tool_call, offered(sample, "", messages=(Message(role="user", content="x"), turn)))

    assert called("tide", '{"place": "Kiel"}').outcome is Outcome.PASS
    assert called("tide", '{"place": 5}').findings[0].code == "wrong-type"
    assert called("tide", '{"place": ').findings[0].code == "malformed-call"
    assert called("ebb", "{}").findings[0].code == "unknown-tool"


@pytest.mark.parametrize(
    "tools",
    [
        [{"type": "function", "function": TOOLS[0]}],
        [{"name": "tide", "input_schema": TOOLS[0]["parameters"]}],
        json.dumps(TOOLS),
        [json.dumps(TOOLS[0])],
        [{"name": "tide", "parameters": {"type": "dict", "properties": {"place": {"type": "str", "required": True}}}}],
    ],
)
def test_tools_are_read_in_every_spelling(check: Check, sample: MakeSample, tools: Any) -> None:
    assert (
        check(tool_call, offered(sample, '{"name": "tide", "arguments": {"place": "Kiel"}}', tools)).outcome
        is Outcome.PASS
    )
    assert (
        check(tool_call, offered(sample, '{"name": "tide", "arguments": {"place": 5}}', tools)).outcome is Outcome.FAIL
    )


def test_where_nothing_is_called_or_offered_it_abstains(check: Check, sample: MakeSample) -> None:
    assert check(tool_call, offered(sample, "The tide is high.")).outcome is Outcome.ABSTAIN
    assert check(tool_call, offered(sample, '{"height": 3}')).outcome is Outcome.ABSTAIN
    assert check(tool_call, offered(sample, '{"name": "Kim", "age": 40}')).outcome is Outcome.ABSTAIN
    assert check(tool_call, sample("x", RIGHT)).outcome is Outcome.ABSTAIN
    assert check(tool_call, offered(sample, RIGHT, ["hammer", "saw"])).outcome is Outcome.ABSTAIN
    assert check(tool_call, offered(sample, RIGHT, [])).outcome is Outcome.FAIL


def test_a_tool_whose_schema_cannot_be_used_is_an_error(check: Check, sample: MakeSample) -> None:
    tools = [{"name": "tide", "parameters": {"type": "nope"}}]
    assert check(tool_call, offered(sample, RIGHT, tools)).outcome is Outcome.ERROR


@pytest.mark.parametrize(
    "text",
    ['{"name": ' * 30_000, "<tool_call>" * 15_000, '[{"name":"tide"},' * 10_000 + "1]", '{"a":' * 40_000, "{" * 200_000,
     "[" + '{"name": "tide", "arguments": {}},' * 5_000 + "1]", 'x {"name":' * 20_000]
)  # fmt: skip
def test_hostile_texts_are_judged_at_once(check: Check, sample: MakeSample, text: str) -> None:
    assert check(tool_call, offered(sample, text)).outcome is not Outcome.ERROR


def test_of_very_many_mistakes_the_first_are_listed(check: Check, sample: MakeSample) -> None:
    arguments = {"place": "Kiel", **{f"day{number}": 1 for number in range(50_000)}}
    verdict = check(tool_call, offered(sample, json.dumps({"name": "tide", "arguments": arguments})))
    assert len(verdict.findings) == SHOWN


def test_names_from_the_text_are_shown_safely(check: Check, sample: MakeSample) -> None:
    tools = [{"name": "tide", "parameters": {"type": "object", "additionalProperties": {"type": "string"}}}]
    call = {"name": "tide", "arguments": {"\x1b[31m\u202e" + "k" * 500: 1}}
    (finding,) = check(tool_call, offered(sample, json.dumps(call, ensure_ascii=False), tools)).findings
    assert finding.message.isprintable()
    assert len(finding.message) < 300


Planted = Callable[[dict[str, Any]], Any]
PLANTED: dict[str, Planted] = {
    "unknown-tool": lambda call: {**call, "name": call["name"] + "_now"},
    "missing-argument": lambda call: {**call, "arguments": {}},
    "unknown-argument": lambda call: {**call, "arguments": {**call["arguments"], "colour": "red"}},
    "wrong-type": lambda call: {**call, "arguments": {name: {"x": 1} for name in call["arguments"]}},
    "arguments-as-text": lambda call: {**call, "arguments": json.dumps(call["arguments"])},
    "wrong-nesting": lambda call: {"name": call["name"], "arguments": {"parameters": call["arguments"]}},
    "repeated-call": lambda call: [call, call],
    "unknown-key": lambda call: {**call, "confidence": 0.9},
    "missing-name": lambda call: {"arguments": call["arguments"]},
    "malformed-call": lambda call: None,
}


@pytest.mark.skipif(not DATA.is_file(), reason="the shared data sets are not here")
def test_real_calls_pass_and_what_is_planted_in_them_is_found(check: Check, sample: MakeSample) -> None:
    with gzip.open(DATA, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    for row in rows:
        tools = row["extra"]["tools"]
        assert check(tool_call, offered(sample, row["response"], tools)).outcome is Outcome.PASS
        call = json.loads(row["response"])
        arguments = call["arguments"]
        required = any(one["name"] == call["name"] and one["parameters"].get("required") for one in tools)
        for code, plant in PLANTED.items():
            if (code == "missing-argument" and not required) or (code == "wrong-nesting" and not arguments):
                continue
            if code == "wrong-type" and not any(isinstance(one, str | int | float) for one in arguments.values()):
                continue
            planted = plant(call)
            text = row["response"][:-1] if planted is None else json.dumps(planted)
            verdict = check(tool_call, offered(sample, text, tools))
            assert verdict.outcome in (Outcome.FLAG, Outcome.FAIL), (code, text)
            assert code in {one.code for one in verdict.findings}, (code, text)
            assert all(one.span is not None and text[slice(*one.span)] for one in verdict.findings)
