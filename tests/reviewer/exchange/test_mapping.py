"""Mapped fields, defaults, what is dropped and what is kept; numbers to the letter."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.db.errors import UsageError
from holdfast.db.models import Sample
from holdfast.db.rows import prepare
from holdfast.reviewer.exchange.options import ReadOptions, checked_defaults, parse_maps
from holdfast.reviewer.exchange.plan import make_plan
from holdfast.reviewer.exchange.raw import Raw, RecordError
from holdfast.reviewer.exchange.registry import NAMES
from holdfast.reviewer.exchange.values import dumps, loads

SYNTHETIC = (("provenance", "synthetic"),)


def options(*maps: str, defaults: tuple[tuple[str, str | int], ...] = SYNTHETIC, **more: Any) -> ReadOptions:
    return ReadOptions(maps=parse_maps(maps), defaults=defaults, **more)


def sample_of(record: Any, reading: ReadOptions) -> tuple[Sample, str | None]:
    text = record if isinstance(record, bytes) else orjson.dumps(record)
    return make_plan("a.jsonl", [Raw(1, text)], reading).mapper(reading).sample(loads(text))


def read(record: Any, *maps: str, **more: Any) -> Sample:
    return sample_of(record, options(*maps, **more))[0]


ROW = {
    "id": 17, "q": "Q?", "extra": {"text": "A!", "group": "g1", "n": 1}, "source": {"kind": "Human", "model": None},
    "labels": {"ok": True},
}  # fmt: skip


def test_mapped_fields_leave_the_metadata() -> None:
    reading = options(
        "prompt=q", "response=extra.text", "group=extra.group", "external_id=id", "provenance=source.kind",
        "model=source.model", "metadata.count=extra.n", drops=("labels",), defaults=(),
    )  # fmt: skip
    sample, external_id = sample_of(ROW, reading)
    assert (sample.prompt, sample.response, sample.group, sample.provenance, external_id) == (
        "Q?",
        "A!",
        "g1",
        "human",
        "17",
    )
    assert sample.metadata == {"count": 1}
    assert sample.model is None


def test_what_nobody_maps_is_kept_dropped_or_left_out() -> None:
    maps = ("prompt=q", "response=extra.text")
    assert read(ROW, *maps).metadata == {
        "id": 17, "extra": {"group": "g1", "n": 1}, "source": {"kind": "Human", "model": None}, "labels": {"ok": True},
    }  # fmt: skip
    assert read(ROW, *maps, drops=("labels", "source.model", "extra.group")).metadata == {
        "id": 17, "extra": {"n": 1}, "source": {"kind": "Human"},
    }  # fmt: skip
    assert read(ROW, *maps, "metadata.g=extra.group", only_mapped=True).metadata == {"g": "g1"}


def test_one_mapped_text_overrides_the_format_and_loses_nothing() -> None:
    alpaca = {"instruction": "I", "input": "", "output": "O", "better": "B"}
    sample = read(alpaca, "response=better")
    assert (sample.prompt, sample.response) == ("I", "B")
    assert sample.metadata["output"] == "O"
    pair = {"prompt": "P", "response": "R", "question": "Q"}
    sample = read(pair, "prompt=question")
    assert (sample.prompt, sample.response, sample.metadata) == ("Q", "R", {"prompt": "P"})
    assert read({"q": "Q", "answer": "A"}, "prompt=q").response == "A"
    only_text = read({"text": "T"}, "response=text")
    assert [message.role for message in only_text.messages] == ["assistant"]


def test_messages_and_system_can_be_mapped() -> None:
    chat = [{"role": "user", "content": "U"}]
    sample = read({"c": {"chat": chat}, "sys": "S", "best": "R"}, "messages=c.chat", "system=sys", "response=best")
    assert [(message.role, message.content) for message in sample.messages] == [
        ("system", "S"), ("user", "U"), ("assistant", "R"),
    ]  # fmt: skip
    assert sample.metadata == {}


def test_a_key_with_dots_and_an_index_are_paths_too() -> None:
    record = {"source.kind": "human", "texts": ["P", "R"]}
    sample = read(record, "prompt=texts.0", "response=texts.1", "provenance=source.kind")
    assert (sample.prompt, sample.response, sample.provenance) == ("P", "R", "human")
    assert sample.metadata == {"texts": ["P", "R"]}


def test_fields_of_our_names_are_taken_where_they_fit() -> None:
    record = {"prompt": "P", "response": "R", "label": ["a"], "task": "t", "provenance": "wiki", "generation": "one"}
    sample = read(record)
    assert (sample.task, sample.provenance, sample.label, sample.generation) == ("t", "synthetic", None, None)
    assert sample.metadata == {"label": ["a"], "provenance": "wiki", "generation": "one"}
    assert read(record, drops=("task",)).task is None


def test_defaults_are_for_records_that_do_not_say() -> None:
    defaults: tuple[tuple[str, str | int], ...] = (*SYNTHETIC, ("model", "m"), ("generation", 1), ("domain", "d"))
    pair = {"prompt": "P", "response": "R"}
    plain = read(pair, defaults=defaults)
    assert (plain.model, plain.generation, plain.domain) == ("m", 1, "d")
    own = read({**pair, "model": "n", "generation": 0, "domain": None}, defaults=defaults)
    assert (own.model, own.generation, own.domain) == ("n", 0, "d")
    human = read({**pair, "provenance": "human"}, defaults=defaults)
    assert (human.provenance, human.model, human.generation, human.domain) == ("human", None, None, "d")


def test_sampling_parameters_are_kept_together() -> None:
    record = b'{"prompt": "P", "response": "R", "temperature": 0.70, "persona": "chef", "prompt_version": 3}'
    assert read(record).sampling_json == '{"temperature":0.70,"persona":"chef","prompt_version":"3"}'


@pytest.mark.parametrize(("field", "value", "reason"), [
    ("provenance", "robot", "it must be one of human, human-edited, synthetic, unknown"),
    ("generation", -1, "not a whole number"),
    ("generation", 1.5, "not a whole number"),
    ("generation", True, "not a whole number"),
    ("temperature", "hot", "not a number"),
    ("parents", ["abc"], "not a list of uids"),
    ("task", {"a": 1}, "task is an object, not text"),
    ("external_id", ["a"], "external_id is a list, not text"),
])  # fmt: skip
def test_a_mapped_value_that_does_not_fit_is_an_error_of_the_record(field: str, value: Any, reason: str) -> None:
    with pytest.raises(RecordError, match=reason):
        read({"prompt": "P", "response": "R", "x": value}, f"{field}=x")


@pytest.mark.parametrize(("field", "value", "stored"), [
    ("generation", "2", 2), ("generation", 2.0, 2), ("generation", "", None), ("label", False, "false"),
    ("reference", ["a", 1], '["a",1]'), ("label", {"a": None}, '{"a":null}'), ("model", "", None), ("task", 5, "5"),
    ("parents", ["a" * 64], ("a" * 64,)), ("parents", "b" * 64, ("b" * 64,)),
])  # fmt: skip
def test_a_mapped_value_is_stored_as_its_field_wants_it(field: str, value: Any, stored: Any) -> None:
    sample = read({"prompt": "P", "response": "R", "x": value}, f"{field}=x")
    assert getattr(sample, field) == (stored if stored is not None or field != "parents" else ())


# Numbers


@pytest.mark.parametrize("number", ["1.50", "1e5", "1E+05", "-0", "-0.0", "123456789012345678901234567890", "0.1",
                                    "9007199254740993", "26.0", "1e-400"])  # fmt: skip
def test_numbers_keep_their_spelling(number: str) -> None:
    text = f'{{"prompt": "P", "response": "R", "x": {{"y": [{number}]}}, "label": {number}}}'.encode()
    sample = read(text)
    assert sample.metadata_json == f'{{"x":{{"y":[{number}]}}}}'
    assert sample.label == number


NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS.map(lambda text: ("number", text)) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=9,
)


def spell(value: Any) -> str:
    if isinstance(value, tuple):
        return str(value[1])
    if isinstance(value, list):
        return f"[{','.join(map(spell, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{orjson.dumps(key).decode()}:{spell(item)}' for key, item in value.items())}}}"
    return orjson.dumps(value).decode()


@given(VALUES)
def test_any_metadata_is_kept_to_the_letter(value: Any) -> None:
    text = f'{{"x":{spell(value)}}}'
    assert dumps(loads(text.encode())) == text


# What cannot be read


@pytest.mark.parametrize(("text", "reason"), [
    (b'{"a": 1', "malformed JSON: unexpected end of data"),
    (b"hello", "malformed JSON"),
    (b"[1]", "the record is a list, not an object"),
    (b'"text"', "the record is text, not an object"),
    (b"12", "the record is a number, not an object"),
    (b"null", "the record is null, not an object"),
    (b'{"a": "\xff"}', r"invalid UTF-8 \(byte 8 of the record\)"),
    (b'{"a": "x\x00"}', r"a NUL byte \(byte 9 of the record\)"),
    (b'{"a": "\\ud800"}', "a lone surrogate"),
    (b'{"a": "\xed\xa0\x80"}', "invalid UTF-8"),
    (b'{"a": NaN}', "NaN and Infinity are not JSON"),
    (b'{"a": -Infinity}', "NaN and Infinity are not JSON"),
    (b'{"a": 1e999}', "a number beyond the range"),
    (b'{"a": ' + b"9" * 400 + b"}", "a number beyond the range"),
    (b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}", "nested too deeply"),
    (b'{"a": ' + b"[" * 1010 + b"1.5" + b"]" * 1010 + b"}", "nested too deeply"),
])  # fmt: skip
def test_records_that_are_no_json_objects_say_why(text: bytes, reason: str) -> None:
    with pytest.raises(RecordError, match=reason):
        loads(text)


@pytest.mark.parametrize("number", [b"1", b"1.5"])
def test_records_nested_more_deeply_than_can_be_written_say_so(number: bytes) -> None:
    record = b'{"prompt": "P", "response": "R", "a": ' + b"[" * 600 + number + b"]" * 600 + b"}"
    with pytest.raises(RecordError, match="nested too deeply"):
        read(record)


KEYS = st.sampled_from([
    "prompt", "response", "messages", "conversations", "instruction", "input", "output", "chosen", "rejected", "text",
    "label", "fields", "responses", "suggestions", "data", "annotations", "result", "value", "values", "choices",
    "generation", "generations", "ratings", "model_name", "distilabel_metadata", "conversation", "role", "content",
    "from", "type", "tool_calls", "function", "function_call", "name", "arguments", "id", "metadata", "provenance",
    "parents", "temperature", "system", "uid", "content_id", "external_id", "reference", "x",
])  # fmt: skip
WORDS = st.sampled_from(["user", "assistant", "human", "gpt", "text", "", "synthetic", "f"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(KEYS, ANYTHING, max_size=6), st.sampled_from(NAMES))
def test_no_record_breaks_a_format(record: dict[str, Any], name: str) -> None:
    if any(isinstance(value, int) and abs(value) >= 2**63 for value in record.values()):
        return
    reading = ReadOptions(format=name, defaults=SYNTHETIC)
    mapper = make_plan("a.jsonl", [], reading).mapper(reading)
    try:
        text = dumps(record).encode()
    except RecordError:
        return
    try:
        sample, external_id = mapper.sample(loads(text))
    except RecordError:
        return
    prepare(sample, batch="b", external_id=external_id)


# Wrong usage


@pytest.mark.parametrize(("maps", "reason"), [
    (["prompt"], "write it as FIELD=PATH"),
    (["=x"], "write it as FIELD=PATH"),
    (["provenence=x"], "did you mean 'provenance'"),
    (["metadata.=x"], "there is no field"),
    (["model=a", "model=b"], "mapped twice"),
    (["messages=a", "prompt=b"], "exclude each other"),
])  # fmt: skip
def test_maps_that_make_no_sense_are_wrong_usage(maps: list[str], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        parse_maps(maps)


def test_defaults_are_checked() -> None:
    assert checked_defaults({"provenance": "human", "model": None, "generation": 0}) == (
        ("provenance", "human"), ("generation", 0),
    )  # fmt: skip
    with pytest.raises(UsageError, match="--provenance is 'robot'"):
        checked_defaults({"provenance": "robot"})


@pytest.mark.parametrize(("record", "reading", "reason"), [
    ({"a": 1, "b": 2}, options(), "cannot tell the format of its records; they hold a, b"),
    ({"q": "Q", "r": "R"}, options("prompt=question", "response=r"), "--map prompt=question: none of the first"),
    ({"q": "Q", "r": "R"}, options("prompt=q", "response=x.y"), "--map response=x.y: none of the first records"),
    ({"prompt": "P", "response": "R"}, options(defaults=()), "does not say who wrote its response; give --provenance"),
    ({"prompt": "P", "response": "R"}, options(format="alpca"), "did you mean 'alpaca'"),
])  # fmt: skip
def test_what_the_first_records_show_to_be_wrong_is_wrong_usage(record: Any, reading: ReadOptions, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        sample_of(record, reading)


def test_a_provenance_that_only_some_records_lack_is_their_own_problem() -> None:
    reading = options("provenance=by", defaults=())
    raws = [Raw(n, orjson.dumps({"prompt": "P", "response": "R", "by": by})) for n, by in enumerate([None, "human"])]
    mapper = make_plan("a.jsonl", raws, reading).mapper(reading)
    with pytest.raises(RecordError, match="does not say who wrote"):
        mapper.sample({"prompt": "P", "response": "R", "by": None})


def test_paths_that_no_record_has_are_noted() -> None:
    reading = options("model=source.modle", drops=("lables",))
    plan = make_plan("a.jsonl", [Raw(1, b'{"prompt": "P", "response": "R"}')], reading)
    assert plan.notes == (
        "a.jsonl: none of the first records has 'source.modle' (--map model)",
        "a.jsonl: none of the first records has 'lables' (--drop)",
    )
