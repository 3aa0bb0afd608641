"""`holdfast dups`: near-duplicate clusters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from holdfast.reviewer.cli.common import (
    NAME,
    Caller,
    acts,
    json_option,
    jsonl_option,
    print_json,
    print_jsonl,
    quantity,
    say,
    warn,
)

_SHOWN_MEMBERS = 20


@click.command()
@click.option("--batch", type=NAME, metavar="NAME", help="Only clusters that this batch has a part in.")
@json_option
@jsonl_option
@acts
def dups(caller: Caller, batch: str | None, as_json: bool, as_jsonl: bool) -> None:
    """List near-duplicate clusters, the largest first.

    The first sample of a cluster stays; the others are flagged as its copies. As the last `holdfast verify` saw them.
    """
    from holdfast.reviewer.pipeline.dups import clusters
    from holdfast.reviewer.pipeline.neighbourhoods import neighbourhood

    project = caller.project()
    with project.store() as store:
        known = neighbourhood(project, store)
        if known is None:
            warn("The samples have not been compared yet: run `holdfast verify`.")
        found = iter(()) if known is None else clusters(store, known, caller.user, batch=batch)
        if as_jsonl:
            print_jsonl(found)
        elif as_json:
            print_json(list(found))
        else:
            _print(found)


def _print(found: Iterable[dict[str, Any]]) -> None:
    copies = count = 0
    for cluster in found:
        members = cluster["members"]
        count, copies = count + 1, copies + len(members)
        say(_line("●", cluster["representative"], f"stays, {len(members):,} like it"))
        for member in members[:_SHOWN_MEMBERS]:
            say(_line(" ", member, "exact" if member["exact"] else f"{member['similarity']:.2f}"))
        if len(members) > _SHOWN_MEMBERS:
            say(f"  … and {len(members) - _SHOWN_MEMBERS:,} more")
    say(f"{quantity(count, 'cluster')}; {copies:,} beyond the samples that stay." if count else "No near-duplicates.")


def _line(mark: str, sample: dict[str, Any], what: str) -> str:
    name = f"{sample['batch']}/{sample['external_id']}"
    return f"{mark} {sample['uid'][:12]}  {what:<16} {sample['provenance']:<13} {sample['status']:<10} {name}"
