"""Checks of judges' votes: against the sample, against each other, and against the generator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.db.models import Message, Outcome, Sample, Verdict, Vote
from holdfast.verifiers import Context, Verifier
from holdfast.verifiers.agreement.generator_gap import generator_gap
from holdfast.verifiers.agreement.label_votes import label_votes
from holdfast.verifiers.agreement.order_flips import order_flips
from holdfast.verifiers.agreement.vote_disagreement import label_disagreement, score_disagreement
from holdfast.verifiers.outcomes import settle

MakeSample = Callable[..., Sample]

ALL: list[Verifier[...]] = [generator_gap, label_votes, order_flips, label_disagreement, score_disagreement]
NAMES = ("kelp", "wrack", "dulse", "fucus", "laver", "nori", "wakame", "kombu", "agar", "moss", "tang", "lettuce")


def judged(verifier: Verifier[...], sample: Sample, votes: Sequence[Vote], **options: Any) -> Verdict:
    """What a verifier says of a sample with votes on it."""
    chosen = verifier.settings(options)
    ctx = Context(votes_by_uid={sample.uid: tuple(votes)})
    verdict = verifier.function(sample, ctx, **chosen.options, **chosen.thresholds)
    return settle(verdict, verifier.name, chosen.thresholds)


def labels(*given: str) -> list[Vote]:
    """One vote a judge, each of another family."""
    return [Vote(f"{name}-1", label=label) for name, label in zip(NAMES, given, strict=False)]


def scores(*given: float, **fields: Any) -> list[Vote]:
    """One score of ten a judge, each of another family."""
    return [Vote(f"{name}-1", score=score, max=10, **fields) for name, score in zip(NAMES, given, strict=False)]


@pytest.mark.parametrize("verifier", ALL)
def test_they_read_votes_and_abstain_without_any(verifier: Verifier[...], sample: MakeSample) -> None:
    assert verifier.reads_votes
    one = sample(label="A", metadata_json='{"quality": 9}')
    assert judged(verifier, one, []).outcome is Outcome.ABSTAIN
    unread = [Vote("kelp-1", reason="no verdict found"), Vote("wrack-1", criterion="clarity")]
    assert judged(verifier, one, unread).outcome is Outcome.ABSTAIN


def test_most_say_another_label(sample: MakeSample) -> None:
    verdict = judged(label_votes, sample(label="A"), labels(*"BBBBBBBBBAAC"))
    assert verdict.value == pytest.approx(10 / 12)
    assert verdict.outcome is Outcome.FLAG
    assert verdict.findings[0].message == "nine of twelve models say B; the sample says A"
    assert judged(label_votes, sample(label="B"), labels(*"BBBBBBBBBAAC")).outcome is Outcome.PASS


def test_labels_are_compared_without_case_and_surroundings(sample: MakeSample) -> None:
    assert judged(label_votes, sample(label="Positive"), labels("positive", "POSITIVE.", '"positive"')).value == 0
    assert judged(label_votes, sample(label=None), labels("A")).outcome is Outcome.ABSTAIN


def test_a_family_has_one_vote(sample: MakeSample) -> None:
    votes = [*labels("A", "A"), *(Vote(f"sargassum-{size}", label="B") for size in range(8))]
    assert judged(label_votes, sample(label="A"), votes).value == pytest.approx(1 / 3)
    declared = [Vote(f"j{size}", family="Sargassum", label="B") for size in range(8)]
    assert judged(label_votes, sample(label="A"), [*labels("A", "A"), *declared]).value == pytest.approx(1 / 3)
    strangers = [Vote(f"judge-{size}", label="B") for size in range(8)]
    assert judged(label_votes, sample(label="A"), [*labels("A", "A"), *strangers]).value == pytest.approx(0.8)


def test_the_own_family_has_none_but_is_mentioned(sample: MakeSample) -> None:
    mine = sample(label="A", model="kelp-7b")
    verdict = judged(label_votes, mine, labels("A", "B", "B"))
    assert verdict.value == 1
    assert verdict.findings[0].message == "both models say B; the sample says A (one of its own family not counted)"
    assert judged(label_votes, mine, labels("A")).outcome is Outcome.ABSTAIN
    human = sample(label="A", model=None, provenance="human", generation=0)
    assert judged(label_votes, human, labels("A")).value == 0


@pytest.mark.parametrize(
    ("model", "family", "judge", "declared", "own"),
    [
        ("kelp-7b", None, "sea/kelp-70b", None, True),
        ("our-tuned-1", "kelp", "sea/kelp-70b", None, True),
        ("kelp-7b", None, "sea/deployment-3", "Kelp", True),
        ("kelp-7b", "Laminaria", "sea/kelp-70b", None, True),
        ("kelp-7b", None, "cloud/eu.maker.kelp-70b-v1:0", None, True),
        ("kelp-7b", "kelp", "sea/kelp-70b", "wrack", False),
        ("our-tuned-1", "kelp", "sea/wrack-2", None, False),
        ("kelp-7b", None, "sea/wrack-2", "wrack", False),
    ],
)
def test_a_family_is_known_by_what_is_declared_or_by_names(
    sample: MakeSample, model: str, family: str | None, judge: str, declared: str | None, own: bool
) -> None:
    verdict = judged(label_votes, sample(label="A", model=model, family=family), [Vote(judge, declared, label="B")])
    assert verdict.outcome is (Outcome.ABSTAIN if own else Outcome.FLAG)


def test_scores_that_lie_apart(sample: MakeSample) -> None:
    verdict = judged(score_disagreement, sample(), scores(9, 2, 8))
    assert verdict.value == pytest.approx(14 / 3 / 10)
    assert verdict.outcome is Outcome.FLAG
    assert verdict.findings[0].message == "the judges' scores lie apart: 9, 8, 2 of 10"
    assert judged(score_disagreement, sample(), scores(8, 7, 9)).outcome is Outcome.PASS
    assert judged(score_disagreement, sample(), scores(8)).outcome is Outcome.ABSTAIN


def test_scores_on_several_scales_and_criteria(sample: MakeSample) -> None:
    votes = [Vote("kelp-1", score=1, max=1), Vote("wrack-1", score=5, max=100)]
    verdict = judged(score_disagreement, sample(), votes)
    assert verdict.value == pytest.approx(0.95)
    assert verdict.findings[0].message.endswith("1/1, 5/100")
    apart = [*scores(9, 1, criterion="style"), *scores(9, 9, criterion="truth")]
    assert "scores on style lie apart" in judged(score_disagreement, sample(), apart).findings[0].message
    (lines,) = judged(score_disagreement, sample(), scores(9, 1, criterion="style\n" * 50)).findings
    assert "scores on style style style" in lines.message
    assert len(lines.message) < 100
    across = [*scores(9, criterion="style"), *scores(1, criterion="truth")]
    assert judged(score_disagreement, sample(), across).outcome is Outcome.ABSTAIN


def test_labels_that_are_divided(sample: MakeSample) -> None:
    verdict = judged(label_disagreement, sample(), labels("keep", "drop", "Keep"))
    assert verdict.value == pytest.approx(0.918296, abs=1e-6)
    assert verdict.findings[0].message == "the judges' labels are divided: 2 keep, 1 drop"
    assert judged(label_disagreement, sample(), labels("keep", "keep", "keep")).value == 0
    assert judged(label_disagreement, sample(), labels("keep", "keep", "keep", "drop")).outcome is Outcome.PASS


def test_a_generator_that_likes_itself(sample: MakeSample) -> None:
    mine = sample(model="kelp-7b")
    verdict = judged(generator_gap, mine, scores(9, 3, 4))
    assert verdict.value == pytest.approx(0.55)
    assert (verdict.outcome, verdict.findings[0].code) == (Outcome.FLAG, "self-praise")
    assert verdict.findings[0].message == "its own family gives it 9 of 10, other families 3.5 on average"
    assert judged(generator_gap, mine, scores(2, 9, 9)).findings[0].code == "self-doubt"
    assert judged(generator_gap, mine, scores(7, 8, 9)).outcome is Outcome.PASS
    assert judged(generator_gap, mine, scores(7)).outcome is Outcome.ABSTAIN


def test_a_declared_quality_stands_for_the_own_score(sample: MakeSample) -> None:
    declared = sample(metadata_json='{"quality": 9, "confidence": 0.1}')
    verdict = judged(generator_gap, declared, scores(3, 4))
    assert verdict.findings[0].message == "its generator gives it 9 of 10, other families 3.5 on average"
    assert judged(generator_gap, declared, scores(3, 4), quality="confidence", quality_max=1.0).value == 0.25
    for odd in ('"9"', "true", "-1", "11", "null"):
        assert judged(generator_gap, sample(metadata_json=f'{{"quality": {odd}}}'), scores(3)).value is None


def both_orders(judge: str, first: str, second: str, **fields: Any) -> list[Vote]:
    """A judge's winners with the sample at place A, then at place B."""
    return [Vote(judge, winner=first, order="A", **fields), Vote(judge, winner=second, order="B", **fields)]


