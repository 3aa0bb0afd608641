"""Equations of sums as a text writes them: their sides, and what a side comes to. No eval; bounded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from holdfast.verifiers.oracles.expressions import LONGEST_SIDE, Atom, Value

GREATEST_BITS = 4_000
"""Most bits of a power."""

_RANK = {"+": 1, "-": 1, "*": 2, "/": 2, "mod": 2, "neg": 3, "pos": 3, "^": 4}


def sides(line: Sequence[Atom]) -> Iterator[list[list[Atom]]]:
    """The chains of a line, a = b = c, each as its sides; a side with something unknown in it is empty."""
    chain: list[list[Atom]] = [[]]
    for atom in (*line, Atom("break", "", (0, 0), False)):
        if atom.kind == "equals":
            chain.append([])
        elif atom.kind == "break":
            if len(chain) > 1:
                yield [_cleaned(side, place, len(chain)) for place, side in enumerate(chain)]
            chain = [[]]
        else:
            chain[-1].append(atom)


def _cleaned(side: list[Atom], place: int, count: int) -> list[Atom]:
    """A side without brackets that open before the chain or close behind it, and with products spelled out."""
    if place == 0:
        side = _from_open(side)
    if place == count - 1:
        side = _to_close(side)
    if any(atom.kind == "unknown" for atom in side):
        return []
    return _with_products(side)


def _from_open(side: list[Atom]) -> list[Atom]:
    depth = 0
    for at in range(len(side) - 1, -1, -1):
        kind = side[at].kind
        depth += (kind == "close") - (kind == "open")
        if depth < 0:
            return side[at + 1 :]
    return side


def _to_close(side: list[Atom]) -> list[Atom]:
    depth = 0
    for at, atom in enumerate(side):
        depth += (atom.kind == "open") - (atom.kind == "close")
        if depth < 0:
            return side[:at]
    return side


def _with_products(side: list[Atom]) -> list[Atom]:
    """2(3 + 4) as 2 * (3 + 4); empty where numbers stand side by side, or a division makes the order unclear."""
    made: list[Atom] = []
    implied = False
    for atom in side:
        if made and made[-1].kind in ("number", "close") and atom.kind in ("number", "open"):
            if not atom.glued or (atom.kind == "number" and made[-1].kind == "number"):
                return []
            implied = True
            made.append(Atom("sign", "*", (atom.span[0], atom.span[0]), True))
        made.append(atom)
    return [] if implied and any(atom.text == "/" for atom in made) else made


def value_of(side: Sequence[Atom], *, hundredths: bool) -> Value | None:
    """The value of one side, its percent signs read as hundredths or left out; None where it cannot be read."""
    if not side or len(side) > LONGEST_SIDE:
        return None
    values: list[Value] = []
    waiting: list[str] = []
    expect_value = True
    for atom in side:
        if expect_value:
            if atom.kind == "number":
                values.append(Fraction(atom.value, 100) if atom.percent and hundredths else atom.value)
                expect_value = False
            elif atom.kind == "open":
                waiting.append("(")
            elif atom.kind == "sign" and atom.text in "+-":
                waiting.append("neg" if atom.text == "-" else "pos")
            else:
                return None
        elif atom.kind == "sign":
            if not _reduce(values, waiting, _RANK[atom.text] + (atom.text == "^")):
                return None
            waiting.append(atom.text)
            expect_value = True
        elif atom.kind == "close":
            if not _reduce(values, waiting, 0) or not waiting:
                return None
            waiting.pop()
        else:
            return None
    if expect_value or not _reduce(values, waiting, 0) or waiting:
        return None
    return values[0]


def _reduce(values: list[Value], waiting: list[str], rank: int) -> bool:
    """Apply the waiting signs of at least this rank; False where one cannot be applied."""
    while waiting and waiting[-1] != "(" and _RANK[waiting[-1]] >= max(rank, 1):
        sign = waiting.pop()
        if sign in ("neg", "pos"):
            values[-1] = -values[-1] if sign == "neg" else values[-1]
            continue
        right, left = values.pop(), values.pop()
        result = _applied(sign, left, right)
        if result is None:
            return False
        values.append(result)
    return True


def _applied(sign: str, left: Value, right: Value) -> Value | None:
    if sign == "+":
        return left + right
    if sign == "-":
        return left - right
    if sign == "*":
        return left * right
    if sign == "^":
        return _power(left, right)
    if right == 0:
        return None
    return left % right if sign == "mod" else Fraction(left) / right


def _power(base: Value, exponent: Value) -> Value | None:
    if exponent.denominator != 1 or (base == 0 and exponent < 0):
        return None
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if bits * abs(exponent.numerator) > GREATEST_BITS:
        return None
    return Fraction(base) ** exponent.numerator
