"""Making an ordering: what verdicts and decisions teach, and the numbers that place samples in the queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

import orjson

from holdfast.db.orderings import log_size, newest_ordering, state_of
from holdfast.db.ranking import Rankable
from holdfast.db.reviewed import Reviewed, basis, first_judged, reviewed
from holdfast.db.store import Store
from holdfast.reviewer.config import Config
from holdfast.reviewer.pipeline.fits import audit_chances
from holdfast.reviewer.pipeline.ordering_places import pages, places
from holdfast.reviewer.policy.estimator import Estimator
from holdfast.reviewer.policy.guarantee import held_out
from holdfast.reviewer.policy.learning import Decided, learned_state, rule_state
from holdfast.reviewer.project import Project

NEWEST = 20_000
"""So many of the newest decisions enter the fit, and all of the rarer class."""
SPECIMENS = 20_000
"""How scores are spread is learned from so many samples at most, those with the first uids."""
OLDER = 5_000
"""So many older decisions of the other class stand for all of them, with the weight that makes up for it."""
GROWTH = 1.1
"""How many times as many samples have to be judged before an ordering is made anew."""


@dataclass(frozen=True, slots=True)
class Made:
    """An ordering that is not kept yet: report and state are JSON."""

    log_size: int
    report: bytes
    state: bytes


def make(project: Project, store: Store) -> Made:
    """An ordering from the store as it is now; the same for the same log, verdicts and settings."""
    with store.snapshot():
        now = basis_of(store, project.config)
        decisions = reviewed(store)
        rule = _rule(store, now)
        learned, report = learned_state(rule, _decided(store, project.config, decisions))
        estimator = {"rule": rule, "learned": learned}
        known = [one for one in decisions if one.bad is not None]
        report |= {"decisions": len(known), "bad": sum(bool(one.bad) for one in known), "basis": now}
        placing = places(project, store, Estimator(estimator), decisions, cold=not learned)
        state = {"estimator": estimator, "placing": placing}
        return Made(log_size(store), _json(report), _json(state))


def basis_of(store: Store, config: Config) -> dict[str, Any]:
    """What an ordering made now would rest on beside decisions."""
    ordering = config.ordering
    return asdict(basis(store)) | {
        "cost": ordering.cost_of_bad, "exploration": ordering.exploration,
        "held_out": config.review.auto_approve != "off", "quota": [config.quota.max_ratio, config.quota.edited_weight],
    }  # fmt: skip


def outgrown(then: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether an ordering's basis is another stack, other settings, or less than what is judged now by a tenth."""
    grown = now["judged"] >= GROWTH * max(then["judged"], 1)
    return grown or any(then.get(key) != now[key] for key in ("stack", "cost", "exploration", "held_out", "quota"))


def _rule(store: Store, now: Mapping[str, Any]) -> dict[str, Any]:
    """How scores are spread: as the newest ordering has it where no run has judged anything since."""
    newest = newest_ordering(store)
    if newest is not None:
        then = newest.report["basis"]
        if now["done"] and all(then[key] == now[key] for key in ("run", "done", "gold")):
            return dict(state_of(store, newest.version)["estimator"]["rule"])
    return rule_state(chain.from_iterable(pages(store, first_judged(store, limit=SPECIMENS))))


def _decided(store: Store, config: Config, decisions: Sequence[Reviewed]) -> list[Decided]:
    """The decisions to learn from, each with the weight of those for which it stands."""
    kept = chosen([one for one in decisions if one.bad is not None])
    chances = audit_chances(store, config.review)
    samples = chain.from_iterable(pages(store, [one.sample_id for one, _ in kept]))
    keeps = config.review.auto_approve != "off"
    return [
        Decided(sample, bool(one.bad), stands_for * _weight(sample, chances, keeps), one.seq)
        for (one, stands_for), sample in zip(kept, samples, strict=True)
        if not (keeps and sample.audit and not sample.flagged and held_out(sample.uid))
    ]


def chosen(known: Sequence[Reviewed]) -> list[tuple[Reviewed, float]]:
    """The newest decisions, all older ones of the rarer class, and some of the other class that stand for the rest.

    Without those the share of the rarer class would be too high, and the more so the older the decisions.
    """
    rarer = 2 * sum(bool(one.bad) for one in known) < len(known)
    older, newest = known[:-NEWEST], known[-NEWEST:]
    common = [one for one in older if one.bad != rarer]
    some = common[:: -(-len(common) // OLDER) or 1]
    stands_for = {one.seq: len(common) / len(some) for one in some}
    kept = [(one, stands_for.get(one.seq, 1.0)) for one in older if one.bad == rarer or one.seq in stands_for]
    return kept + [(one, 1.0) for one in newest]


def _weight(sample: Rankable, chances: Mapping[str, float], keeps: bool) -> float:
    """One over the chance that a sample is learned from: all that is flagged is, of the rest what the audit draws.

    `keeps` says that half of what is drawn and not flagged is kept as evidence.
    """
    if sample.flagged or not sample.audit:
        return 1.0
    return (2 if keeps else 1) / chances.get(sample.source, 1.0)


def _json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
