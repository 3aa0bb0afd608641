"""`holdfast demo`: a seeded project to try things on."""

from __future__ import annotations

from pathlib import Path

import click

from holdfast.reviewer.cli.common import Caller, acts, say


@click.command()
@click.option(
    "--dir",
    "folder",
    metavar="DIR",
    default="holdfast-demo",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the project is, or is made.",
)
@click.option("--no-tui", is_flag=True, help="Make the project and leave it at that.")
@acts
def demo(caller: Caller, folder: Path, no_tui: bool) -> None:
    """Build a seeded project and open the review desk on it.

    A demo that is there already is opened as you left it.
    """
    from holdfast.reviewer.pipeline.demo import make_demo

    project = make_demo(caller.project_dir or folder, user=caller.user)
    say(f"{project.root}: the demo project")
    if no_tui:
        say(f"Next: holdfast review --project {folder}")
        return
    from holdfast.reviewer.cli.review import review

    click.get_current_context().invoke(review, project=str(project.root), user=caller.user)
