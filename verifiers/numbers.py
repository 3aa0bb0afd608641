"""Numbers as people and models write them: read from a text, bounded, in a canonical form that compares as a string."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from holdfast.db.models import Span

LONGEST = 100
"""Most digits that a number may have; longer ones are not read."""
GREATEST_EXPONENT = 1_000
"""Greatest power of ten, up or down, that a number may carry."""

_VULGAR = "¼½¾⅐-⅞"
_GROUPED = r"\d{1,3}(?:[,\u00a0\u202f\u2009'’]\d{3})+|\d{1,3}(?:\{,\}\d{3})+|\d+"
_NUMBER = re.compile(
    rf"""
    (?<![\w.)\]}}^])(?<!\d[.,:/'’])            # not inside a word, a list, a time or a date
    (?P<sign>[-−+]\s?)?
    (?:\\?[$€£¥₹]\s?|US\$\s?|USD\s|EUR\s)?
    (?P<inner>[-−])?
    (?P<core>
        \\[dt]?frac(?:\{{(?P<top>-?\d+)\}}\{{(?P<bottom>\d+)\}}|\s?(?P<short>\d)\s?(?P<shorter>\d))
      | (?P<vulgar>[{_VULGAR}])
      | (?P<mixed>\d+)(?:\s(?P<over>\d+)/(?P<under>\d+)|\s?(?P<half>[{_VULGAR}]))
      | (?P<whole>{_GROUPED})(?P<tail>\.\d+)?
        (?: \s?/\s?(?P<divisor>\d+)
          | [eE](?P<exponent>[-+]?\d+)
          | \s?(?:[x×*·]|\\times|\\cdot)\s?10\^\{{?(?P<power>[-−+]?\d+)\}}?
        )?
      | (?P<bare>\.\d+)
    )
    (?!\d|[.,:/'’]\d)
    (?:\s?(?:(?P<scale>thousand|million|billion|trillion)\b\s?)?
       (?:(?:\\[,;\x20])?\\(?:text|mathrm)\{{\s?(?P<texed>[^\W\d_]+)\}}
          |(?P<unit>\\?%|°\s?[CF]?|\$|€|[^\W\d_]+(?:/[^\W\d_]+|\^?[23²³](?!\d))?))?
    )?
    """,
    re.VERBOSE,
)
_SCALES = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_ONE_LETTER_UNITS = frozenset("mgslhdKMkLCFVWNJ%$€")
_SIGNS = "%°$€"
_NOT_DIGITS = re.compile(r"[^\d]")


class Number(NamedTuple):
    """A number in a text: its canonical value, where it stands, and the word or sign behind it, in lower case."""

    value: str
    span: Span
    unit: str | None


def numbers(text: str, start: int = 0, end: int | None = None) -> Iterator[Number]:
    """The numbers of a text in order; what is too long, or ambiguous (3,5 or 1/2/2024 or 3:30), is passed over."""
    for match in _NUMBER.finditer(text, start, len(text) if end is None else end):
        number = _read(match)
        if number is not None:
            yield number


def number_in(text: str) -> Fraction | None:
    """The value of a text that is one number, with a sign, currency, unit or full stop at most; None otherwise."""
    found = whole_number(text)
    return None if found is None else Fraction(found.value)


def whole_number(text: str) -> Number | None:
    """The number that a whole text is, whatever its unit; None where there is more to the text."""
    match = _NUMBER.search(text[:400]) if len(text) <= 400 else None
    if match is None or text[: match.start()].strip(" \t\n*_\\([{≈~=") or text[match.end() :].strip(" \t\n*_.\\)]}!"):
        return None
    return _read(match)


def canonical(value: Fraction) -> str:
    """An exact decimal where there is one of at most LONGEST digits, else numerator/denominator in lowest terms."""
    top, bottom = value.numerator, value.denominator
    if bottom == 1:
        return str(top)
    twos = (bottom & -bottom).bit_length() - 1
    rest, fives = bottom >> twos, 0
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    if rest != 1 or places > LONGEST:
        return str(value)
    digits = str(abs(top) * 10**places // bottom).rjust(places + 1, "0")
    return f"{'-' if top < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def plain(negative: bool, whole: str, tail: str) -> str:
    """The canonical form of decimal digits before and behind the point."""
    if not (whole + tail).isascii():  # digits of other scripts
        whole, tail = ("".join(str(int(digit)) for digit in part) for part in (whole, tail))
    whole = whole.lstrip("0") or "0"
    tail = tail.rstrip("0")
    if tail:
        return f"-{whole}.{tail}" if negative else f"{whole}.{tail}"
    return f"-{whole}" if negative and whole != "0" else whole


def _read(match: re.Match[str]) -> Number | None:
    parts = match.groupdict()
    unit = parts["unit"]
    value = _value(parts)
    if value is None:
        return None
    end = match.end("scale") if parts["scale"] else match.end("core")
    if unit is not None and len(unit) == 1 and unit not in _ONE_LETTER_UNITS:
        if match.start("unit") == end:
            return None  # 2x is a term, not a number
        unit = None
    elif unit is not None:
        unit = unit.lstrip("\\").replace(" ", "").lower()
        if unit[0] in _SIGNS:
            end = match.end("unit")
    elif parts["texed"]:
        unit = parts["texed"].lower()
    return Number(value, (match.start(), end), unit)


def _value(parts: dict[str, str | None]) -> str | None:
    if any(len(part) > LONGEST for part in parts.values() if part):
        return None
    negative = (parts["sign"] or "")[:1] in ("-", "−") or parts["inner"] is not None
    simple = parts["divisor"] is None and parts["exponent"] is None and parts["power"] is None and not parts["scale"]
    if simple and (parts["whole"] or parts["bare"]):
        tail = parts["bare"] or parts["tail"] or "."
        return plain(negative, _NOT_DIGITS.sub("", parts["whole"] or ""), tail[1:])
    value = _exact(parts)
    if value is None:
        return None
    return canonical(-value if negative else value)


def _exact(parts: dict[str, str | None]) -> Fraction | None:
    divisor = parts["bottom"] or parts["shorter"] or parts["under"] or parts["divisor"]
    if divisor:
        below = int(divisor)
        if below == 0:
            return None
        if parts["under"]:
            value = int(parts["mixed"] or 0) + Fraction(int(parts["over"] or 0), below)
        else:
            above = parts["top"] or parts["short"] or _NOT_DIGITS.sub("", parts["whole"] or "") + (parts["tail"] or "")
            value = Fraction(above) / below
    elif parts["vulgar"] or parts["half"]:
        mark = parts["vulgar"] or parts["half"] or ""
        value = int(parts["mixed"] or 0) + Fraction(unicodedata.numeric(mark)).limit_denominator(10)
    else:
        value = Fraction((_NOT_DIGITS.sub("", parts["whole"] or "") or "0") + (parts["bare"] or parts["tail"] or ""))
    power = int((parts["exponent"] or parts["power"] or "0").replace("−", "-")) + _SCALES.get(parts["scale"] or "", 0)
    if abs(power) > GREATEST_EXPONENT:
        return None
    return value * Fraction(10) ** power
