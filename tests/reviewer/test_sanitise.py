"""Hostile text: nothing of it steers the terminal, all of it is shown, and spans stay on their characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from holdfast.reviewer.sanitise import MAX_MARKS, Display, plain_line, raw_escaped, sanitise, terminal_text

FAMILY = "👩\u200d👩\u200d👧\u200d👦"
PIECES = [
    *(
        "\x1b[2J\x1b[1;1H",
        "\x1b]52;c;cm0gLXJm\x07",
        "\x1b]8;;http://example.test\x1b\\x\x1b]8;;\x1b\\",
        "\x1bP+q544e\x1b\\",
    ),
    *("\x9b31m", "\x90q\x9c", "\x00", "\x7f", "\x85", "\r\n", "\r", "\n", "\t", "\u202e", "\u2066", "\u2069"),
    *("\u200b", "\u200c", "\u200d", "\u00ad", "\ufeff", "\u2028", "\u2029", "\u3164", "\u115f", "\u2800", "\ufe0f"),
    *("\ufe0e", "\U000e0067", "\ud800", "\udcff", "\ufffe", "\U0001ffff", "\u0301", "\u0301" * 9, "e\u0301"),
    *("[/INST]", "list[int]", "[@click=app.quit]x[/]", "的", "한", "\u1112\u1161\u11ab", "क्षि", "می\u200cخواهم"),
    *("ශ්\u200dරී", "กำ", "🇫🇷", "🇫", FAMILY, "❤\ufe0f", "👍🏽", "🏽", "1\ufe0f\u20e3", "שלום", "abc", " "),
]
ANY_TEXT = st.lists(
    st.one_of(
        st.sampled_from(PIECES),
        st.text(max_size=4),
        st.characters(categories=["Cc", "Cf", "Cs", "Cn", "Co", "Mn", "Me", "Zl"]),
        st.builds(bytes.decode, st.binary(max_size=8), st.just("latin-1")),
        st.builds(bytes.decode, st.binary(max_size=8), st.just("utf-8"), st.just("surrogateescape")),
        st.builds(bytes.decode, st.binary(max_size=8), st.just("utf-16-le"), st.just("replace")),
    ),
    max_size=12,
).map("".join)
VISIBLE_FORMATS = set("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")

Show = Callable[[str], Display]
shown_by = pytest.mark.parametrize("show", [sanitise, raw_escaped])


def source_of(display: Display) -> str:
    """The source, from nothing but the shown text, the map and what each replacement stands for."""
    starts = {display.original(at): at for at in range(len(display.text) - 1, -1, -1)}
    marks = {start: display.text[start:end] for start, end in display.marks}
    return "".join(_meant(marks[at]) if at in marks else display.text[at] for _, at in sorted(starts.items()))


def _meant(shown: str) -> str:
    if shown.startswith("\\"):
        return "\\" if shown == "\\\\" else shown.encode().decode("unicode_escape")
    if token := re.fullmatch("⟨U\\+([0-9A-F]+)⟩", shown):
        return chr(int(token[1], 16))
    return {"⇥   ": "\t", "␡": "\x7f", "¦": "\u200c", "‿": "\u200d"}.get(shown) or chr(ord(shown) - 0x2400)


@given(ANY_TEXT)
def test_nothing_that_steers_a_terminal_is_left(text: str) -> None:
    shown = sanitise(text).text
    for at, char in enumerate(shown):
        category = unicodedata.category(char)
        assert category not in {"Cc", "Cs", "Zl", "Zp"} or char == "\n"
        assert category != "Cf" or char in VISIBLE_FORMATS or (char == "\u200d" and shown[at + 1] > "\u2000"), ascii(
            char
        )
    shown.encode()


@shown_by
@given(text=ANY_TEXT)
def test_all_of_a_text_is_shown(show: Show, text: str) -> None:
    assert source_of(show(text)) == text


@given(ANY_TEXT)
def test_raw_text_is_printable_ascii_and_exact(text: str) -> None:
    raw = raw_escaped(text).text
    assert all(" " <= char <= "~" or char == "\n" for char in raw)
    assert raw.encode().decode("unicode_escape") == text


@shown_by
@given(text=ANY_TEXT, data=st.data())
def test_maps_are_monotone_and_inverse(show: Show, text: str, data: st.DataObject) -> None:
    display = show(text)
    forth = [display.offset(at) for at in range(len(text) + 1)]
    back = [display.original(at) for at in range(len(display.text) + 1)]
    assert forth[0] == 0
    assert forth[-1] == len(display.text)
    assert forth == sorted(set(forth))
    assert back == sorted(back)
    assert [back[at] for at in forth] == list(range(len(text) + 1))


@given(text=ANY_TEXT, start=st.integers(-2, 60), length=st.integers(0, 20))
def test_a_span_covers_its_characters_and_whole_clusters(text: str, start: int, length: int) -> None:
    display = sanitise(text)
    first, last = display.span(start, start + length)
    wanted = range(min(max(start, 0), len(text)), min(max(start + length, 0), len(text)))
    assert 0 <= first <= last <= len(display.text)
    for at in wanted:
        assert first <= display.offset(at)
        assert display.offset(at + 1) <= last
    if not wanted:
        assert first == last
    for edge in (first, last):
        assert edge == len(display.text) or cell_len(display.text[edge]) or display.text[edge] == "\n"


@given(st.text(st.characters(max_codepoint=126, min_codepoint=32)))
def test_plain_text_is_shown_as_it_is(text: str) -> None:
    display = sanitise(text)
    assert display.text == text
    assert not display.changes
    assert not display.marks
    assert display.span(2, 5) == (min(2, len(text)), min(5, len(text)))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("\x1b]52;c;cm0=\x07", "␛]52;c;cm0=␇"),
        ("a\r\nb\rc\x00\x7f", "a␍\nb␍c␀␡"),
        ("\tif x:\t# y", "⇥   if x:⇥   # y"),
        ("\x85\x9b", "⟨U+0085⟩⟨U+009B⟩"),
        ("user\u202egpj.exe\u202c", "user⟨U+202E⟩gpj.exe⟨U+202C⟩"),
        ("pass\u200bword\u00ad\ufeff", "pass⟨U+200B⟩word⟨U+00AD⟩⟨U+FEFF⟩"),
        ("a\u2028b\u2029", "a⟨U+2028⟩b⟨U+2029⟩"),
        ("\u3164\u115f\U000e0041", "⟨U+3164⟩⟨U+115F⟩⟨U+E0041⟩"),
        ("\ud800 \uffff \U0010ffff", "⟨U+D800⟩ ⟨U+FFFF⟩ ⟨U+10FFFF⟩"),
        ("a\u200db a\ufe0f", "a⟨U+200D⟩b a⟨U+FE0F⟩"),
        ("می\u200cخواهم a\u200cb", "می¦خواهم a⟨U+200C⟩b"),
        ("ශ්\u200dරී", "ශ්‿රී"),
        ("x\u200b\u0301", "x⟨U+200B⟩⟨U+0301⟩"),
        ("\u0301a\n\u0301", "⟨U+0301⟩a\n⟨U+0301⟩"),
        ("z" + "\u0335" * (MAX_MARKS + 2), "z" + "\u0335" * MAX_MARKS + "⟨U+0335⟩⟨U+0335⟩"),
        ("\u200d".join("👩" * 5), "👩\u200d👩\u200d👩\u200d👩⟨U+200D⟩👩"),
        ("©🏽 👍🏽🏽", "©⟨U+1F3FD⟩ 👍🏽⟨U+1F3FD⟩"),
    ],
)
def test_what_is_shown_for_what(text: str, shown: str) -> None:
    assert sanitise(text).text == terminal_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "list[int] [/INST] [@click=app.quit]x[/] \\[b]",
        "naïve e\u0301 Việt",
        "的一是在不了",
        "한국어 \u1112\u1161\u11ab",
        "यह हिन्दी क्षि",
        "שָׁלוֹם",
        "العربية",
        "ກຳ กำ",
        f"{FAMILY} 🧑🏻\u200d❤\ufe0f\u200d💋\u200d🧑🏿 🏳\ufe0f\u200d🌈",
        "👍🏽 ❤\ufe0f ☎\ufe0e 1\ufe0f\u20e3 🇫🇷",
    ],
)
def test_ordinary_text_of_the_world_is_left_alone(text: str) -> None:
    assert sanitise(text).text == text


@pytest.mark.parametrize(
    ("text", "span", "marked"),
    [
        ("a\x1b[1mbold", (5, 9), "bold"),
        ("a\x1b[1mbold", (1, 2), "␛"),
        ("\t\tx = 1", (2, 3), "x"),
        ("\u202eabc", (1, 3), "ab"),
        ("xe\u0301y", (1, 2), "e\u0301"),
        ("xe\u0301y", (2, 3), "e\u0301"),
        ("xe\u0301y", (3, 4), "y"),
        (f"a{FAMILY}b", (3, 4), FAMILY),
        ("🇫🇷🇩🇪", (2, 3), "🇩🇪"),
        ("🇫🇷🇩🇪", (1, 3), "🇫🇷🇩🇪"),
        ("x👍🏽y", (2, 3), "👍🏽"),
        ("\u1112\u1161\u11ab!", (1, 2), "\u1112\u1161\u11ab"),
        ("कक्षिक", (1, 2), "क्षि"),
        ("กำกำ", (2, 3), "กำ"),
        ("1\ufe0f\u20e32", (1, 2), "1\ufe0f\u20e3"),
        ("a\r\nb", (1, 2), "␍"),
        ("a\u200bb", (1, 2), "⟨U+200B⟩"),
        ("z" + "\u0335" * 8, (8, 9), "⟨U+0335⟩"),
        ("abc", (-5, 99), "abc"),
        ("abc", (2, 1), ""),
    ],
)
def test_spans_point_at_the_characters_they_name(text: str, span: tuple[int, int], marked: str) -> None:
    display = sanitise(text)
    start, end = display.span(*span)
    assert display.text[start:end] == marked


def test_marks_say_where_replacements_stand() -> None:
    display = sanitise("a\tb ␛ \x1b")
    assert [display.text[start:end] for start, end in display.marks] == ["⇥   ", "␛"]
    assert display.marks[1] == (len(display.text) - 1, len(display.text))


@given(ANY_TEXT, st.integers(0, 40))
def test_a_line_is_one_line_and_fits(text: str, limit: int) -> None:
    line = plain_line(text, limit)
    assert "\n" not in line
    assert cell_len(line) <= limit
    whole = sanitise(text).text.replace("\n", "␊")
    assert line == whole or (len(line) <= limit * 16 and whole.startswith(line.removesuffix("…")))


def test_a_line_is_cut_between_characters() -> None:
    assert plain_line("abcdef", 6) == "abcdef"
    assert plain_line("abcdefg", 6) == "abcde…"
    assert plain_line("a\nb", 9) == "a␊b"
    assert plain_line("的一是在", 6) == "的一…"
    assert plain_line("abe\u0301cd", 4) == "abe\u0301…"
    assert plain_line(f"ab{FAMILY}cdef", 9) == "ab…"  # a terminal may show each person of a family
    assert plain_line(f"ab{FAMILY}cdef", 11) == f"ab{FAMILY}…"
    assert plain_line("x" * 10_000_000, 4) == "xxx…"
