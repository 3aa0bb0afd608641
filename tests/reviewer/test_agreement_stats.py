"""How far people agree: published examples, and what a statistic says where it says nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.reviewer.policy.agreement_stats import (
    Units,
    cohen_kappa,
    gwet_ac1,
    items,
    krippendorff_alpha,
    mean_kappa,
    raw_agreement,
)

THREE_RATERS = [".....34121133.3", "1.213343.......", "..21344.21133.4"]
"""Fifteen units with missing opinions (the example of the English Wikipedia)."""
FOUR_RATERS = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
"""Twelve units (Krippendorff 2011, Computing Krippendorff's Alpha-Reliability)."""

FIRST, SECOND = "aarraraara", "arrraaaara"


def units_of(raters: Sequence[str]) -> Counter[tuple[int, ...]]:
    """Raters' opinions, a character each and a dot where there is none, as counts by unit."""
    width = max(len(one) for one in raters)
    categories = sorted({one for rater in raters for one in rater} - {"."})
    return Counter(
        tuple(sum(rater.ljust(width, ".")[unit] == one for rater in raters) for one in categories)
        for unit in range(width)
    )


@pytest.mark.parametrize(("raters", "alpha"), [(THREE_RATERS, 0.6913580247), (FOUR_RATERS, 0.7434210526)])
def test_krippendorff_alpha(raters: Sequence[str], alpha: float) -> None:
    assert krippendorff_alpha(units_of(raters)) == pytest.approx(alpha, abs=1e-9)


def test_two_raters() -> None:
    units = units_of([FIRST, SECOND])
    assert items(units) == 10
    assert raw_agreement(units) == pytest.approx(0.8)
    assert cohen_kappa(Counter(zip(FIRST, SECOND, strict=True))) == pytest.approx(0.5833333333, abs=1e-9)
    assert gwet_ac1(units) == pytest.approx(0.6153846154, abs=1e-9)


def test_where_nearly_all_is_accepted_kappa_misleads_and_ac1_does_not() -> None:
    units: Units = {(2, 0): 118, (1, 1): 7, (0, 2): 0}
    table = {("a", "a"): 118, ("a", "r"): 5, ("r", "a"): 2}
    assert raw_agreement(units) == pytest.approx(0.944)
    assert cohen_kappa(table) == pytest.approx(-0.0233918129, abs=1e-9)
    assert gwet_ac1(units) == pytest.approx(0.9407763376, abs=1e-9)


def test_nothing_and_one_category() -> None:
    nothings: list[Units] = [{}, {(1, 0, 0): 5}]
    for nothing in nothings:
        assert (krippendorff_alpha(nothing), gwet_ac1(nothing), raw_agreement(nothing)) == (None, None, None)
        assert items(nothing) == 0
    same: Units = {(2, 0, 0): 4}
    assert (krippendorff_alpha(same), gwet_ac1(same), raw_agreement(same)) == (None, 1.0, 1.0)
    assert cohen_kappa({}) is None
    assert cohen_kappa({("a", "a"): 3}) is None


def test_kappas_of_pairs_are_weighted_by_items() -> None:
    perfect, opposed = {("a", "a"): 2, ("r", "r"): 2}, {("a", "r"): 1, ("r", "a"): 1}
    assert mean_kappa([perfect, opposed]) == pytest.approx((4 * 1 + 2 * -1) / 6)
    assert mean_kappa([{("a", "a"): 3}]) is None


@settings(max_examples=50)
@given(st.dictionaries(st.tuples(*[st.integers(0, 3)] * 3), st.integers(0, 5), max_size=6))
def test_agreement_is_at_most_one(units: dict[tuple[int, ...], int]) -> None:
    for statistic in (krippendorff_alpha, gwet_ac1, raw_agreement):
        found = statistic(units)
        assert found is None or found <= 1 + 1e-12
