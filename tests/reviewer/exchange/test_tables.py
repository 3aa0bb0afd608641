"""CSV, Parquet and Arrow files, whole and damaged."""

from __future__ import annotations

import datetime
import gzip
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from holdfast.db.errors import HoldfastError, UsageError
from holdfast.reviewer.exchange import chunks, csv_file
from holdfast.reviewer.exchange.chunks import in_memory
from holdfast.reviewer.exchange.csv_file import read as read_csv
from holdfast.reviewer.exchange.raw import Problem, Raw
from holdfast.reviewer.exchange.source import find_sources, read_source
from holdfast.reviewer.exchange.values import dumps


def csv_raws(text: bytes) -> list[Raw]:
    return list(read_csv(in_memory(text), "a.csv"))


def reason(found: Raw) -> str:
    assert isinstance(found.payload, Problem)
    return found.payload.reason


def read(path: Path) -> list[Raw]:
    return [found for source in find_sources([str(path)]) for found in read_source(source, is_record=lambda _: True)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_rows_are_records_of_text(delimiter: str) -> None:
    text = '\ufeffprompt,response,n\r\n"a\r\nb","say ""hi"", all",1.50\r\n\r\n x ,é,\r\n'.replace(",", delimiter)
    first, second = csv_raws(text.encode())
    assert first.payload == {"prompt": "a\r\nb", "response": f'say "hi"{delimiter} all', "n": "1.50"}
    assert second.payload == {"prompt": " x ", "response": "é", "n": ""}
    assert (first.line, second.line) == (2, 5)
    assert first.text is not None
    assert first.text.startswith(b'"a\r\nb"')


def test_a_bad_csv_row_spoils_no_other() -> None:
    raws = csv_raws(b'prompt,response\na,b\nc\nd,e,f\n"g"h,i\nj,\xff\nk,\0\nl,m\n"n,o')
    assert raws[0].payload == {"prompt": "a", "response": "b"}
    assert raws[6].payload == {"prompt": "l", "response": "m"}
    shown = [(found.line, reason(found)) for found in (*raws[1:6], raws[7])]
    assert [line for line, _ in shown] == [3, 4, 5, 6, 7, 9]
    for (_, text), part in zip(
        shown, ("has 1 cells", "has 3 cells", "malformed CSV", "invalid UTF-8", "NUL", "malformed CSV"), strict=True
    ):
        assert part in text
    assert raws[4].payload == Problem(reason(raws[4]), b"j,\xff", 3)


def test_a_csv_row_that_is_too_long_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "MAX_RECORD", 1000)
    monkeypatch.setattr(csv_file, "MAX_RECORD", 1000)
    raws = csv_raws(b"prompt,response\na,b\n" + b"c" * 2000 + b',d\ne,f\n"never closed,g\n' + b"h,i\n" * 300)
    first, long, second, unclosed, *rest = raws
    assert (first.payload, second.payload) == ({"prompt": "a", "response": "b"}, {"prompt": "e", "response": "f"})
    assert (long.line, unclosed.line) == (3, 5)
    assert reason(long).startswith("the record is over")
    assert reason(unclosed).startswith("the record is over")
    assert len(rest) > 40
    assert all(found.payload == {"prompt": "h", "response": "i"} for found in rest)


@pytest.mark.parametrize(("text", "part"), [
    (b"prompt,prompt\na,b\n", "names the column 'prompt' twice"),
    (b"prompt,\xff\na,b\n", "invalid UTF-8"),
])  # fmt: skip
def test_a_csv_header_that_cannot_be_used_is_wrong_usage(text: bytes, part: str) -> None:
    with pytest.raises(UsageError, match=rf"a\.csv:1: .*{part}"):
        csv_raws(text)


# Columnar files


