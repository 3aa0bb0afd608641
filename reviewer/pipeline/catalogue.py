"""The verifiers that there are, with what a project makes of them, and the verdicts that they gave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from holdfast.db.errors import Refused
from holdfast.db.models import Choice, Layer
from holdfast.db.store import Store
from holdfast.db.track_record import decided_findings
from holdfast.db.verdicts import each_current
from holdfast.reviewer.pipeline.blindness import HIDDEN, is_blind
from holdfast.reviewer.pipeline.stacks import file_stack
from holdfast.reviewer.policy.acceptance import wilson
from holdfast.reviewer.project import Project
from holdfast.verifiers import registry
from holdfast.verifiers.stack import Member

_LAYERS = list(Layer)


def catalogue(
    project: Project | None, store: Store | None = None, *, warn: Callable[[str], None]
) -> list[dict[str, Any]]:
    """The installed verifiers and the project's trusted file verifiers, in stack order, with the options in force.

    Each is `{"name", "layer", "version", "origin", "summary", "options", "thresholds", "help", "fits", "votes",
    "enabled", "learned"}`; `learned` is what decisions say of it, None without a store.
    """
    options = {} if project is None else project.config.verifiers.options
    enabled = None if project is None else project.config.verifiers.enabled
    entries = []
    for verifier in registry.installed(lambda line: warn(f"warning: {line}")):
        settings = verifier.settings(options.get(verifier.name, {}), root=None if project is None else project.root)
        member = Member(verifier, settings)
        is_on = enabled is None or verifier.name in enabled
        entries.append(_entry(member, registry.package_of(verifier.name), enabled=is_on))
    if project is not None:
        entries += _of_files(project, warn)
    learned = {} if store is None else learned_precision(store)
    for entry in entries:
        entry["learned"] = learned.get(entry["name"])
    return sorted(entries, key=lambda entry: (_LAYERS.index(entry["layer"]), entry["name"]))


def learned_precision(store: Store) -> dict[str, dict[str, Any]]:
    """By verifier, `{"decided", "precision", "precision_low", "precision_high"}` of what it flagged or failed.

    Right is what a person then rejected or edited; escalated samples wait for their adjudication.
    """
    counts = decided_findings(store)
    found = {}
    for name in sorted({name for name, _ in counts}):
        right = counts[name, Choice.REJECT] + counts[name, Choice.EDIT]
        decided = right + counts[name, Choice.ACCEPT]
        if decided:
            low, high = wilson(right, decided)
            found[name] = {
                "decided": decided,
                "precision": right / decided,
                "precision_low": low,
                "precision_high": high,
            }
    return found


def verdict_lines(
    store: Store, user: str, *, batch: str | None = None, verifier: str | None = None
) -> Iterator[dict[str, Any]]:
    """Every current verdict as `verdicts --jsonl` prints it, sample by sample in stack order.

    Of what rests on votes that the user may not know yet the outcome is "hidden".
    """
    for stored, outcomes in each_current(store, batch=batch, verifier=verifier):
        hidden = outcomes.spec.votes and is_blind(store, user, stored.id)
        yield {
            "uid": stored.uid,
            "external_id": stored.external_id,
            "batch": stored.batch,
            "verifier": outcomes.spec.name,
            "version": outcomes.spec.version,
            "layer": outcomes.spec.layer,
            "outcome": HIDDEN if hidden else outcomes.verdict.outcome,
            "score": None if hidden else outcomes.verdict.value,
            "findings": [
                {"code": one.code, "severity": one.severity, "message": one.message, "span": one.span, "of": one.of}
                for one in (() if hidden else outcomes.verdict.findings)
            ],
        }


def _of_files(project: Project, warn: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    for ref in project.config.verifiers.files:
        try:
            stack = file_stack(project, ref)
        except Refused as error:
            warn(f"warning: {error}")
        else:
            yield from (_entry(member, ref, enabled=True) for member in stack.members)


def _entry(member: Member, origin: str, *, enabled: bool) -> dict[str, Any]:
    spec = member.spec
    return {
        "name": spec.name,
        "layer": spec.layer,
        "version": spec.version,
        "origin": origin,
        "summary": member.verifier.summary,
        "options": spec.options,
        "thresholds": spec.thresholds,
        "help": member.verifier.option_help,
        "fits": member.verifier.fits,
        "votes": member.verifier.reads_votes,
        "enabled": enabled,
    }
