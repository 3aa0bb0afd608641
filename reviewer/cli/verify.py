"""`holdfast verify`, `verifiers`, `verdicts` and `trust`."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.reviewer.cli.common import (
    NAME,
    Caller,
    acts,
    json_option,
    jsonl_option,
    print_json,
    print_jsonl,
    progress_line,
    say,
    warn,
)

if TYPE_CHECKING:
    from holdfast.reviewer.pipeline.judge_report import JudgeTally
    from holdfast.reviewer.pipeline.verifying import VerifyReport
    from holdfast.reviewer.project import Project


@click.command()
@click.option("--batch", type=NAME, metavar="NAME", help="Only samples of this batch.")
@click.option(
    "--verifier",
    "verifiers",
    multiple=True,
    metavar="NAME|FILE.py:NAME",
    help="Run this verifier alone and keep what others said; repeatable.",
)
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Worker processes (default: one per CPU).")
@json_option
@acts
def verify(caller: Caller, batch: str | None, verifiers: tuple[str, ...], workers: int | None, as_json: bool) -> None:
    """Run the verifiers on what lacks a current verdict.

    Samples whose verifiers changed (version or options) are judged again; where only thresholds changed, outcomes are
    derived from the stored scores. The judges of holdfast.toml, if any, are asked for their votes. An interrupted run
    goes on where it stopped.
    """
    from holdfast.db.errors import HoldfastError
    from holdfast.reviewer.pipeline import verify as pipeline

    project = caller.project()
    with project.store() as store, progress_line() as progress:
        report = pipeline.verify(
            project,
            store,
            actor=caller.user,
            batch=batch,
            verifiers=verifiers,
            workers=workers,
            progress=progress,
            warn=warn,
        )
    if as_json:
        print_json(report.document())
    else:
        _say_report(report)
    if report.judged is not None and report.judged.stopped is not None:
        raise HoldfastError(report.judged.stopped)


@click.command()
@json_option
@acts
def verifiers(caller: Caller, as_json: bool) -> None:
    """List the installed verifiers and those of the project, with their options.

    Outside a project the options shown are the defaults.
    """
    from holdfast.db.errors import UsageError
    from holdfast.reviewer.pipeline.catalogue import catalogue

    project: Project | None = None
    try:
        project = caller.project()
    except UsageError:
        if caller.project_dir is not None:
            raise
    with nullcontext() if project is None else project.store() as store:
        entries = catalogue(project, store, warn=warn)
    if as_json:
        print_json(entries)
        return
    for entry in entries:
        state = "" if entry["enabled"] else "  (not enabled)"
        say(f"{entry['name']}  {entry['layer']}  version {entry['version']}  {entry['origin']}{state}")
        if entry["summary"]:
            say(f"    {entry['summary']}")
        if entry["learned"]:
            say(f"    {_learned(entry['learned'])}")
        for name, value in {**entry["options"], **entry["thresholds"]}.items():
            say(f"    {name} = {_toml(value)}")
            if name in entry["help"]:
                say(f"        {entry['help'][name]}")


@click.command()
@click.option("--batch", type=NAME, metavar="NAME", help="Only samples of this batch.")
@click.option("--verifier", metavar="NAME", help="Only this verifier's verdicts.")
@jsonl_option
@acts
def verdicts(caller: Caller, batch: str | None, verifier: str | None, as_jsonl: bool) -> None:
    """List every current verdict; to annotators those that rest on votes are hidden until their own decision."""
    from holdfast.reviewer.pipeline.catalogue import verdict_lines

    with caller.project().store() as store:
        lines = verdict_lines(store, caller.user, batch=batch, verifier=verifier)
        if as_jsonl:
            print_jsonl(lines)
            return
        for line in lines:
            score = "" if line["score"] is None else f"  {line['score']:g}"
            codes = " ".join(finding["code"] for finding in line["findings"])
            say(f"{line['uid'][:16]}  {line['verifier']}  {line['outcome']}{score}  {codes}".rstrip())


@click.command()
@click.argument("file", metavar="FILE.py", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@acts
def trust(caller: Caller, file: Path) -> None:
    """Let this user's projects run a file's verifiers.

    The file is known by the hash of its content: changed, it has to be trusted again. Read it before: what it says runs
    with your rights.
    """
    from holdfast.reviewer.trust import trust as record

    say(f"{file}: trusted as it is now (SHA-256 {record(file)[:16]}…)")


def _learned(learned: dict[str, Any]) -> str:
    return (
        f"right in {learned['precision']:.0%} of {learned['decided']:,} decisions "
        f"({learned['precision_low']:.0%} to {learned['precision_high']:.0%})"
    )


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {_toml(each)}" for key, each in value.items())
        return f"{{{inner}}}"
    import orjson

    return orjson.dumps(value).decode()


def _say_report(report: VerifyReport) -> None:
    if report.rederived:
        say(f"{report.rederived:,} samples have new outcomes, derived from what was stored")
    if report.verified:
        _say_verified(report)
    elif report.rederived:
        say("No check had to run.")
    elif not report.rejudged:
        say("Nothing lacked a verdict.")
    for judge in report.judged.judges if report.judged is not None else ():
        say(_judged(judge))
    if report.rejudged:
        say(f"{report.rejudged:,} samples were looked at again: there are new votes on them, or new samples like them")


def _judged(judge: JudgeTally) -> str:
    flips = "" if judge.flip_rate is None else f", {judge.flip_rate:.0%} of {judge.pairs:,} pairs flipped"
    cost = "cost unknown" if judge.cost_usd is None else f"${judge.cost_usd:.4f}"
    return (
        f"{judge.judge}: {judge.votes:,} votes of {judge.calls:,} calls ({judge.cached:,} from the cache), "
        f"{judge.unparsed:,} not understood, {judge.failed:,} without an answer{flips}; {cost}"
    )


def _say_verified(report: VerifyReport) -> None:
    samples = "sample" if report.verified == 1 else "samples"
    say(
        f"{report.verified:,} {samples} verified in {report.seconds:.1f} s: {report.passed:,} passed, "
        f"{report.flagged:,} flagged, {report.rejected:,} rejected; {report.errors:,} with a check that broke"
    )
    width = max(map(len, report.by_verifier))
    for name, counts in report.by_verifier.items():
        shown = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(counts.items()) if count)
        say(f"  {name:<{width}}  {shown}")
