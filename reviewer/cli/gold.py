"""`holdfast gold`: samples with a known answer."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import click

from holdfast.reviewer.cli.common import TEXT, Caller, acts, json_option, print_json, quantity, say, warn


@click.command()
@click.argument("file", type=TEXT)
@click.option("--retire", is_flag=True, help="Make the samples data again.")
@json_option
@acts
def gold(caller: Caller, file: str, retire: bool, as_json: bool) -> None:
    """Say which samples have a known answer, to measure reviewers; only leads may.

    A line of FILE (- for standard input) is {"ref", "verdict": "accept", "edit" or "reject", "reason"?, "note"?}.
    Gold samples leave the queue, the exports and all rates, and are shown to annotators among the others. A line that
    is refused is reported and the rest goes on.
    """
    from holdfast.reviewer.pipeline.gold import gold_lines

    project = caller.project()
    with ExitStack() as stack:
        lines: Iterable[bytes]
        lines = sys.stdin.buffer if file == "-" else stack.enter_context(Path(file).open("rb"))
        store = stack.enter_context(project.store())
        report = gold_lines(store, lines, actor=caller.user, retire=retire)
    for refused in report.refused:
        warn(f"line {refused.line}: {refused.ref or 'no reference'}: {refused.why}")
    if as_json:
        print_json(report.document())
    else:
        what = "retired" if retire else "gold"
        say(f"{quantity(report.changed, 'sample')} {what}, {report.unchanged} so before, {len(report.refused)} refused")
    if report.refused and not report.changed + report.unchanged:
        raise click.exceptions.Exit(1)
