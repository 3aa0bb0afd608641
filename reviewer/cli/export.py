"""`holdfast export` and `quota`: what leaves the desk, and how much of it may be synthetic."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from holdfast.reviewer.cli.common import Caller, acts, json_option, print_json, quantity, say, warn


@click.command()
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--approved", is_flag=True, help="Every approved sample, as a hand-over.")
@click.option(
    "--format", "kind", type=click.Choice(["jsonl"]), default="jsonl", show_default=True, help="The file format."
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@json_option
@acts
def export(caller: Caller, out: Path, approved: bool, kind: str, force: bool, as_json: bool) -> None:
    """Write the approved samples to a file, with a manifest beside it."""
    from holdfast.reviewer.pipeline.export import export_approved

    if not approved:
        raise click.UsageError("say what to write: --approved")
    project = caller.project()
    bar = click.progressbar(length=1, label="Writing", file=sys.stderr, hidden=not sys.stderr.isatty())
    with project.store() as store, bar:

        def progress(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        manifest = export_approved(
            store, out, policy=project.config.quota, actor=caller.user, force=force, progress=progress
        )
    for warning in manifest["warnings"]:
        warn(f"warning: {warning}")
    if as_json:
        print_json(manifest)
    else:
        say(f"{out}: {quantity(manifest['samples'], 'sample')}, {kind}; manifest in {out.name}.manifest.json")


@click.command()
@click.option("--max-ratio", metavar="R", help='What if the cap were R, such as "0.5"?')
@json_option
@acts
def quota(caller: Caller, max_ratio: str | None, as_json: bool) -> None:
    """Say what the next mix may hold and why."""
    from holdfast.reviewer.config import parse_ratio
    from holdfast.reviewer.pipeline.quota import document
    from holdfast.reviewer.pipeline.quota import quota as compute

    try:
        cap = None if max_ratio is None else parse_ratio(max_ratio)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--max-ratio") from None
    project = caller.project()
    with project.store() as store:
        found = document(compute(store, project.config.quota, cap=cap))
    if as_json:
        print_json(found)
    else:
        _print_quota(found)
    for warning in found["warnings"]:
        warn(f"warning: {warning}")


def _print_quota(found: dict[str, Any]) -> None:
    ratios = f"ratio {_ratio(found['ratio'])} by samples, {_ratio(found['ratio_tokens'])} by tokens"
    say(f"real data      {_amount(found['real'])}")
    say(f"cap            {found['max_ratio']} derived for each human sample and token")
    say(f"allowed        {_amount(found['allowed'])}")
    say(f"used           {_amount(found['used'])}; {ratios}")
    say(f"room left      {_amount(found['room'])}")
    for source in found["sources"]:
        say(f"  {source['source']}: {source['why']}")


def _amount(units: dict[str, Any]) -> str:
    samples, tokens = units["samples"], units["tokens"]
    return f"{quantity(samples, 'sample')}, {quantity(tokens, 'token')}"


def _ratio(value: float | None) -> str:
    return "without bound" if value is None else f"{value:.3f}"
