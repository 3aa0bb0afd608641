"""Hostile text through a real pseudo-terminal: every byte that arrives is Textual's own or harmless."""

from __future__ import annotations

import json
import random
import sys
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from terminal import ATTACKS, SEQUENCE, capture, steering
from textual.color import Color

from holdfast.reviewer.sanitise import sanitise
from holdfast.reviewer.tui.line_filter import TerminalSafe
from holdfast.reviewer.tui.rendered import Rendered

RunApp = Callable[..., bytes]

APP = Path(__file__).with_name("hostile_app.py")
SIZE = (150, 120)


def random_texts(seed: int, count: int) -> list[str]:
    """Random bytes, decoded in the ways that files come."""
    dice = random.Random(seed)
    codecs = [("latin-1", "strict"), ("utf-8", "surrogateescape"), ("utf-8", "replace"), ("utf-16-le", "surrogatepass")]
    return [dice.randbytes(2 * dice.randint(1, 16)).decode(*codecs[turn % len(codecs)]) for turn in range(count)]


def steer(written: bytes) -> set[str]:
    return steering(written, SIZE)


def screen_of(written: bytes) -> str:
    screen = pyte.Screen(SIZE[1], SIZE[0])
    pyte.ByteStream(screen).feed(written.partition(b"\x1b[?1049l")[0])
    return "\n".join(screen.display)


@pytest.fixture
def run_app(tmp_path: Path) -> RunApp:
    """Show texts in the bare app, raw or sanitised, and end it with a key."""

    def run(mode: str, texts: Sequence[str], key: str = "\x11") -> bytes:
        path = tmp_path / "texts.json"
        path.write_text(json.dumps(texts))
        return capture([sys.executable, str(APP), mode, str(path)], [("ALL SHOWN", key)], cwd=tmp_path, size=SIZE)

    return run


@pytest.mark.parametrize("mode", ["raw", "sanitised"])
@pytest.mark.parametrize("texts", [ATTACKS, random_texts(1, 24)], ids=["attacks", "random"])
def test_nothing_but_textual_steers_the_terminal(run_app: RunApp, mode: str, texts: list[str]) -> None:
    harmless = steer(run_app("raw", ["harmless text"] * len(texts)))
    assert steer(run_app(mode, texts)) <= harmless


def test_the_belt_holds_without_colours(run_app: RunApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    harmless = steer(run_app("raw", ["harmless text"] * len(ATTACKS)))
    assert steer(run_app("raw", ATTACKS)) <= harmless


def test_all_of_a_hostile_text_is_on_the_screen(run_app: RunApp) -> None:
    shown = screen_of(run_app("sanitised", ATTACKS[:5]))
    for text in ATTACKS[:5]:
        assert shown.count(sanitise(text).text) >= 3


def test_an_error_report_quotes_hostile_text_visibly(run_app: RunApp) -> None:
    report = run_app("raw", ATTACKS[:6], "\r").partition(b"\x1b[?1049l")[2]
    assert b"\x1b[31mPWNED" not in report
    assert "␛[31mPWNED" in SEQUENCE.sub("", report.decode())
    assert not {found for found in steer(report) if found not in "\r\n" and found[-1] not in "mhlu"}


PIECES = st.one_of(
    st.sampled_from([*ATTACKS, "👩", "\u200d", "\ufe0f", "abc ", "的", "┃"]),
    st.text(max_size=6),
    st.characters(categories=["Cc", "Cf", "Cs", "Mn", "Zl", "Zp"]),
)
STYLES = st.sampled_from([None, Style(bold=True), Style(link="http://pwned.test/\x1b[2J")])


@given(st.lists(st.builds(Segment, PIECES, STYLES), max_size=6))
def test_a_filtered_line_is_safe_and_as_wide_as_before(segments: list[Segment]) -> None:
    filtered = TerminalSafe().apply(segments, Color(0, 0, 0))
    line = "".join(text for text, _, _ in filtered)
    assert not {char for char in line if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}}
    assert sum(cell_len(text) for text, _, _ in filtered) == sum(cell_len(text) for text, _, _ in segments)
    assert not any(style and style.link for _, style, _ in filtered)


def test_the_filter_keeps_emoji_that_styles_divide_and_harmless_lines() -> None:
    family = [Segment("a👩\u200d"), Segment("👩\u200d", Style(bold=True)), Segment("👧 的")]
    assert TerminalSafe().apply(family, Color(0, 0, 0)) == family
    hidden = TerminalSafe().apply([Segment("a\u200bb\u202e"), Segment("c\x1b[1m")], Color(0, 0, 0))
    assert hidden == [Segment("ab"), Segment("c[1m")]


def test_rendered_markdown_brings_nothing_back_and_hides_nothing() -> None:
    text = "a &#x202e; b &shy; &zwj; <!-- note --> <b>x</b>\n\n[ref]: http://example.test 'title'\n\n**bold** [l](http://a.test)"
    rendered = Rendered(sanitise(text).text)
    lines = [rendered.segments(line, 70, lambda *_: Style()) for line in range(rendered.height(70))]
    shown = "\n".join("".join(part.text for part in line).rstrip() for line in lines)
    assert shown == (
        "a &#x202e; b &shy; &zwj; <!-- note --> <b>x</b>\n\n[ref]: http://example.test 'title'\n\nbold l (http://a.test)"
    )
    assert not any(part.style and part.style.link for line in lines for part in line)
