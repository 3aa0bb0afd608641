"""Rates, their intervals, and what the random audit says of all samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.reviewer.policy.acceptance import clopper_pearson_upper, jeffreys, wilson
from holdfast.reviewer.policy.stratified import Stratum, interval, lower_bound, rate, weighted

COUNTS = st.integers(0, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
"""Successes and trials."""


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (8, 10, 0.4901624715, 0.9433178485),
        (0, 10, 0.0, 0.2775327999),
        (10, 10, 0.7224672001, 1.0),
        (45, 50, 0.7863976856, 0.9565242351),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_intervals(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson(successes, trials) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize(("successes", "trials", "low"), [(8, 10, 0.5407928057), (45, 50, 0.8084624858), (0, 0, 0.0)])
def test_one_sided_wilson_bounds(successes: int, trials: int, low: float) -> None:
    assert wilson(successes, trials, confidence=0.9)[0] == pytest.approx(low, abs=1e-9)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (8, 10, 0.4439045377, 0.9747892737),
        (0, 10, 0.0, 0.3084971078),
        (10, 10, 0.6915028922, 1.0),
        (45, 50, 0.7818646336, 0.9667249064),
        (0, 0, 0.0, 1.0),
    ],
)
def test_clopper_pearson_intervals(successes: int, trials: int, low: float, high: float) -> None:
    bounds = (
        1 - clopper_pearson_upper(trials - successes, trials, 0.975),
        clopper_pearson_upper(successes, trials, 0.975),
    )
    assert bounds == pytest.approx((low, high), abs=1e-9)


def test_exact_upper_bounds_without_a_bad_one() -> None:
    # The numbers of samples that prove 10, 5, 2 and 1 %: the least n with .05 >= (1 - p)^n.
    for n, share in ((29, 0.1), (59, 0.05), (149, 0.02), (299, 0.01)):
        assert clopper_pearson_upper(0, n) <= share < clopper_pearson_upper(0, n - 1)
    assert clopper_pearson_upper(0, 0) == 1.0


def test_jeffreys_interval() -> None:
    assert jeffreys(8, 10) == pytest.approx((0.4972255036, 0.9559405864), abs=1e-9)


@pytest.mark.parametrize(
    ("successes", "trials", "low"),
    [
        (8, 10, 0.5299132007),
        (0, 0, 0.05),
        (0, 10, 0.0046521717),
        (10, 10, 0.7615958096),
        (45, 50, 0.8048489591),
    ],
)
def test_bounds_under_a_uniform_prior(successes: int, trials: int, low: float) -> None:
    assert lower_bound([Stratum("all", 1000, trials, successes)]) == pytest.approx(low, abs=1e-9)


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_interval_holds_the_rate(successes: int, trials: int) -> None:
    successes = min(successes, trials)
    low, high = wilson(successes, trials)
    assert 0 <= low <= successes / trials + 1e-12
    assert successes / trials - 1e-12 <= high <= 1


FLAGGED_AND_NOT = [Stratum("flagged", 200, 100, 40), Stratum("unflagged", 800, 40, 36)]


def test_a_stratified_rate() -> None:
    assert rate(FLAGGED_AND_NOT) == pytest.approx(0.8, abs=1e-9)


def test_bounds_on_the_lattice_are_near_the_exact_ones() -> None:
    nothing = [Stratum("flagged", 200), Stratum("unflagged", 800)]
    # By numerical convolution, and sqrt(.016) = .4 * sqrt(.1).
    assert lower_bound(FLAGGED_AND_NOT) == pytest.approx(0.7112646, abs=1.5e-3)
    assert lower_bound(nothing) == pytest.approx(0.1264911, abs=1.5e-3)
    assert lower_bound(FLAGGED_AND_NOT[::-1]) == lower_bound(FLAGGED_AND_NOT)


def test_the_example_of_the_guide() -> None:
    """Half of the flagged samples looked at and 5 % of the others: what is accepted, and what is good."""
    flagged = Stratum("flagged", 200, audited=10, good=4, known=90, known_good=36)
    others = Stratum("unflagged", 800, audited=40, good=38)
    truth = (80 + 760) / 1000
    accepted = flagged.good + flagged.known_good + others.good
    decided = flagged.audited + flagged.known + others.audited
    assert (accepted, decided) == (78, 140)
    assert accepted / decided - truth == pytest.approx(-0.28, abs=0.005)
    assert rate([flagged, others]) == pytest.approx(truth)


def test_no_samples_and_no_decisions() -> None:
    assert rate([]) is None
    assert lower_bound([]) == 0.0
    assert interval([]) == (0.0, 1.0)
    assert rate([Stratum("flagged", 10)]) is None
    # Those that were decided beside the audit say nothing of the others: the worst are looked at first.
    half = [Stratum("flagged", 10, known=5, known_good=0)]
    assert rate(half) is None
    assert interval(half) == (0.0, 0.5)


def test_where_everything_is_decided_nothing_is_estimated() -> None:
    decided = [Stratum("flagged", 10, 2, 2, 8, 1), Stratum("unflagged", 5, 5, 4)]
    assert rate(decided) == pytest.approx(7 / 15)
    assert interval(decided) == pytest.approx((7 / 15, 7 / 15))


def test_a_rate_stays_within_what_is_known() -> None:
    # All audited ones are bad, yet six others were accepted.
    assert rate([Stratum("flagged", 10, 2, 0, 7, 6)]) == 0.6


def test_too_little_is_no_estimate() -> None:
    spread = [Stratum("flagged", 40, 5, 1), Stratum("unflagged", 60)]
    assert rate(spread) is None
    assert rate([Stratum("flagged", 60, 5, 1), Stratum("unflagged", 40)]) == pytest.approx(0.2)


def test_sources_of_one_kind_are_pooled() -> None:
    # Taken one by one, the priors of a hundred small strata would pull the rate to the middle.
    many = [Stratum("unflagged", 50, 4, 4) for _ in range(100)]
    low, high = interval(many)
    assert low > 0.98
    assert high > 0.999
    unequal = [Stratum("unflagged", 1000, 10, 5), Stratum("unflagged", 10, 9, 9)]
    low, high = interval(unequal)
    assert low < 0.3
    assert high > 0.7


def test_weighted_rates_count_an_effective_number_of_trials() -> None:
    assert weighted([(20.0, 10, 5)]) == pytest.approx((0.5, 10))
    share, trials = weighted([(20.0, 10, 5), (1.0, 10, 10)])
    assert share == pytest.approx((100 + 10) / 210)
    assert 10 < trials < 11.1
    assert weighted([]) == (0.0, 0.0)


@settings(max_examples=60)
@given(COUNTS, COUNTS, st.integers(0, 1))
def test_an_accept_never_lowers_a_bound_and_a_reject_never_raises_it(
    flagged: tuple[int, int], unflagged: tuple[int, int], where: int
) -> None:
    def bound(extra: int, good: int) -> float:
        counts = [list(flagged), list(unflagged)]
        counts[where][0] += good
        counts[where][1] += extra
        return lower_bound([Stratum(kind, 100, n, k, 20, 7) for kind, (k, n) in zip("fu", counts, strict=True)])

    assert bound(1, 0) <= bound(0, 0) <= bound(1, 1)


@settings(max_examples=60)
@given(COUNTS, COUNTS, st.integers(0, 1))
def test_an_interval_moves_with_the_decision(flagged: tuple[int, int], unflagged: tuple[int, int], where: int) -> None:
    def ends(good: int) -> tuple[float, float]:
        counts = [list(flagged), list(unflagged)]
        counts[where][0] += good
        counts[where][1] += 1
        return interval([Stratum(kind, 100, n, k, 20, 7) for kind, (k, n) in zip("fu", counts, strict=True)])

    assert all(accepted >= rejected for accepted, rejected in zip(ends(1), ends(0), strict=True))


@pytest.mark.parametrize(("size", "drawn"), [(50, 25), (30, 25), (100, 25), (20, 7), (1000, 50)])
@pytest.mark.parametrize("good", [0.5, 0.8, 0.95])
def test_the_interval_of_a_small_source_covers(size: int, drawn: int, good: float) -> None:
    chance = np.random.default_rng(4)
    samples = chance.random((400, size)) < good
    covered = 0
    for row in samples:
        low, high = interval([Stratum("all", size, drawn, int(row[:drawn].sum()))])
        covered += low <= row.mean() + 1e-9 and row.mean() - 1e-9 <= high
    assert covered / 400 >= 0.93


Sample = tuple[Sequence[Stratum], float, float, float]
"""Strata, the true rate, the rate that the samples were drawn from, and the raw share of accepted decisions."""


def reviewed(chance: np.random.Generator, *, by_score: bool, share: float = 0.5, size: int = 1000) -> Sample:
    """A source, a fifth of it flagged; 5 % of it audited, and a share of the flagged looked at beside that.

    Reviewers take the worst first (`by_score`), or any; flagged samples are good at .4 on average, others at .95.
    """
    flagged = np.arange(size) < size // 5
    score = chance.random(size)
    good_rate = np.where(flagged, 0.4 + 0.7 * (0.5 - score), 0.95)
    good = chance.random(size) < good_rate
    drawn = np.argsort(chance.random(size)) < size // 20
    queue = np.flatnonzero(flagged & ~drawn)
    ranked = queue[np.argsort(-score[queue])] if by_score else queue
    known = np.zeros(size, bool)
    known[ranked[: int(share * len(ranked))]] = True
    strata = [
        Stratum(
            kind,
            int(part.sum()),
            int((part & drawn).sum()),
            int((part & drawn & good).sum()),
            int((part & known).sum()),
            int((part & known & good).sum()),
        )
        for kind, part in (("flagged", flagged), ("unflagged", ~flagged))
    ]
    return strata, float(good.mean()), float(good_rate.mean()), float(good[drawn | known].mean())


@pytest.mark.parametrize("by_score", [False, True])
@pytest.mark.parametrize("share", [0.25, 0.5])
def test_the_estimate_is_unbiased_where_the_raw_rate_is_not(by_score: bool, share: float) -> None:
    chance = np.random.default_rng(11)
    errors, raw, covered = [], [], []
    for _ in range(500):
        strata, truth, _, shown = reviewed(chance, by_score=by_score, share=share)
        found = rate(strata)
        assert found is not None
        errors.append(found - truth)
        raw.append(shown - truth)
        low, high = interval(strata)
        covered.append(low <= truth <= high)
    assert abs(np.mean(errors)) <= 2 * np.std(errors) / 500**0.5
    assert np.mean(raw) < -0.1
    assert np.mean(covered) >= 0.93


def test_unreviewed_flagged_samples_are_not_like_the_audited_ones() -> None:
    """What is left of the flagged is better than they are on the whole, since the worst are looked at first.

    An estimate that took the audited ones for a sample of what is left would be off by many standard errors.
    """
    chance = np.random.default_rng(5)
    errors = []
    for _ in range(500):
        strata, truth, _, _ = reviewed(chance, by_score=True)
        total = sum(
            one.known_good + (one.size - one.known) * (one.good / one.audited if one.audited else 0.4) for one in strata
        )
        errors.append(total / 1000 - truth)
    assert abs(np.mean(errors)) > 5 * np.std(errors) / 500**0.5


DESIGNS = [
    # N, n and the true rate of each stratum.
    ((200, 10, 0.4), (800, 40, 0.95)),
    ((200, 100, 0.4), (800, 40, 0.9)),
    ((50, 5, 0.1), (950, 45, 0.99)),
    ((500, 25, 0.6), (500, 25, 0.8)),
    ((300, 0, 0.5), (700, 30, 0.9)),
]


@pytest.mark.parametrize("design", DESIGNS)
def test_coverage_of_the_bound(design: Sequence[tuple[int, int, float]]) -> None:
    chance = np.random.default_rng(3)
    truth = sum(size * good for size, _, good in design) / sum(size for size, _, _ in design)
    below = 0
    for _ in range(400):
        strata = [
            Stratum(f"{place}", size, n, int(chance.binomial(n, good))) for place, (size, n, good) in enumerate(design)
        ]
        below += lower_bound(strata) <= truth
    assert below / 400 >= 0.95
