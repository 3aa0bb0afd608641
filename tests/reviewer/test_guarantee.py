"""The guarantee of approving without a look: that it holds where it is given, and that it is given where it can be."""

from __future__ import annotations

import random
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.reviewer.policy.acceptance import clopper_pearson_upper
from holdfast.reviewer.policy.guarantee import Audited, Proof, enough, grid, held_out, prove, represented

RISK, CONFIDENCE = 0.05, 0.95
PROJECTS = 600


def evidence(*found: tuple[float, bool], stratum: int = 0) -> list[Audited]:
    return [Audited(f"{stratum}-{number}", (stratum, 0), p, bad) for number, (p, bad) in enumerate(found)]


def proof_of(found: list[Audited], thresholds: list[float]) -> Proof:
    return prove(found, thresholds, risk=RISK, confidence=CONFIDENCE)


@pytest.mark.parametrize(
    ("risk", "bad", "least"), [(0.05, 0, 59), (0.02, 0, 149), (0.01, 0, 299), (0.1, 0, 29), (0.05, 1, 93)]
)
def test_so_many_audited_samples_are_enough(risk: float, bad: int, least: int) -> None:
    assert enough(risk, CONFIDENCE, bad) == least
    assert clopper_pearson_upper(bad, least, CONFIDENCE) <= risk < clopper_pearson_upper(bad, least - 1, CONFIDENCE)


def test_fifty_nine_without_a_bad_one_prove_five_percent_and_fifty_eight_do_not() -> None:
    assert proof_of(evidence(*[(0.1, False)] * 59), [0.1]).threshold == 0.1
    assert proof_of(evidence(*[(0.1, False)] * 58), [0.1]).threshold is None
    assert proof_of(evidence((0.1, True), *[(0.1, False)] * 59), [0.1]).threshold is None


def test_it_stops_at_the_first_threshold_that_fails() -> None:
    found = evidence(*[(0.1, False)] * 200, *[(0.2, True)] * 20, *[(0.3, False)] * 2000)
    assert proof_of(found, [0.1, 0.2, 0.3]) == Proof(0.1, 200, 0, clopper_pearson_upper(0, 200, CONFIDENCE))


def test_thresholds_with_too_little_below_them_do_not_end_it() -> None:
    found = evidence((0.01, True), *[(0.1, False)] * 200)
    assert proof_of(found, [0.01, 0.1]).threshold == 0.1


def test_nothing_is_proven_by_nothing() -> None:
    assert proof_of([], [0.1]) == Proof(None, 0, 0, 1.0)
    assert proof_of([], []) == Proof(None, 0, 0, 1.0)
    assert grid([]) == []


def test_the_thresholds_are_tenths_of_the_candidates() -> None:
    assert grid([number / 100 for number in range(100, 0, -1)]) == [tenth / 10 for tenth in range(1, 11)]
    assert grid([0.1] * 50) == [0.1]


@given(st.lists(st.booleans(), min_size=1, max_size=150), st.data())
def test_a_bad_one_more_proves_nothing_more(bad: list[bool], data: st.DataObject) -> None:
    p_bad = data.draw(st.lists(st.sampled_from([0.1, 0.2, 0.3]), min_size=len(bad), max_size=len(bad)))
    before = proof_of(evidence(*zip(p_bad, bad, strict=True)), [0.1, 0.2, 0.3]).threshold
    place = data.draw(st.integers(0, len(bad) - 1))
    after = proof_of(evidence(*zip(p_bad, [*bad[:place], True, *bad[place + 1 :]], strict=True)), [0.1, 0.2, 0.3])
    assert (after.threshold or 0) <= (before or 0)


