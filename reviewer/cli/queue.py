"""`holdfast queue`, `next` and `release`: the work that waits, and claims on it."""

from __future__ import annotations

from contextlib import closing
from itertools import islice
from typing import Any

import click

from holdfast.reviewer.cli.common import (
    NAME,
    TEXT,
    Caller,
    acts,
    json_option,
    jsonl_option,
    print_json,
    print_jsonl,
    quantity,
    say,
)

SHOWN = 20
"""How many items are listed when nobody says how many."""

batch_option = click.option("--batch", type=NAME, help="Only this batch.")
filter_option = click.option(
    "--filter", "where", default="", metavar="EXPR", type=TEXT, help="field:value, verifier:code, gen:2, words."
)


@click.command()
@click.option(
    "--limit", type=click.IntRange(min=1), help=f"At most so many (default: {SHOWN}; all with --json or --jsonl)."
)
@batch_option
@filter_option
@click.option(
    "--all", "unflagged", is_flag=True, help="Also the undecided samples that nothing flagged, after the rest."
)
@json_option
@jsonl_option
@acts
def queue(
    caller: Caller, limit: int | None, batch: str | None, where: str, unflagged: bool, as_json: bool, as_jsonl: bool
) -> None:
    """List the review queue in order."""
    from holdfast.reviewer.pipeline.documents import queue_item
    from holdfast.reviewer.pipeline.queue import items

    project = caller.project()
    with (
        project.store() as store,
        closing(items(store, project.config, user=caller.user, batch=batch, where=where, unflagged=unflagged)) as found,
    ):
        most = limit or (None if as_json or as_jsonl else SHOWN)
        documents = (queue_item(store, stored, row, user=caller.user) for row, stored in islice(found, most))
        if as_jsonl:
            print_jsonl(documents)
        elif as_json:
            print_json(list(documents))
        else:
            _print_items(list(documents))


def _print_items(documents: list[dict[str, Any]]) -> None:
    if not documents:
        say("Nothing waits for a decision.")
    for item in documents:
        reasons = ", ".join(item["reasons"]) or item["stream"]
        held = " (claimed)" if item["claimed"] else ""
        place = f"{item['batch']}/{item['external_id']}"
        say(f"{item['position']:>5}  {item['priority']:.3f}  {item['uid'][:12]}  {place}  {reasons}{held}")


@click.command(name="next")
@batch_option
@filter_option
@json_option
@acts
def next_(caller: Caller, batch: str | None, where: str, as_json: bool) -> None:
    """Claim the next sample and show it."""
    from holdfast.db.store import text_of
    from holdfast.reviewer.cli.show import print_sample
    from holdfast.reviewer.pipeline.documents import show
    from holdfast.reviewer.pipeline.queue import claim

    project = caller.project()
    with project.store() as store:
        taken = claim(store, project.config, user=caller.user, batch=batch, where=where)
        document = None
        if taken is not None:
            lease = {"token": taken.token, "expires_at": text_of(taken.expires_at)}
            document = {**show(store, taken.sample_id, caller.user), "claim": lease}
    if as_json:
        print_json(document)
    elif document is None:
        say("Nothing is due.")
    else:
        print_sample(document)
        say(f"claimed until {document['claim']['expires_at']}, token {document['claim']['token']}")


@click.command()
@acts
def release(caller: Caller) -> None:
    """Give all of the caller's claims back."""
    from holdfast.db.queue import release_all

    with caller.project().store() as store:
        count = release_all(store, caller.user)
    say(f"{quantity(count, 'claim')} given back")
