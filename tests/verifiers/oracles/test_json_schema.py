"""Structured responses against their schema: each violation at its value, bad schemas as errors."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers.oracles.json_schema import json_schema

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "age": {"type": "integer", "minimum": 0},
        "born": {"type": "string", "format": "date"},
        "colours": {"type": "array", "items": {"enum": ["red", "blue"]}},
        "größe": {"type": "object", "properties": {"cm": {"type": "number"}}, "required": ["cm"]},
    },
    "required": ["name"],
    "additionalProperties": False,
}


def asked(sample: MakeSample, response: str, schema: Any, **metadata: Any) -> Sample:
    return sample("Give it as JSON.", response, metadata_json=json.dumps({"schema": schema, **metadata}))


@pytest.mark.parametrize(
    "response",
    [
        '{"name": "crew-1", "age": 3, "colours": ["red"], "größe": {"cm": 1.5}}',
        '```json\n{"name": "crew-1"}\n```',
        ' \n{"name": "\\ud83d\\ude00", "born": "2020-02-29"}\n',
    ],
)
def test_what_keeps_to_the_schema_passes(check: Check, sample: MakeSample, response: str) -> None:
    assert check(json_schema, asked(sample, response, PERSON)).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("response", "said", "message"),
    [
        ('{"name": "x", "age": "3"}', '"3"', '$.age: it is not of type "integer"'),
        ('{"name": "x", "age": -1}', "-1", "$.age: it is less than the minimum of 0"),
        ('{"age": 3}', '{"age": 3}', "$: 'name' is missing"),
        ('{"name": "x", "colours": ["red", "green"]}', '"green"', '$.colours[1]: it is not one of "red" or "blue"'),
        ('{"name": "x", "gr\\u00f6\\u00dfe": {"cm": "1"}}', '"1"', '$.größe.cm: it is not of type "number"'),
        ('😀{"name"', "😀", "is no JSON: '😀' where a value should stand"),
        ('{"name": "x", "size": 1}', '"size"', "$: 'size' is not among the properties of the schema"),
        ('```json\n{"name": "x",\n "age": 1.5}\n```', "1.5", '$.age: it is not of type "integer"'),
        ('{"name": "x", "born": "2020-02-30"}', '"2020-02-30"', '$.born: it is not a "date"'),
        ('{"age": 1, "name": "x", "age": "2"}', '"2"', '$.age: it is not of type "integer"'),
        ('{"name": "x"} That is all.', "That is all.", "is no JSON: more text follows the JSON"),
        ("[]", "[]", '$: it is not of type "object"'),
    ],
)
def test_each_violation_fails_at_its_value(
    check: Check, sample: MakeSample, response: str, said: str, message: str
) -> None:
    verdict = check(json_schema, asked(sample, response, PERSON))
    assert verdict.outcome is Outcome.FAIL
    (finding,) = verdict.findings
    assert finding.message == message
    assert finding.span is not None
    assert response[slice(*finding.span)] == said


@pytest.mark.parametrize("response", ["[" * 100_000 + "]" * 100_000, "9" * 5_000, "1e999999", '["\ud800"]'])
def test_json_beyond_what_can_be_read_is_flagged(check: Check, sample: MakeSample, response: str) -> None:
    verdict = check(json_schema, asked(sample, response, PERSON))
    assert verdict.outcome is Outcome.FLAG
    assert [one.code for one in verdict.findings] == ["unreadable-json"]


def test_a_blank_response_has_no_place_to_point_at(check: Check, sample: MakeSample) -> None:
    for blank in ("", "\u2028\u2028", " \n"):
        (finding,) = check(json_schema, asked(sample, blank, PERSON)).findings
        assert finding.span is None


def test_several_violations_are_several_findings(check: Check, sample: MakeSample) -> None:
    response = '{"name": "", "age": "x", "colours": [1, 2], "a": 1, "b": 2}'
    verdict = check(json_schema, asked(sample, response, PERSON))
    said = {response[slice(*one.span)] for one in verdict.findings if one.span is not None}
    assert said == {'""', '"x"', "1", "2", '"a"', '"b"'}
    many = check(json_schema, asked(sample, json.dumps({"name": "x", "colours": [0] * 50}), PERSON))
    assert len(many.findings) == 10
    assert many.findings[-1].message.endswith("; 50 violations in all")


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"properties": {"a": {"type": "nope"}}}, "at $.properties.a.type"),
        ({"$ref": "http://example.org/schema.json"}, "example.org"),
        ({"$ref": "file:///etc/passwd"}, "etc/passwd"),
        ({"$ref": "#/nowhere"}, "nowhere"),
        ({"pattern": "("}, "at $.pattern"),
    ],
)
def test_a_schema_that_cannot_be_used_is_an_error(
    check: Check, sample: MakeSample, monkeypatch: pytest.MonkeyPatch, schema: Any, words: str
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("nothing may be fetched")

    monkeypatch.setattr(socket, "socket", refuse)
    verdict = check(json_schema, asked(sample, "{}", schema))
    assert verdict.outcome is Outcome.ERROR
    assert words in verdict.findings[0].message


def test_where_there_is_no_schema_it_abstains(check: Check, sample: MakeSample) -> None:
    assert check(json_schema, sample("x", "{}")).outcome is Outcome.ABSTAIN
    assert check(json_schema, asked(sample, "{}", "CREATE TABLE t (a INT)")).outcome is Outcome.ABSTAIN
    assert check(json_schema, asked(sample, "{}", None)).outcome is Outcome.ABSTAIN


def test_a_schema_is_found_in_its_wrappings(check: Check, sample: MakeSample) -> None:
    wrapped = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON}}
    assert check(json_schema, asked(sample, "[]", wrapped)).outcome is Outcome.FAIL
    assert check(json_schema, asked(sample, "[]", json.dumps(PERSON))).outcome is Outcome.FAIL
    elsewhere = sample("x", "[]", metadata_json=json.dumps({"extra": {"schema": PERSON}}))
    assert check(json_schema, elsewhere).outcome is Outcome.ABSTAIN
    assert check(json_schema, elsewhere, within="extra").outcome is Outcome.FAIL


@pytest.mark.parametrize(
    "response",
    ["[" * 200_000, '{"a":' * 40_000, "[1," * 2 + "2," * 50_000 + "3]]", '"' + "\\" * 200_000, "1" * 200_000,
     "[" * 900 + "]" * 900, '"' + "a" * 100_000 + '!"', '{"a":1,' * 30_000]
)  # fmt: skip
def test_hostile_responses_are_judged_at_once(check: Check, sample: MakeSample, response: str) -> None:
    schema = {"items": {"type": "string"}, "pattern": "^(a+)+$", "minLength": 1, "maximum": 5}
    assert check(json_schema, asked(sample, response, schema)).outcome is not Outcome.PASS
