"""Samples and queue items as JSON documents, with what their reader may not see yet left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from holdfast.db.approvals import approved_by
from holdfast.db.decisions import Decision
from holdfast.db.models import Role, Status
from holdfast.db.queue import QueueRow
from holdfast.db.samples import Stored, load, occurrences
from holdfast.db.store import Store
from holdfast.db.users import role_of
from holdfast.db.verdicts import Outcomes, current
from holdfast.db.votes import votes_of
from holdfast.reviewer.exchange.write_jsonl import decision_document, document
from holdfast.reviewer.pipeline.blindness import (
    HIDDEN,
    deciding_for,
    is_blind,
    shown_p_bad,
    shown_status,
    shown_stream,
    shown_why,
    told_of,
)
from holdfast.reviewer.pipeline.shown_votes import masked


def show(store: Store, sample_id: int, user: str) -> dict[str, Any]:
    """One sample with findings, votes, decisions and occurrences, as the user may see it."""
    stored = load(store, sample_id)
    blind = is_blind(store, user, sample_id)
    status = shown_status(store, sample_id, stored.status, user)
    guarantee = _guarantee(store, sample_id, user) if status == Status.APPROVED else None
    shown = document(stored, deciding_for(store, user, sample_id), guarantee)
    shown["status"] = status
    if status == HIDDEN:
        shown["decision"] = HIDDEN
    return {
        **shown,
        "tokens": stored.tokens,
        "findings": findings(store, stored, blind=blind),
        "votes": HIDDEN if blind else [asdict(vote) for vote in votes_of(store, stored.id)],
        "decisions": HIDDEN if blind else [_full_decision(one) for one in told_of(store, user, sample_id)],
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


def _guarantee(store: Store, sample_id: int, user: str) -> Mapping[str, Any] | None:
    """What an approval without a look rests on; from how much was audited one could tell what the audit drew."""
    proof = approved_by(store, [sample_id]).get(sample_id)
    if proof is None or role_of(store, user) is Role.LEAD:
        return proof
    return {key: value for key, value in proof.items() if key not in ("audited", "bad", "bound")}


def queue_item(store: Store, stored: Stored, row: QueueRow, *, user: str) -> dict[str, Any]:
    """One item of the queue as its reader may know it; to annotators without what rests on votes."""
    lead = role_of(store, user) is Role.LEAD
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
        "p_bad": shown_p_bad(row.entry, lead=lead),
        "why": [{"term": term, "value": value} for term, value in why],
        "reasons": [code for code in row.entry.reasons if lead or code in open_codes],
        "stream": shown_stream(row.entry, lead=lead),
        "status": stored.status if lead or _nobody_is_to_look(stored) else Status.FLAGGED,
        "claimed": row.reviewer is not None,
        "findings": [one for outcomes in found for one in _findings_of(outcomes, blind=not lead)],
    }


def _nobody_is_to_look(stored: Stored) -> bool:
    return stored.status in (Status.PASSED, Status.PENDING) and not stored.audit


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
