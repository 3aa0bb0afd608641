"""Disguised words and stray passages are flagged at their letters; science, names and quotations are left alone."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers.format.mixed_scripts import SHOWN, mixed_scripts
from holdfast.verifiers.format.scripts import CYRILLIC_LIKE, LATIN_LIKE, script_of

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]


@pytest.mark.parametrize(
    ("text", "odd", "message"),
    [
        ("log in at pаypal", "а", "'pаypal' mixes scripts: 'а' is U+0430 CYRILLIC SMALL LETTER A among Latin letters"),
        ("the Ηarbour", "Η", "'Ηarbour' mixes scripts: 'Η' is U+0397 GREEK CAPITAL LETTER ETA among Latin letters"),
        ("to gο there", "ο", "'gο' mixes scripts: 'ο' is U+03BF GREEK SMALL LETTER OMICRON among Latin letters"),
        ("это cлово", "c", "'cлово' mixes scripts: 'c' is U+0063 LATIN SMALL LETTER C among Cyrillic letters"),
        ("AРРLE", "РР", "'AРРLE' mixes scripts: 'Р' is U+0420 CYRILLIC CAPITAL LETTER ER among Latin letters"),
    ],
)
def test_a_disguised_word_is_flagged_at_its_odd_letters(
    check: Check, sample: MakeSample, text: str, odd: str, message: str
) -> None:
    verdict = check(mixed_scripts, sample(response=text))
    assert verdict.outcome is Outcome.FLAG
    (finding,) = verdict.findings
    assert finding.span is not None
    assert (finding.code, text[slice(*finding.span)], finding.message) == ("mixed-script-word", odd, message)
    in_prompt = check(mixed_scripts, sample(text, "fine"))
    assert [one.of for one in in_prompt.findings] == ["prompt"]


@pytest.mark.parametrize(
    ("text", "stray"),
    [
        ("The tide comes in twice a day, and 因此 the boats leave in the morning hours.", "因此"),
        ("The tide comes in twice a day, and поэтому the boats leave in the morning hours.", "поэтому"),
        ("Прилив приходит дважды в день, и 因此 лодки уходят в море рано утром.", "因此"),
        ("The tide comes in twice a day when the moon is full, so 所以 我们 leave early and return.", "所以 我们"),
    ],
)
def test_a_stray_passage_is_flagged(check: Check, sample: MakeSample, text: str, stray: str) -> None:
    verdict = check(mixed_scripts, sample("When do the boats leave?", text))
    assert verdict.outcome is Outcome.FLAG
    (finding,) = verdict.findings
    assert finding.span is not None
    assert (finding.code, text[slice(*finding.span)]) == ("stray-script", stray)


@pytest.mark.parametrize(
    "text",
    [
        "plain ASCII",
        "naïve Straße, Łódź, Đà Nẵng, İstanbul",
        "5 μm, ΔE, βcatenin, αβγδ, hν, χ², Ω, the Η function",
        "SMSка, SMSа, IT-отдел, QR-код, iPhone и Windows",
        "Moscow (Москва in the local tongue) is a large city on a river of the same name.",
        "The word «привет» and the sign 水 are older than one would think, as is “שלום”.",
        "Chinese: 你好. It is what people say when they meet somebody in the street there.",
        "这是一个关于 Python 和 NumPy 的说明，适用于 Linux 系统。",
        "これは日本語とEnglishの文です。漢字もあります。",
        "שלום world, мир and others: every language is here, κόσμε.",
        "ภาษาไทย with English words in about equal numbers",
    ],
)
def test_texts_that_need_several_scripts_are_left_alone(check: Check, sample: MakeSample, text: str) -> None:
    assert check(mixed_scripts, sample("When do the boats leave?", text)).findings == ()


def test_what_the_prompt_explains_is_left_alone(check: Check, sample: MakeSample) -> None:
    text = "The tide comes in twice a day, and 因此 the boats leave in the morning hours."
    assert check(mixed_scripts, sample("When do the boats leave, 请问?", text)).findings == ()
    assert check(mixed_scripts, sample("Use a Chinese conjunction.", text)).findings == ()


def test_only_some_of_many_are_shown(check: Check, sample: MakeSample) -> None:
    assert len(check(mixed_scripts, sample(response="pаypal " * 50)).findings) == SHOWN


@pytest.mark.parametrize("unit", ["aа", "aж", "а", "因 此 ", "ж a ", "a\u0301", "ο"])
def test_hostile_text_is_judged(check: Check, sample: MakeSample, unit: str) -> None:
    hostile = unit * (200_000 // len(unit))
    for finding in check(mixed_scripts, sample(hostile, hostile)).findings:
        assert finding.span is not None
        assert hostile[slice(*finding.span)]


def test_lookalikes_are_of_the_scripts_that_they_are_said_to_be() -> None:
    assert all(script_of(letter) in ("Cyrillic", "Greek", "Armenian") for letter in LATIN_LIKE)
    assert all(latin.isascii() for latin in LATIN_LIKE.values())
    assert all(script_of(letter) == "Cyrillic" and latin.isascii() for latin, letter in CYRILLIC_LIKE.items())
    for letter in "ąéß漢жאदกあ한Ωა":
        named = unicodedata.name(letter).split()[0].replace("CJK", "CHINESE").replace("HANGUL", "KOREAN")
        assert script_of(letter).upper() == named.replace("HIRAGANA", "JAPANESE").replace("OHM", "GREEK")


@given(st.text(alphabet="aа因ж (é,. ", max_size=60))
def test_findings_point_into_the_text(text: str) -> None:
    from holdfast.db.models import Message
    from holdfast.verifiers import Context

    made = Sample.model_validate({"messages": [Message(role="assistant", content=text)], "provenance": "human"})
    for finding in mixed_scripts(made, Context()).findings:
        assert finding.span is not None
        assert 0 <= finding.span[0] < finding.span[1] <= len(text)
