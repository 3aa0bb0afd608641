"""`holdfast review`: the review desk."""

from __future__ import annotations

import sys

import click

from holdfast.reviewer.cli.common import Caller, acts


@click.command()
@acts
def review(caller: Caller) -> None:
    """Open the review desk on this project."""
    project = caller.project()
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("the review desk needs a terminal; scripts use `holdfast next` and `holdfast decide`")
    from holdfast.reviewer.pipeline.seat import open_desk

    desk = open_desk(project, caller.user)