def project(rng: random.Random) -> tuple[list[Audited], list[float], list[bool]]:
    """What was audited of a project whose share of bad samples lies about the risk, and p_bad and truth of the rest."""
    rate, sharp = rng.choice([0.02, 0.055, 0.06, 0.08]), rng.choice([0.0, 0.0, 0.5])
    audited, p_bad, truth = [], [], []
    for number in range(rng.choice([1200, 2000, 3000])):
        doubt = rng.choice([-1, 1]) * sharp
        bad = rng.random() < rate * (1 + doubt)
        if rng.random() < 0.05:
            audited.append(Audited(str(number), (0, 0), round(rate * (1 + doubt), 3), bad))
        else:
            p_bad.append(round(rate * (1 + doubt), 3))
            truth.append(bad)
    return audited, p_bad, truth


def too_bad(threshold: float | None, p_bad: list[float], truth: list[bool]) -> bool:
    """Whether more bad samples are approved than the risk allows for."""
    approved = [bad for p, bad in zip(p_bad, truth, strict=True) if threshold is not None and p <= threshold]
    return sum(approved) > RISK * len(approved)


def test_the_share_of_bad_samples_exceeds_the_risk_as_rarely_as_promised_and_a_point_estimate_does_not() -> None:
    broken = naive = given_at_all = 0
    for number in range(PROJECTS):
        audited, p_bad, truth = project(random.Random(number))
        threshold = proof_of(audited, grid(p_bad)).threshold
        given_at_all += threshold is not None
        broken += too_bad(threshold, p_bad, truth)
        shares = {limit: [one.bad for one in audited if one.p_bad <= limit] for limit in grid(p_bad)}
        low = [limit for limit, found in shares.items() if found and sum(found) <= RISK * len(found)]
        naive += too_bad(max(low, default=None), p_bad, truth)
    allowed = 1 - CONFIDENCE
    slack = 3 * sqrt(allowed * CONFIDENCE / PROJECTS)
    assert broken / PROJECTS <= allowed + slack
    assert given_at_all / PROJECTS > 0.05
    assert naive / PROJECTS > allowed + 5 * slack


def test_evidence_stands_for_strata_in_proportion_to_their_candidates() -> None:
    found = [*evidence(*[(0.1, False)] * 400, stratum=1), *evidence(*[(0.1, True)] * 150, stratum=2)]
    strata, kept = represented({(1, 0): 1000, (2, 0): 1000}, found, least=59)
    assert set(strata) == {(1, 0), (2, 0)}
    counts = [sum(one.stratum == stratum for one in kept) for stratum in ((1, 0), (2, 0))]
    assert counts[1] == 150
    assert 110 <= counts[0] <= 190


def test_what_was_not_looked_at_is_not_stood_for() -> None:
    looked = evidence(*[(0.1, False)] * 300, stratum=1)
    barely = evidence(*[(0.1, False)] * 2, stratum=2)
    strata, kept = represented({(1, 0): 5000, (2, 0): 5000, (3, 0): 5000}, looked + barely, least=59)
    assert (set(strata), len(kept)) == ({(1, 0)}, 300)
    assert represented({(3, 0): 5000}, looked, least=59) == (frozenset(), [])


@given(st.dictionaries(st.integers(0, 4), st.tuples(st.integers(0, 500), st.integers(0, 60)), min_size=1))
def test_only_counts_decide_what_is_evidence(strata: dict[int, tuple[int, int]]) -> None:
    candidates = {(key, 0): count for key, (count, _) in strata.items()}
    good = [one for key, (_, looked) in strata.items() for one in evidence(*[(0.1, False)] * looked, stratum=key)]
    bad = [Audited(one.uid, one.stratum, one.p_bad, True) for one in good]
    of_good, of_bad = represented(candidates, good, least=59), represented(candidates, bad, least=59)
    assert of_good[0] == of_bad[0]
    assert [one.uid for one in of_good[1]] == [one.uid for one in of_bad[1]]
    assert of_good == represented(dict(reversed(candidates.items())), good, least=59)


def test_half_of_the_audit_is_kept_from_the_learner() -> None:
    assert 450 < sum(held_out(str(number)) for number in range(1000)) < 550
