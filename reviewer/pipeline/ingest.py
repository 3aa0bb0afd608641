"""Files into a batch: streamed, staged, then visible all at once; what cannot be read is kept aside."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from io import BufferedIOBase
from itertools import chain
from pathlib import Path
from typing import Literal

from holdfast.db.errors import HoldfastError
from holdfast.db.ingests import Ingest, IngestCounts, Unreadable
from holdfast.db.search import index_new
from holdfast.db.store import Store
from holdfast.db.users import check_name
from holdfast.reviewer.exchange.options import ReadOptions
from holdfast.reviewer.exchange.plan import Plan, make_plan, read_head, record_test
from holdfast.reviewer.exchange.raw import Raw
from holdfast.reviewer.exchange.source import STDIN, Source, find_sources, read_source
from holdfast.reviewer.pipeline.reading import Job, Portion, read_portions, without_collection

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an ingest is: `done` of `total` bytes (total 0: unknown) while reading, of samples while indexing."""

    phase: Literal["reading", "indexing"]
    records: int
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did; `new` counts occurrences new to the batch, `notes` say what may not be as meant."""

    batch: str
    read: int
    new: int
    known: int
    quarantined: int
    seconds: float
    notes: tuple[str, ...] = ()


class Unacceptable(HoldfastError):
    """A strict ingest met records that cannot be read; nothing was ingested."""


def ingest(
    store: Store,
    files: Sequence[str],
    *,
    batch: str,
    actor: str,
    options: ReadOptions = ReadOptions(),  # noqa: B008 (frozen)
    strict: bool = False,
    stdin: BufferedIOBase | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> IngestReport:
    """Read files into a batch; the same call after an interruption goes on where it stopped.

    UsageError before anything is written where a file, its format, a mapping or the provenance is unclear; Unacceptable
    where `strict` and a record cannot be read.
    """
    started = time.monotonic()
    check_name(batch, "batch")
    tell = progress or _ignore
    job, given = prepare(find_sources(files), batch, options, stdin)
    staging = Ingest.begin(store, batch=batch, signature=_signature(job, strict), actor=actor)
    portion_records = min(job.portion_records, staging.portion_records or job.portion_records)
    left = replace(job, skip=staging.position, portion_records=portion_records)
    try:
        with without_collection(), closing(read_portions(left, given)) as portions:
            counts = _stage(staging, portions, strict, tell, sum(source.size for source, _ in job.sources))
    finally:
        staging.suspend()
    index_new(store, lambda done, total: tell(Progress("indexing", counts.read, done, total)))
    notes = tuple(note for _, plan in job.sources for note in plan.notes)
    seconds = round(time.monotonic() - started, 3)
    return IngestReport(batch, counts.read, counts.new, counts.known, counts.quarantined, seconds, notes)


def prepare(
    sources: Sequence[Source], batch: str, options: ReadOptions, stdin: BufferedIOBase | None
) -> tuple[Job, Iterator[Raw] | None]:
    """Find out how to read each source; what was read of standard input for it comes first in its records."""
    plans: list[tuple[Source, Plan]] = []
    given: Iterator[Raw] | None = None
    is_record = record_test(options)
    for source in sources:
        raws = read_source(source, is_record=is_record, stdin=stdin)
        head = read_head(raws)
        if source.name == STDIN:
            given = chain(head, raws)
        else:
            raws.close()
        plans.append((source, make_plan(source.name, head, options)))
    return Job(batch, tuple(plans), options), given


def _signature(job: Job, strict: bool) -> str:
    """What makes two ingests the same: the files, unchanged, and the options.

    Standard input is never the same, nor is a strict ingest: it has to see every record itself.
    """
    parts = [
        (secrets.token_hex(), plan) if source.name == STDIN else (Path(source.name).resolve(), source, plan)
        for source, plan in job.sources
    ]
    once = secrets.token_hex() if strict else ""
    return hashlib.sha256(repr((parts, job.options, once)).encode()).hexdigest()


def _stage(
    staging: Ingest, portions: Iterator[Portion], strict: bool, tell: Callable[[Progress], None], total: int
) -> IngestCounts:
    """Stage every portion and close the ingest; a strict one is discarded where a record cannot be read."""
    refused: list[Unreadable] = []
    refusals = done = 0
    for portion in portions:
        found = portion.unreadable
        if not strict:
            staging.add(portion.rows, found)
        elif not (refusals or found):
            found = staging.add(portion.rows)
        refusals += len(found)
        refused += [record._replace(raw=b"") for record in found[: _SHOWN - len(refused)]]
        done += portion.file_bytes
        tell(Progress("reading", staging.position, min(done, total), total))
    if strict and refusals:
        staging.discard()
        raise Unacceptable(_refusal(refused, refusals))
    return staging.close()


def _refusal(shown: Sequence[Unreadable], count: int) -> str:
    places = [f"  {record.file}{f':{record.line}' if record.line else ''}: {record.reason}" for record in shown]
    more = [f"  and {count - len(shown)} more"] if count > len(shown) else []
    records = "record" if count == 1 else "records"
    return "\n".join([f"{count} {records} cannot be read, so nothing was ingested (--strict)", *places, *more])


def _ignore(progress: Progress) -> None:
    return
