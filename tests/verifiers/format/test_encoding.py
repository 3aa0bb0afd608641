"""Damaged and disguised text is found at its place; scripts that need joiners and marks are left alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.db.models import Outcome, Sample, Severity, Verdict
from holdfast.verifiers.format.encoding import SHOWN, damage, encoding_damage

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]


@pytest.mark.parametrize(
    ("text", "code", "damaged"),
    [
        ("the world\ufffds population", "lost-character", "\ufffd"),
        ("CafÃ© au lait", "mojibake", "Ã©"),
        ("it costs Â£500", "mojibake", "Â£"),
        ("donâ€™t", "mojibake", "â€™"),
        ("he said â€œnoâ€\u009d", "mojibake", "â€œ"),
        ("fun ðŸ˜€ fun", "mojibake", "ðŸ˜€"),
        ("ÐŸÑ€Ð¸Ð²ÐµÑ‚", "mojibake", "ÐŸÑ€Ð¸Ð²ÐµÑ‚"),
        ("she said РџСЂРёРІРµС‚ to all", "mojibake", "РџСЂРёРІРµС‚"),
        ("der WÃ¶lfe", "mojibake", "Ã¶"),
        ("ConferinÈ›a", "mojibake", "È›"),
        ("merge È™i vine", "mojibake", "È™"),
        ("an Î± helix", "mojibake", "Î±"),
        ("a\x00b", "control-character", "\x00"),
        ("red \x1b[31m", "control-character", "\x1b"),
        ("Republic\x92s", "control-character", "\x92"),
        ("user\u202etxt.exe", "bidi-control", "\u202e"),
        ("a\u2066b", "bidi-control", "\u2066"),
        ("zero\u200bwidth", "invisible-character", "\u200b"),
        ("a\u200db", "invisible-character", "\u200d"),
        ("a\ufeffb", "invisible-character", "\ufeff"),
        ("a\u200eb", "invisible-character", "\u200e"),
        ("tag\U000e0041ged", "invisible-character", "\U000e0041"),
    ],
)
def test_damage_is_flagged_at_its_place(check: Check, sample: MakeSample, text: str, code: str, damaged: str) -> None:
    verdict = check(encoding_damage, sample(response=text))
    assert verdict.outcome is Outcome.FLAG
    finding = verdict.findings[0]
    assert finding.code == code
    assert finding.span is not None
    assert text[slice(*finding.span)] == damaged
    in_prompt = check(encoding_damage, sample(text, "fine"))
    assert next((one.code, one.of) for one in in_prompt.findings) == (code, "prompt")


@pytest.mark.parametrize(
    "text",
    [
        "plain text\twith tabs\r\nand lines",
        "naïve café, Ångström, „SCHÖN“, «Voilà», IRMÃ”, 20 °C, £5, ½",
        "„MENÜ“ und „Ä“, viel Spaß“, È’ vero",
        "Ріки Сі Рє, Сєдов і Ріо",
        "ESPAÑ® 5 Å² Ñ”, În",
        "family 👨‍👩‍👧‍👦, pride 🏳️‍🌈, pilot 👩🏽‍✈️, heart ❤️‍🔥",
        "flag of Wales 🏴\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f",
        "می‌خواهم",
        "क्‍ष and ശ്‍ര and ශ්‍රී",
        "שלום\u200f (hello\u200e) עולם",
        "\u2067עברית\u2069 in a sentence",
        "ภาษา\u200bไทย",
        "中文，日本語",
    ],
)
def test_scripts_and_emoji_are_left_alone(check: Check, sample: MakeSample, text: str) -> None:
    assert check(encoding_damage, sample(response=text)).findings == ()


def test_the_message_says_what_mojibake_was(check: Check, sample: MakeSample) -> None:
    verdict = check(encoding_damage, sample(response="donâ€™t"))
    assert verdict.findings[0].message == "bytes of UTF-8 read as Windows-1252: 'â€™' was '’'"
    verdict = check(encoding_damage, sample(response="Republic\x92s"))
    assert verdict.findings[0].message == "control character U+0092 ('’' in Windows-1252)"


def test_a_soft_hyphen_is_only_noted(check: Check, sample: MakeSample) -> None:
    verdict = check(encoding_damage, sample(response="Donau\u00addampf"))
    assert verdict.outcome is Outcome.PASS
    assert [(one.code, one.severity) for one in verdict.findings] == [("soft-hyphen", Severity.INFO)]


def test_many_places_are_counted_not_listed(check: Check, sample: MakeSample) -> None:
    verdict = check(encoding_damage, sample(response="a\u200b" * 1000))
    assert len(verdict.findings) == SHOWN
    assert verdict.findings[-1].message == "invisible character U+200B; 1000 in all"


def test_a_message_stays_short_and_visible() -> None:
    for text in ("Ã©" * 1_000, "РџС" * 1_000, "so Ã©Ã©Ã© it is"):
        for finding in damage(text, "response"):
            assert len(finding.message) < 250
            assert finding.message.isprintable()


@given(st.text())
def test_spans_lie_in_the_text_and_are_not_empty(text: str) -> None:
    for finding in damage(text, "response"):
        assert finding.span is not None
        assert 0 <= finding.span[0] < finding.span[1] <= len(text)


@given(st.text(st.characters(min_codepoint=0xA0, max_codepoint=0x24F, categories=["L"]), min_size=4))
def test_text_that_was_read_as_windows_1252_is_found(text: str) -> None:
    try:
        garbled = text.encode().decode("cp1252")
    except UnicodeDecodeError:
        return
    assert "mojibake" in {finding.code for finding in damage(f"so {garbled} it is", "response")}


@pytest.mark.parametrize("piece", ["Ã", "Â£", "РџС", "Р", "\u200b", "é“", "\x00", "\U0001f3f4\U000e0067", "\ufffd"])
def test_long_texts_are_read_in_one_go(piece: str) -> None:
    assert len(damage(piece * (200_000 // len(piece)), "response")) <= 2 * SHOWN
