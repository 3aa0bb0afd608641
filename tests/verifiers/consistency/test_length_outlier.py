"""Lengths are judged against real samples of the task and the sample's own source, never against a constant."""

from __future__ import annotations

import random
from collections.abc import Callable

from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers.consistency.length_outlier import length_outlier

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]


def texts(count: int, low: int, high: int) -> list[str]:
    """Responses of random lengths between two."""
    dice = random.Random(count)
    return ["x" * dice.randint(low, high) for _ in range(count)]


def of(sample: MakeSample, responses: list[str], **fields: object) -> list[Sample]:
    """Samples with these responses."""
    return [sample(f"q{number}", response, **fields) for number, response in enumerate(responses)]


def real(sample: MakeSample, responses: list[str], **fields: object) -> list[Sample]:
    """Human samples with these responses."""
    return of(sample, responses, provenance="human", model=None, generation=None, **fields)


def test_a_response_far_from_real_ones_is_flagged(check: Check, sample: MakeSample) -> None:
    corpus = real(sample, texts(60, 80, 120), task="qa")
    long, short = (sample(response="x" * length, task="qa") for length in (5000, 1))
    verdict = check(length_outlier, long, corpus)
    assert verdict.outcome is Outcome.FLAG
    assert verdict.findings[0].code == "too-long"
    assert "5,000 characters; typical of real samples qa:" in verdict.findings[0].message
    assert "(reference: real)" in verdict.findings[0].message
    assert check(length_outlier, short, corpus).findings[0].code == "too-short"
    assert check(length_outlier, corpus[0], corpus).outcome is Outcome.PASS


def test_with_few_real_samples_the_source_itself_is_the_reference_and_says_so(check: Check, sample: MakeSample) -> None:
    corpus = [*real(sample, texts(49, 80, 120)), *of(sample, texts(40, 300, 500)), sample(response="x" * 20_000)]
    verdict = check(length_outlier, corpus[-1], corpus)
    assert verdict.outcome is Outcome.FLAG
    assert "typical of model-a" in verdict.findings[0].message
    assert "(reference: batch)" in verdict.findings[0].message


def test_with_fewer_than_twenty_samples_it_abstains(check: Check, sample: MakeSample) -> None:
    corpus = of(sample, texts(19, 80, 120))
    assert check(length_outlier, corpus[0], corpus).outcome is Outcome.ABSTAIN
    assert check(length_outlier, corpus[0]).outcome is Outcome.ABSTAIN


def test_tasks_and_sources_do_not_mix(check: Check, sample: MakeSample) -> None:
    essays = of(sample, texts(40, 3000, 5000), task="essay")
    labels = of(sample, texts(40, 2, 9), task="label")
    corpus = [*essays, *labels]
    assert check(length_outlier, essays[0], corpus).outcome is Outcome.PASS
    assert check(length_outlier, labels[0], corpus).outcome is Outcome.PASS
    stray = sample(response="x" * 4000, task="label")
    assert check(length_outlier, stray, corpus).outcome is Outcome.FLAG


def test_a_source_that_writes_longer_than_people_is_no_outlier_in_itself(check: Check, sample: MakeSample) -> None:
    corpus = [*real(sample, texts(60, 80, 120)), *of(sample, texts(60, 4000, 6000))]
    assert [check(length_outlier, one, corpus).outcome for one in corpus[-3:]] == [Outcome.PASS] * 3


def test_equal_lengths_leave_room(check: Check, sample: MakeSample) -> None:
    corpus = of(sample, ["x" * 100] * 30)
    assert check(length_outlier, sample(response="x" * 130), corpus).outcome is Outcome.PASS
    assert check(length_outlier, sample(response="x" * 1000), corpus).outcome is Outcome.FLAG


def test_the_score_is_kept_whatever_the_limit(check: Check, sample: MakeSample) -> None:
    corpus = of(sample, texts(30, 80, 120))
    far = sample(response="x" * 5000)
    lenient = check(length_outlier, far, corpus, flag_at=1000)
    assert lenient.outcome is Outcome.PASS
    assert lenient.value == check(length_outlier, far, corpus).value


def test_an_empty_response_has_no_length_to_judge(check: Check, sample: MakeSample) -> None:
    corpus = of(sample, texts(30, 80, 120))
    assert check(length_outlier, sample(response=""), corpus).outcome is Outcome.ABSTAIN
