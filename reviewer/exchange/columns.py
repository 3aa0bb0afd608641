"""Columnar files read with pyarrow: Parquet, and the Arrow files of Hugging Face datasets."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import orjson

from holdfast.db.errors import HoldfastError, UsageError
from holdfast.reviewer.exchange.raw import MAX_RECORD, Raw, problem, too_long

_BATCH_BYTES = 4 << 20
_BATCH_ROWS = 500

Progress = Callable[[int], None]


def read_parquet(path: Path, name: str, *, gz: bool = False, progress: Progress | None = None) -> Iterator[Raw]:
    """Yield a Parquet file's rows; damage is a problem, and what stands before it is read."""
    arrow = _arrow(name)
    from pyarrow import parquet

    with _opened(path, gz) as file:
        try:
            table = parquet.ParquetFile(file)
        except (arrow.ArrowException, OSError, ValueError) as error:
            yield Raw(None, problem(f"not a whole Parquet file: {_one_line(error)}"))
            return
        _check_names(table.schema_arrow.names, name)
        total = max(table.metadata.num_rows, 1)
        groups = (table.metadata.row_group(index).total_byte_size for index in range(table.num_row_groups))
        size = max(1, min(_BATCH_ROWS, _BATCH_BYTES * total // max(sum(groups), 1)))
        batches = table.iter_batches(batch_size=size, use_threads=False)
        yield from _rows(batches, arrow, progress, path.stat().st_size / total)


def read_arrow(path: Path, name: str, *, gz: bool = False, progress: Progress | None = None) -> Iterator[Raw]:
    """Yield the rows of an Arrow stream or file; damage is a problem, and what stands before it is read."""
    arrow = _arrow(name)
    with _opened(path, gz) as file:
        try:
            batches, names = _arrow_batches(arrow, file)
        except (arrow.ArrowException, OSError, ValueError) as error:
            yield Raw(None, problem(f"not a whole Arrow file: {_one_line(error)}"))
            return
        _check_names(names, name)
        yield from _rows(batches, arrow, None, 0)
        if progress is not None:
            progress(path.stat().st_size)


def _arrow(name: str) -> ModuleType:
    try:
        import pyarrow
    except ImportError:
        raise HoldfastError(f"{name}: reading it needs pyarrow; pip install 'holdfast[parquet]'") from None
    module: ModuleType = pyarrow
    return module


@contextmanager
def _opened(path: Path, gz: bool) -> Iterator[IO[bytes]]:
    """The file, seekable: what is compressed goes through a temporary file."""
    if not gz:
        with path.open("rb") as file:
            yield file
        return
    with gzip.open(path) as packed, tempfile.TemporaryFile() as plain:
        # What can be unpacked of a damaged file is no whole file either, and is reported as such.
        with suppress(EOFError, OSError, zlib.error):
            shutil.copyfileobj(packed, plain, 1 << 20)
        plain.seek(0)
        yield plain


def _arrow_batches(arrow: ModuleType, file: IO[bytes]) -> tuple[Iterator[Any], list[str]]:
    from pyarrow import ipc

    try:
        stream = ipc.open_stream(file)
        return iter(stream), stream.schema.names
    except arrow.ArrowInvalid:
        file.seek(0)
        whole = ipc.open_file(file)
        return (whole.get_batch(index) for index in range(whole.num_record_batches)), whole.schema.names


def _check_names(names: list[str], name: str) -> None:
    twice = [column for column in names if names.count(column) > 1]
    if twice:
        raise UsageError(f"{name}: the column {twice[0]!r} stands in it twice; rename one")


def _rows(batches: Iterator[Any], arrow: ModuleType, progress: Progress | None, row_bytes: float) -> Iterator[Raw]:
    number = 0
    while True:
        try:
            batch = next(batches, None)
            if batch is None:
                return
            for start in range(0, batch.num_rows, _BATCH_ROWS):
                part = batch.slice(start, _BATCH_ROWS)
                for record in _values(part):
                    number += 1
                    yield _record(number, record)
                if progress is not None:
                    progress(round(part.num_rows * row_bytes))
        except (arrow.ArrowException, OSError, ValueError, OverflowError) as error:
            yield Raw(number + 1, problem(f"the file cannot be read from here on: {_one_line(error)}"))
            return


def _values(part: Any) -> list[dict[str, Any] | str]:
    """The rows of a batch; where one cannot be converted, what is wrong with it."""
    try:
        return list(part.to_pylist())
    except (ValueError, OverflowError) as error:
        if part.num_rows == 1:
            return [_one_line(error)]
        return [row for index in range(part.num_rows) for row in _values(part.slice(index, 1))]


def _record(number: int, record: dict[str, Any] | str) -> Raw:
    if isinstance(record, str):
        return Raw(number, problem(f"the row cannot be read: {record}"))
    size = sum(len(value) for value in record.values() if isinstance(value, (str, bytes)))
    if size > MAX_RECORD:
        return Raw(number, too_long(row_text(record), size))
    return Raw(number, record)


def row_text(record: dict[str, Any]) -> bytes:
    """A table's row as the quarantine shows it."""
    try:
        return orjson.dumps(record, default=repr, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # nested too deeply
        return repr(record).encode()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
