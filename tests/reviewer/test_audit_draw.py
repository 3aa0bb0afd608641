"""The random audit: its share of every source, whatever the order in which samples come."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from holdfast.reviewer.policy.audit_draw import audit_draw, audit_thresholds

UIDS = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(2000)]


def drawn(samples: list[tuple[str, str]], share: float, least: int) -> dict[str, int]:
    """How many samples of each source the audit draws."""
    thresholds = audit_thresholds(samples, share=share, least=least)
    counts = {source: 0 for source, _ in samples}
    for source, uid in samples:
        counts[source] += audit_draw(uid, thresholds.get(source, -1.0))
    return counts


def test_the_audit_draws_its_share_and_at_least_so_many_of_each_source() -> None:
    samples = (
        [("big", uid) for uid in UIDS] + [("small", uid) for uid in UIDS[:60]] + [("tiny", uid) for uid in UIDS[:7]]
    )
    counts = drawn(samples, 0.05, 25)
    assert 70 <= counts["big"] <= 130
    assert counts["small"] == 25
    assert counts["tiny"] == 7
    assert drawn(samples, 0.0, 25) == {"big": 0, "small": 0, "tiny": 0}
    assert drawn(samples, 1.0, 0) == {"big": 2000, "small": 60, "tiny": 7}


@given(st.permutations(UIDS[:40]), st.integers(0, 50))
def test_the_draw_does_not_depend_on_the_order_of_samples(uids: list[str], least: int) -> None:
    samples = [("source", uid) for uid in uids]
    assert audit_thresholds(samples, share=0.05, least=least) == audit_thresholds(
        sorted(samples), share=0.05, least=least
    )
    assert drawn(samples, 0.05, least)["source"] >= min(least, 40)
