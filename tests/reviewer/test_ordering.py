"""The rule score and the audit draw: what they promise whatever the verdicts."""

from __future__ import annotations

import hashlib

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
    Stream,
    Verdict,
    VerifierSpec,
)
from holdfast.db.states import QueueEntry
from holdfast.reviewer.policy.audit_draw import audit_draw, audit_thresholds
from holdfast.reviewer.policy.estimator import PRIOR
from holdfast.reviewer.policy.ordering import rank

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
def test_the_terms_add_up_to_the_priority_and_name_no_stream(
    verdicts: list[Verdict | None], audit: bool, provenance: Provenance, uid: str
) -> None:
    entry = ranked(*verdicts, uid=uid, audit=audit, provenance=provenance)
    if entry is None:
        assert not audit
        return
    assert sum(value for _, value in entry.why) == pytest.approx(entry.priority, abs=1e-9)
    assert 0 <= entry.priority <= 1.01
    assert 0 <= entry.p_bad <= 1
    assert all(value >= 0 for _, value in entry.why)
    assert not any(stream.value in term for term, _ in entry.why for stream in Stream)


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
    assert priorities[0] < PRIOR + 0.01
    assert priorities[-1] > 0.99
    flagged = ranked(Verdict.flag("x", "y"))
    assert flagged is not None
    above = sum(priority > flagged.priority for priority in priorities)
    assert 0.4 * len(priorities) < above < 0.6 * len(priorities)


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
