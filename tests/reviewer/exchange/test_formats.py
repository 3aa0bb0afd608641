"""Every record format: recognised by its keys, and read into prompt, response and the fields it names."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.db.models import Sample
from holdfast.reviewer.exchange.mapping import Mapper
from holdfast.reviewer.exchange.options import ReadOptions
from holdfast.reviewer.exchange.raw import RecordError
from holdfast.reviewer.exchange.registry import format_named, recognise

UNKNOWN = ReadOptions(defaults=(("provenance", "unknown"),))


def read(record: dict[str, Any], options: ReadOptions = UNKNOWN) -> Sample:
    format = recognise([record])
    assert format is not None
    return Mapper(options, format).sample(dict(record))[0]


def turn(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


CHAT = [turn("user", "Hi"), turn("assistant", "Hello")]
SHARED = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]
RATED = {"generations": ["a", "b"], "ratings": [2, 5], "generation_models": ["x", "y"]}
ANSWERED = {"responses": {"ok": [{"value": "yes"}]}}

RECORDS: list[tuple[str, dict[str, Any], str, str, dict[str, Any]]] = [
    ("messages", {"messages": CHAT, "id": 7}, "Hi", "Hello", {"metadata": {"id": 7}}),
    ("messages", {"messages": CHAT[:1]}, "Hi", "", {}),
    ("sharegpt", {"conversations": SHARED, "system": "S"}, "S\n\nHi", "Hello", {}),
    ("alpaca", {"instruction": "Add.", "input": "1, 2", "output": "3"}, "Add.\n\n1, 2", "3", {}),
    ("alpaca", {"instruction": "Add.", "input": "", "output": "3"}, "Add.", "3", {}),
    ("prompt-response", {"prompt": "P", "response": "R", "model": "m", "generation": 2, "x": [1]}, "P", "R",
     {"model": "m", "generation": 2, "metadata": {"x": [1]}}),
    ("prompt-response", {"question": "Q", "answer": "A", "label": 3}, "Q", "A", {"label": "3"}),
    ("prompt-response", {"input": "", "output": ""}, "", "", {}),
    ("prompt-response", {"prompt": [turn("system", "S"), turn("user", "U")], "completion": "C"}, "S\n\nU", "C", {}),
    ("preference", {"prompt": "P", "chosen": "C", "rejected": "R"}, "P", "C", {"metadata": {"rejected": "R"}}),
    ("preference", {"chosen": CHAT, "rejected": CHAT, "prompt": "Hi", "chosen_model": "m"}, "Hi", "Hello",
     {"model": "m", "metadata": {"rejected": CHAT}}),
    ("preference", {"prompt": CHAT[:1], "chosen": CHAT[1:], "rejected": CHAT[1:]}, "Hi", "Hello", {}),
    ("preference", {"prompt": "Hi", "chosen": CHAT[1:], "rejected": CHAT[1:]}, "Hi", "Hello", {}),
    ("labelled", {"text": "Great!", "label": "positive"}, "Great!", "positive", {"label": "positive"}),
    ("labelled", {"text": "Great!", "label": 1}, "Great!", "1", {"label": "1"}),
    ("distilabel", {"instruction": "I", "generation": "G", "model_name": "m", "distilabel_metadata": {"a": 1}},
     "I", "G", {"model": "m", "metadata": {"distilabel_metadata": {"a": 1}}}),
    ("distilabel", {"instruction": "I", **RATED}, "I", "b", {"model": "y", "metadata": RATED}),
    ("distilabel", {"messages": CHAT[:1], "generation": "G", "model_name": None}, "Hi", "G", {"model": None}),
    ("distilabel", {"conversation": CHAT, "distilabel_metadata": None}, "Hi", "Hello", {}),
    ("argilla", {"fields": {"prompt": "P", "response": "R", "note": "n"}, **ANSWERED}, "P", "R",
     {"metadata": {"fields": {"note": "n"}, **ANSWERED}}),
    ("argilla", {"fields": {"text": "T"}, "responses": [{"values": {"label": {"value": "good"}}}], "status": "done"},
     "T", "good", {"label": "good"}),
    ("argilla", {"fields": {"chat": CHAT[:1]}, "suggestions": {"label": {"value": "good", "score": 1}}}, "Hi", "good",
     {"label": "good"}),
    ("label-studio", {"id": 1, "data": {"text": "T"}, "annotations": [
        {"was_cancelled": True, "result": [{"type": "choices", "value": {"choices": ["bad"]}}]},
        {"result": [{"type": "choices", "value": {"choices": ["good"]}}], "completed_by": 4}]}, "T", "good",
     {"label": "good"}),
    ("label-studio", {"data": {"prompt": "P", "response": "R"}, "predictions": []}, "P", "R", {"label": None}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "record", "prompt", "response", "fields"),
    RECORDS,
    ids=map(str, range(len(RECORDS))),
)
def test_formats(name: str, record: dict[str, Any], prompt: str, response: str, fields: dict[str, Any]) -> None:
    format = recognise([record])
    assert format is not None
    assert name == format.NAME
    sample = read(record)
    assert (sample.prompt, sample.response) == (prompt, response)
    for field, value in fields.items():
        assert getattr(sample, field) == value, field


def test_the_format_is_the_one_that_most_records_match() -> None:
    records: list[dict[str, Any]] = [
        {"messages": CHAT},
        {"prompt": "P", "response": "R"},
        {"prompt": "P", "response": ""},
    ]
    found = recognise(records)
    assert found is not None
    assert found.NAME == "prompt-response"
    assert recognise([{"some": "thing"}]) is None


MISSING: list[tuple[str, dict[str, Any], str]] = [
    ("messages", {"prompt": "P"}, "messages is null"),
    ("messages", {"messages": []}, "holds no turn"),
    ("messages", {"messages": "Hi"}, "messages is text"),
    ("messages", {"messages": [1]}, r"messages\[0\] is a number"),
    ("messages", {"messages": [turn("narrator", "x")]}, r"messages\[0\] has the role 'narrator'"),
    ("messages", {"messages": [turn("user", 5)]}, r"messages\[0\].content is a number"),
    ("messages", {"messages": [turn("user", [{"type": "image_url", "image_url": {}}])]}, r"no text \(image_url\)"),
    ("messages", {"messages": [turn("assistant", "", tool_calls=[{"id": "1"}])]}, "names no function"),
    ("sharegpt", {"conversations": {"from": "human"}}, "is an object, not a list of turns"),
    ("alpaca", {"instruction": "I"}, r"no response \(output\)"),
    ("alpaca", {"instruction": ["I", 1], "output": ""}, "is no text"),
    ("prompt-response", {"prompt": "P"}, r"no response \(response or completion or answer or output\)"),
    ("prompt-response", {"response": "R"}, "no prompt"),
    ("prompt-response", {"prompt": "P", "response": None}, "no response"),
    ("prompt-response", {"prompt": 5, "response": "R"}, "prompt is a number, not text"),
    ("prompt-response", {"prompt": "P", "response": {"text": "R"}}, "response is an object, not text"),
    ("preference", {"prompt": "P", "rejected": "R"}, r"no response \(chosen\)"),
    ("preference", {"chosen": "C", "rejected": "R"}, "no prompt"),
    ("labelled", {"text": "T"}, "no response"),
    ("distilabel", {"instruction": "I", "generations": []}, "generations is empty"),
    ("distilabel", {"instruction": "I", "generation": None}, "no response"),
    ("argilla", {"responses": {}}, "no fields"),
    ("argilla", {"fields": {"a": "1", "b": "2"}}, r"no prompt among its texts \(a, b\)"),
    ("argilla", {"fields": {"text": "T"}, "responses": []}, "neither a text for it nor a person's answer"),
    ("label-studio", {"data": [], "annotations": []}, "no data"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "record", "reason"), MISSING, ids=map(str, range(len(MISSING))))
def test_what_a_format_lacks_is_named(name: str, record: dict[str, Any], reason: str) -> None:
    with pytest.raises(RecordError, match=reason):
        Mapper(UNKNOWN, format_named(name)).sample(dict(record))


def test_turns_keep_names_tool_calls_and_what_else_they_hold() -> None:
    calls = [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"x":  1.0}'}},
        {"name": "g", "arguments": {"y": [1]}},
    ]
    chat = [
        turn("developer", "D"),
        turn("user", [{"type": "text", "text": "a"}, "b"], name="ann", weight=None),
        turn("assistant", None, tool_calls=calls, weight=1),
        turn("function", "2", tool_call_id="c1"),
    ]
    sample = read({"messages": chat, "tools": [{"name": "f"}]})
    developer, user, assistant, tool = sample.messages
    assert (developer.role, user.content, user.name) == ("developer", "ab", "ann")
    assert assistant.content == ""
    assert assistant.tool_calls is not None
    assert [(call.id, call.name, call.arguments) for call in assistant.tool_calls] == [
        ("c1", "f", '{"x":  1.0}'), (None, "g", '{"y":[1]}'),
    ]  # fmt: skip
    assert (tool.role, tool.tool_call_id) == ("tool", "c1")
    assert sample.metadata == {"tools": [{"name": "f"}], "message_fields": [{"index": 2, "weight": 1}]}


def test_tables_hold_turns_as_text() -> None:
    assert (
        read({"messages": '[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}]'}).response
        == "Yo"
    )


def test_an_exported_sample_comes_back_as_it_was() -> None:
    exported = {
        "uid": "0" * 64, "content_id": "1" * 64, "batch": "b", "external_id": "x-1", "messages": CHAT, "prompt": "Hi",
        "response": "Hello", "reference": "R", "label": "L", "task": "chat", "domain": "d", "licence": "MIT",
        "provenance": "human-edited", "model": "m", "family": "f", "generation": 2, "edit_share": 0.25,
        "parents": ["2" * 64], "status": "approved", "decision": {"verdict": "edit"},
        "metadata": {"a": 1, "model": "z"},
    }  # fmt: skip
    format = recognise([exported])
    assert format is not None
    assert format.NAME == "holdfast"
    sample, external_id = Mapper(ReadOptions(), format).sample(dict(exported))
    assert external_id == "x-1"
    assert sample.metadata == {"a": 1, "model": "z"}
    for field in ("reference", "label", "task", "domain", "licence", "provenance", "model", "family", "generation"):
        assert getattr(sample, field) == exported[field]
    assert sample.parents == ("2" * 64,)
