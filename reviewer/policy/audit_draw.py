"""Draws by hash: a number that a sample's uid alone decides, and which samples the random audit draws by it. Pure."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable

AUDIT_SEED = "audit"
"""What the audit draw is hashed with; one for all projects, so that a sample's draw can be recomputed anywhere."""


def uniform(seed: str, uid: str) -> float:
    """A number in [0, 1) that the sample's uid alone decides: SHA-256 of seed and uid."""
    return int.from_bytes(hashlib.sha256(f"{seed}\0{uid}".encode()).digest()[:6], "big") / 2**48


def audit_draw(uid: str, threshold: float) -> bool:
    """Whether the random audit draws a sample, at the threshold of its source."""
    return uniform(AUDIT_SEED, uid) <= threshold


def audit_thresholds(samples: Iterable[tuple[str, str]], *, share: float, least: int) -> dict[str, float]:
    """By source, the threshold below which `audit_draw` draws `share` of its samples, and `least` of them (or all).

    `samples` gives (source key, uid); a share of 0 draws none at all.
    """
    if share <= 0:
        return {}
    import numpy as np

    drawn: dict[str, array[float]] = {}
    for source, uid in samples:
        drawn.setdefault(source, array("d")).append(uniform(AUDIT_SEED, uid))
    thresholds = {}
    for source, numbers in drawn.items():
        last = min(least, len(numbers)) - 1
        lowest = float(np.partition(np.frombuffer(numbers), last)[last]) if last >= 0 else 0.0
        thresholds[source] = max(share, lowest)
    return thresholds
