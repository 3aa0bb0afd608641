"""`holdfast audit`: rates that can be trusted."""

from __future__ import annotations

from pathlib import Path

import click

from holdfast.reviewer.cli.common import Caller, acts, json_option, print_json, say

_BY = ("model", "generation", "batch", "domain", "verifier", "reviewer", "source", "week")


@click.command()
@click.option("--by", type=click.Choice(_BY), default="source", show_default=True, help="What each row of rates is.")
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write it as one page for a browser.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing page.")
@json_option
@acts
def audit(caller: Caller, by: str, page: Path | None, force: bool, as_json: bool) -> None:
    """Estimate acceptance rates, what verifiers are worth and how far people agree.

    Rates are about all samples, looked at or not: they rest on those that the random audit drew, since people look at
    flagged ones first. Intervals are 95 %.
    """
    from holdfast.reviewer.pipeline.audit import audit as read_audit

    project = caller.project()
    with project.store() as store:
        found = read_audit(store, project.config, caller.user, by=by)
    if page is not None:
        from holdfast.reviewer.pipeline.audit_page import write_page

        write_page(page, found, force=force)
    if as_json:
        print_json(found)
    elif page is not None:
        say(f"{page}: the audit by {by}")
    else:
        from holdfast.reviewer.pipeline.audit_words import lines

        for line in lines(found):
            say(line)
