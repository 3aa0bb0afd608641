"""A claimed sample with everything that the screen shows of it, read from the store in one go."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from holdfast.db.drafts import load_draft
from holdfast.db.models import Finding, Severity, VerifierSpec
from holdfast.db.queue import Claim
from holdfast.db.samples import Stored, load
from holdfast.db.store import Store, instant_of, text_of
from holdfast.db.verdicts import current
from holdfast.db.votes import votes_of
from holdfast.reviewer.config import QuotaConfig
from holdfast.reviewer.pipeline.blindness import (
    is_blind,
    shown_p_bad,
    shown_stream,
    shown_why,
    status_on_screen,
    told_of,
)
from holdfast.reviewer.pipeline.desk import ClaimedItem, Draft, DraftKind, LineageStep, Neighbour, ShownFinding, Term
from holdfast.reviewer.pipeline.lineage import label, line_of
from holdfast.reviewer.pipeline.shown_votes import masked, shown_votes
from holdfast.reviewer.policy.quota import weight

Near = Callable[[Stored, str], tuple[Neighbour, ...]]
"""From a sample and its reader to its near-duplicates."""

_SEVERITIES = list(Severity)
_KINDS: tuple[DraftKind, ...] = ("edit", "note")


def claimed_item(
    store: Store, claim: Claim, *, reviewer: str, lead: bool, policy: QuotaConfig, guideline_version: str, near: Near
) -> ClaimedItem:
    """All that the screen shows of a claimed sample."""
    stored = load(store, claim.sample_id)
    sample = stored.sample
    steps = _steps(store, stored, reviewer)
    decisions = told_of(store, reviewer, stored.id)
    blind = is_blind(store, reviewer, stored.id)
    return ClaimedItem(
        sample_id=stored.id,
        token=claim.token,
        expires_at=claim.expires_at,
        uid=stored.uid,
        batch=stored.batch,
        external_id=stored.external_id,
        status=status_on_screen(store, stored.id, stored.status, reviewer),
        messages=sample.messages,
        prompt=sample.prompt,
        response=sample.response,
        provenance=sample.provenance,
        model=sample.model,
        family=sample.family,
        generation=sample.generation,
        edit_share=stored.edit_share,
        tokens=stored.tokens,
        reference=sample.reference,
        label=sample.label,
        findings=_findings(store, stored.id, blind=blind),
        votes=shown_votes(sample, votes_of(store, stored.id), blind=blind),
        lineage=" → ".join("this" if step.here else step.label for step in steps),
        lineage_steps=steps,
        neighbours=near(stored, reviewer),
        stream=shown_stream(claim.entry, lead=lead),
        priority=claim.entry.priority,
        p_bad=shown_p_bad(claim.entry, lead=lead),
        why=tuple(Term(term, value) for term, value in shown_why(store, claim.entry, lead=lead, blind=blind)),
        history_count=sum(not blind or decision.reviewer == reviewer for decision in decisions),
        drafts=_drafts(store, stored.id, reviewer),
        quota_weight=float(weight(sample.provenance, policy.omega)),
        guideline_version=guideline_version,
    )


def by_severity(found: list[tuple[VerifierSpec, Finding]]) -> tuple[ShownFinding, ...]:
    """Findings for the screen: the gravest first, then by their place in the text."""
    ordered = sorted(
        found, key=lambda pair: (_SEVERITIES.index(pair[1].severity), pair[1].of, pair[1].span or (-1, -1))
    )
    return tuple(
        ShownFinding(
            verifier=spec.name,
            version=spec.version,
            layer=spec.layer,
            code=finding.code,
            severity=finding.severity,
            message=finding.message,
            span=finding.span,
            of=finding.of,
        )
        for spec, finding in ordered
    )


def packed_draft(draft: Draft) -> str:
    """A draft as the store keeps it."""
    plain = {"text": draft.text, "turn": draft.turn, "others": draft.others, "at": text_of(draft.saved_at)}
    return orjson.dumps(plain).decode()


def _findings(store: Store, sample_id: int, *, blind: bool) -> tuple[ShownFinding, ...]:
    return by_severity(
        [
            (outcomes.spec, masked(outcomes.spec, finding) if blind else finding)
            for outcomes in current(store, sample_id)
            for finding in outcomes.verdict.findings
        ]
    )


def _steps(store: Store, stored: Stored, reviewer: str) -> tuple[LineageStep, ...]:
    line = line_of(store, stored, reviewer)
    return tuple(LineageStep(one.uid, label(one), here=one.id == stored.id) for one in line)


def _drafts(store: Store, sample_id: int, reviewer: str) -> tuple[Draft, ...]:
    found = []
    for kind in _KINDS:
        packed = load_draft(store, sample_id=sample_id, reviewer=reviewer, kind=kind)
        if packed is not None:
            plain = orjson.loads(packed)
            saved_at = instant_of(plain["at"])
            others = tuple((int(turn), str(text)) for turn, text in plain["others"])
            found.append(Draft(kind, plain["text"], saved_at, plain["turn"], others))
    return tuple(found)
