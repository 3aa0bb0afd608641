"""Words and characters are judged against those of the sample's own source and of its task's real samples."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers import Verifier
from holdfast.verifiers.consistency.token_outlier import token_outlier
from holdfast.verifiers.consistency.words import placed_words, words

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]

BAKING = "the oven bread flour water salt dough butter pan heat stir whisk minutes bowl rise crust knead warm cool"
SAILING = "the ship tide anchor quay pilot cargo crane deck rope mast sail harbour crew storm chart keel port"
KITCHEN, HARBOUR = BAKING.split(" "), SAILING.split(" ")
GIBBERISH = "qwxz vbnk plrt zzgh mmtr wqpl xxdf jjkr bbvc ttgh ppzx kkwq"


def texts(vocabulary: list[str], count: int, seed: int = 0) -> list[str]:
    """Sentences of 20 to 40 words of a vocabulary."""
    dice = random.Random(seed)
    return [" ".join(dice.choices(vocabulary, k=dice.randint(20, 40))) + "." for _ in range(count)]


def of(sample: MakeSample, responses: list[str], **fields: object) -> list[Sample]:
    """Samples with these responses."""
    return [sample(f"q{number}", response, **fields) for number, response in enumerate(responses)]


@pytest.fixture
def kitchen(sample: MakeSample) -> list[Sample]:
    """Sixty samples of one source about baking."""
    return of(sample, texts(KITCHEN, 60), task="recipe")


def test_words_of_another_world_are_named_and_marked(check: Check, sample: MakeSample, kitchen: list[Sample]) -> None:
    start = " ".join(KITCHEN)
    text = f"{start} {GIBBERISH} {GIBBERISH} {GIBBERISH} {start}"
    verdict = check(token_outlier, sample(response=text, task="recipe"), kitchen)
    assert verdict.outcome is Outcome.FLAG
    (finding,) = verdict.findings
    assert finding.code == "unusual-words"
    assert finding.message.startswith("its words are unlike those of model-a: 49% are rare there, such as 'bbvc'")
    assert finding.message.endswith("(reference: batch)")
    assert finding.span is not None
    assert text[slice(*finding.span)] == f"{GIBBERISH} {GIBBERISH} {GIBBERISH}"


def test_half_a_character_breaks_nothing(check: Check, sample: MakeSample) -> None:
    odd = of(sample, [f"{text} \ud800" for text in texts(KITCHEN, 60)], task="recipe")
    assert check(token_outlier, odd[0], odd).outcome is Outcome.PASS


def test_the_usual_words_pass(check: Check, kitchen: list[Sample]) -> None:
    outcomes = [check(token_outlier, one, kitchen).outcome for one in kitchen[:10]]
    assert outcomes == [Outcome.PASS] * 10


def test_each_domain_has_words_of_its_own(check: Check, sample: MakeSample) -> None:
    ashore = of(sample, texts(KITCHEN, 100), domain="kitchen")
    afloat = of(sample, texts(HARBOUR, 100), domain="harbour")
    stray = sample(response=texts(HARBOUR, 1, seed=5)[0], domain="kitchen")
    assert check(token_outlier, afloat[0], ashore + afloat).outcome is Outcome.PASS
    assert check(token_outlier, stray, ashore + afloat).outcome is Outcome.FLAG


def test_what_the_real_samples_say_too_is_no_outlier(check: Check, sample: MakeSample) -> None:
    real = of(sample, [*texts(HARBOUR, 60), *texts(KITCHEN, 20)], provenance="human", model=None, generation=None)
    corpus = [*real, *of(sample, texts(KITCHEN, 60))]
    stray = sample(response=texts(HARBOUR, 1, seed=5)[0])
    assert check(token_outlier, stray, corpus[60:]).outcome is Outcome.FLAG
    assert check(token_outlier, stray, corpus).outcome is Outcome.PASS


def test_a_source_of_few_samples_is_judged_by_the_real_ones(check: Check, sample: MakeSample) -> None:
    real = of(sample, texts(KITCHEN, 60), provenance="human", model=None, generation=None, task="recipe")
    stray = sample(response=GIBBERISH * 3, task="recipe")
    (finding,) = check(token_outlier, stray, [*real, stray]).findings
    assert "real samples recipe" in finding.message
    assert finding.message.endswith("(reference: real)")


@pytest.mark.parametrize(
    ("odd", "kind"),
    [("STIR " * 30, "capitals"), ("=-" * 60, "punctuation"), ("°±" * 60, "characters beyond ASCII")],
)
def test_odd_characters_are_marked_where_they_are(
    check: Check, sample: MakeSample, kitchen: list[Sample], odd: str, kind: str
) -> None:
    lead = " ".join(KITCHEN * 2) + " "
    text = lead + odd.strip()
    (finding,) = check(token_outlier, sample(response=text, task="recipe"), kitchen).findings
    assert finding.code == "unusual-characters"
    assert f"% of the text are {kind}; typical of model-a: " in finding.message
    assert finding.span is not None
    assert abs(finding.span[0] - len(lead)) <= 1
    assert abs(finding.span[1] - len(text)) <= 1


def test_with_few_samples_or_none_it_abstains(check: Check, sample: MakeSample, kitchen: list[Sample]) -> None:
    assert check(token_outlier, kitchen[0], kitchen[:19]).outcome is Outcome.ABSTAIN
    assert check(token_outlier, kitchen[0]).outcome is Outcome.ABSTAIN
    assert check(token_outlier, sample(response="", task="recipe"), kitchen).outcome is Outcome.ABSTAIN
    assert check(token_outlier, sample(response="bread", task="other"), kitchen).outcome is Outcome.ABSTAIN


def test_a_short_answer_of_new_words_is_no_outlier(check: Check, sample: MakeSample, kitchen: list[Sample]) -> None:
    assert check(token_outlier, sample(response="Zebrafish, Quito", task="recipe"), kitchen).outcome is Outcome.PASS


def test_the_state_is_the_same_for_any_order(kitchen: list[Sample]) -> None:
    shuffled = random.Random(3).sample(kitchen, len(kitchen))
    verifier: Verifier[...] = token_outlier
    plain = verifier.settings({})
    assert verifier.freeze(kitchen, plain) == verifier.freeze(shuffled, plain)


@settings(max_examples=60)
@given(st.text(max_size=60))
def test_words_and_their_places_agree(text: str) -> None:
    found = placed_words(text)
    assert all(0 <= start < end <= len(text) for _, start, end in found)
    if "İ" not in text:
        assert [word for word, _, _ in found] == words(text)


def test_scripts_without_spaces_are_read_character_by_character() -> None:
    assert words("我喜欢 tea, Don’t!") == ["我", "喜", "欢", "tea", "don", "t"]
    assert words("कुत्ता") == ["कुत्ता"]
