"""Numbers from 1 to 10 as judges write them: digits, words, fractions of ten, decimal commas."""

from __future__ import annotations

import re
from typing import Any

from holdfast.verifiers.judging.rubric import HIGH, LOW

_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_RATING = re.compile(
    r"(?:(?P<number>[-−+]?\d{1,6}(?:[.,]\d{1,6})?)|(?P<word>" + "|".join(_WORDS) + r")\b)"
    r"(?: ?(?:/|out of|von|sur|su|sobre|de|из|av|of) ?(?P<scale>\d{1,6}(?:[.,]0)?|ten\b))?"
    r"(?: ?(?:points?|pts|punkte?|puntos|分|点|점)(?!\w))?"
    r"(?P<tail>.*)",
    re.DOTALL,
)
# What may follow a rating: nothing that could make it one of several, an end of a range, or a number of other things.
_TAIL = re.compile(r"[.!]?$|(?: ?[,;:(!.]| [-–—]) ?(?!\d)[^\d]|,? (?:because|since|as|due to|given)\b")
_SECOND = re.compile(r"\d ?/ ?10\b|\d ?out of (?:10|ten)\b|\b(?:or|to) (?:an? )?\d{1,2}\b")


def rating_in(text: str) -> float | None:
    """The rating with which a lower-case text begins; None where it begins with none that is certain."""
    found = _RATING.match(text)
    if found is None or _TAIL.match(found["tail"]) is None or _SECOND.search(found["tail"][:2000]):
        return None
    if found["scale"] not in (None, "10", "10.0", "10,0", "ten"):
        return None
    return _within(_number(found))


def rating_of(value: Any) -> float | None:
    """A value of JSON as a rating; None where it is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return _within(float(value)) if abs(value) <= HIGH else None
    if not isinstance(value, str):
        return None
    text = " ".join(value.lower().split())
    found = _RATING.fullmatch(text)
    return rating_in(text) if found is not None and not found["tail"] else None


def has_scale(text: str) -> bool:
    """Whether the rating with which a text begins says that it is one of ten."""
    found = _RATING.match(text)
    return found is not None and found["scale"] is not None


def _number(found: re.Match[str]) -> float | None:
    if found["word"]:
        return float(_WORDS.index(found["word"]) + 1)
    written = found["number"]
    if re.search(r",\d{3}$", written):
        return None  # a thousand, or a decimal comma: who knows
    return float(written.replace("−", "-").replace(",", "."))


def _within(value: float | None) -> float | None:
    return value if value is not None and LOW <= value <= HIGH else None
