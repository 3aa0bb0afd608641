"""Every kind of file, whole and damaged: all that can be read is read, all that cannot has its place and reason."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.db.errors import UsageError
from holdfast.reviewer.exchange import chunks, raw
from holdfast.reviewer.exchange.chunks import in_memory
from holdfast.reviewer.exchange.json_file import read as read_json
from holdfast.reviewer.exchange.raw import Problem, Raw
from holdfast.reviewer.exchange.source import find_sources, read_source

PAIR = {"prompt": "Name a colour.", "response": "Blue"}


def is_pair(record: dict[str, Any]) -> bool:
    return "prompt" in record


def read(path: Path) -> list[Raw]:
    return [found for source in find_sources([str(path)]) for found in read_source(source, is_record=is_pair)]


def value(found: Raw) -> Any:
    """What was read: the parsed record, or the reason of a problem."""
    if isinstance(found.payload, Problem):
        return found.payload.reason
    return json.loads(found.payload) if isinstance(found.payload, bytes) else found.payload


def values(raws: list[Raw]) -> list[Any]:
    return list(map(value, raws))


def jsonl(count: int) -> bytes:
    return b"".join(json.dumps({**PAIR, "n": n}).encode() + b"\n" for n in range(count))


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_lines_may_be_blank_and_the_last_one_unfinished(tmp_path: Path, ends: bytes) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + ends.join([b'{"n": 1}', b"", b"  \t", b'{"n": 2}', b'{"n": 3}']))
    raws = read(path)
    assert values(raws) == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert [each.line for each in raws] == [1, 4, 5]


def test_a_line_that_is_too_long_is_set_aside_and_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 64)
    monkeypatch.setattr(chunks, "MAX_RECORD", 1000)
    monkeypatch.setattr(chunks, "RAW_LIMIT", 100)
    monkeypatch.setattr(raw, "RAW_LIMIT", 100)
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n": 1}\n' + b"x" * 5000 + b'\n{"n": 2}\n' + b'"' + b"y" * 998 + b'"\n' + b"z" * 1001)
    before, long, after, longest, last = read(path)
    assert (before.line, long.line, after.line, longest.line, last.line) == (1, 2, 3, 4, 5)
    assert isinstance(long.payload, Problem)
    assert (long.payload.raw, long.payload.raw_bytes) == (b"x" * 100, 5000)
    assert long.payload.reason.startswith("the record is over")
    assert after.payload == b'{"n": 2}'
    assert longest.payload == b'"' + b"y" * 998 + b'"'
    assert isinstance(last.payload, Problem)
    assert last.payload.raw_bytes == 1001


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.jsonl.gz", "a.json.gz"])
@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_a_file_without_records_says_so(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    (reason,) = values(read(path))
    assert reason in ("the file is empty", "the file holds no records")


@pytest.mark.parametrize(("content", "reason"), [
    ("[]".encode("utf-16"), "UTF-16"),
    (gzip.compress(b"[]"), "compressed with gzip"),
])  # fmt: skip
@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv"])
def test_files_that_are_no_utf8_text_say_what_they_are(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    (found,) = values(read(path))
    assert reason in found


def test_what_stands_before_the_end_of_a_truncated_gzip_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    packed = gzip.compress(jsonl(5000))
    path.write_bytes(packed[: len(packed) // 2])
    *records, last = read(path)
    assert len(records) > 1000
    assert values(records) == [{**PAIR, "n": n} for n in range(len(records))]
    assert "cut short" in value(last)
    assert last.line == len(records) + 1


def test_a_damaged_gzip_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    packed = bytearray(gzip.compress(jsonl(5000)))
    packed[len(packed) // 2] ^= 0xFF
    path.write_bytes(packed)
    assert "damaged" in value(read(path)[-1])
    path.write_bytes(b"no gzip at all")
    assert "damaged" in value(read(path)[-1])


def test_gzip_files_may_have_several_members(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"n": 1}\n') + gzip.compress(b'{"n": 2}\n'))
    assert values(read(path)) == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("name", ["a.txt", "a", "a.tar.gz"])
def test_other_files_are_wrong_usage(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UsageError, match="cannot tell what kind of file"):
        find_sources([str(tmp_path / name)])


def test_a_missing_file_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        find_sources([str(tmp_path / "none.jsonl")])
    with pytest.raises(UsageError, match="holds no data file"):
        find_sources([str(tmp_path)])


def test_a_dataset_folder_is_its_data_files(tmp_path: Path) -> None:
    for name in ("data/train-1.jsonl", "data/train-0.jsonl", "test/part.csv", ".cache/x.jsonl", "cache-1.arrow"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"prompt,response\na,b\n")
    for name in ("README.md", "dataset_infos.json", "dataset_info.json", "state.json"):
        (tmp_path / name).write_text("{}")
    found = [Path(source.name).relative_to(tmp_path).as_posix() for source in find_sources([str(tmp_path)])]
    assert found == ["data/train-0.jsonl", "data/train-1.jsonl", "test/part.csv"]


# JSON documents


def json_values(text: bytes) -> list[Any]:
    return values(list(read_json(in_memory(text), is_pair)))


def pairs(count: int) -> list[dict[str, Any]]:
    return [{**PAIR, "n": n, "more": [{"x": '[{"'}, "]"]} for n in range(count)]


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("wrap", [
    lambda records: records,
    lambda records: {"data": records},
    lambda records: {"version": "1", "tags": ["a", "b"], "about": {"by": [{"x": 1}]}, "rows": records, "end": 1},
    lambda records: {"train": records[:2], "test": records[2:]},
], ids=["list", "object", "object with more", "splits"])  # fmt: skip
def test_json_files_hold_a_list_or_an_object_with_lists(wrap: Any, indent: int | None) -> None:
    assert json_values(json.dumps(wrap(pairs(5)), indent=indent).encode()) == pairs(5)


@pytest.mark.parametrize("indent", [None, 1])
def test_a_json_file_may_be_one_record(indent: int | None) -> None:
    record = {**PAIR, "tools": [{"name": "f"}, {"name": "g"}]}
    assert json_values(json.dumps(record, indent=indent).encode()) == [record]
    assert json_values(b'{"some": "thing"}') == [{"some": "thing"}]


def test_a_json_file_may_hold_json_lines() -> None:
    assert json_values(b"\n" + jsonl(3)) == [{**PAIR, "n": n} for n in range(3)]
    *good, bad = list(read_json(in_memory(jsonl(2) + b'{"n":'), is_pair))
    assert len(good) == 2
    assert (bad.line, bad.payload) == (3, b'{"n":')
    bad, *good = list(read_json(in_memory(b'{"n":\n' + jsonl(2)), is_pair))
    assert len(good) == 2
    assert (bad.line, bad.payload) == (1, b'{"n":')


def test_a_bad_element_spoils_no_other() -> None:
    raws = list(read_json(in_memory(b'[{"n": 1},\n {"n": },\n "text", {"n": "\xff"}, {"n": 2}\n]\n'), is_pair))
    assert [each.payload for each in raws] == [b'{"n": 1}', b'{"n": }', b'"text"', b'{"n": "\xff"}', b'{"n": 2}']
    assert [each.line for each in raws] == [1, 2, 3, 3, 3]


@pytest.mark.parametrize(("text", "reason"), [
    (b'[{"n": 1}, {"n": 2}', "cut short"),
    (b'[{"n": 1}, {"n": 2}, ', "cut short"),
    (b'[{"n": 1}, {"n": 2}, {"n": "un', "cut short"),
    (b'{"data": [{"n": 1}, {"n": 2}, {"n"', "cut short"),
    (b'{"data": [{"n": 1}, {"n": 2}]', "cut short"),
    (b'[{"n": 1}, {"n": 2}] and more', "text follows"),
    (b'{"data": [{"n": 1}, {"n": 2}]}]', "text follows"),
])  # fmt: skip
def test_a_json_file_that_ends_badly_says_so(text: bytes, reason: str) -> None:
    raws = list(read_json(in_memory(text), is_pair))
    assert raws[0].payload == b'{"n": 1}'
    assert isinstance(raws[-1].payload, Problem)
    assert reason in raws[-1].payload.reason
    assert b'{"n": 2}' in (raws[1].payload, raws[-1].payload.raw)


def test_a_truncated_gzip_file_keeps_the_elements_before_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    packed = gzip.compress(json.dumps(pairs(5000)).encode())
    path.write_bytes(packed[: len(packed) // 2])
    *records, last = values(read(path))
    assert records == pairs(len(records))
    assert len(records) > 1000
    assert "cut short" in last


def test_an_element_that_is_too_long_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 64)
    for module in ("json_scan", "json_file"):
        monkeypatch.setattr(f"holdfast.reviewer.exchange.{module}.MAX_RECORD", 1000)
    long = b'{"x": "' + b'\\"]}' * 1000 + b'"}'
    for text in (b'[{"n": 1},\n\n' + long + b',\n{"n": 2}]', b'{"data": [{"n": 1},\n\n' + long + b',\n{"n": 2}]}'):
        before, problem, after = list(read_json(in_memory(text), is_pair))
        assert (before.payload, after.payload) == (b'{"n": 1}', b'{"n": 2}')
        assert isinstance(problem.payload, Problem)
        assert problem.payload.raw_bytes == len(long)
        assert problem.payload.raw == long[: len(problem.payload.raw)]
        assert after.line == 4


def _chunked(data: bytes, size: int) -> Iterator[Raw]:
    source = in_memory(data)
    source._read = lambda: source._file.read(size)  # type: ignore[method-assign]
    return read_json(source, is_pair)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(st.sampled_from('a"\\{}[],: \n'), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(JSON, min_size=1, max_size=5), st.integers(1, 9), st.sampled_from([None, 1]))
def test_elements_are_found_wherever_chunks_end(elements: list[Any], size: int, indent: int | None) -> None:
    text = json.dumps(elements, indent=indent).encode()
    assert values(list(_chunked(text, size))) == elements


@pytest.mark.parametrize("size", [7, 1000, 1 << 20])
@pytest.mark.parametrize("element", ['"\\' * 3000, ['a"'] * 500, {str(n): [n, {}] for n in range(500)}, "x" * 5000])
def test_elements_of_many_parts_are_found_whole(element: Any, size: int) -> None:
    elements = [element, 1, element]
    assert values(list(_chunked(json.dumps(elements).encode(), size))) == elements


@given(st.lists(st.dictionaries(st.text(max_size=3), JSON, max_size=3), min_size=1, max_size=4), st.integers(1, 9))
def test_lists_in_objects_are_found_wherever_chunks_end(elements: list[Any], size: int) -> None:
    text = json.dumps({"a": 1, "data": elements, "z": [1, {}]}).encode()
    assert values(list(_chunked(text, size))) == elements


@given(st.binary(max_size=60), st.integers(1, 9))
def test_no_bytes_break_a_reader_or_get_lost(data: bytes, size: int) -> None:
    for found in _chunked(b'[{"n": 1}, ' + data, size):
        assert isinstance(found.payload, (bytes, Problem))
