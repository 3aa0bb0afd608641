"""What is meant to be JSON parses; where it does not, the place and the mistake are named."""

from __future__ import annotations

import json
from collections.abc import Callable

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.db.models import Message, Outcome, Sample, Severity, ToolCall, Verdict
from holdfast.verifiers.format.json_scan import scan
from holdfast.verifiers.format.json_text import json_text

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]

ASKED = "List the ports. Answer in JSON only."
SCHEMA = {"metadata_json": orjson.dumps({"schema": {"type": "object"}}).decode()}


@pytest.mark.parametrize(
    ("response", "code", "place", "words"),
    [
        (
            '{"a": 1, "b": [2, 3',
            "json-cut-off",
            "3",
            "line 1, column 19: the text ends where a comma or ] should follow",
        ),
        ('{"a": "on the wa', "json-cut-off", "a", "the text ends inside a string"),
        ('{"a": 1,}', "json-trailing-comma", ",", "line 1, column 8: a comma before }"),
        ('{"a": [1, 2, ]}', "json-trailing-comma", ",", "a comma before ]"),
        ("{'a': 1}", "json-quotes", "'a'", "quotation marks other than the double ones"),
        ("{“a”: 1}", "json-quotes", "“a”", "quotation marks other than the double ones"),
        ("{a: 1}", "json-quotes", "a", "a key without quotation marks"),
        ('{"a": 1 // one\n}', "json-comment", "// one", "a comment"),
        ('{\n  "a": NaN}', "json-constant", "NaN", "line 2, column 8: NaN, which is no JSON value"),
        ('{"a": -Infinity}', "json-constant", "-Infinity", "-Infinity"),
        ('{"a": True, "b": None}', "json-constant", "True", "True"),
        ('{"a": 1, "b": 2, "a": 3}', "json-duplicate-key", '"a"', 'the key "a" comes twice'),
        ('{"é": 1, "\\u00e9": 3}', "json-duplicate-key", '"\\u00e9"', "comes twice"),
        ('{"a": 1 "b": 2}', "json-syntax", '"', "a comma is missing before this"),
        ('[{"a": 1} {"a": 2}]', "json-syntax", "{", "a comma is missing before this"),
        ('{"a" 1}', "json-syntax", "1", "'1' where a colon should stand"),
        ('{"a" "b"}', "json-syntax", '"b"', "a string where a colon should stand"),
        ('{"a": }', "json-syntax", "}", "'}' where a value should stand"),
        ('{"a": 1]', "json-syntax", "]", "']' where a comma or } should stand"),
        ('{"a": 01}', "json-number", "01", "01 is no JSON number"),
        ('{"a": .5}', "json-number", ".5", ".5 is no JSON number"),
        ('{"a": "x\ny"}', "json-control-character", "\n", "a bare line break inside a string"),
        ('{"a": "\\d"}', "json-escape", "\\d", "is no escape of JSON"),
        ("```json\n{'a': 1}\n```", "json-quotes", "'a'", "line 2, column 2"),
        ('Here it is: {"a": 1}', "text-around-json", "Here it is:", "text before the JSON"),
        ('```json\n{"a": 1}\n```\nI hope this helps.', "text-around-json", "I hope this helps.", "text after the JSON"),
        ('{"a": 1}\nI hope this helps.', "text-around-json", "I hope this helps.", "text after the JSON"),
        ("The ports are Oslo and Kiel.", "no-json", None, "JSON was asked for, and there is none"),
    ],
)
def test_a_mistake_is_named_at_its_place(
    check: Check, sample: MakeSample, response: str, code: str, place: str | None, words: str
) -> None:
    for verdict in (check(json_text, sample(ASKED, response)), check(json_text, sample("x", response, **SCHEMA))):
        assert verdict.outcome is Outcome.FLAG
        (finding,) = verdict.findings
        assert finding.code == code
        assert words in finding.message
        assert (None if finding.span is None else response[slice(*finding.span)]) == place


def test_the_later_of_two_equal_keys_is_shown(check: Check, sample: MakeSample) -> None:
    (finding,) = check(json_text, sample(ASKED, '{"a": {"a": 1}, "b": 2, "a": 3}')).findings
    assert finding.span == (24, 27)


