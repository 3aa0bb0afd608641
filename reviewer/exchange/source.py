"""Where records come from: data files by their suffix, the data files of a folder, and standard input."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from holdfast.db.errors import UsageError
from holdfast.reviewer.exchange import csv_file, json_file, jsonl_file
from holdfast.reviewer.exchange.chunks import Chunks
from holdfast.reviewer.exchange.columns import read_arrow, read_parquet
from holdfast.reviewer.exchange.raw import Raw, problem

STDIN = "-"

_KINDS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".parquet": "parquet",
    ".arrow": "arrow",
}
_NO_DATA = frozenset({"dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"})


@dataclass(frozen=True, slots=True)
class Source:
    """One data file (`-` is standard input), what kind of file it is, and its size and time of change."""

    name: str
    kind: str
    gz: bool = False
    size: int = 0
    changed_ns: int = 0


def find_sources(files: Sequence[str]) -> list[Source]:
    """The data files that the arguments name, those of folders in order; UsageError for what cannot be read as one."""
    sources: list[Source] = []
    for name in files:
        if name == STDIN:
            sources.append(Source(STDIN, "jsonl"))
        elif os.path.isdir(name):
            sources.extend(_folder(Path(name)))
        else:
            sources.append(_file(Path(name)))
    if sum(source.name == STDIN for source in sources) > 1:
        raise UsageError("standard input (-) can be read only once")
    return sources


def read_source(
    source: Source,
    *,
    is_record: Callable[[dict[str, Any]], bool],
    stdin: BufferedIOBase | None = None,
    progress: Callable[[int], None] | None = None,
) -> Generator[Raw, None, None]:
    """Yield every record of a source; one without any yields a problem that says so.

    `is_record` tells a record from an object that wraps lists of records. `progress` is told of bytes read.
    """
    empty = True
    for raw in _read(source, is_record, stdin, progress):
        empty = False
        yield raw
    if empty:
        yield Raw(None, problem("the file holds no records" if source.size else "the file is empty"))


def _read(
    source: Source,
    is_record: Callable[[dict[str, Any]], bool],
    stdin: BufferedIOBase | None,
    progress: Callable[[int], None] | None,
) -> Iterator[Raw]:
    if source.name == STDIN:
        if stdin is None:
            raise UsageError("there is no standard input to read")
        yield from jsonl_file.read(Chunks(stdin, gz=False, owned=False))
        return
    path = Path(source.name)
    if source.kind == "parquet":
        yield from read_parquet(path, source.name, gz=source.gz, progress=progress)
    elif source.kind == "arrow":
        yield from read_arrow(path, source.name, gz=source.gz, progress=progress)
    else:
        with Chunks.of(path, gz=source.gz, progress=progress) as chunks:
            if source.kind == "csv":
                yield from csv_file.read(chunks, source.name)
            elif source.kind == "json":
                yield from json_file.read(chunks, is_record)
            else:
                yield from jsonl_file.read(chunks)


def _file(path: Path) -> Source:
    kind, gz = _kind(path)
    if not path.exists():
        raise UsageError(f"{path}: there is no such file")
    if kind is None:
        raise UsageError(f"{path}: cannot tell what kind of file it is; use one of {', '.join(_KINDS)}, also with .gz")
    found = path.stat()
    return Source(str(path), kind, gz, found.st_size, found.st_mtime_ns)


def _folder(folder: Path) -> Iterator[Source]:
    """The data files of a dataset's folder; what describes it, caches and hidden files are no data."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and _is_data(path.relative_to(folder)))
    if not paths:
        raise UsageError(f"{folder}: the folder holds no data file ({', '.join(_KINDS)}, also with .gz)")
    yield from map(_file, paths)


def _is_data(path: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.parts)
    cached = path.name.startswith("cache-")
    return not (hidden or cached or path.name in _NO_DATA) and _kind(path)[0] is not None


def _kind(path: Path) -> tuple[str | None, bool]:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    gz = suffixes[-1:] == [".gz"]
    return _KINDS.get("".join(suffixes[-2:-1] if gz else suffixes[-1:])), gz
