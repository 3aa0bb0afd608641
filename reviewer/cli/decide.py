"""`holdfast decide`, `undo` and `redo`: decisions from scripts."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast.reviewer.cli.common import TEXT, Caller, acts, json_option, print_json, progress_line, say, ticker, warn

if TYPE_CHECKING:
    from holdfast.db.decisions import Receipt, Undone
    from holdfast.db.store import Store
    from holdfast.reviewer.pipeline.decide import Bulk
    from holdfast.reviewer.project import Project

_STEP = 100
VERDICTS = ("accept", "edit", "reject", "skip", "escalate")


@click.command()
@click.argument("ref", required=False, type=TEXT)
@click.argument("verdict", required=False, type=click.Choice(VERDICTS))
@click.option("--from", "file", metavar="FILE", help="Decisions as JSON lines; - for standard input.")
@click.option("--token", type=TEXT, help="The claim's token, as `next --json` gave it.")
@click.option("--reason", metavar="CODE", help="Why; a reject without one is `other`.")
@click.option("--note", metavar="TEXT", type=TEXT, help="A note, kept with the decision.")
@click.option("--response-file", metavar="FILE", help="The edited response; - for standard input.")
@click.option("--second-opinion", is_flag=True, help="Also on what another holds or has decided.")
@json_option
@acts
def decide(
    caller: Caller,
    ref: str | None,
    verdict: str | None,
    file: str | None,
    token: str | None,
    reason: str | None,
    note: str | None,
    response_file: str | None,
    second_opinion: bool,
    as_json: bool,
) -> None:
    """Record one decision, or many from a file.

    A line of the file is {"ref", "verdict", "reason"?, "note"?, "response"?, "token"?}. A line that is refused is
    reported and the rest goes on.
    """
    from holdfast.db.errors import NotFound, Refused
    from holdfast.reviewer.pipeline.ordering import start_in_background

    if file is not None:
        if any((ref, verdict, token, reason, note, response_file)):
            raise click.UsageError("--from takes references, verdicts and all that belongs to them from the file")
        _decide_many(caller, file, second_opinion=second_opinion, as_json=as_json)
        return
    if ref is None or verdict is None:
        raise click.UsageError("name a sample and a verdict, or a file of decisions with --from")
    if (response_file is not None) != (verdict == "edit"):
        raise click.UsageError("an edit, and nothing else, takes the new response from --response-file")
    response = None if response_file is None else _response(response_file)
    project = caller.project()
    with project.store() as store:
        try:
            receipt = _decide_one(
                project, store, caller.user, ref, verdict, token, reason, note, response, second_opinion=second_opinion
            )
        except (NotFound, Refused) as error:
            if as_json:
                print_json({"decided": 0, "refused": [{"line": None, "ref": ref, "why": str(error)}], "late": 0})
            raise
        _print_receipt(receipt, as_json=as_json)
        start_in_background(project, store, actor=caller.user)


def _decide_one(
    project: Project,
    store: Store,
    user: str,
    ref: str,
    verdict: str,
    token: str | None,
    reason: str | None,
    note: str | None,
    response: str | None,
    *,
    second_opinion: bool,
) -> Receipt:
    from holdfast.db.models import Choice
    from holdfast.db.samples import load, resolve
    from holdfast.reviewer.pipeline.decide import Ask, with_response
    from holdfast.reviewer.pipeline.decide import decide as store_decision
    from holdfast.reviewer.pipeline.judging import judge_of
    from holdfast.reviewer.policy.streams import Shares

    sample_id = resolve(store, ref)
    messages = None
    if response is not None:
        messages = with_response(load(store, sample_id).sample, response, from_editor=True)
    ask = Ask(sample_id, Choice(verdict), token, reason, note, messages=messages, second_opinion=second_opinion)
    shares = Shares.of(project.config.review)
    return store_decision(store, ask, reviewer=user, judge=judge_of(project, store, warn=warn), shares=shares)


def _print_receipt(receipt: Receipt, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "decided": 1,
                "refused": [],
                "late": int(receipt.late),
                "seq": receipt.seq,
                "uid": receipt.uid,
                "status": receipt.status,
                "second_opinion": receipt.second_opinion,
                "revision": receipt.revision_uid,
            }
        )
        return
    what = f"revision {receipt.revision_uid[:12]}" if receipt.revision_uid else receipt.status
    kind = " (late: kept as a second opinion)" if receipt.late else ""
    say(f"{receipt.uid[:12]}: {what}{kind}")


def _decide_many(caller: Caller, file: str, *, second_opinion: bool, as_json: bool) -> None:
    from holdfast.db.errors import HoldfastError
    from holdfast.reviewer.pipeline.decide import decide_lines
    from holdfast.reviewer.pipeline.judging import judge_of
    from holdfast.reviewer.pipeline.ordering import bring_up_to_date, due
    from holdfast.reviewer.policy.streams import Shares

    tick = ticker()

    def progress(done: Bulk) -> None:
        if done.lines % _STEP == 0:
            tick(f"{done.lines:,} lines")

    project = caller.project()
    with ExitStack() as stack:
        lines: Iterable[bytes]
        lines = sys.stdin.buffer if file == "-" else stack.enter_context(Path(file).open("rb"))
        store = stack.enter_context(project.store())
        done = decide_lines(
            store,
            lines,
            reviewer=caller.user,
            judge=judge_of(project, store, warn=warn),
            second_opinion=second_opinion,
            shares=Shares.of(project.config.review),
            progress=progress,
        )
        _print_bulk(done, as_json=as_json)
        try:
            if due(project.config.review, store):
                with progress_line() as ordering:
                    bring_up_to_date(project, store, actor=caller.user, progress=ordering)
        except HoldfastError as error:
            warn(f"the decisions are stored, but the queue was not ordered anew: {error}")
    if done.refused and not done.decided:
        raise click.exceptions.Exit(1)


def _print_bulk(done: Bulk, *, as_json: bool) -> None:
    for refused in done.refused:
        warn(f"line {refused.line}: {refused.ref or 'no reference'}: {refused.why}")
    if as_json:
        refusals = [{"line": one.line, "ref": one.ref, "why": one.why} for one in done.refused]
        print_json({"decided": done.decided, "refused": refusals, "late": done.late})
    else:
        say(f"{done.decided} decided, {len(done.refused)} refused, {done.late} late")


def _response(file: str) -> str:
    raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{file}: not UTF-8 text: {error}") from None


steps_option = click.option("--steps", type=click.IntRange(min=1), default=1, show_default=True, help="How many.")


@click.command()
@steps_option
@json_option
@acts
def undo(caller: Caller, steps: int, as_json: bool) -> None:
    """Undo the caller's last decisions, newest first."""
    from holdfast.db.decisions import undo as take_back

    with caller.project().store() as store:
        _print_steps("undone", take_back(store, reviewer=caller.user, steps=steps), as_json=as_json)


@click.command()
@steps_option
@json_option
@acts
def redo(caller: Caller, steps: int, as_json: bool) -> None:
    """Redo the caller's last undone decisions."""
    from holdfast.db.decisions import redo as make_again

    with caller.project().store() as store:
        _print_steps("redone", make_again(store, reviewer=caller.user, steps=steps), as_json=as_json)


def _print_steps(what: str, steps: list[Undone], *, as_json: bool) -> None:
    if as_json:
        print_json({what: [{"seq": step.seq, "uid": step.uid, "verdict": step.choice} for step in steps]})
        return
    for step in steps:
        say(f"{what}: {step.choice} of {step.uid[:12]}")
    if not steps:
        say(f"nothing to be {what}")
