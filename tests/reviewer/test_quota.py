"""The quota of the simple cap."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from holdfast.db.models import Provenance, Source, Status
from holdfast.db.samples import Tally
from holdfast.reviewer.policy.quota import Units, quota

ONE = Fraction(1)


def tally(provenance: Provenance, status: Status, samples: int, tokens: int, model: str | None = None) -> Tally:
    return Tally(Source(provenance, model, None, None, None), status, samples, tokens)


tallies = st.lists(
    st.builds(
        tally,
        st.sampled_from(list(Provenance)),
        st.sampled_from(list(Status)),
        st.integers(0, 10**6),
        st.integers(0, 10**9),
        st.sampled_from([None, "model-a", "model-b"]),
    )
)
ratios = st.fractions(0, 3)


def test_real_data_sets_the_room_and_approved_data_uses_it() -> None:
    found = quota(
        [
            tally(Provenance.HUMAN, Status.PASSED, 100, 5000),
            tally(Provenance.HUMAN, Status.REJECTED, 7, 70),
            tally(Provenance.SYNTHETIC, Status.APPROVED, 30, 1500, "model-a"),
            tally(Provenance.SYNTHETIC, Status.FLAGGED, 40, 2000, "model-a"),
            tally(Provenance.HUMAN_EDITED, Status.APPROVED, 10, 500, "model-a"),
            tally(Provenance.SYNTHETIC, Status.SUPERSEDED, 10, 480, "model-a"),
        ],
        cap=Fraction("0.5"),
        omega=Fraction("0.5"),
    )
    assert found.real == Units(Fraction(100), Fraction(5000))
    assert found.allowed == Units(Fraction(50), Fraction(2500))
    assert found.used == Units(Fraction(35), Fraction(1750))
    assert found.room == Units(Fraction(15), Fraction(750))
    assert found.ratio == Fraction(7, 20)
    assert [(share.source.provenance, share.available, share.accepted) for share in found.sources] == [
        (Provenance.HUMAN_EDITED, 10, 10),
        (Provenance.SYNTHETIC, 70, 30),
    ]
    assert found.warnings == ()


def test_without_real_data_nothing_is_allowed_and_a_warning_says_why() -> None:
    found = quota([tally(Provenance.UNKNOWN, Status.APPROVED, 3, 30)], cap=ONE, omega=ONE)
    assert found.allowed.samples == 0
    assert found.ratio is None
    assert "no human data" in found.warnings[0]


def test_an_empty_store_has_a_quota_too() -> None:
    found = quota([], cap=ONE, omega=ONE)
    assert found.ratio == 0
    assert found.used == Units(Fraction(0), Fraction(0))
    assert found.sources == ()


def test_tokens_alone_can_be_over_the_cap() -> None:
    found = quota(
        [tally(Provenance.HUMAN, Status.PASSED, 10, 10), tally(Provenance.SYNTHETIC, Status.APPROVED, 1, 1000)],
        cap=ONE,
        omega=ONE,
    )
    assert found.room.tokens == 0
    assert "tokens" in found.warnings[0]


@given(tallies, ratios, ratios, st.fractions(0, 1))
def test_a_higher_cap_never_allows_less(held: list[Tally], one: Fraction, other: Fraction, omega: Fraction) -> None:
    low, high = (quota(held, cap=cap, omega=omega) for cap in sorted((one, other)))
    assert low.allowed.samples <= high.allowed.samples
    assert low.used == high.used


@given(tallies, ratios, st.fractions(0, 1))
def test_order_does_not_matter_and_room_is_never_negative(held: list[Tally], cap: Fraction, omega: Fraction) -> None:
    found = quota(held, cap=cap, omega=omega)
    assert quota(reversed(held), cap=cap, omega=omega) == found
    assert found.room.samples >= 0
    assert found.allowed.samples <= cap * found.real.samples
    if not found.warnings:
        assert found.used.samples <= cap * found.real.samples
        assert found.used.tokens <= cap * found.real.tokens
