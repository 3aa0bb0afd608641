"""`holdfast show`, `lineage` and `search`: looking at samples."""

from __future__ import annotations

from typing import Any

import click

from holdfast.reviewer.cli.common import TEXT, Caller, acts, json_option, print_json, quantity, say

_SNIPPET_CELLS = 400


@click.command()
@click.argument("ref", type=TEXT)
@json_option
@acts
def show(caller: Caller, ref: str, as_json: bool) -> None:
    """Show one sample with findings, votes and decisions.

    REF is a uid, the start of one, or batch/external_id.
    """
    from holdfast.db.samples import resolve
    from holdfast.reviewer.pipeline.documents import show as read

    with caller.project().store() as store:
        document = read(store, resolve(store, ref), caller.user)
    if as_json:
        print_json(document)
    else:
        print_sample(document)


def print_sample(document: dict[str, Any]) -> None:
    """Print a `show` document for people."""
    from holdfast.db.models import Vote
    from holdfast.reviewer.pipeline.shown_votes import verdict_of

    say(f"{document['batch']}/{document['external_id']}  {document['uid']}  {document['status']}")
    generation = None if document["generation"] is None else f"generation {document['generation']}"
    share = None if document["edit_share"] is None else f"{document['edit_share']:.1%} edited"
    facts = (document["provenance"], document["model"], generation, document["domain"], document["task"], share)
    say(" · ".join(str(fact) for fact in facts if fact) + f" · {quantity(document['tokens'], 'token')}")
    for name in ("prompt", "response", "reference", "label"):
        if document[name] is not None:
            say(f"\n{name.upper()}\n{document[name]}")
    say()
    for finding in document["findings"]:
        place = f" at {finding['span'][0]}-{finding['span'][1]} of the {finding['of']}" if finding["span"] else ""
        say(f"{finding['severity']:<5} {finding['verifier']} {finding['code']}: {finding['message']}{place}")
    if document["decisions"] == "hidden":
        say("decisions and votes: hidden until you decide")
        return
    for vote in document["votes"]:
        reason = f": {vote['reason']}" if vote["reason"] else ""
        say(f"vote  {vote['judge']} {verdict_of(Vote(**vote))}{reason}")
    if "approved_by" in document:
        proof = document["approved_by"]["guarantee"]
        sure, risk = f"{proof['confidence']:.0%}", f"{proof['risk']:.1%}"
        say(f"approved without a look: at most {risk} of such samples are bad, at a confidence of {sure}")
    for decision in document["decisions"]:
        undone = " (undone)" if decision["undone"] else ""
        reason = f" {decision['reason']}" if decision["reason"] else ""
        note = f": {decision['note']}" if decision["note"] else ""
        say(f"{decision['at']} {decision['reviewer']} {decision['verdict']}{reason}{note}{undone}")


@click.command()
@click.argument("ref", type=TEXT)
@json_option
@click.option("--dot", "as_dot", is_flag=True, help="Print a graph for Graphviz.")
@acts
def lineage(caller: Caller, ref: str, as_json: bool, as_dot: bool) -> None:
    """Show a sample's ancestry and descendants, oldest first."""
    from holdfast.db.samples import load, resolve
    from holdfast.reviewer.pipeline.blindness import shown_statuses
    from holdfast.reviewer.pipeline.lineage import document, dot, label, line_of

    with caller.project().store() as store:
        stored = load(store, resolve(store, ref))
        if as_json:
            print_json(document(store, stored, caller.user))
        elif as_dot:
            say(dot(document(store, stored, caller.user)))
        else:
            line = line_of(store, stored, caller.user)
            statuses = shown_statuses(store, {one.id: one.status for one in line}, caller.user)
            for one in line:
                mark = "→" if one.id == stored.id else " "
                say(f"{mark} {one.uid[:12]}  {label(one)}  {statuses[one.id]}")


@click.command()
@click.argument("text", nargs=-1, required=True, type=TEXT)
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
@json_option
@acts
def search(caller: Caller, text: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Search prompts and responses for all the words, or for "a phrase"."""
    from holdfast.db.search import search as find
    from holdfast.reviewer.pipeline.blindness import shown_statuses
    from holdfast.reviewer.sanitise import plain_line

    with caller.project().store() as store:
        hits = find(store, " ".join(text), limit=limit)
        statuses = shown_statuses(store, {hit.sample_id: hit.status for hit in hits}, caller.user)
    if as_json:
        print_json(
            [
                {
                    "uid": hit.uid,
                    "batch": hit.batch,
                    "external_id": hit.external_id,
                    "status": statuses[hit.sample_id],
                    "snippet": hit.snippet,
                }
                for hit in hits
            ]
        )
        return
    for hit in hits:
        snippet = plain_line(hit.snippet, _SNIPPET_CELLS)
        say(f"{hit.uid[:12]}  {hit.batch}/{hit.external_id}  {statuses[hit.sample_id]}  {snippet}")
    if not hits:
        say("No sample holds these words.")
