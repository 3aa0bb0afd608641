"""What a run learns from the whole corpus before it judges a sample: frozen, stored, used again by a resumed run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from holdfast.db.selection import identities
from holdfast.db.standing import mark_stale
from holdfast.db.store import Store
from holdfast.db.verdicts import load_fit, save_fit
from holdfast.reviewer.config import ReviewConfig
from holdfast.reviewer.policy.audit_draw import audit_thresholds
from holdfast.verifiers import Context
from holdfast.verifiers.stack import Stack, thaw

_AUDIT = "audit_draw"

Freeze = Callable[[Mapping[str, float]], Mapping[str, bytes]]
"""Fits verifiers to the corpus, given by name with what that costs compared with others."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """States by verifier, the audit's thresholds by source, and the last row id of the corpus they come from."""

    states: Mapping[str, bytes]
    audit: Mapping[str, float]
    last_id: int


def learn(store: Store, stack: Stack, review: ReviewConfig, *, last_id: int, freeze: Freeze) -> Frozen:
    """Fit every verifier that learns to the samples up to `last_id`, draw up the audit, and store both.

    Samples whose verdicts change with what was learned are marked, to be looked at again.
    """
    # Drawn up first: worker processes are still starting.
    audit = audit_thresholds(
        identities(store, last_id=last_id), share=review.audit_share, least=review.audit_min_per_source
    )
    learners = list(_learners(stack))
    states = freeze({name: stack.member(name).verifier.fit_cost for name, _, _ in learners})
    moved: set[str] = set()
    for name, version, options_hash in learners:
        before = _load(store, name, version, options_hash)
        if before is not None:
            moved.update(stack.member(name).verifier.moved(orjson.dumps(before["state"]), states[name]))
    # Before the states are stored: a run that is killed in between finds the same samples again.
    mark_stale(store, sorted(moved))
    for name, version, options_hash in learners:
        _save(store, name, version, options_hash, last_id, orjson.Fragment(states[name]))
    _save(store, _AUDIT, "1", _audit_hash(review), last_id, audit)
    return Frozen(states, audit, last_id)


def learned_before(store: Store, stack: Stack, review: ReviewConfig) -> Frozen | None:
    """What an interrupted run of the stack learned; None unless all of it is there and of one corpus."""
    audit = _load(store, _AUDIT, "1", _audit_hash(review))
    found = {name: _load(store, name, version, options_hash) for name, version, options_hash in _learners(stack)}
    if audit is None or any(one is None or one["last_id"] != audit["last_id"] for one in found.values()):
        return None
    states = {name: orjson.dumps(one["state"]) for name, one in found.items() if one is not None}
    return Frozen(states, audit["state"], audit["last_id"])


def audit_chances(store: Store, review: ReviewConfig) -> dict[str, float]:
    """By source, the chance that the audit draws a sample, as it was drawn up last; a source without one was not."""
    found = _load(store, _AUDIT, "1", _audit_hash(review))
    return {} if found is None else {source: min(chance, 1.0) for source, chance in found["state"].items()}


def newest_states(store: Store, stack: Stack) -> dict[str, bytes]:
    """The newest state that each verifier of the stack learned, of whatever corpus; those without one are left out."""
    found = {name: _load(store, name, version, options_hash) for name, version, options_hash in _learners(stack)}
    return {name: orjson.dumps(one["state"]) for name, one in found.items() if one is not None}


def newest_context(store: Store, stack: Stack) -> Context:
    """The newest state that each verifier of the stack learned; a verifier without one abstains or does without."""
    return thaw(newest_states(store, stack))


def recalled(store: Store, stack: Stack, names: Sequence[str]) -> dict[str, Any]:
    """Of the named verifiers whose fit starts from what was learned before, that state; None before the first fit."""
    found = {
        name: _load(store, name, version, options_hash)
        for name, version, options_hash in _learners(stack)
        if name in names and stack.member(name).verifier.recalls
    }
    return {name: None if one is None else one["state"] for name, one in found.items()}


def _learners(stack: Stack) -> Iterator[tuple[str, str, str]]:
    """Name, version and options hash of the verifiers that learn from the corpus."""
    for member in stack.members:
        if member.verifier.fits:
            yield member.name, member.verifier.version, _hash(dict(member.settings.options_json))


def _audit_hash(review: ReviewConfig) -> str:
    return _hash([review.audit_share, review.audit_min_per_source])


def _hash(value: Any) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _save(store: Store, name: str, version: str, options_hash: str, last_id: int, state: Any) -> None:
    frozen = orjson.dumps({"last_id": last_id, "state": state}, option=orjson.OPT_SORT_KEYS)
    save_fit(store, verifier=name, version=version, options_hash=options_hash, state=frozen)


def _load(store: Store, name: str, version: str, options_hash: str) -> dict[str, Any] | None:
    frozen = load_fit(store, verifier=name, version=version, options_hash=options_hash)
    return None if frozen is None else dict(orjson.loads(frozen))