def test_a_judge_who_prefers_a_place_has_called_a_tie(sample: MakeSample) -> None:
    verdict = judged(order_flips, sample(), both_orders("kelp-1", "A", "A"))
    assert (verdict.outcome, verdict.value) == (Outcome.FLAG, 1)
    assert verdict.findings[0].message == "one judge names another winner when the answers are swapped: a tie"
    steady = [
        *both_orders("wrack-1", "A", "B"),
        *both_orders("dulse-1", "B", "A"),
        *both_orders("nori-1", "tie", "tie"),
    ]
    assert judged(order_flips, sample(), steady).value == 0
    verdict = judged(order_flips, sample(), [*steady, *both_orders("kelp-1", "A", "tie")])
    assert (verdict.outcome, verdict.value) == (Outcome.PASS, 0.25)
    verdict = judged(order_flips, sample(), [*steady[:2], *both_orders("kelp-1", "A", "tie")])
    assert verdict.findings[0].message.startswith("one of two judges names another winner")


def test_one_order_alone_tells_nothing(sample: MakeSample) -> None:
    votes = [Vote("kelp-1", winner="A", order="A"), Vote("kelp-1", winner="A"), Vote("wrack-1", order="B")]
    assert judged(order_flips, sample(), votes).outcome is Outcome.ABSTAIN
    crossed = [Vote("kelp-1", "k", "style", winner="A", order="A"), Vote("kelp-1", "k", "truth", winner="A", order="B")]
    assert judged(order_flips, sample(), crossed).outcome is Outcome.ABSTAIN


