"""An editor gives back what it was given: line breaks of any kind survive an edit elsewhere in the text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from textual.document._document import Document

from holdfast.reviewer.editable import editable

BREAKS = st.sampled_from(["\r\n", "\r", "\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
TEXTS = st.lists(st.one_of(BREAKS, st.sampled_from("a␍␋␤¶\ue000"), st.text(max_size=4))).map("".join)


@given(TEXTS)
def test_textuals_editor_returns_every_text_as_it_was(text: str) -> None:
    given = editable(text)
    assert given.restored(Document(given.text).text) == text


def test_an_edit_leaves_the_other_line_breaks_alone() -> None:
    given = editable("a\r\nb\x0cc ␍")
    assert given.text == "a\ue000\nb␌c ␍"
    assert given.restored(given.text.replace("b", "B\n")) == "a\r\nB\n\x0cc ␍"


def test_ordinary_text_is_edited_as_it_is() -> None:
    assert editable("a\tb\n\x1b[2J").text == "a\tb\n\x1b[2J"
