"""A response in the wrong language is flagged; translations, code, names and short answers are left alone."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers.format.language import language
from holdfast.verifiers.languages import alike, language_of, name_of

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]

ENGLISH = "The boats have been back in the harbour since the storm, and the crews are mending their nets."
GERMAN = "Die Boote liegen seit dem Sturm wieder im Hafen, und die Leute flicken ihre Netze."
FRENCH = "Les bateaux sont rentrés au port depuis la tempête, et les équipages réparent leurs filets."
ASCII_SPANISH = "Los barcos ya no salen del puerto por la tormenta y las redes se secan en el muelle."
QUESTION = "What did the crews do after the storm, and where are the boats now?"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (ENGLISH, "en"),
        (ENGLISH.upper(), "en"),
        (GERMAN, "de"),
        (FRENCH, "fr"),
        (ASCII_SPANISH, "es"),
        ("Лодки вернулись в гавань после шторма, и рыбаки чинят сети.", "ru"),
        ("暴风雨过后，船只回到了港口，船员们正在修补渔网。", "zh"),
        ("嵐のあと船は港に戻り、漁師たちは網を繕っている。", "ja"),
        ("တံငါသည်များသည် ပိုက်ကွန်များကို ပြင်ဆင်နေကြသည်။", "my"),
    ],
)
def test_a_language_is_named(text: str, code: str) -> None:
    found = language_of(text)
    assert found is not None
    assert found[0] == code
    assert 0.5 <= found[1] <= 1


@pytest.mark.parametrize("text", ["", "42", "ok", "A", "12.5 + 3 = 15.5", "xqzv qqjw zzkp vvxq wwqz"])
def test_a_language_is_not_guessed(text: str) -> None:
    assert language_of(text) is None


def test_names_and_kin() -> None:
    assert (name_of("de"), name_of("de-AT"), name_of("tlh")) == ("German", "German", "tlh")
    assert alike("no", "da")
    assert not alike("de", "nl")


@pytest.mark.parametrize(
    ("prompt", "response", "message"),
    [
        (QUESTION, GERMAN, "the prompt is in English, the response in German"),
        (QUESTION, ASCII_SPANISH, "the prompt is in English, the response in Spanish"),
        ("Was haben die Leute nach dem Sturm mit den Booten gemacht?", ENGLISH,
         "the prompt is in German, the response in English"),
        ("¿Dónde están los barcos y qué hacen las tripulaciones?", "The boats are in the harbour.",
         "the prompt is in Spanish, the response in English"),
        (QUESTION, "暴风雨过后，船只回到了港口，船员们正在修补渔网。",
         "the prompt is in English, the response in Chinese"),
        (f"Translate this into French: {ENGLISH}", GERMAN, "the prompt asks for French; the response is in German"),
        (f"{QUESTION} Your entire response should be in German language.", ENGLISH,
         "the prompt asks for German; the response is in English"),
        (f"{QUESTION} Please answer in german.", ENGLISH, "the prompt asks for German; the response is in English"),
    ],
)  # fmt: skip
def test_another_language_is_flagged(
    check: Check, sample: MakeSample, prompt: str, response: str, message: str
) -> None:
    verdict = check(language, sample(prompt, response))
    assert verdict.outcome is Outcome.FLAG
    assert verdict.findings[0].message == message


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        (QUESTION, ENGLISH),
        (QUESTION, f"They say '{GERMAN[:40]}', which means that the boats have been back since the storm."),
        (f"Translate this into French: {ENGLISH}", FRENCH),
        (f"Put it into German or into French, if you would: {ENGLISH}", FRENCH),
        ("Qu'ont fait les équipages après la tempête? Répondez en anglais, s'il vous plaît.", ENGLISH),
        (f"Summarise the article: {GERMAN} {GERMAN}", ENGLISH),
        (f"Summarise the article: {GERMAN}", GERMAN),
        (f"Fasse den Text zusammen, bitte: {ENGLISH} {ENGLISH}", GERMAN),
        ("How does one say that the boats are back in French?", FRENCH),
        ("Write about life in German harbours and the people who live there.", ENGLISH),
        (QUESTION, "Mikhail Lermontov, Ivan Turgenev, Rainer Maria Rilke, Annette von Droste"),
        (QUESTION, "```python\nfor boot in die_boote:\n    print(boot, 'ist da')\n```"),
        (QUESTION, '{"antwort": "Die Boote liegen wieder im Hafen", "jahr": 1904}'),
        (QUESTION, "42"),
        (QUESTION, "Nein, danke."),
        ("", GERMAN),
    ],
)  # fmt: skip
def test_what_is_asked_for_and_what_is_no_prose_is_left_alone(
    check: Check, sample: MakeSample, prompt: str, response: str
) -> None:
    assert check(language, sample(prompt, response)).outcome in (Outcome.PASS, Outcome.ABSTAIN)


@pytest.fixture
def translations(sample: MakeSample) -> Sequence[Sample]:
    """Thirty samples of a source that answers English with German."""
    return [sample(f"{number}. {ENGLISH}", f"{number}. {GERMAN}") for number in range(30)]


def test_a_translation_left_in_its_first_language_is_flagged(
    check: Check, sample: MakeSample, translations: Sequence[Sample]
) -> None:
    left = sample(ENGLISH, ENGLISH)
    verdict = check(language, left, corpus=[*translations, left])
    assert verdict.outcome is Outcome.FLAG
    assert verdict.findings[0].message == "in English; 97% of the responses of model-a are in German"
    assert check(language, translations[0], corpus=[*translations, left]).outcome is Outcome.PASS


def test_a_source_without_prompts_is_held_to_its_usual_language(check: Check, sample: MakeSample) -> None:
    corpus = [sample("", f"{number}. {ENGLISH}") for number in range(40)]
    verdict = check(language, sample("", FRENCH), corpus=corpus)
    assert verdict.findings[0].message == "in French; 100% of the responses of model-a are in English"
    assert check(language, sample("", FRENCH), corpus=corpus[:10]).outcome is Outcome.PASS


def test_an_unclear_prompt_is_held_to_a_source_of_one_language(check: Check, sample: MakeSample) -> None:
    corpus = [sample(f"{number}. {QUESTION}", f"{number}. {ENGLISH}") for number in range(40)]
    verdict = check(language, sample("Boats?", FRENCH), corpus=corpus)
    assert verdict.findings[0].message == "in French; 100% of the responses of model-a are in English"
    assert check(language, sample(GERMAN, GERMAN), corpus=corpus).outcome is Outcome.PASS


def test_a_source_of_many_languages_has_no_usual_one(check: Check, sample: MakeSample) -> None:
    corpus = [sample(text, f"{number}. {text}") for number in range(30) for text in (ENGLISH, GERMAN, FRENCH)]
    assert all(check(language, one, corpus=corpus).outcome is Outcome.PASS for one in corpus[:6])
    assert check(language, sample(FRENCH, GERMAN), corpus=corpus).outcome is Outcome.FLAG


def test_what_is_learned_does_not_depend_on_order(sample: MakeSample) -> None:
    corpus = [sample("", f"{number}. {text}") for number in range(250) for text in (ENGLISH, GERMAN)]
    settings = language.settings({})
    shuffled = random.Random(7).sample(corpus, len(corpus))
    assert language.freeze(corpus, settings) == language.freeze(shuffled, settings)


@pytest.mark.parametrize("unit", ["translate ", " in German", "`", "$", "<a", "http://", "Ä ", "de la "])
def test_hostile_text_is_judged(check: Check, sample: MakeSample, unit: str) -> None:
    hostile = unit * (200_000 // len(unit))
    check(language, sample(hostile, hostile))
