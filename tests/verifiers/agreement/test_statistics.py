"""The mathematics of agreement, against published and hand-worked values."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.verifiers.agreement import statistics

scores = st.lists(st.floats(0, 1), min_size=2, max_size=12)
weights = st.lists(st.just(0.0) | st.floats(1e-6, 100), min_size=1, max_size=8)
labels = st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("ABCD")), min_size=1, max_size=20)


def test_three_scores_of_ten() -> None:
    given = [8, 3, 7]
    assert statistics.d_score(given, lo=1, hi=10) == pytest.approx(0.37037037037037035, abs=1e-9)


@given(scores)
def test_the_score_of_disagreement_is_the_mean_over_all_pairs(values: list[float]) -> None:
    pairs = [abs(one - other) for place, one in enumerate(values) for other in values[:place]]
    assert statistics.d_score(values) == pytest.approx(sum(pairs) / len(pairs), abs=1e-12)


def test_a_hundred_thousand_judges_are_no_obstacle() -> None:
    assert statistics.d_score([0.0, 1.0] * 50_000) == pytest.approx(0.5, abs=1e-5)


def test_entropy_of_two_against_one() -> None:
    assert statistics.normalised_entropy([2, 1]) == pytest.approx(0.9182958340544896, abs=1e-9)
    assert statistics.normalised_entropy([2, 1], classes=4) == pytest.approx(0.9182958340544896 / 2, abs=1e-9)


def test_position_consistency_counts_items_not_places() -> None:
    assert statistics.position_consistency([("x", "x"), ("x", "y"), ("tie", "tie"), ("y", "tie")]) == 0.5


def test_the_gap_has_a_sign() -> None:
    assert statistics.generator_gap([0.9], [0.5, 0.3]) == pytest.approx(0.5)
    assert statistics.generator_gap([0.2], [0.5]) == pytest.approx(-0.3)


def test_a_family_has_one_vote_however_many_judges_it_sends() -> None:
    votes = [("kelp", "A"), ("kelp", "A"), ("kelp", "B"), ("wrack", "B"), ("dulse", "B")]
    assert statistics.shares_by_family(votes) == pytest.approx({"A": 2 / 9, "B": 7 / 9})
    assert statistics.shares_by_family([("kelp", "A"), ("kelp", "B")]) == pytest.approx({"A": 0.5, "B": 0.5})
    assert statistics.mean_by_family([("kelp", 1.0), ("kelp", 0.0), ("wrack", 0.2)]) == {"kelp": 0.5, "wrack": 0.2}


def test_one_opinion_is_no_disagreement_but_an_error() -> None:
    with pytest.raises(ValueError, match="two values"):
        statistics.d_score([1.0])


@given(scores, st.floats(0.1, 50), st.floats(-20, 20))
def test_disagreement_lies_between_none_and_all_on_any_scale(given: list[float], unit: float, shift: float) -> None:
    value = statistics.d_score(given)
    assert -1e-12 <= value <= 1 + 1e-9
    moved = [unit * one + shift for one in given]
    assert statistics.d_score(moved, lo=shift, hi=unit + shift) == pytest.approx(value, abs=1e-6)
    assert statistics.d_score(given[::-1]) == pytest.approx(value)
    assert statistics.d_score([given[0]] * len(given)) == pytest.approx(0, abs=1e-9)


@given(weights, st.floats(0.01, 100))
def test_entropy_depends_on_shares_alone(some: list[float], factor: float) -> None:
    value = statistics.normalised_entropy(some)
    assert 0 <= value <= 1
    assert statistics.normalised_entropy([weight * factor for weight in some]) == pytest.approx(value, abs=1e-9)


@given(labels)
def test_the_families_shares_add_up(votes: list[tuple[str, str]]) -> None:
    shares = statistics.shares_by_family(votes)
    assert math.fsum(shares.values()) == pytest.approx(1)
    assert shares == pytest.approx(statistics.shares_by_family(votes * 3))
    assert shares[statistics.leading(shares)] == max(shares.values())
