"""`holdfast votes`: judges' votes made elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from holdfast.reviewer.cli.common import TEXT, Caller, acts, json_option, print_json, say, ticker, warn

if TYPE_CHECKING:
    from io import BufferedIOBase

    from holdfast.reviewer.exchange.chunks import Chunks
    from holdfast.reviewer.pipeline.votes import VotesReport


@click.command()
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=TEXT)
@json_option
@acts
def votes(caller: Caller, files: tuple[str, ...], as_json: bool) -> None:
    """Import judges' votes from JSON lines (also .gz); - for standard input.

    A line is {"ref", "judge", "family"?, "criterion"?, "score"?, "max"? (10), "label"?, "winner"? (A, B or tie),
    "confidence"?, "reason"?, "order"? (A or B: where the sample stood)}. A line that is refused is reported and the
    rest goes on; votes that are known are not stored again.
    """
    from holdfast.reviewer.pipeline.votes import import_votes

    _must_exist(files)
    tick = ticker()
    project = caller.project()
    with project.store() as store:
        report = import_votes(
            store, _opened(files), actor=caller.user, progress=lambda now: tick(f"{now.read:,} votes read")
        )
    _print_report(report, as_json=as_json)
    if report.refused and not report.new + report.known:
        raise click.exceptions.Exit(1)


def _must_exist(files: tuple[str, ...]) -> None:
    """Wrong usage where a file is none, before anything is read."""
    for name in files:
        if name != "-" and not Path(name).is_file():
            raise click.UsageError(f"{name}: there is no such file")
    if files.count("-") > 1:
        raise click.UsageError("standard input (-) can be read only once")


def _opened(files: tuple[str, ...]) -> Iterator[tuple[str, Chunks]]:
    """Each file, open while it is read."""
    from holdfast.reviewer.exchange.chunks import Chunks

    for name in files:
        with ExitStack() as stack:
            if name == "-":
                yield "stdin", Chunks(cast("BufferedIOBase", sys.stdin.buffer), gz=False, owned=False)
            else:
                yield name, stack.enter_context(Chunks.of(Path(name), gz=name.endswith(".gz")))


def _print_report(report: VotesReport, *, as_json: bool) -> None:
    for refused in report.refused:
        about = f"{refused.ref}: " if refused.ref else ""
        warn(f"{refused.file}:{refused.line}: {about}{refused.why}")
    if as_json:
        print_json(report.document())
        return
    say(f"{report.read:,} votes read, {report.new:,} new, {report.known:,} known, {len(report.refused):,} refused")
    if report.new:
        say("Next: holdfast verify")
