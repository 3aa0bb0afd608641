"""`holdfast reorder`: learn from the decisions so far and order the queue by it, now."""

from __future__ import annotations

from typing import Any

import click

from holdfast.reviewer.cli.common import Caller, acts, json_option, print_json, progress_line, quantity, say


@click.command()
@json_option
@acts
def reorder(caller: Caller, as_json: bool) -> None:
    """Learn from the decisions so far and order the queue by it, now.

    This happens by itself after `verify` and as decisions come in; what is claimed keeps its place.
    """
    from holdfast.reviewer.pipeline.ordering import bring_up_to_date

    project = caller.project()
    with project.store() as store, progress_line() as progress:
        done = bring_up_to_date(project, store, actor=caller.user, now=True, progress=progress)
    if as_json:
        print_json(None if done is None else done.document())
    elif done is None:
        say("Nothing was verified yet: there is nothing to order.")
    else:
        _say(done.document())


def _say(document: dict[str, Any]) -> None:
    made = "made now" if document["new"] else "unchanged: no decision since"
    say(f"ordering {document['version']} ({made}); {quantity(document['ranked'], 'sample')} ranked anew")
    known = f"{quantity(document['decisions'], 'decision')}, {document['bad']:,} of them reject or edit"
    if not document["learned"]:
        say(f"by what the verifiers found; {known}")
        return
    say(f"by what the verifiers found and what decisions taught: {known}")
    held_out = document["held_out"]
    if held_out is not None:
        say(f"on {quantity(held_out['n'], 'decision')} held out, with what decisions taught and by findings alone:")
        for name, label in (("auc", "AUC"), ("brier", "Brier score"), ("log_loss", "log loss")):
            say(f"  {label}  {held_out[name]:.3f}  {held_out['rule_' + name]:.3f}")
