"""`holdfast check` and `backup`: the store's integrity."""

from __future__ import annotations

from pathlib import Path

import click

from holdfast.reviewer.cli.common import Caller, acts, json_option, print_json, quantity, say, ticker


@click.command()
@click.option("--repair", is_flag=True, help="Rebuild statuses, counts and queue from the log first.")
@json_option
@acts
def check(caller: Caller, repair: bool, as_json: bool) -> None:
    """Check the integrity of the store: SQLite, hash chain, roots, row hashes, projections.

    Manifests in the project's folder, and those beside recorded exports, are compared with the log too.
    """
    from holdfast.reviewer.pipeline.upkeep import problems_of, repair_projections

    tick = ticker()
    project = caller.project()
    with project.store() as store:
        if repair:
            repair_projections(store)
        problems = problems_of(store, project, lambda what, rows: tick(f"{what}: {rows:,}"))
    if as_json:
        found = [{"kind": problem.kind, "detail": problem.detail} for problem in problems]
        print_json({"ok": not problems, "problems": found})
    else:
        for problem in problems:
            say(f"{problem.kind}: {problem.detail}")
        say("the store is sound" if not problems else quantity(len(problems), "problem"))
    if problems:
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@acts
def backup(caller: Caller, file: Path) -> None:
    """Write a verified copy of the store; an existing file is never overwritten."""
    from holdfast.db.store import back_up

    with caller.project().store() as store:
        back_up(store.read(), file)
    say(f"{file}: a verified copy of {store.path}")
