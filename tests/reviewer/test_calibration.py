"""Probabilities from scores: golden figures, and that no map changes an order."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.reviewer.policy import calibration

GOLDEN = Path(__file__).parents[3] / "shared" / "design" / "golden_vectors.json"

P, TRUTH = np.array([0.9, 0.8, 0.7, 0.6, 0.3, 0.2]), np.array([1.0, 1, 0, 1, 0, 0])
ONES = np.ones(6)


@pytest.mark.skipif(not GOLDEN.exists(), reason=f"{GOLDEN} is not here")
def test_golden_figures() -> None:
    (golden,) = (one for one in json.loads(GOLDEN.read_text()) if one["id"] == "calibration")
    p, truth = np.array(golden["input"]["p"]), np.array(golden["input"]["y"], float)
    assert calibration.brier(p, truth, np.ones(len(p))) == pytest.approx(golden["expected"]["brier"], abs=1e-9)
    assert calibration.log_loss(p, truth, np.ones(len(p))) == pytest.approx(golden["expected"]["logloss"], abs=1e-9)


def test_known_figures() -> None:
    assert calibration.brier(P, TRUTH, ONES) == pytest.approx(0.1383333333333333, abs=1e-9)
    assert calibration.log_loss(P, TRUTH, ONES) == pytest.approx(0.4371868318, abs=1e-9)
    assert calibration.auc(P, TRUTH, ONES) == pytest.approx(8 / 9)
    assert calibration.auc(np.zeros(6), TRUTH, ONES) == 0.5
    assert calibration.auc(P, ONES, ONES) is None


def test_adjacent_violators_are_pooled() -> None:
    assert calibration.isotonic([0, 1, 0, 1, 1, 1], [1] * 6) == [(0, 1), (0.5, 2), (1, 3)]
    assert calibration.isotonic([1, 0], [1, 3]) == [(0.25, 2)]
    assert calibration.isotonic([], []) == []


def test_a_weight_is_as_many_copies() -> None:
    weight = np.array([2.0, 1, 3, 1, 1, 1])
    copied = np.repeat(P, weight.astype(int)), np.repeat(TRUTH, weight.astype(int))
    for measure in (calibration.brier, calibration.log_loss, calibration.auc):
        assert measure(P, TRUTH, weight) == pytest.approx(measure(*copied, np.ones(9)))


def test_bins_are_of_equal_mass_and_ascend() -> None:
    p = np.linspace(0.01, 0.99, 101)
    bins = calibration.reliability(p, (p > 0.5).astype(float), np.ones(101))
    assert [one["n"] for one in bins] == [11] + [10] * 9
    assert [one["p"] for one in bins] == sorted(one["p"] for one in bins)
    assert (bins[0]["rate"], bins[-1]["rate"]) == (0, 1)


def drawn(count: int, slope: float, shift: float, seed: int = 1) -> tuple[Any, Any]:
    """Scores, and outcomes whose log-odds are slope times score plus shift."""
    chance = np.random.default_rng(seed)
    score = chance.normal(-1, 1.5, count)
    return score, (chance.random(count) < 1 / (1 + np.exp(-(slope * score + shift)))).astype(float)


@pytest.mark.parametrize("count", [800, 4_000])
def test_probabilities_come_out_as_the_rates_are(count: int) -> None:
    score, bad = drawn(count, 1.6, -0.7)
    curve = calibration.curve(score, bad, np.ones(count))
    fresh, truth = drawn(20_000, 1.6, -0.7, seed=2)
    p = np.array([calibration.at(curve, one) for one in fresh.tolist()])
    for one in calibration.reliability(p, truth, np.ones(len(p))):
        assert one["rate"] == pytest.approx(one["p"], abs=0.06)


def test_few_decisions_move_probabilities_little() -> None:
    score = np.array([-2.0, -1, 0, 1])
    slope, shift = calibration.platt(score, np.array([0.0, 0, 0, 1]), np.ones(4))
    assert 0.7 < slope < 1.5
    assert abs(shift) < 1.2


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.floats(-8, 8), st.booleans()), min_size=50, max_size=120),
    st.sampled_from([1, 20]),
    st.integers(0, 2**32 - 1),
)
def test_no_map_changes_an_order(cases: list[tuple[float, bool]], times: int, seed: int) -> None:
    score = np.array([score for score, _ in cases] * times) + np.random.default_rng(seed).normal(
        0, 1e-3, len(cases) * times
    )
    bad = np.array([bad for _, bad in cases] * times, float)
    curve = calibration.curve(score, bad, np.ones(len(score)))
    assert all(left[0] < right[0] and left[1] < right[1] for left, right in pairwise(curve))
    asked = sorted({round(one, 2) for one in score.tolist()})
    p = [calibration.at(curve, one) for one in asked]
    assert p == sorted(p)
    assert all(0 <= one <= 1 for one in p)
