"""Outcomes are functions of stored scores: whatever limits come later, no check has to run for them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.db.models import Finding, Outcome, Severity, Verdict
from holdfast.verifiers import Threshold, above, below
from holdfast.verifiers.outcomes import derive, rederive, settle

LIMIT = st.builds(Threshold, st.sampled_from(["above", "below"]), st.floats(0, 1))
LIMITS = st.fixed_dictionaries({"flag_at": LIMIT, "fail_at": LIMIT})
SCORES = st.builds(lambda value: Verdict.score(value, code="odd", message="is odd", span=(0, 1)), st.floats(0, 1))
VERDICTS = st.one_of(
    SCORES, st.just(Verdict.abstain()), st.just(Verdict.flag("x", "y")), st.just(Verdict.fail("x", "y"))
)


@pytest.mark.parametrize(
    ("value", "outcome"), [(0.5, Outcome.PASS), (0.51, Outcome.FLAG), (0.9, Outcome.FLAG), (0.91, Outcome.FAIL)]
)
def test_a_limit_is_crossed_beyond_it(value: float, outcome: Outcome) -> None:
    assert derive(value, {"flag_at": above(0.5), "fail_at": above(0.9)}) is outcome


def test_below_is_the_other_side() -> None:
    assert derive(0.1, {"flag_at": below(0.2)}) is Outcome.FLAG
    assert derive(0.2, {"flag_at": below(0.2)}) is Outcome.PASS


def test_findings_stay_only_beyond_a_limit_and_take_its_severity() -> None:
    scored = Verdict.score(0.8, code="odd", message="is odd", span=(2, 5))
    flagged = settle(scored, "oddness", {"flag_at": above(0.5)})
    assert flagged == Verdict(Outcome.FLAG, 0.8, (Finding("odd", Severity.WARN, "is odd", (2, 5)),))
    failed = settle(scored, "oddness", {"fail_at": above(0.5)})
    assert [one.severity for one in failed.findings] == [Severity.BLOCK]
    assert settle(scored, "oddness", {"flag_at": above(0.9)}) == Verdict(Outcome.PASS, 0.8)


def test_a_score_that_was_kept_without_findings_gets_one_that_names_the_limit() -> None:
    first = settle(Verdict(Outcome.PASS, 0.8), "word_oddness", {"flag_at": above(0.5)})
    assert [(one.code, one.message) for one in first.findings] == [
        ("beyond-limit", "word oddness 0.8 is above the limit 0.5")
    ]
    later = settle(first, "word_oddness", {"flag_at": above(0.7)})
    assert [one.message for one in later.findings] == ["word oddness 0.8 is above the limit 0.7"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_no_number_is_an_error_never_a_pass(value: float) -> None:
    verdict = settle(Verdict.score(value), "oddness", {})
    assert verdict.outcome is Outcome.ERROR
    assert "oddness" in verdict.findings[0].message


def _run(verdicts: list[Verdict], limits: list[tuple[str, dict[str, Threshold]]], human: bool) -> list[Verdict | None]:
    """What a stack does: settle one after the other, stop at the first fail of a sample that no human wrote."""
    done: list[Verdict | None] = []
    for verdict, (name, thresholds) in zip(verdicts, limits, strict=True):
        stop = not human and any(one is not None and one.outcome is Outcome.FAIL for one in done)
        done.append(None if stop else settle(verdict, name, thresholds))
    return done


@given(st.lists(st.tuples(VERDICTS, LIMITS, LIMITS), max_size=6), st.booleans())
def test_deriving_again_gives_the_outcomes_of_a_run(
    rows: list[tuple[Verdict, dict[str, Threshold], dict[str, Threshold]]], human: bool
) -> None:
    names = [f"check_{number}" for number in range(len(rows))]
    before = _run([row[0] for row in rows], list(zip(names, [row[1] for row in rows], strict=True)), human)
    after = list(zip(names, [row[2] for row in rows], strict=True))
    derived = rederive(before, after, human=human)
    expected = _run([row[0] for row in rows], after, human)
    if derived is None:
        stop = next(at for at, verdict in enumerate(before) if verdict is None)
        assert expected[stop] is not None
    else:
        assert [one and one.outcome for one in derived] == [one and one.outcome for one in expected]
        assert [one and one.value for one in derived] == [one and one.value for one in expected]


@pytest.mark.parametrize(
    ("severities", "outcome"),
    [
        ([], Outcome.PASS),
        ([Severity.INFO], Outcome.PASS),
        ([Severity.INFO, Severity.WARN], Outcome.FLAG),
        ([Severity.WARN, Severity.BLOCK], Outcome.FAIL),
    ],
)
def test_the_gravest_of_several_findings_decides(severities: list[Severity], outcome: Outcome) -> None:
    findings = [Finding(f"code-{at}", severity, "text") for at, severity in enumerate(severities)]
    verdict = Verdict.found(findings)
    assert verdict.outcome is outcome
    assert verdict.findings == tuple(findings)
