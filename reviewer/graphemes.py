"""Grapheme clusters and cell widths, as far as spans and one-line output need them."""

from __future__ import annotations

import re
import unicodedata

ZWNJ, ZWJ = "\u200c", "\u200d"
SELECTORS = "\ufe0e\ufe0f"
VIRAMA = 9  # the combining class

# The inside of a regular expression's brackets.
JAMO_TAIL = r"\u1160-\u11ff\ud7b0-\ud7c6\ud7cb-\ud7fb"

TONE = re.compile(r"[\U0001f3fb-\U0001f3ff]")

PICTOGRAPH = re.compile(
    r"[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934\u2935"
    r"\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f201-\U0001f3fa\U0001f400-\U0001faff\U0001fc00-\U0001fffd]"
)
EMOJI_TAIL = re.compile(f"[{SELECTORS}{TONE.pattern[1:-1]}]")

_REGIONAL = re.compile(r"[\U0001f1e6-\U0001f1ff]")
_HANGUL_LEAD = re.compile(r"[\u1100-\u115f\ua960-\ua97c]")
_HANGUL = re.compile(r"[\u1100-\u115f\ua960-\ua97c\uac00-\ud7a3]")
_JAMO = re.compile(f"[{JAMO_TAIL}]")
_PREPEND = re.compile(
    r"[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e\U000110bd\U000110cd\U000111c2\U000111c3\U0001193f\U00011941"
    r"\U00011a3a\U00011a84-\U00011a89\U00011d46\U00011f02]"
)
_LETTER_TAIL = re.compile(r"[\u0e33\u0eb3\uff9e\uff9f]")  # letters by category, but part of the cluster before them
_CONJUNCT = re.compile(r"[\u0915-\u0939\u0995-\u09b9\u0a95-\u0ab9\u0b15-\u0b39\u0c15-\u0c39\u0d15-\u0d3a]")
_CONJUNCT_LINKS = frozenset("\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d")


_JOINED_LEFT = re.compile(r"[\u26d3\u26f9\u2764\U0001f300-\U0001faff]")
_JOINED_RIGHT = re.compile(
    r"[\u2194\u2195\u2620\u2640\u2642\u2695\u2696\u26a7\u2708\u2764\u27a1\u2b1b\U0001f300-\U0001faff]"
)
_TONED = re.compile(
    r"[\u261d\u26f9\u270a-\u270d\U0001f385\U0001f3c2-\U0001f3c4\U0001f3c7\U0001f3ca-\U0001f3cc\U0001f442\U0001f443"
    r"\U0001f446-\U0001f450\U0001f466-\U0001f478\U0001f47c\U0001f481-\U0001f483\U0001f485-\U0001f487\U0001f48f\U0001f491"
    r"\U0001f4aa\U0001f574\U0001f575\U0001f57a\U0001f590\U0001f595\U0001f596\U0001f645-\U0001f647\U0001f64b-\U0001f64f"
    r"\U0001f6a3\U0001f6b4-\U0001f6b6\U0001f6c0\U0001f6cc\U0001f90c\U0001f90f\U0001f918-\U0001f91f\U0001f926"
    r"\U0001f930-\U0001f939\U0001f93c-\U0001f93e\U0001f977\U0001f9b5\U0001f9b6\U0001f9b8\U0001f9b9\U0001f9bb"
    r"\U0001f9cd-\U0001f9cf\U0001f9d1-\U0001f9dd\U0001fac3-\U0001fac5\U0001faf0-\U0001faf8]" + TONE.pattern
)
_KEYCAP = re.compile(r"[0-9#*][\ufe0e\ufe0f]\u20e3")
_CURSIVE = re.compile(r"[\u0620-\u08ff\u1820-\u18aa]\u200c[\u0620-\u08ff\u1820-\u18aa]")


def joins_emoji(text: str, at: int) -> bool:
    """Whether the ZWJ at `at` stands between two pictographs of the kind that emoji sequences are made of."""
    before = at - 1
    while before > max(at - 3, 0) and EMOJI_TAIL.match(text, before):
        before -= 1
    return before >= 0 and bool(_JOINED_LEFT.match(text, before) and _JOINED_RIGHT.match(text, at + 1))


def selects_emoji(text: str, at: int) -> bool:
    """Whether the variation selector at `at` follows a pictograph or stands in a keycap."""
    return at > 0 and bool(PICTOGRAPH.match(text, at - 1) or _KEYCAP.match(text, at - 1))


def tones_emoji(text: str, at: int) -> bool:
    """Whether the skin tone at `at` follows an emoji that can have one."""
    return at > 0 and _TONED.match(text, at - 1) is not None


def joins_script(text: str, at: int) -> bool:
    """Whether the joiner at `at` changes how the letters beside it are joined, in scripts that write so."""
    if 0 < at < len(text) - 1 and unicodedata.combining(text[at - 1]) == VIRAMA and text[at + 1].isalpha():
        return True
    return at > 0 and _CURSIVE.match(text, at - 1) is not None


def attaches(char: str) -> bool:
    """Whether a character takes no cell of its own but joins the one before: a mark, a vowel jamo, a skin tone."""
    return unicodedata.category(char)[0] == "M" or bool(EMOJI_TAIL.match(char) or _JAMO.match(char))


def same_cluster(text: str, index: int) -> bool:
    """Whether the characters before and at `index`, neither a control, form one cluster (Unicode's GB6 to GB13)."""
    before, here = text[index - 1], text[index]
    if (before < "\u0300" and here < "\u0300") or "\n" in (before, here):
        return False
    if attaches(here) or here == ZWJ or before == ZWJ or _LETTER_TAIL.match(here) or _PREPEND.match(before):
        return True
    if _REGIONAL.match(here):
        return _regionals_before(text, index) % 2 == 1
    return bool(_HANGUL_LEAD.match(before) and _HANGUL.match(here)) or _conjunct(text, index)


def cells(char: str) -> int:
    """How many terminal cells a character adds at most, on terminals with emoji sequences or without: 0 to 2."""
    if char.isascii() or char == "\ufe0f":  # this selector widens some narrow characters
        return 1
    if TONE.match(char):
        return 2
    if char == ZWJ or attaches(char):
        return 0
    if unicodedata.category(char) == "Cn":
        return 2 if "\U0001f000" <= char <= "\U0003ffff" else 1
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _regionals_before(text: str, index: int) -> int:
    first = index
    while first > 0 and _REGIONAL.match(text, first - 1):
        first -= 1
    return index - first


def _conjunct(text: str, index: int) -> bool:
    """Whether an Indic consonant at `index` is tied to the one before it by a virama."""
    if not _CONJUNCT.match(text, index):
        return False
    first = index - 1
    while first > 0 and unicodedata.category(text[first])[0] == "M":
        first -= 1
    return not _CONJUNCT_LINKS.isdisjoint(text[first + 1 : index]) and bool(_CONJUNCT.match(text, first))
