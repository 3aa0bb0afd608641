"""`holdfast init`: a new project."""

from __future__ import annotations

from pathlib import Path

import click

from holdfast.reviewer.cli.common import Caller, acts, say


@click.command()
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option("--shared", is_flag=True, help="Let the folder's group read and write the store.")
@acts
def init(caller: Caller, folder: Path, shared: bool) -> None:
    """Write a commented holdfast.toml and an empty store.

    The caller becomes the project's first lead.
    """
    from holdfast.reviewer.project import Project

    project = Project.init(caller.project_dir or folder, shared=shared, user=caller.user)
    say(f"{project.root}: a project; {caller.user} is its lead")
    say("Next: holdfast ingest FILE --batch NAME --provenance human|synthetic|unknown")
