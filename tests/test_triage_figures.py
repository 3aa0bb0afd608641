"""The figures that `make bench-triage` prints, against values worked out by hand."""

from __future__ import annotations

import pytest
from triage import figures
from triage.cases import thinned

BAD = [True, False, False, True, False]


def test_recall_counts_the_bad_among_the_first_looks_ties_by_uid() -> None:
    order = figures.order([0.9, 0.5, 0.5, 0.5, None], ["e", "d", "c", "b", "a"])
    assert order == [0, 3, 2, 1]
    assert figures.recall(order, BAD, 0.2) == 0.5
    assert figures.recall(order, BAD, 0.4) == 1
    assert figures.recall([1], BAD, 0.4) == 0


def test_the_area_counts_ties_half() -> None:
    assert figures.auc([1, 0, 0, 1, 0], BAD) == 1
    assert figures.auc([0, 1, 1, 0, 1], BAD) == 0
    assert figures.auc([1, 1, 1, 1, 1], BAD) == 0.5
    # Pairs won of six: 0.5 + 1 + 1 by the first bad sample, 0 + 1 + 0 by the second.
    assert figures.auc([0.9, 0.9, 0.1, 0.2, 0.3], BAD) == pytest.approx(3.5 / 6)


def test_calibration_against_the_golden_vector() -> None:
    p, bad = (0.9, 0.8, 0.7, 0.6, 0.3, 0.2), (True, True, False, True, False, False)
    assert figures.brier(p, bad) == pytest.approx(0.1383333333)
    assert figures.log_loss(p, bad) == pytest.approx(0.4371868318)
    assert [value for one in figures.reliability(p, bad, 2) for value in one] == pytest.approx(
        [1.1 / 3, 1 / 3, 2.4 / 3, 2 / 3]
    )


def test_a_thinned_batch_keeps_all_good_samples_and_a_tenth_of_bad_ones() -> None:
    truth = {f"{number}": number % 2 == 0 for number in range(180)}
    kept = thinned(truth, 1)
    assert len(kept) == 100
    assert sum(truth[one] for one in kept) == 10
    assert kept == thinned(dict(reversed(truth.items())), 1) != thinned(truth, 2)


def test_a_score_stands_above_the_share_below_it_and_half_of_its_equals() -> None:
    assert [figures.standing(score, [0.1, 0.2, 0.2, 0.9]) for score in (0.1, 0.2, 0.5, 1.0)] == [0.125, 0.5, 0.75, 1]
