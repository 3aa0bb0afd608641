"""`holdfast review`: the review desk."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from holdfast.reviewer.cli.common import Caller, acts

if TYPE_CHECKING:
    from holdfast.reviewer.project import Project


@click.command()
@acts
def review(caller: Caller) -> None:
    """Open the review desk on this project."""
    project = caller.project()
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("the review desk needs a terminal; scripts use `holdfast next` and `holdfast decide`")
    status = run_desk(project, caller.user)
    if status:
        raise click.exceptions.Exit(status)


def run_desk(project: Project, user: str) -> int:
    """Open the desk for a user until it is left; returns the exit status."""
    from holdfast.reviewer.pipeline.review import ReviewDesk
    from holdfast.reviewer.tui.app import HoldfastApp
    from holdfast.reviewer.tui.settings import Settings

    config = project.config.review
    settings = Settings(
        keys=project.config.keys,
        theme=config.theme,
        claims_ahead=config.claim_ahead,
        heartbeat_seconds=config.heartbeat_seconds,
        idle_minutes=config.idle_seconds / 60,
    )
    desk = ReviewDesk.open(project, reviewer=user)
    try:
        app = HoldfastApp(desk, settings)
        app.run()
    finally:
        desk.close()
    return app.return_code or 0
