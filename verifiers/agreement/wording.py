"""Counts in words, as a message says them."""

from __future__ import annotations

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_MORE = ("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty")


def in_words(count: int) -> str:
    """A number as a word up to twenty, beyond in digits."""
    words = _WORDS + _MORE
    return words[count] if count < len(words) else f"{count:,}"


def of_all(count: int, total: int) -> str:
    """How many of how many: "four of five", "all five", "both", "one"."""
    if count == total == 1:
        return "one"
    if count == total:
        return "both" if total == 2 else f"all {in_words(total)}"
    return f"{in_words(count)} of {in_words(total)}"
