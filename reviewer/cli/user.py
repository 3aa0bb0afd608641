"""`holdfast user`: who may do what."""

from __future__ import annotations

import click

from holdfast.reviewer.cli.common import NAME, Caller, acts, json_option, print_json, say


@click.group()
@click.option("--project", metavar="DIR", help="The project's folder.")
@click.option("--user", "--reviewer", metavar="NAME", help="Who acts.")
def user(project: str | None, user: str | None) -> None:
    """Add and list users."""


@user.command()
@click.argument("name", type=NAME)
@click.option("--role", type=click.Choice(["annotator", "lead"]), required=True, help="What the user may do.")
@acts
def add(caller: Caller, name: str, role: str) -> None:
    """Add a user or change a role; only leads may."""
    from holdfast.db.models import Role
    from holdfast.db.users import add_user

    with caller.project().store() as store:
        add_user(store, name=name, role=Role(role), actor=caller.user)
    say(f"{name} is {'a lead' if role == 'lead' else 'an annotator'}")


@user.command(name="list")
@json_option
@acts
def list_(caller: Caller, as_json: bool) -> None:
    """List the users and their roles."""
    from holdfast.db.users import users

    with caller.project().store() as store:
        found = users(store)
    if as_json:
        print_json([{"name": one.name, "role": one.role, "added_at": one.added_at} for one in found])
        return
    for one in found:
        say(f"{one.name:<20} {one.role}")
