"""The reading side of an ingest: records in, prepared rows out in portions; a process of its own for large files."""

from __future__ import annotations

import gc
import multiprocessing
import signal
import traceback
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from holdfast.db.errors import HoldfastError
from holdfast.db.rows import Row, Unreadable, prepare
from holdfast.reviewer.exchange.columns import row_text
from holdfast.reviewer.exchange.mapping import Mapper
from holdfast.reviewer.exchange.options import ReadOptions
from holdfast.reviewer.exchange.plan import Plan, record_test
from holdfast.reviewer.exchange.raw import Problem, Raw, RecordError, problem
from holdfast.reviewer.exchange.source import STDIN, Source, read_source
from holdfast.reviewer.exchange.values import loads
from holdfast.reviewer.pipeline.processes import own_modules_only

PORTION_RECORDS = 10_000
_PORTION_BYTES = 16 << 20
_PROCESS_BYTES = 8 << 20
_UNPACKED = 5


@dataclass(frozen=True, slots=True)
class Job:
    """Which sources to read into which batch, and how; `skip` records were staged before an interruption.

    Rows come in portions of `portion_records`: the store writes each in one transaction where nobody reviews.
    """

    batch: str
    sources: tuple[tuple[Source, Plan], ...]
    options: ReadOptions
    skip: int = 0
    portion_records: int = field(default_factory=lambda: PORTION_RECORDS)


@dataclass(slots=True)
class Portion:
    """The prepared rows and the unreadable ones of some records, and how many bytes of the files these took."""

    rows: list[Row] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    file_bytes: int = 0


def read_portions(job: Job, stdin: Iterator[Raw] | None = None) -> Generator[Portion, None, None]:
    """Read a job, in another process where that pays; `stdin` yields the records of standard input."""
    size = sum(source.size * (_UNPACKED if source.gz else 1) for source, _ in job.sources)
    return _read_apart(job) if stdin is None and size > _PROCESS_BYTES else _read_here(job, stdin)


def _read_here(job: Job, stdin: Iterator[Raw] | None = None) -> Generator[Portion, None, None]:
    portion = Portion()
    size = 0

    def count(file_bytes: int) -> None:
        portion.file_bytes += file_bytes

    to_skip = job.skip
    is_record = record_test(job.options)
    for source, plan in job.sources:
        mapper = plan.mapper(job.options)
        reads_stdin = stdin is not None and source.name == STDIN
        for raw in stdin if stdin and reads_stdin else read_source(source, is_record=is_record, progress=count):
            if to_skip:
                to_skip -= 1
                continue
            row = _row(raw, source.name, mapper, job.batch)
            if isinstance(row, Row):
                portion.rows.append(row)
                size += len(row.messages)
            else:
                portion.unreadable.append(row)
                size += len(row.raw)
            if len(portion.rows) + len(portion.unreadable) >= job.portion_records or size > _PORTION_BYTES:
                yield portion
                portion, size = Portion(), 0
    yield portion


def _row(raw: Raw, name: str, mapper: Mapper, batch: str) -> Row | Unreadable:
    payload = raw.payload
    if isinstance(payload, Problem):
        return Unreadable(name, raw.line, payload.reason, payload.raw, payload.raw_bytes)
    try:
        record = loads(payload) if isinstance(payload, bytes) else payload.copy()
        sample, external_id = mapper.sample(record)
        return prepare(sample, batch=batch, external_id=external_id, file=name, line=raw.line)
    except RecordError as error:
        text = payload if isinstance(payload, bytes) else raw.text or row_text(payload)
        found = problem(str(error), text)
        return Unreadable(name, raw.line, found.reason, found.raw, found.raw_bytes)


def _read_apart(job: Job) -> Generator[Portion, None, None]:
    """Yield the portions that another process reads; it ends with this generator, or with this process."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(job, sender), daemon=True)
    with own_modules_only():
        process.start()
    sender.close()
    ahead = ThreadPoolExecutor(1)  # unpacks the next portion while the store writes this one
    try:
        coming = ahead.submit(_receive, receiver)
        while (message := coming.result()) is not None:
            if isinstance(message, Exception):
                raise message
            coming = ahead.submit(_receive, receiver)
            yield message
    finally:
        process.terminate()
        process.join()
        process.close()
        ahead.shutdown()
        receiver.close()


def _receive(receiver: Connection) -> Portion | Exception | None:
    try:
        message: Portion | Exception | None = receiver.recv()
    except (EOFError, OSError):
        raise HoldfastError("the process that reads was killed; run the same command again to go on") from None
    return message


@contextmanager
def without_collection() -> Iterator[None]:
    """No garbage collection in the block: rows hold no cycles, and looking for some in millions takes its time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _serve(job: Job, sender: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process decides what Ctrl-C does
    try:
        with without_collection():
            for portion in _read_here(job):
                sender.send(portion)
        sender.send(None)
    except BrokenPipeError:
        return
    except (HoldfastError, OSError) as error:
        sender.send(error)
    except Exception as error:
        sender.send(RuntimeError("".join(traceback.format_exception(error))))
