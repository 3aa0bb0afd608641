"""Approving what no check flagged without a look, as far as the random audit proves that it may be."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from holdfast.db import approvals
from holdfast.db.orderings import Ordering, log_size, state_of
from holdfast.db.ranking import rankables
from holdfast.db.store import Store
from holdfast.reviewer.config import ReviewConfig
from holdfast.reviewer.policy.estimator import Estimator
from holdfast.reviewer.policy.guarantee import Audited, Proof, enough, grid, held_out, prove, represented

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many samples are done and how many there are."""

_PAGE_SAMPLES = 500
_OFF = "off in holdfast.toml"


@dataclass(frozen=True, slots=True)
class ApprovalReport:
    """What a test of the guarantee changed: samples approved, and approvals taken back."""

    tested: bool = False
    approved: int = 0
    revoked: int = 0


@dataclass
class _Unflagged:
    """Row ids of what may be approved, by stratum, and what the audit drew beside it: looked at, and not yet."""

    candidates: dict[tuple[int, int], array[int]] = field(default_factory=dict)
    audited: list[approvals.Unflagged] = field(default_factory=list)
    waiting: int = 0


def approve(
    review: ReviewConfig, store: Store, ordering: Ordering, *, actor: str, progress: Progress = lambda *_: None
) -> ApprovalReport:
    """Test the guarantee where there is reason to, and approve or take back until what it supports is approved.

    There is reason with a new ordering, with other settings, and when decisions since the last test tell against it.
    Each transaction stands for itself: interrupted, the next call goes on. Call it under the lock of the ordering.
    """
    if review.auto_approve == "off":
        standing = approvals.granted(store, decided=True)
        return ApprovalReport(revoked=_revoke(store, standing, actor, _OFF, progress))
    if not _is_due(store, review, ordering):
        return ApprovalReport()
    size = log_size(store)
    found = _unflagged(store, kept_out=bool(ordering.report["learned"]))
    proof, wanted = Proof(None, len(found.audited), 0, 1.0), array("q")
    if _is_testable(ordering):
        proof, wanted = _tested(review, store, ordering, found, progress)
    facts = _facts(review, ordering, proof)
    # Where nothing is supported, what was decided must not come back approved when that is undone.
    standing = approvals.granted(store, decided=proof.threshold is None)
    supported = set(wanted)
    lost = [sample_id for sample_id in standing if sample_id not in supported]
    revoked = _revoke(store, lost, actor, "the audit no longer supports it", progress)
    approved = _grant(store, sorted(supported.difference(standing)), actor, facts, progress)
    # Last, so that a test whose consequences were not all drawn is made again.
    approvals.save_standing(store, {**facts, "log_size": size, "waiting": found.waiting})
    return ApprovalReport(True, approved, revoked)


def due(review: ReviewConfig, store: Store) -> bool:
    """Whether approvals stand that may have to be taken back before the next ordering; quick.

    That is where they are no longer wanted, or a decision since their test tells against them.
    """
    if not approvals.any_granted(store):
        return False
    last = approvals.standing(store)
    return review.auto_approve == "off" or last is None or approvals.ill_news(store, last["log_size"])


def stand(store: Store, review: ReviewConfig) -> dict[str, Any]:
    """How the guarantee stands, by the last test, and why in plain words."""
    last = approvals.standing(store) or {}
    current = review.auto_approve != "off" and (last.get("risk"), last.get("confidence")) == _asked(review)
    threshold = last.get("threshold") if current else None
    return {
        "mode": review.auto_approve,
        "holds": threshold is not None,
        "threshold": threshold,
        "audited": last.get("audited", 0) if current else 0,
        "bad": last.get("bad", 0) if current else 0,
        "bound": last.get("bound", 1.0) if current else 1.0,
        "risk": review.auto_approve_risk,
        "confidence": review.auto_approve_confidence,
        "approved": approvals.approved(store),
        "why": _why(review, last, current=current),
    }


def _is_due(store: Store, review: ReviewConfig, ordering: Ordering) -> bool:
    last = approvals.standing(store)
    if last is None or (last["ordering"], last["risk"], last["confidence"]) != (ordering.version, *_asked(review)):
        return True
    return approvals.ill_news(store, last["log_size"])


def _is_testable(ordering: Ordering) -> bool:
    """Whether the ordering's p_bad is independent of the evidence: it learned nothing, or kept off that half."""
    return not ordering.report["learned"] or bool(ordering.report["basis"]["held_out"])


