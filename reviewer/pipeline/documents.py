"""Samples and queue items as JSON documents, with what their reader may not see yet left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from holdfast.db.approvals import approved_by
from holdfast.db.decisions import Decision, decisions_of
from holdfast.db.history import deciding
from holdfast.db.models import Choice, Role, Status, Stream
from holdfast.db.queue import QueueRow
from holdfast.db.samples import Stored, load, occurrences
from holdfast.db.states import QueueEntry
from holdfast.db.store import Store
from holdfast.db.users import role_of
from holdfast.db.verdicts import Outcomes, current, vote_readers
from holdfast.db.votes import votes_of
from holdfast.reviewer.exchange.write_jsonl import decision_document, document
from holdfast.reviewer.pipeline.shown_votes import HIDDEN_TERM, masked

HIDDEN = "hidden"


def is_blind(store: Store, user: str, decisions: list[Decision]) -> bool:
    """Whether the user may not see votes and others' decisions: an annotator without an opinion of the sample."""
    if role_of(store, user) is Role.LEAD:
        return False
    return not any(
        decision.reviewer == user and not decision.undone and decision.choice is not Choice.SKIP
        for decision in decisions
    )


def shown_statuses(store: Store, statuses: Mapping[int, Status], user: str) -> dict[int, str]:
    """Statuses by row id as the user may know them: what rests on another's decision is hidden from a blind one."""
    counts = {} if role_of(store, user) is Role.LEAD else deciding(store, statuses)
    return {
        sample_id: HIDDEN
        if sample_id in counts
        and counts[sample_id].reviewer != user
        and is_blind(store, user, decisions_of(store, sample_id))
        else status.value
        for sample_id, status in statuses.items()
    }


def shown_stream(entry: QueueEntry, *, lead: bool) -> str:
    """The stream as its reader may know it."""
    return entry.stream.value if lead else "review"


def shown_why(store: Store, entry: QueueEntry, *, lead: bool, blind: bool) -> tuple[tuple[str, float], ...]:
    """The terms of the priority, without what names the stream to an annotator, or rests on votes to a blind one."""
    hidden = vote_readers(store) if blind else frozenset()
    terms = []
    for term, value in entry.why:
        if not lead and term in set(Stream):
            term = "review"
        if term.partition(":")[0] in hidden:
            term = HIDDEN_TERM
        terms.append((term, value))
    return tuple(terms)


def show(store: Store, sample_id: int, user: str) -> dict[str, Any]:
    """One sample with findings, votes, decisions and occurrences, as the user may see it."""
    stored = load(store, sample_id)
    decisions = decisions_of(store, sample_id)
    counts = deciding(store, [sample_id]).get(sample_id)
    blind = is_blind(store, user, decisions)
    guarantee = approved_by(store, [sample_id]).get(sample_id) if stored.status is Status.APPROVED else None
    shown = document(stored, counts, guarantee)
    if blind and counts is not None and counts.reviewer != user:
        shown["decision"] = shown["status"] = HIDDEN
    return {
        **shown,
        "tokens": stored.tokens,
        "findings": findings(store, stored, blind=blind),
        "votes": HIDDEN if blind else [asdict(vote) for vote in votes_of(store, stored.id)],
        "decisions": HIDDEN if blind else [_full_decision(decision) for decision in decisions],
        "occurrences": [
            {
                "batch": row.batch,
                "external_id": row.external_id,
                "reference": row.reference,
                "label": row.label,
                "task": row.task,
                "domain": row.domain,
                "family": row.family,
                "licence": row.licence,
                "group": row.group,
            }
            for row in occurrences(store, sample_id)
        ],
    }


def queue_item(store: Store, stored: Stored, row: QueueRow, *, lead: bool) -> dict[str, Any]:
    """One item of the queue; to annotators without what rests on votes."""
    found = current(store, stored.id)
    why = shown_why(store, row.entry, lead=lead, blind=not lead)
    open_codes = {
        finding.code for outcomes in found for finding in outcomes.verdict.findings if lead or not outcomes.spec.votes
    }
    return {
        "uid": stored.uid,
        "external_id": stored.external_id,
        "batch": stored.batch,
        "position": row.position,
        "priority": row.entry.priority,
        "p_bad": row.entry.p_bad,
        "why": [{"term": term, "value": value} for term, value in why],
        "reasons": [code for code in row.entry.reasons if lead or code in open_codes],
        "stream": shown_stream(row.entry, lead=lead),
        "status": stored.status,
        "claimed": row.reviewer is not None,
        "findings": [one for outcomes in found for one in _findings_of(outcomes, blind=not lead)],
    }


def findings(store: Store, stored: Stored, *, blind: bool) -> list[dict[str, Any]]:
    """The findings of a sample's current verdicts, in the order of the stack."""
    return [found for outcomes in current(store, stored.id) for found in _findings_of(outcomes, blind=blind)]


def _findings_of(outcomes: Outcomes, *, blind: bool) -> list[dict[str, Any]]:
    spec = outcomes.spec
    shown = (masked(spec, finding) if blind else finding for finding in outcomes.verdict.findings)
    return [
        {
            "verifier": spec.name,
            "version": spec.version,
            "layer": spec.layer,
            "code": finding.code,
            "severity": finding.severity,
            "message": finding.message,
            "span": finding.span,
            "of": finding.of,
        }
        for finding in shown
    ]


def _full_decision(decision: Decision) -> dict[str, Any]:
    return {
        **decision_document(decision),
        "kind": decision.kind,
        "override": decision.override,
        "late": decision.late,
        "undone": decision.undone,
    }