@pytest.fixture(scope="module")
def table() -> Any:
    pyarrow = pytest.importorskip("pyarrow")
    return pyarrow.table({
        "prompt": ["a", "b", None],
        "response": ["x", "y", "z"],
        "score": [0.5, float("nan"), 1e300],
        "price": [Decimal("1.50"), None, Decimal("-2.00")],
        "at": [datetime.datetime(2026, 1, 5, 9, tzinfo=datetime.UTC)] * 3,
        "turns": [[{"role": "user", "n": 2**60}]] * 3,
    })  # fmt: skip


def write_parquet(table: Any, path: Path, **options: Any) -> None:
    from pyarrow import parquet

    parquet.write_table(table, path, **options)


def write_arrow(table: Any, path: Path, *, stream: bool) -> None:
    from pyarrow import ipc

    with (ipc.new_stream if stream else ipc.new_file)(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)


@pytest.mark.parametrize("kind", ["parquet", "parquet.gz", "arrow stream", "arrow file"])
def test_columnar_files_are_read_row_by_row(tmp_path: Path, table: Any, kind: str) -> None:
    path = tmp_path / f"a.{kind.split()[0]}"
    if kind.startswith("parquet"):
        write_parquet(table, tmp_path / "plain.parquet")
        data = (tmp_path / "plain.parquet").read_bytes()
        path.write_bytes(gzip.compress(data) if kind.endswith("gz") else data)
    else:
        write_arrow(table, path, stream=kind == "arrow stream")
    raws = read(path)
    assert [found.line for found in raws] == [1, 2, 3]
    rows = [found.payload for found in raws]
    assert all(isinstance(row, dict) for row in rows)
    assert dumps(rows[0]) == (
        '{"prompt":"a","response":"x","score":0.5,"price":1.50,"at":"2026-01-05T09:00:00+00:00",'
        '"turns":[{"role":"user","n":1152921504606846976}]}'
    )
    assert dumps(rows[1]).startswith('{"prompt":"b","response":"y","score":null,"price":null')


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.parquet.gz"])
@pytest.mark.parametrize("content", [b"", b"PAR1 no", b"ARROW1 no"])
def test_what_is_no_columnar_file_says_so(tmp_path: Path, table: Any, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    (found,) = read(path)
    assert "not a whole" in reason(found)


def test_a_truncated_parquet_file_says_so(tmp_path: Path, table: Any) -> None:
    path = tmp_path / "a.parquet"
    write_parquet(table, path)
    path.write_bytes(path.read_bytes()[:-40])
    (found,) = read(path)
    assert "not a whole Parquet file" in reason(found)


def test_what_stands_before_damage_in_a_columnar_file_is_read(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({"prompt": [f"p{n}" for n in range(3000)], "response": ["r" * 100] * 3000})
    path = tmp_path / "a.parquet"
    write_parquet(table, path, row_group_size=1000, compression="zstd", use_dictionary=False)
    from pyarrow import parquet

    second = parquet.read_metadata(path).row_group(1).column(0).data_page_offset
    data = bytearray(path.read_bytes())
    data[second : second + 200] = bytes(200)
    path.write_bytes(data)
    *rows, last = read(path)
    assert len(rows) == 1000
    assert "cannot be read from here on" in reason(last)
    assert last.line == 1001

    arrow = tmp_path / "a.arrow"
    write_arrow(table, arrow, stream=True)
    arrow.write_bytes(arrow.read_bytes()[: arrow.stat().st_size // 2])
    *rows, last = read(arrow)
    assert len(rows) > 500
    assert "cannot be read from here on" in reason(last)


def test_a_column_that_stands_twice_is_wrong_usage(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    path = tmp_path / "a.parquet"
    write_parquet(pyarrow.Table.from_arrays([["a"], ["b"]], names=["x", "x"]), path)
    with pytest.raises(UsageError, match="column 'x' stands in it twice"):
        read(path)


def test_without_pyarrow_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(HoldfastError, match=r"pip install 'holdfast\[parquet\]'"):
        read(tmp_path / "a.parquet")
