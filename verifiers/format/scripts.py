"""Which script a letter belongs to, for the scripts that are written today, and which letters look alike."""

from __future__ import annotations

import re
from bisect import bisect_right

_BLOCKS: tuple[tuple[int, int, str], ...] = (
    (0x0370, 0x0373, "Greek"), (0x0376, 0x037D, "Greek"), (0x037F, 0x0386, "Greek"), (0x0388, 0x03FF, "Greek"),
    (0x0400, 0x052F, "Cyrillic"), (0x0530, 0x058F, "Armenian"), (0x0590, 0x05FF, "Hebrew"),
    (0x0600, 0x06FF, "Arabic"), (0x0750, 0x077F, "Arabic"), (0x08A0, 0x08FF, "Arabic"),
    (0x0900, 0x0963, "Devanagari"), (0x0966, 0x097F, "Devanagari"), (0x0980, 0x09FF, "Bengali"),
    (0x0A00, 0x0A7F, "Gurmukhi"), (0x0A80, 0x0AFF, "Gujarati"), (0x0B00, 0x0B7F, "Odia"), (0x0B80, 0x0BFF, "Tamil"),
    (0x0C00, 0x0C7F, "Telugu"), (0x0C80, 0x0CFF, "Kannada"), (0x0D00, 0x0D7F, "Malayalam"),
    (0x0D80, 0x0DFF, "Sinhala"), (0x0E00, 0x0E7F, "Thai"), (0x0E80, 0x0EFF, "Lao"), (0x0F00, 0x0FFF, "Tibetan"),
    (0x1000, 0x109F, "Burmese"), (0x10A0, 0x10FF, "Georgian"), (0x1100, 0x11FF, "Korean"),
    (0x1200, 0x139F, "Ethiopic"), (0x13A0, 0x13FF, "Cherokee"), (0x1780, 0x17FF, "Khmer"),
    (0x1800, 0x18AF, "Mongolian"), (0x1C80, 0x1C8F, "Cyrillic"), (0x1F00, 0x1FFF, "Greek"),
    (0x2DE0, 0x2DFF, "Cyrillic"), (0x3005, 0x3007, "Chinese"), (0x3040, 0x30FA, "Japanese"),
    (0x30FC, 0x30FF, "Japanese"), (0x3130, 0x318F, "Korean"), (0x3400, 0x4DBF, "Chinese"),
    (0x4E00, 0x9FFF, "Chinese"), (0xA640, 0xA69F, "Cyrillic"), (0xAC00, 0xD7AF, "Korean"),
    (0xF900, 0xFAFF, "Chinese"), (0xFB1D, 0xFB4F, "Hebrew"), (0xFB50, 0xFDFF, "Arabic"), (0xFE70, 0xFEFC, "Arabic"),
    (0xFF66, 0xFF9F, "Japanese"), (0x20000, 0x3FFFF, "Chinese"),
)  # fmt: skip
"""First and last code point of each block, and its script as people call it."""

_STARTS = [start for start, _, _ in _BLOCKS]

_CLASS = "".join(f"{chr(start)}-{chr(end)}" for start, end, _ in _BLOCKS)
OTHER_THAN_LATIN = re.compile(f"[{_CLASS}]")
"""A letter or mark of a script other than Latin."""
RUN = re.compile(f"[{_CLASS}]+")
"""Several of them in a row."""

_LOOKS = {
    "Cyrillic": ("асԁеһіјорԛѕԝухАВЕНІЈКМОРԚЅТԜХ", "acdehijopqswyxABEHIJKMOPQSTWX"),
    "Greek": ("οΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "oABEZHIKMNOPTYX"),
    "Armenian": ("օսհոցՕՏԼ", "ouhngOSL"),
}
"""Letters that look the same as a Latin letter, and that letter, for the scripts that disguises are made of."""

LATIN_LIKE = {letter: latin for letters, like in _LOOKS.values() for letter, latin in zip(letters, like, strict=True)}
"""The Latin letter that a letter of another script looks like."""

CYRILLIC_LIKE = {latin: letter for letter, latin in zip(*_LOOKS["Cyrillic"], strict=True)}
"""The Cyrillic letter that a Latin letter looks like."""


def script_of(letter: str) -> str:
    """The script of a letter or mark; `Latin` for all that belong to no other one of the table."""
    point = ord(letter)
    at = bisect_right(_STARTS, point) - 1
    return _BLOCKS[at][2] if at >= 0 and point <= _BLOCKS[at][1] else "Latin"