votes_drawn = st.lists(
    st.builds(
        Vote,
        judge=st.sampled_from(["kelp-1", "kelp-2", "judge-1", "", "🌊", "/"]),
        family=st.sampled_from([None, "", " ", "kelp"]),
        criterion=st.sampled_from([None, "", "style"]),
        score=st.none() | st.floats(allow_nan=False, allow_infinity=False),
        max=st.sampled_from([None, 0.0, 1.0, 10.0]),
        label=st.sampled_from([None, "", " ", ".", "A", "a ", "x" * 500]),
        winner=st.sampled_from([None, "A", "B", "tie", "C"]),
        order=st.sampled_from([None, "A", "B", "first"]),
    ),
    max_size=8,
)


@settings(max_examples=60)
@given(votes_drawn)
def test_no_votes_break_a_check_and_their_order_does_not_matter_to_a_score(votes: list[Vote]) -> None:
    turns = (Message(role="user", content="q"), Message(role="assistant", content="a"))
    one = Sample(messages=turns, provenance="synthetic", model="kelp-7b", label="A")  # type: ignore[arg-type]
    for verifier in ALL:
        verdict = judged(verifier, one, votes)
        assert verdict.outcome in (Outcome.PASS, Outcome.FLAG, Outcome.ABSTAIN)
        assert verdict.value is None or 0 <= verdict.value <= 1
        if verifier is not order_flips:
            assert judged(verifier, one, votes[::-1]).value == pytest.approx(verdict.value)
