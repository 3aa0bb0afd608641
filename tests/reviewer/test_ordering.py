"""What a look is worth, and what makes it up: what the order promises whatever the verdicts."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.db.models import (
    PASS,
    Finding,
    Layer,
    Outcome,
    Provenance,
    SampleVerdicts,
    Severity,
    Status,
    Stream,
    Verdict,
    VerifierSpec,
)
from holdfast.db.ranking import Rankable
from holdfast.db.states import QueueEntry
from holdfast.reviewer.policy.estimator import PRIOR, Estimate
from holdfast.reviewer.policy.ordering import Clusters, Placing, entry_of, evr, rank

SPECS = tuple(VerifierSpec(f"check_{number}", "1", Layer.FORMAT) for number in range(6))
NOTE = Verdict(Outcome.PASS, None, (Finding("noted", Severity.INFO, "by the way"),))
VERDICT = st.sampled_from(
    [
        PASS,
        NOTE,
        None,
        Verdict.abstain(),
        Verdict.flag("odd", "is odd"),
        Verdict.fail("bad", "is bad"),
        Verdict.error("broke"),
    ]
)
UIDS = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(2000)]


def ranked(
    *verdicts: Verdict | None, uid: str = UIDS[0], audit: bool = False, provenance: Provenance = Provenance.SYNTHETIC
) -> QueueEntry | None:
    """The place of a sample with these verdicts."""
    return rank(SPECS[: len(verdicts)], SampleVerdicts(uid, verdicts), provenance, audit=audit)


@given(st.lists(VERDICT, max_size=6), st.booleans(), st.sampled_from(list(Provenance)), st.sampled_from(UIDS))
def test_the_terms_add_up_to_the_provisional_priority(
    verdicts: list[Verdict | None], audit: bool, provenance: Provenance, uid: str
) -> None:
    entry = ranked(*verdicts, uid=uid, audit=audit, provenance=provenance)
    if entry is None:
        assert not audit
        return
    assert sum(value for _, value in entry.why) == pytest.approx(entry.priority, abs=1e-9)
    assert 0 <= entry.priority <= evr(1)
    assert 0 <= entry.p_bad <= 1
    assert (entry.p_shown is not None) == audit
    assert [term for term, _ in entry.why if term in set(Stream)] in ([], ["audit"] if audit else [])


@given(
    st.lists(VERDICT, max_size=5), st.sampled_from([Verdict.flag("x", "y"), Verdict.fail("x", "y"), Verdict.error("z")])
)
def test_another_finding_makes_bad_likelier(verdicts: list[Verdict | None], more: Verdict) -> None:
    human = Provenance.HUMAN
    before, after = ranked(*verdicts, provenance=human), ranked(*verdicts, more, provenance=human)
    assert after is not None
    assert before is None or after.p_bad > before.p_bad


def test_graver_findings_come_first() -> None:
    entries = [
        ranked(verdict, provenance=Provenance.HUMAN)
        for verdict in (Verdict.fail("bad", "x"), Verdict.flag("odd", "x"), Verdict.error("x"))
    ]
    priorities = [entry.priority for entry in entries if entry is not None]
    assert priorities == sorted(priorities, reverse=True)
    assert len(priorities) == 3


def test_all_reasons_are_kept_once_in_stack_order() -> None:
    odd = Verdict.flag("odd", "x")
    found = (odd, NOTE, Verdict.error("x"), odd, Verdict.fail("bad", "x"))
    entry = ranked(*found, provenance=Provenance.HUMAN)
    assert entry is not None
    assert entry.reasons == ("odd", "verifier-error", "bad")
    assert [term for term, _ in entry.why][:3] == ["any sample", "check_4: bad", "check_0: odd"]


@pytest.mark.parametrize(
    ("verdict", "provenance", "audit", "stream"),
    [
        (PASS, Provenance.SYNTHETIC, False, None),
        (PASS, Provenance.SYNTHETIC, True, Stream.AUDIT),
        (Verdict.flag("x", "y"), Provenance.SYNTHETIC, True, Stream.FLAGGED),
        (Verdict.error("y"), Provenance.SYNTHETIC, False, Stream.FLAGGED),
        (Verdict.fail("x", "y"), Provenance.SYNTHETIC, False, None),
        (Verdict.fail("x", "y"), Provenance.SYNTHETIC, True, Stream.AUDIT),
        (Verdict.fail("x", "y"), Provenance.UNKNOWN, False, None),
        (Verdict.fail("x", "y"), Provenance.HUMAN, False, Stream.FLAGGED),
    ],
)
def test_the_stream_says_what_brought_a_sample_here(
    verdict: Verdict, provenance: Provenance, audit: bool, stream: Stream | None
) -> None:
    entry = ranked(verdict, provenance=provenance, audit=audit)
    assert (entry and entry.stream) == stream


def test_audited_samples_spread_over_the_range_of_the_flagged() -> None:
    entries = [ranked(PASS, uid=uid, audit=True) for uid in UIDS]
    priorities = sorted(entry.priority for entry in entries if entry is not None)
    assert priorities[0] < evr(PRIOR + 0.01)
    assert priorities[-1] > evr(0.99)
    flagged = ranked(Verdict.flag("x", "y"))
    assert flagged is not None
    above = sum(priority > flagged.priority for priority in priorities)
    assert 0.4 * len(priorities) < above < 0.6 * len(priorities)


def test_the_value_of_a_look_is_what_is_expected_without_it_less_what_is_expected_with_it() -> None:
    # Nobody looks: .3 * 5. A reviewer who is right in 19 of 20: .7 * .05 + .3 * .05 * 5.
    assert evr(0.3, 5) == pytest.approx(1.5 - 0.035 - 0.075)
    assert evr(0.0) == evr(0.01) == 0
    assert evr(1, 5) == 4.75


TERM = st.tuples(st.sampled_from(["a: x", "b: y", "c: z", "its text"]), st.floats(-4, 4))
TERMS = st.lists(TERM, max_size=6, unique_by=lambda one: one[0])


def sample(uid: str = UIDS[0], *, audit: bool = False, flagged: bool = True, **fields: Any) -> Rankable:
    """A sample as the order sees it."""
    values = {
        "sample_id": 1, "uid": uid, "source": "model-a", "provenance": Provenance.SYNTHETIC, "model": "model-a",
        "generation": 1, "task": None, "domain": None, "label": None, "tokens": 5, "audit": audit,
        "flagged": flagged, "status": Status.FLAGGED, "verdicts": (), "prompt": "p", "response": "r",
    }  # fmt: skip
    return Rankable(**{**values, **fields})


def estimate(*terms: tuple[str, float], base: float = -2.0) -> Estimate:
    """An estimate from its terms in log-odds."""
    logit = base + sum(value for _, value in terms)
    return Estimate(1 / (1 + math.exp(-logit)), (("any sample", base), *terms))


SIZES = sorted((int(UIDS[at][:15], 16), size) for at, size in ((5, 3), (7, 4), (8, 0)))
PLACING = Placing(
    exploration=0.1,
    share=0.4,
    drawn=(0.1, 0.2, 0.5, 0.9),
    looks={"model-a": 3},
    turns={UIDS[5]: 0, UIDS[6]: 1},
    rounds=2,
    clusters=Clusters([key for key, _ in SIZES], [size for _, size in SIZES]),
)


@given(
    TERMS, st.sampled_from(UIDS[:12]), st.booleans(), st.booleans(), st.sampled_from(list(Provenance)),
    st.sampled_from([0.001, 5.0, 1000.0]),
)  # fmt: skip
def test_the_terms_of_an_ordering_add_up(
    terms: list[tuple[str, float]], uid: str, audit: bool, flagged: bool, provenance: Provenance, cost: float
) -> None:
    one = sample(uid, audit=audit, flagged=flagged, provenance=provenance)
    entry = entry_of(one, estimate(*terms), replace(PLACING, cost=cost), 7)
    assert sum(value for _, value in entry.why) == pytest.approx(entry.priority, abs=1e-9)
    assert entry.version == 7
    assert entry.stream == (Stream.FLAGGED if flagged else Stream.AUDIT)
    assert entry.p_bad == round(estimate(*terms).p_bad, 6)
    if audit:
        assert entry.p_shown is not None
        assert entry.p_shown in PLACING.drawn
        share = 1.0 if provenance is Provenance.HUMAN else 0.4
        assert entry.priority == pytest.approx(share * evr(entry.p_shown, cost) + 0.05, abs=1e-6)
        assert all(term != "audit" for term, _ in entry.why[:-1])
    else:
        assert entry.p_shown is None
        assert not any(term in set(Stream) for term, _ in entry.why)


@given(TERMS, TERMS)
def test_an_audited_place_does_not_depend_on_what_is_known(
    one: list[tuple[str, float]], other: list[tuple[str, float]]
) -> None:
    found = [entry_of(sample(audit=True), estimate(*terms), PLACING, 1) for terms in (one, other)]
    assert found[0].priority == found[1].priority
    assert found[0].p_shown == found[1].p_shown


def test_terms_keep_their_order_and_each_is_what_it_adds() -> None:
    entry = entry_of(sample(), estimate(("large", -3.0), ("middle", 2.0), ("small", 0.5)), Placing(), 1)
    assert [term for term, _ in entry.why] == ["any sample", "large", "middle", "small"]
    assert entry.priority == pytest.approx(evr(entry.p_bad), abs=1e-5)
    assert entry.why[1][1] < 0 < entry.why[2][1]


def test_what_weighs_beside_the_estimate_is_named() -> None:
    def words(uid: str, **fields: Any) -> list[str]:
        return [term for term, _ in entry_of(sample(uid, **fields), estimate(("odd", 3.0)), PLACING, 1).why][2:]

    fits, known = "40% of its kind fits into the mix", "little is known of its source"
    assert words(UIDS[0]) == [fits, known]
    assert words(UIDS[0], provenance=Provenance.HUMAN) == [known]
    assert words(UIDS[7]) == [fits, "stands for 4 near-duplicates", known]
    assert words(UIDS[8]) == [fits, "another stands for its near-duplicates", known]
    assert words(UIDS[6]) == [fits, known, "its source's turn"]


def test_a_cluster_comes_by_its_size_and_its_copies_come_late() -> None:
    head, copy, other = (entry_of(sample(UIDS[at]), estimate(("odd", 3.0)), PLACING, 1) for at in (7, 8, 0))
    assert head.priority - 0.05 == pytest.approx(4 * (other.priority - 0.05), abs=1e-5)
    assert copy.priority - 0.05 == pytest.approx(0.1 * (other.priority - 0.05), abs=1e-5)


@pytest.mark.parametrize(("cost", "exploration"), [(5, 0.1), (5, 20), (0.02, 0.1), (1000, 0)])
def test_turns_come_before_all_else_round_by_round(cost: float, exploration: float) -> None:
    placing = Placing(
        cost=cost,
        exploration=exploration,
        looks={"model-a": 9},
        turns={UIDS[0]: 0, UIDS[1]: 0, UIDS[2]: 1},
        rounds=2,
        clusters=Clusters([int(UIDS[3][:15], 16)], [40]),
    )
    places = [
        entry_of(sample(UIDS[at], source=source), estimate(("odd", odd)), placing, 1).priority
        for at, odd, source in ((0, 7.0, "model-a"), (1, 5.0, "model-a"), (2, 6.0, "model-a"), (3, 9.0, "model-b"))
    ]
    assert places == sorted(places, reverse=True)


def test_sources_with_few_looks_come_first_among_equals() -> None:
    placing = Placing(exploration=0.1, looks={"model-a": 8})
    seen, unseen = (entry_of(sample(source=source), estimate(), placing, 1) for source in ("model-a", "model-b"))
    assert unseen.priority - seen.priority == pytest.approx(0.1 - 0.1 / 3, abs=1e-6)
