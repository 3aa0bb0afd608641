"""The words of a text, in lower case and without punctuation, and where they stand."""

from __future__ import annotations

import re

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
# In scripts without spaces a character takes the place of a word; \w knows no vowel signs of Indic scripts.
_WORD = re.compile(rf"[{_UNSPACED}]|(?:[^\W_{_UNSPACED}]|[\u0300-\u036f\u0900-\u0dff])+")
_ASCII = "".join(chr(code).lower() if chr(code).isalnum() else " " for code in range(128))

# Marks that well-set English text holds; without them it is ASCII, which is read much faster.
_TYPOGRAPHIC = "\u2019\u2018\u201c\u201d\u2014\u2013\u2026\u00a0"


def words(text: str) -> list[str]:
    """The words in lower case; everything but letters and digits divides words."""
    if not text.isascii():
        for mark in _TYPOGRAPHIC:
            text = text.replace(mark, " ")
    if text.isascii():
        return text.translate(_ASCII).split()
    return [word for word, _, _ in placed_words(text)] if _grows(text) else _WORD.findall(text.lower())


def placed_words(text: str) -> list[tuple[str, int, int]]:
    """The same words with the offsets in the text at which each begins and ends."""
    return [(match.group().lower(), match.start(), match.end()) for match in _WORD.finditer(text)]


def _grows(text: str) -> bool:
    # The one letter whose lower case is two characters, of which the second is no letter.
    return "İ" in text
