"""Labels that do not fit: rare ones, other spellings, and those out of place in their domain."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import pytest

from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers import Verifier
from holdfast.verifiers.consistency.label_outlier import label_outlier

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]
Labelled = Callable[..., list[Sample]]

USUAL = {"positive": 200, "negative": 180, "neutral": 120}
REAL = {"provenance": "human", "model": None, "generation": None}


@pytest.fixture
def labelled(sample: MakeSample) -> Labelled:
    """Samples of a task with so many of each label."""

    def make(counts: Mapping[str, int], **fields: object) -> list[Sample]:
        spread = [label for label, count in counts.items() for _ in range(count)]
        return [
            sample(f"text {number}", label, **{"label": label, "task": "mood", **fields})
            for number, label in enumerate(spread)
        ]

    return make


def test_a_label_that_hardly_anything_has_is_flagged(check: Check, labelled: Labelled) -> None:
    corpus = labelled({"sarcastic": 2, **USUAL})
    verdict = check(label_outlier, corpus[0], corpus)
    assert verdict.outcome is Outcome.FLAG
    (finding,) = verdict.findings
    assert finding.code == "label-rare"
    assert finding.message == "the label 'sarcastic' is on 2 of the 502 samples of mood (reference: batch)"
    assert finding.span == (0, len("sarcastic"))
    assert [check(label_outlier, one, corpus).value for one in corpus[2:4]] == [0.0, 0.0]


def test_a_label_that_the_corpus_lacks_is_the_rarest(check: Check, labelled: Labelled) -> None:
    corpus, (stray,) = labelled(USUAL), labelled({"furious": 1})
    (finding,) = check(label_outlier, stray, corpus).findings
    assert finding.message == "the label 'furious' is on none of the 500 samples of mood (reference: batch)"


def test_what_real_samples_have_is_not_rare(check: Check, labelled: Labelled) -> None:
    corpus = [*labelled({"sarcastic": 2, **USUAL}), *labelled({"sarcastic": 6, "positive": 60}, **REAL)]
    assert check(label_outlier, corpus[0], corpus).outcome is Outcome.PASS


@pytest.mark.parametrize("spelling", ["postive", "Positive", "positive.", " positive", "positvie", "negativ"])
def test_another_spelling_of_a_common_label(check: Check, labelled: Labelled, spelling: str) -> None:
    corpus = labelled({spelling: 3, **USUAL})
    meant = "negative" if spelling == "negativ" else "positive"
    (finding,) = check(label_outlier, corpus[0], corpus).findings
    assert finding.code == "label-misspelt"
    assert finding.message == f"the label {spelling!r} looks like {meant!r}, which {USUAL[meant]} samples have"
    (unseen,) = labelled({spelling: 1})
    assert check(label_outlier, unseen, labelled(USUAL)).findings[0].code == "label-misspelt"


@pytest.mark.parametrize(("rare", "common"), [("unlikely", "likely"), ("level 2", "level 1"), ("B", "A"), ("17", "16")])
def test_similar_labels_that_mean_something_else_are_no_misspellings(
    check: Check, labelled: Labelled, rare: str, common: str
) -> None:
    corpus = labelled({rare: 20, common: 300})
    assert check(label_outlier, corpus[0], corpus).outcome is Outcome.PASS


def test_a_label_out_of_place_in_its_domain(check: Check, labelled: Labelled) -> None:
    weather = labelled({"refund": 1, "storm": 200}, domain="weather")
    shop = labelled({"refund": 150, "storm": 150}, domain="shop")
    corpus = [*weather, *shop]
    verdict = check(label_outlier, weather[0], corpus)
    assert verdict.outcome is Outcome.FLAG
    (finding,) = verdict.findings
    assert finding.code == "label-out-of-place"
    assert finding.message.startswith(
        "the label 'refund' is on 1 of the samples of domain weather; were it as common there"
    )
    assert check(label_outlier, shop[0], corpus).outcome is Outcome.PASS


def test_free_text_few_labels_or_none_are_not_judged(check: Check, sample: MakeSample, labelled: Labelled) -> None:
    free = labelled({f"answer {number}": 1 for number in range(100)})
    few = labelled({"positive": 19})
    for stray, corpus in ((free[0], free), (few[0], few), (sample(), free), (free[0], None)):
        assert check(label_outlier, stray, corpus).outcome is Outcome.ABSTAIN


def test_the_score_counts_halvings_and_the_limit_moves(check: Check, labelled: Labelled) -> None:
    corpus = labelled({"sarcastic": 2, **USUAL})
    verdict = check(label_outlier, corpus[0], corpus, flag_at=9)
    assert verdict.outcome is Outcome.PASS
    assert verdict.value == pytest.approx(6.387, abs=0.001)


def test_the_state_is_the_same_for_any_order(labelled: Labelled) -> None:
    corpus = labelled({"sarcastic": 2, "postive": 3, **USUAL}, domain="shop")
    verifier: Verifier[...] = label_outlier
    plain = verifier.settings({})
    assert verifier.freeze(corpus, plain) == verifier.freeze(random.Random(3).sample(corpus, len(corpus)), plain)
