"""What people did to a sample and its revisions."""

from __future__ import annotations

from holdfast.db.decisions import Decision
from holdfast.db.models import Choice
from holdfast.db.samples import Stored
from holdfast.db.store import Store, instant_of
from holdfast.reviewer.pipeline.blindness import HIDDEN, is_blind, is_set_apart, told_of
from holdfast.reviewer.pipeline.desk import Event
from holdfast.reviewer.pipeline.lineage import ancestry, descent

_WHAT = {
    Choice.ACCEPT: "accepted",
    Choice.EDIT: "edited",
    Choice.REJECT: "rejected",
    Choice.SKIP: "skipped",
    Choice.ESCALATE: "escalated",
}


def history(store: Store, stored: Stored, user: str) -> tuple[Event, ...]:
    """The decisions on a sample, its ancestors and its descendants, oldest first; a blind reader sees the own ones."""
    made_of_it = () if is_set_apart(store, user, stored.id) else descent(store, stored)
    line = {one.id: one for one in (*ancestry(store, stored), *made_of_it)}
    found = [decision for sample_id in line for decision in told_of(store, user, sample_id)]
    blind = is_blind(store, user, stored.id)
    return tuple(
        _event(decision, hidden=blind and decision.reviewer != user, about=_about(line[decision.sample_id], stored))
        for decision in sorted(found, key=lambda decision: decision.seq)
    )


def _about(one: Stored, here: Stored) -> str:
    return "" if one.id == here.id else f"{one.batch}/{one.external_id}"


def _event(decision: Decision, *, hidden: bool, about: str) -> Event:
    at = instant_of(decision.at)
    if hidden:
        return Event(decision.seq, at, HIDDEN, "decided", about)
    kind = {"second": "second opinion", "adjudication": "adjudication"}.get(decision.kind, "")
    undone = "undone since" if decision.undone else ""
    override = f"override: {decision.override}" if decision.override else ""
    details = (about, kind, decision.reason, decision.note, override, "late" if decision.late else "", undone)
    return Event(
        decision.seq, at, decision.reviewer, _WHAT[decision.choice], " · ".join(part for part in details if part)
    )