def _unflagged(store: Store, *, kept_out: bool) -> _Unflagged:
    """What no check flags; with `kept_out`, the half of the audit that the learner may have seen is no evidence."""
    found, after = _Unflagged(), 0
    while page := approvals.unflagged(store, after_id=after, limit=_PAGE_SAMPLES):
        for one in page:
            if one.drawn:
                usable = not kept_out or held_out(one.uid)
                found.waiting += usable and one.bad is None
                if usable and one.bad is not None:
                    found.audited.append(one)
            elif not one.seen:
                found.candidates.setdefault(one.stratum, array("q")).append(one.sample_id)
        after = page[-1].sample_id
    return found


def _tested(
    review: ReviewConfig, store: Store, ordering: Ordering, found: _Unflagged, progress: Progress
) -> tuple[Proof, array[int]]:
    """The proof, and the row ids of what it supports."""
    risk, confidence = _asked(review)
    estimator = Estimator(state_of(store, ordering.version)["estimator"])
    p_audited = _p_bad(store, estimator, [one.sample_id for one in found.audited])
    evidence = [
        Audited(one.uid, one.stratum, p_bad, bool(one.bad)) for one, p_bad in zip(found.audited, p_audited, strict=True)
    ]
    least = enough(risk, confidence)
    strata, kept = represented({key: len(ids) for key, ids in found.candidates.items()}, evidence, least=least)
    if len(kept) < least:
        return Proof(None, len(kept), sum(one.bad for one in kept), 1.0), array("q")
    ids = array("q", sorted(one for key in strata for one in found.candidates[key]))
    p_bad = array("d")
    for value in _p_bad(store, estimator, ids):
        p_bad.append(value)
        if len(p_bad) % _PAGE_SAMPLES == 0:
            progress("testing what needs no look", len(p_bad), len(ids))
    proof = prove(kept, grid(p_bad), risk=risk, confidence=confidence)
    if proof.threshold is None:
        return proof, array("q")
    return proof, array("q", (one for one, p in zip(ids, p_bad, strict=True) if p <= proof.threshold))


def _p_bad(store: Store, estimator: Estimator, sample_ids: Sequence[int]) -> Iterator[float]:
    for start in range(0, len(sample_ids), _PAGE_SAMPLES):
        page = rankables(store, list(sample_ids[start : start + _PAGE_SAMPLES]))
        yield from (estimate.p_bad for estimate in estimator.estimate_many(page))


def _grant(store: Store, ids: Sequence[int], actor: str, facts: Mapping[str, Any], progress: Progress) -> int:
    return _counted(approvals.grant(store, ids, actor=actor, proof=facts), "approving", len(ids), progress)


def _revoke(store: Store, ids: Sequence[int], actor: str, why: str, progress: Progress) -> int:
    return _counted(approvals.revoke(store, ids, actor=actor, why=why), "taking approvals back", len(ids), progress)


def _counted(changed: Iterable[int], what: str, total: int, progress: Progress) -> int:
    done = 0
    for count in changed:
        done += count
        progress(what, done, total)
    return done


def _facts(review: ReviewConfig, ordering: Ordering, proof: Proof) -> dict[str, Any]:
    risk, confidence = _asked(review)
    return {
        "ordering": ordering.version,
        "threshold": proof.threshold,
        "risk": risk,
        "confidence": confidence,
        "audited": proof.audited,
        "bad": proof.bad,
        "bound": round(proof.bound, 6),
    }


def _asked(review: ReviewConfig) -> tuple[float, float]:
    return review.auto_approve_risk, review.auto_approve_confidence


def _why(review: ReviewConfig, last: Mapping[str, Any], *, current: bool) -> str:
    if review.auto_approve == "off":
        return _OFF
    if not current:
        return "not tested yet with these settings: the next ordering of the queue does"
    audited, bad = last["audited"], last["bad"]
    least = enough(*_asked(review))
    found = f"{bad:,} of {audited:,} audited samples that no check flagged {'was' if bad == 1 else 'were'} bad"
    if audited < least:
        verbs = "is drawn and waits" if last["waiting"] == 1 else "are drawn and wait"
        drawn = f"; {last['waiting']:,} more {verbs} for a look" if last["waiting"] else ""
        return f"needs {least:,} audited samples without a bad one; there are {audited:,}, {bad:,} of them bad{drawn}"
    bounded = (
        f"up to {last['bound']:.1%} of such samples may be, at a confidence of {review.auto_approve_confidence:.0%}"
    )
    verb = "within" if last["threshold"] is not None else "beyond"
    return f"{found}: {bounded}, {verb} the risk of {review.auto_approve_risk:.1%}"
