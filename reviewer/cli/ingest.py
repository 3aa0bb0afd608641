"""`holdfast ingest` and `holdfast quarantine`: records in, and those that could not be read."""

from __future__ import annotations

import base64
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

import click

from holdfast.reviewer.cli.common import (
    NAME,
    Caller,
    acts,
    json_option,
    jsonl_option,
    print_json,
    print_jsonl,
    say,
    warn,
)

if TYPE_CHECKING:
    from io import BufferedIOBase

    from holdfast.db.ingests import Quarantined
    from holdfast.reviewer.exchange.options import ReadOptions
    from holdfast.reviewer.pipeline.ingest import IngestReport, Progress

PROVENANCES = ("human", "human-edited", "synthetic", "unknown")
_RAW_CELLS = 160


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--batch", metavar="NAME", required=True, type=NAME, help="The batch that the samples enter.")
@click.option("--provenance", type=click.Choice(PROVENANCES), help="Who wrote the responses, where records do not say.")
@click.option("--model", metavar="ID", help="The model that wrote them, where records do not say.")
@click.option("--family", metavar="F", help="That model's family.")
@click.option("--generation", metavar="N", type=click.IntRange(min=0), help="That model's generation.")
@click.option("--domain", metavar="D", help="The domain, where records do not say.")
@click.option("--task", metavar="T", help="The task, where records do not say.")
@click.option("--licence", metavar="L", help="The licence, where records do not say.")
@click.option("--format", metavar="F", help="The record format (default: recognised from the first records).")
@click.option("--map", "maps", metavar="FIELD=PATH", multiple=True, help="Read a field from a dotted path; repeatable.")
@click.option("--drop", "drops", metavar="PATH", multiple=True, help="Leave out what stands there; repeatable.")
@click.option("--only-mapped", is_flag=True, help="Keep no unmapped field as metadata.")
@click.option("--strict", is_flag=True, help="Ingest nothing if any record cannot be read.")
@json_option
@acts
def ingest(caller: Caller, files: tuple[str, ...], batch: str, strict: bool, as_json: bool, **reading: Any) -> None:
    """Read samples from files into a batch.

    Reads .jsonl, .json, .csv and .parquet, each also with .gz, folders of such files, and - for JSON lines on standard
    input. Fields that nothing is mapped to are kept as metadata. Records that cannot be read are kept aside: see
    `holdfast quarantine`. The same call after an interruption goes on where it stopped.
    """
    from holdfast.reviewer.pipeline.ingest import ingest as run

    meter = _Meter()
    options = _options(**reading)
    stdin = cast("BufferedIOBase", sys.stdin.buffer) if "-" in files else None
    with caller.project().store() as store:
        try:
            report = run(
                store,
                files,
                batch=batch,
                actor=caller.user,
                options=options,
                strict=strict,
                stdin=stdin,
                progress=meter,
            )
        except KeyboardInterrupt:
            meter.clear()
            warn(meter.interrupted(resumable=stdin is None))
            raise
        finally:
            meter.clear()
    _print_report(report, as_json)


@click.command()
@click.option("--batch", metavar="NAME", type=NAME, help="Only what was to enter this batch.")
@json_option
@jsonl_option
@acts
def quarantine(caller: Caller, batch: str | None, as_json: bool, as_jsonl: bool) -> None:
    """List the rows that could not be read: file, line, reason, raw text."""
    from holdfast.db.ingests import quarantine as rows
    from holdfast.reviewer.sanitise import plain_line

    with caller.project().store() as store:
        found = rows(store, batch=batch)
        if as_jsonl:
            print_jsonl(map(_document, found))
        elif as_json:
            print_json([_document(row) for row in found])
        else:
            for row in found:
                say(f"{_place(row)}: {row.reason}  (batch {row.batch}, {row.raw_bytes:,} bytes)")
                if row.raw:
                    say(f"    {plain_line(row.raw.decode('utf-8', 'backslashreplace'), _RAW_CELLS)}")


class _Meter:
    """Shows on a terminal how far an ingest is."""

    def __init__(self) -> None:
        self._shows = sys.stderr.isatty()
        self._next = 0.0
        self._last: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        """Show the progress, ten times a second at most."""
        self._last = progress
        if self._shows and time.monotonic() >= self._next:
            self._next = time.monotonic() + 0.1
            share = f"{100 * progress.done // progress.total:3} %  " if progress.total else ""
            click.echo(f"\r{progress.phase}  {share}{progress.records:,} records\x1b[K", err=True, nl=False)

    def clear(self) -> None:
        """Take the progress off the screen."""
        if self._shows and self._last is not None:
            click.echo("\r\x1b[K", err=True, nl=False)

    def interrupted(self, *, resumable: bool) -> str:
        """What an interruption leaves behind."""
        if self._last is None:
            return "stopped before anything was read"
        if self._last.phase == "indexing":
            return "stopped; the batch is complete, and the search index catches up at the next search"
        if not resumable:
            return "stopped; nothing was ingested, since standard input cannot be read again from where it stopped"
        return f"stopped after {self._last.records:,} records; run the same command again to go on from there"


def _options(
    format: str | None, maps: tuple[str, ...], drops: tuple[str, ...], only_mapped: bool, **defaults: str | int | None
) -> ReadOptions:
    from holdfast.reviewer.exchange.options import ReadOptions, checked_defaults, parse_maps

    return ReadOptions(format, parse_maps(maps), drops, only_mapped, checked_defaults(defaults))


def _print_report(report: IngestReport, as_json: bool) -> None:
    for note in report.notes:
        warn(f"note: {note}")
    if as_json:
        print_json({name: value for name, value in asdict(report).items() if name != "notes"})
    else:
        say(
            f"batch {report.batch}: {report.read:,} read, {report.new:,} new, {report.known:,} known, "
            f"{report.quarantined:,} quarantined in {report.seconds:.1f} s"
        )
    if report.quarantined:
        warn(f"{report.quarantined:,} could not be read: holdfast quarantine --batch {report.batch}")


def _place(row: Quarantined) -> str:
    return row.file if row.line is None else f"{row.file}:{row.line}"


def _document(row: Quarantined) -> dict[str, Any]:
    """A row as JSON; raw bytes that are no UTF-8 are also there to the letter, in base64."""
    document = {"batch": row.batch, "file": row.file, "line": row.line, "reason": row.reason}
    document |= {"raw": row.raw.decode("utf-8", "backslashreplace"), "raw_bytes": row.raw_bytes, "at": row.at}
    try:
        row.raw.decode()
    except UnicodeDecodeError:
        document["raw_base64"] = base64.b64encode(row.raw).decode()
    return document
