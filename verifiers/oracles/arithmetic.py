"""Each equation between numbers in a response, worked out again: 24 + 18 = 43 is wrong at its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice, pairwise

from holdfast.db.models import PASS, Finding, Sample, Severity, Span, Verdict
from holdfast.verifiers.answers import looks_like_program
from holdfast.verifiers.base import Context, verifier
from holdfast.verifiers.numbers import canonical
from holdfast.verifiers.oracles.expressions import Atom, Value, atoms, tokens
from holdfast.verifiers.oracles.sums import sides, value_of
from holdfast.verifiers.units import ratio

SHOWN = 5
"""Most findings of one response; the last of them says how many there are in all."""

_LONGEST_LINE = 20_000
_MOST_EQUATIONS = 2_000
_LONG_BITS = 1_000
_SHOWN_DIGITS = 14
_NOISE = Fraction(1, 10**9)
_HUNDREDTH = Fraction(1, 100)
_GREATEST_POWER = 300
_OTHER_ARITHMETIC = re.compile(
    r"\bbase[- ]?(?!10\b|ten\b)(?:\d{1,2}|two|three|four|five|six|seven|eight|nine|twelve|sixteen)\b|"
    r"\b(?:binary|octal|hexadecimal|modulo|modular|mod \d)",
    re.IGNORECASE,
)
_ASKED = re.compile(r"[ *)\"'”’]{0,4}\?")
_MARK = re.compile(r"<<([^<>\n]{0,200})>>")
_COMPARED = frozenset(
    {"less", "more", "times", "fewer", "greater", "higher", "lower", "over", "remainder", "r", "or", "to"}
)
_OF_THE_CLOCK = frozenset({"am", "pm", "o'clock", "o’clock"})
_SCALES = frozenset(
    {"hundred", "thousand", "million", "billion", "trillion", "dozen", "dozens", "k", "K", "M", "pair", "pairs"}
)


@verifier(layer="oracle", version="1")
def arithmetic(sample: Sample, ctx: Context) -> Verdict:
    """Flag equations in the response that do not hold: a + b = c, chains, <<3*4=12>> marks, x% of y = z.

    A right side that is a correct rounding holds, and so does one cut off at two decimals or more. Equations with
    variables, functions or conversions of units are left alone, and so are texts about other bases than ten; without
    any other equation the check abstains.
    """
    text = sample.response
    if ("=" not in text and "%" not in text and " equal" not in text) or looks_like_program(text):
        return Verdict.abstain()
    if _OTHER_ARITHMETIC.search(text) or _OTHER_ARITHMETIC.search(sample.prompt):
        return Verdict.abstain()
    checked = 0
    wrong: list[tuple[Span, str]] = []
    for span, finding in islice(equations(text), _MOST_EQUATIONS):
        checked += 1
        if finding is not None and not any(_overlap(span, other) for other, _ in wrong):
            wrong.append((span, finding))
    if not checked:
        return Verdict.abstain()
    if not wrong:
        return PASS
    wrong.sort()
    more = f"; {len(wrong)} wrong equations in all" if len(wrong) > SHOWN else ""
    shown = wrong[:SHOWN]
    return Verdict.found(
        Finding("wrong-arithmetic", Severity.WARN, message + (more if place == SHOWN - 1 else ""), span)
        for place, (span, message) in enumerate(shown)
    )


def equations(text: str) -> Iterator[tuple[Span, str | None]]:
    """The equations of a text that can be checked: where they stand, and what is wrong with them, if anything."""
    for match in _MARK.finditer(text):
        yield from _of_line(text, *match.span(1))
    start = 0
    for line in text.split("\n"):
        if "=" in line or "% of" in line or " equal" in line:
            yield from _of_line(text, start, start + min(len(line), _LONGEST_LINE))
        start += len(line) + 1


def _of_line(text: str, start: int, end: int) -> Iterator[tuple[Span, str | None]]:
    for chain in sides(atoms(tokens(text, start, end))):
        for left, right in pairwise(chain):
            if not left or not right or not (_is_sum(left) or _is_sum(right)):
                continue
            holds = _holds(left, right)
            span = (left[0].span[0], right[-1].span[1])
            if holds is not None and (holds or not _ASKED.match(text, span[1])):
                yield span, None if holds else _message(text, left, right)


def _holds(left: Sequence[Atom], right: Sequence[Atom]) -> bool | None:
    """Whether two sides are equal as far as they are rounded; None where that cannot be told."""
    value, said = value_of(left, hundredths=True), value_of(right, hundredths=True)
    if value is None or said is None:
        return None
    if value == said or _close(value, said, right) or _holds_with_percent(left, right, value, said):
        return True
    if _goes_on_from(value, right):
        return True
    return None if _converts(left, right) else False


def _holds_with_percent(left: Sequence[Atom], right: Sequence[Atom], value: Value, said: Value) -> bool:
    """Whether the sides are equal with percent signs taken as a unit, on one of them or both."""
    if not any(atom.percent for side in (left, right) for atom in side):
        return False
    if right[-1].percent and len(right) == 1 and _close(value * 100, right[-1].value, right, percent=True):
        return True
    plain, plainly_said = value_of(left, hundredths=False), value_of(right, hundredths=False)
    pairs = ((plain, plainly_said), (value, plainly_said), (plain, said))
    return any(one is not None and other is not None and _close(one, other, right) for one, other in pairs)


def _close(value: Value, said: Value, right: Sequence[Atom], *, percent: bool = False) -> bool:
    """Whether what is said is the value, or the value rounded to as many decimals as are said."""
    if value == said:
        return True
    difference, size = abs(Fraction(value - said)), abs(Fraction(value))
    if difference <= size * _NOISE and difference.denominator != 1:
        return True
    unit = _last_place(right, percent)
    if unit is None:
        return False
    return difference <= unit / 2 or (unit <= _HUNDREDTH and difference < unit and abs(Fraction(said)) <= size)


def _last_place(side: Sequence[Atom], percent: bool) -> Fraction | None:
    """What the last digit of a side that is one number is worth: 0.01 of 3.14, 10^18 of 6.02 x 10^20; else None."""
    texts = [atom.text for atom in side if atom.kind != "open" and atom.kind != "close"]
    numbers = [atom for atom in side if atom.kind == "number"]
    if not numbers or numbers[0].percent != percent or "/" in numbers[0].text:
        return None
    place = Fraction(1, 10 ** len(numbers[0].text.partition(".")[2]))
    if len(numbers) == 1:
        return place
    power = numbers[-1].value
    if texts[1:4] != ["*", "10", "^"] or len(numbers) != 3 or not isinstance(power, int) or power > _GREATEST_POWER:
        return None
    return place * Fraction(10) ** (-power if "-" in texts else power)


def _goes_on_from(value: Value, right: Sequence[Atom]) -> bool:
    """Whether the right side begins with the result and goes on: 5 + 3 = 8 * 2 = 16."""
    for at, atom in enumerate(right):
        if atom.kind == "sign" and at:
            begun = value_of(right[:at], hundredths=True)
            rounded = any("." in one.text for one in right[:at])
            if begun is not None and (begun == value or (rounded and _close(value, begun, right[:at]))):
                return True
    return False


def _converts(left: Sequence[Atom], right: Sequence[Atom]) -> bool:
    """Whether the sides may be equal for a reason that is not in the numbers: other units, or a scale in words."""
    numbers = [atom for side in (left, right) for atom in side if atom.kind == "number"]
    scales = {tuple(word for word in atom.units if word in _SCALES) for atom in numbers}
    if len(scales) > 1 or (len(left) == 1 and all(atom.percent for atom in right if atom.kind == "number")):
        return True
    if any(word.lower() in _COMPARED for word in right[-1].units[:2]):
        return True
    if any(word.lower() in _OF_THE_CLOCK for atom in numbers for word in atom.units):
        return True
    before = {word for atom in left for word in _units(atom)}
    after = {word for atom in right for word in _units(atom)}
    if any((factor := ratio(one, other)) is not None and factor != 1 for one in before for other in after):
        return True
    if len(left) == 1 and left[0].units and right[-1].units and left[0].units != right[-1].units:
        return True
    # 1/2 bushel = 4 pecks: a fraction of one thing given as a number of others.
    fraction = len(left) <= 3 and all(atom.kind != "sign" or atom.text == "/" for atom in left)
    return fraction and not left[0].units and bool(left[-1].units) and left[-1].units != right[-1].units


def _units(atom: Atom) -> Iterator[str]:
    yield from (word.lower() for word in atom.units)
    if atom.currency:
        yield "dollars"


def _is_sum(side: Sequence[Atom]) -> bool:
    return any(atom.kind == "sign" for atom in side[1:])


def _message(text: str, left: Sequence[Atom], right: Sequence[Atom]) -> str:
    said = f"says {_written(text, left)} = {_written(text, right)}"
    one, other = (value_of(side, hundredths=True) or 0 for side in (left, right))
    if not _is_sum(left):
        return f"{said}, which is {_shown(other)}"
    if _is_sum(right):
        return f"{said}; the left side is {_shown(one)}, the right side {_shown(other)}"
    if right[-1].percent:
        return f"{said}; it is {_shown(one * 100)}%"
    return f"{said}; it is {_shown(one)}"


def _written(text: str, side: Sequence[Atom]) -> str:
    """A side as it was written, without calculator marks and units."""
    joined = ""
    for atom in side:
        part = _MARK.sub("", text[slice(*atom.span)])
        loose = atom.kind == "sign" and part and joined and not joined.endswith((" ", "("))
        joined += f" {part} " if loose else part
    joined = " ".join(joined.split())
    return joined if len(joined) <= 80 else joined[:79] + "…"


def _shown(value: Value) -> str:
    exact = Fraction(value)
    size = abs(exact)
    if size >= 10**15:
        return f"about {float(exact):.6g}" if size < 10**300 else "far greater"
    if exact.denominator.bit_length() > _LONG_BITS:
        return f"about {float(exact):.6g}"
    text = canonical(exact)
    if len(text) <= _SHOWN_DIGITS and "/" not in text:
        return text
    return f"about {float(round(exact, 4)):g}" if size >= Fraction(1, 1000) else f"about {float(exact):.3g}"


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]