@pytest.mark.parametrize(
    "response",
    [
        '{"a": 1}',
        ' \n[1, 2.5e3, "x", null, true, {}, []]\n',
        '```json\n{"a": [1]}\n```',
        '{"a": 1}\n{"a": 2}\n',
        '{"a": "\\u00e9 \\n ü 🌊"}',
        "42",
        '"Oslo"',
    ],
)
def test_json_passes(check: Check, sample: MakeSample, response: str) -> None:
    verdict = check(json_text, sample(ASKED, response, **SCHEMA))
    assert verdict.outcome is Outcome.PASS
    assert verdict.findings == ()


def test_text_around_json_is_only_noted_where_it_was_not_ruled_out(check: Check, sample: MakeSample) -> None:
    verdict = check(json_text, sample("Give me the ports as JSON.", 'Here:\n```json\n["Oslo"]\n```'))
    assert verdict.outcome is Outcome.PASS
    assert [one.severity for one in verdict.findings] == [Severity.INFO]


@pytest.mark.parametrize("response", ['{"a": 1,}', '[{"a": 1,}]', '```json\n{"a": 1,}\n```'])
def test_what_begins_as_json_is_held_to_it(check: Check, sample: MakeSample, response: str) -> None:
    assert check(json_text, sample("The ports, please.", response)).outcome is Outcome.FLAG


@pytest.mark.parametrize("response", ["{'name': 'look_up'}", '{name: "look_up"}', '{"name": "look_up",}'])
def test_a_call_of_a_given_tool_is_json(check: Check, sample: MakeSample, response: str) -> None:
    tools = {"metadata_json": orjson.dumps({"tools": [{"name": "look_up"}]}).decode()}
    assert check(json_text, sample("Write a script.", response, **tools)).outcome is Outcome.FLAG
    assert check(json_text, sample("Write a script.", "There is no such tool.", **tools)).outcome is Outcome.ABSTAIN


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        ("x", "[1] says so, and {this} too."),
        ("x", "[Your Name]"),
        ("Write a Python dict.", '{"a": True}'),
        ("How do I return JSON from a function?", "Call `json.dumps`."),
        ("Convert this JSON to YAML.", "a: 1"),
        ("What is JSON?", "A format of data."),
        ("x", "A sentence."),
    ],
)
def test_other_texts_are_not_judged(check: Check, sample: MakeSample, prompt: str, response: str) -> None:
    assert check(json_text, sample(prompt, response)).outcome is Outcome.ABSTAIN


def test_arguments_of_tool_calls_are_json(check: Check, turns: Callable[..., Sample]) -> None:
    def calling(arguments: str) -> Sample:
        call = ToolCall(id="a", name="look_up", arguments=arguments)
        return turns(("user", "x"), Message(role="assistant", content="", tool_calls=(call,)))

    assert check(json_text, calling('{"port": "Oslo"}')).outcome is Outcome.PASS
    (finding,) = check(json_text, calling("{'port': 1}")).findings
    assert finding.code == "json-arguments"
    assert "the call to 'look_up' are no JSON: line 1, column 2" in finding.message


@pytest.mark.parametrize(
    "piece", ["[", '{"a":', '{"a":1}\n', '"', "{'", "\\", '["a",', "{ ", "/*", '{"a":"', "answer json ", "```\n"]
)
def test_long_texts_are_read_in_one_go(check: Check, sample: MakeSample, piece: str) -> None:
    text = piece * (200_000 // len(piece))
    for prompt in (ASKED, text):
        assert check(json_text, sample(prompt, text)).outcome is not Outcome.ERROR


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60)
@given(JSON, st.booleans())
def test_the_scanner_takes_what_is_json(value: object, plain: bool) -> None:
    text = json.dumps(value, ensure_ascii=plain)
    assert scan(text) == (len(text), ())


@settings(max_examples=100)
@given(JSON, st.data())
def test_the_scanner_agrees_with_the_parser_about_damaged_json(value: object, data: st.DataObject) -> None:
    text = json.dumps(value)
    at = data.draw(st.integers(0, len(text)))
    damaged = text[:at] + data.draw(st.sampled_from(["", ",", "]", "}", '"', "x", "\\", "1", " "])) + text[at + 1 :]
    try:
        json.loads(damaged)
        sound = True
    except json.JSONDecodeError:
        sound = False
    result = scan(damaged)
    complete = not damaged[result.end :].strip(" \t\r\n")
    mistakes = [one for one in result.defects if one.code != "json-duplicate-key"]
    assert (complete and not mistakes) == sound
    assert all(0 <= start < end <= len(damaged) or not damaged for _, (start, end), _ in result.defects)
