"""What the next mix may hold, from the store's counts and the project's policy."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from holdfast.db.samples import Tally, tallies
from holdfast.db.store import Store
from holdfast.reviewer.config import QuotaConfig
from holdfast.reviewer.policy.quota import Quota, SourceShare, Units, source_name
from holdfast.reviewer.policy.quota import quota as simple_cap


def quota(
    store: Store, policy: QuotaConfig, *, cap: Fraction | None = None, counts: Iterable[Tally] | None = None
) -> Quota:
    """The quota under the policy, or under another cap as a what-if; `counts` are those that its reader may know."""
    return simple_cap(
        tallies(store) if counts is None else counts, cap=policy.cap if cap is None else cap, omega=policy.omega
    )


def document(quota: Quota) -> dict[str, Any]:
    """A quota as JSON: numbers are exact where they are whole; a ratio is null without human data.

    What rests on audited acceptance rates is null: the simple cap does not weigh sources.
    """
    return {
        "real": units_document(quota.real),
        "max_ratio": number(quota.cap),
        "effective_ratio": number(quota.cap),
        "ratio": number(quota.ratio),
        "ratio_tokens": number(quota.ratio_tokens),
        "allowed": units_document(quota.allowed),
        "used": units_document(quota.used),
        "room": units_document(quota.room),
        "sources": [_source_document(share) for share in quota.sources],
        "warnings": list(quota.warnings),
    }


def units_document(units: Units) -> dict[str, int | float | None]:
    """An amount as JSON."""
    return {"samples": number(units.samples), "tokens": number(units.tokens)}


def number(value: Fraction | None) -> int | float | None:
    """A fraction as JSON: a whole number stays one."""
    if value is None:
        return None
    return int(value) if value.denominator == 1 else float(value)


def _source_document(share: SourceShare) -> dict[str, Any]:
    source = share.source
    return {
        "source": source_name(source),
        "provenance": source.provenance,
        "model": source.model,
        "generation": source.generation,
        "domain": source.domain,
        "available": share.available,
        "audited": None,
        "accepted": share.accepted,
        "lower_bound": None,
        "eligible": None,
        "weight": None,
        "limit": None,
        "allocated": None,
        "why": f"{share.accepted} of {share.available} approved; the simple cap sets no limit per source",
    }
