"""Refusals and talk of oneself as a model are found at the phrase; quotations and people's own words are left alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from holdfast.db.models import Outcome, Sample, Severity, Verdict
from holdfast.verifiers.format.refusal import refusal

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]


@pytest.mark.parametrize(
    ("response", "phrase"),
    [
        ("I'm sorry, but I can't assist with that request.", "I'm sorry, but I can't assist"),
        ("Sorry, I am unable to help with this.", "Sorry, I am unable to help"),
        ("I’m really sorry, but I won’t be able to provide that.", "I’m really sorry, but I won’t be able to provide"),
        ("I apologize, but I'm not able to generate it.", "I apologize, but I'm not able to generate"),
        ("Unfortunately, I cannot open links.", "Unfortunately, I cannot open"),
        ("I cannot fulfil your request.", "I cannot fulfil your request"),
        ("I can't help with that.", "I can't help with that"),
        ("I must decline to answer this question.", "I must decline to answer this"),
        ("My apologies, but I don't feel comfortable writing it.", "I don't feel comfortable writing"),
        ("I will not generate hateful text.", "I will not generate hateful"),
        ("It would be inappropriate for me to say.", "It would be inappropriate for me to"),
        ("That's not something I can help with.", "That's not something I can help"),
        ("I must respectfully decline.", "I must respectfully decline"),
        ("Es tut mir leid, aber ich kann dabei nicht helfen.", "Es tut mir leid, aber ich kann"),
        ("Désolé, mais je ne peux pas répondre.", "Désolé, mais je ne peux"),
        ("Lo siento, pero no puedo ayudar con eso.", "Lo siento, pero no puedo"),
        ("很抱歉，我无法回答这个问题。", "很抱歉，我无法"),
        ("申し訳ありませんが、お答えできません。", "申し訳ありませんが、"),
        ("К сожалению, я не могу помочь.", "К сожалению, я не могу"),
        ("Przepraszam, ale nie mogę pomóc.", "Przepraszam, ale nie mogę"),
        ("Xin lỗi, tôi không thể giúp bạn.", "Xin lỗi, tôi không thể"),
        ("Üzgünüm, bu konuda yardım edemem.", "Üzgünüm, bu konuda yardım edemem"),
        ("I refuse to answer that.", "I refuse to answer"),
    ],
)
def test_a_refusal_is_flagged_at_the_phrase(check: Check, sample: MakeSample, response: str, phrase: str) -> None:
    verdict = check(refusal, sample(response=response))
    assert verdict.outcome is Outcome.FLAG
    (finding,) = verdict.findings
    assert finding.code == "refusal"
    assert finding.span is not None
    assert response[slice(*finding.span)].endswith(phrase)
    assert phrase[-20:] in finding.message


@pytest.mark.parametrize(
    ("response", "phrase"),
    [
        ("As an AI language model, I like verse.", "As an AI language model"),
        ("Well, as an AI developed to help, my views are few.", "as an AI"),
        ("I'm just an AI assistant who reads.", "I'm just an AI assistant"),
        ("As of my last knowledge update in 2021 it stood.", "As of my last knowledge update"),
        ("That lies past my knowledge cutoff.", "my knowledge cutoff"),
        ("I do not have personal opinions on hats.", "I do not have personal opinions"),
        ("It goes against my ethical guidelines.", "against my ethical guidelines"),
        ("I am programmed to be of use.", "I am programmed to"),
        ("That request violates my policies, and so I stop.", "violates my policies"),
        ("Als KI-Sprachmodell kann ich nichts fühlen.", "Als KI-Sprachmodell"),
        ("En tant que modèle de langage, je lis.", "En tant que modèle de langage"),
        ("作为一个AI语言模型，我没有感情。", "作为一个AI语言模型"),
    ],
)
def test_a_model_that_speaks_of_itself_is_flagged(check: Check, sample: MakeSample, response: str, phrase: str) -> None:
    verdict = check(refusal, sample(response=response))
    assert verdict.outcome is Outcome.FLAG
    (finding,) = verdict.findings
    assert finding.code == "ai-boilerplate"
    assert finding.span is not None
    assert response[slice(*finding.span)] == phrase


@pytest.mark.parametrize(
    "response",
    [
        "I can't help but smile when it rains.",
        "I'm sorry to hear that. I can't imagine how it feels.",
        "I can't do that for you, but the post office can.",
        'Many assistants answer "As an AI language model, I cannot say" to this.',
        "The reply was “I'm sorry, but I can't assist with that.”",
        "The bot prints `I'm sorry, but I can't help with that` and stops.",
        "As an AI researcher, I trained three of them.",
        "As an AI, it counts faster than people do.",
        "A large language model predicts the next word.",
        "The board approved my guidelines, and the programmes followed.",
        "She was unable to provide the papers.",
        "Lo siento mucho por tu perro.",
        "Als Kind kann ich schwimmen.",
    ],
)
def test_other_words_pass(check: Check, sample: MakeSample, response: str) -> None:
    assert check(refusal, sample(response=response)).outcome is Outcome.PASS


def test_a_refusal_late_in_an_answer_is_part_of_it(check: Check, sample: MakeSample) -> None:
    answer = "Paracetamol eases mild pain, and a warm bath may help as well. " * 5
    assert check(refusal, sample(response=answer + "I cannot provide medical advice.")).outcome is Outcome.PASS


def test_an_answer_that_follows_a_refusal_makes_it_a_note(check: Check, sample: MakeSample) -> None:
    response = "I'm sorry, but I can't assist with picking that lock. " + "Here is how a locksmith is found. " * 30
    verdict = check(refusal, sample(response=response))
    assert verdict.outcome is Outcome.PASS
    (finding,) = verdict.findings
    assert finding.severity is Severity.INFO
    assert "goes on for 220 words" in finding.message


@pytest.mark.parametrize(
    ("prompt", "fields"),
    [
        ("Write a short note that declines an invitation to help.", {}),
        ("Translate into English: Lo siento, no puedo ayudar.", {}),
        ("How do I pick a lock?", {"reference": "I'm sorry, but I can't help with that."}),
    ],
)
def test_a_refusal_that_was_asked_for_passes(
    check: Check, sample: MakeSample, prompt: str, fields: dict[str, str]
) -> None:
    response = "I'm sorry, but I can't help with that."
    assert check(refusal, sample(prompt, response, **fields)).outcome is Outcome.PASS


def test_words_of_the_prompt_are_not_held_against_the_response(check: Check, sample: MakeSample) -> None:
    verdict = check(
        refusal, sample('What does "as an AI language model" mean?', "As an AI language model, I explain it.")
    )
    assert verdict.outcome is Outcome.PASS


@pytest.mark.parametrize("piece", ["I'm sorry ", "as an ai ai ", "i can't ", "sorry, but i as an x, ", '"', "`a "])
def test_long_texts_of_beginnings_are_read_in_one_go(check: Check, sample: MakeSample, piece: str) -> None:
    verdict = check(refusal, sample(response=piece * (200_000 // len(piece))))
    assert verdict.outcome in (Outcome.PASS, Outcome.FLAG)
