"""The numbers with their units, the signs and the brackets of sums in running text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple

from holdfast.db.models import Span

LONGEST_SIDE = 100
"""Most numbers, signs and brackets on one side of an equation."""
GREATEST_BITS = 4_000
"""Most bits of a power."""
MOST_UNIT_WORDS = 3
"""Most words that a number's unit has inside a sum."""

_TOKEN = re.compile(
    r"""
    (?P<mark><<[^<>\n]{0,200}>>)
  | (?P<number>(?:(?<![\w.])|(?<=\d[xX]))(?<!\d[.,:'’])(?:
        \d{1,30}\ \d{1,30}/\d{1,30}(?!\d)
      | (?:\d{1,3}(?:,\d{3})+(?!\d)|\d{1,40}(?!\d))(?:\.\d{1,40}(?!\d))?
      | \.\d{1,40}(?!\d)
    )(?![.,:'’]\d))
  | (?P<skipped>\\[()\[\],;!])
  | (?P<equals>(?<![<>=!:+\-*/~≈])=(?![=>]))
  | (?P<sign>\*\*|\\times|\\cdot|\\div|[-+*/×÷·⋅^−]|(?<=\s)–(?=\s)|(?<![^\W\d_])[xX](?=\s?[\d$€£(.]))
  | (?P<raised>[²³])
  | (?P<bracket>[()])
  | (?P<percent>%)
  | (?P<currency>US\$|\\?[$€£¥₹])
  | (?P<word>[^\W\d_][\w'’]*(?:-[^\W\d_]\w*)*)
  | (?P<other>\S)
    """,
    re.VERBOSE,
)
_SIGNS = {"\\times": "*", "\\cdot": "*", "\\div": "/", "**": "^"} | dict(zip("×xX·⋅÷−–", "*****/--", strict=True))


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_JOINING = _words(
    """a after an and are as at because before but by do does for from gets gives have has he her his if in is it its
    just leaving left let makes means minus my of on only or our per plus she since so than that the their then there
    therefore they this thus times to was we were when where which while who with you"""
)
"""Words that are no unit: a sum does not go on behind them."""
_BINDING = _words("of in per times by at x for")
_NOT_OF_A_NUMBER = _words(
    "that it this which them these those is are was were will would be equals means makes gives leaves and or so then"
)
"""Words behind "20 % of" that no number follows of which the share is taken: 20 % of that is 50."""
_GLUED_UNITS = _words("mm cm km kg mg ml oz lb lbs ft hr hrs min mins mph am pm st nd rd th")

Kind = Literal["number", "sign", "open", "close", "equals", "unknown", "break"]


Value = Fraction | int
"""Integers stay integers, which are far faster."""


@dataclass(slots=True)
class Atom:
    """A number with its unit, a sign, a bracket, an equals sign, something unknown, or a break in the reading."""

    kind: Kind
    text: str
    span: Span
    glued: bool
    value: Value = 0
    percent: bool = False
    currency: bool = False
    units: tuple[str, ...] = ()


class Token(NamedTuple):
    """A piece of text as the pattern found it; `glued` to the piece before it where no space stands between."""

    kind: str
    text: str
    span: Span
    glued: bool


def tokens(text: str, start: int, end: int) -> list[Token]:
    """The pieces of a line; calculator marks <<…>> are left out."""
    found, last = [], -1
    for match in _TOKEN.finditer(text, start, end):
        kind = str(match.lastgroup)
        if kind not in ("mark", "skipped") and not (match.group() == "**" and _is_bold(text, *match.span())):
            found.append(Token(kind, match.group(), match.span(), match.start() == last))
        last = match.end()
    return found


def _is_bold(text: str, start: int, end: int) -> bool:
    """Whether two asterisks open or close bold print: a power has white space on both sides or on neither."""
    before, after = text[start - 1 : start] if start else "", text[end : end + 1]
    opens = not before or before in " \t\n=(:"
    closes = not after or after in " \t\n=),.;:!?"
    return opens != closes


def atoms(pieces: Sequence[Token]) -> list[Atom]:
    """The pieces as numbers with units, signs and breaks."""
    made: list[Atom] = []
    at = 0
    while at < len(pieces):
        piece = pieces[at]
        following = pieces[at + 1] if at + 1 < len(pieces) else None
        if piece.kind == "number":
            at = _number(pieces, at, made)
            continue
        if piece.kind == "sign":
            made.append(_sign(piece, pieces[at - 1] if at else None, following, made))
        elif piece.kind == "raised":
            made.append(Atom("sign", "^", piece.span, True))
            made.append(Atom("number", piece.text, piece.span, True, Fraction(2 if piece.text == "²" else 3)))
        elif piece.kind == "bracket":
            made.append(Atom("open" if piece.text == "(" else "close", piece.text, piece.span, piece.glued))
        elif piece.kind == "equals":
            made.append(Atom("equals", "=", piece.span, piece.glued))
        elif piece.kind == "word" and piece.text in ("equals", "equal"):
            made.append(Atom("equals", "=", piece.span, False))
        elif piece.kind != "currency":
            made.append(_break(piece, following, made))
        at += 1
    return made


def _number(pieces: Sequence[Token], at: int, made: list[Atom]) -> int:
    """Append the number at a place, with its percent sign and unit; the place behind it."""
    piece = pieces[at]
    currency = at > 0 and pieces[at - 1].kind == "currency"
    atom = Atom("number", piece.text, piece.span, piece.glued and not currency, _value(piece.text), currency=currency)
    if currency:
        atom.span = (pieces[at - 1].span[0], piece.span[1])
    made.append(atom)
    at += 1
    if at < len(pieces) and pieces[at].kind == "percent":
        if not pieces[at].glued and at + 1 < len(pieces) and pieces[at + 1].kind == "number":
            made.append(Atom("sign", "mod", pieces[at].span, False))
            return at + 1
        atom.percent, atom.span = True, (atom.span[0], pieces[at].span[1])
        at += 1
    elif at < len(pieces) and pieces[at].kind == "word" and pieces[at].glued and pieces[at].text not in _GLUED_UNITS:
        atom.kind = "unknown"  # 2x is a term
    return _after_number(pieces, at, made, atom)


def _after_number(pieces: Sequence[Token], at: int, made: list[Atom], atom: Atom) -> int:
    share = atom.percent or (len(made) > 1 and made[-2].text == "/")
    if share and at < len(pieces) and pieces[at].text == "of":
        behind = at + 1
        while behind < len(pieces) and pieces[behind].kind == "word" and behind <= at + 2:
            behind += 1
        words_between = {piece.text.lower() for piece in pieces[at + 1 : behind]}
        numbered = behind < len(pieces) and pieces[behind].kind in ("number", "currency")
        if numbered and _NOT_OF_A_NUMBER.isdisjoint(words_between):
            made.append(Atom("sign", "*", (pieces[at].span[0], pieces[behind - 1].span[1]), False))
            return behind
    words, behind = _unit(pieces, at)
    following = pieces[behind] if behind < len(pieces) else None
    numbered = following is not None and following.kind in ("number", "currency")
    if numbered and words and words[-1] in ("is", "are") and _shares(made):
        atom.units = words[:-1]
        made.append(Atom("equals", "=", pieces[behind - 1].span, False))
        return behind
    atom.units = words
    if not words:
        return behind
    inside = following is not None and (following.kind in ("sign", "equals") or following.text == ")")
    if inside and (len(words) > MOST_UNIT_WORDS or any(len(one) == 1 or one.lower() in _JOINING for one in words)):
        equals = following is not None and following.kind == "equals"
        made.append(Atom("break" if equals else "unknown", "", pieces[at].span, False))
    elif not inside:
        # 8 packs of 5 bags * $4: what the 8 does to the sum is not said with signs.
        made.append(Atom("unknown" if numbered and words[-1] in _BINDING else "break", "", pieces[at].span, False))
    return behind


def _shares(made: Sequence[Atom]) -> bool:
    """Whether the sum at hand is a share of something: 20 % of 50."""
    for atom in reversed(made[-LONGEST_SIDE:]):
        if atom.kind in ("break", "equals"):
            return False
        if atom.kind == "sign" and atom.text == "*" and atom.span[1] - atom.span[0] >= 2:
            return True
    return False


def _unit(pieces: Sequence[Token], at: int) -> tuple[tuple[str, ...], int]:
    """The words behind a number, slashes between them too (tickets/ride), and the place behind them."""
    words: list[str] = []
    while at < len(pieces):
        piece = pieces[at]
        slashed = piece.text == "/" and at + 1 < len(pieces) and pieces[at + 1].kind == "word"
        if (piece.kind != "word" and not slashed) or piece.text in ("equals", "equal"):
            break
        if not slashed:
            words.append(piece.text)
        at += 1
    return tuple(words[:12]), at


def _sign(piece: Token, before: Token | None, after: Token | None, made: Sequence[Atom]) -> Atom:
    """A sign of arithmetic, or what it is instead: a list's bullet, a dash, or one whose other side is unknown."""
    text = _SIGNS.get(piece.text, piece.text)
    spaced = after is None or not after.glued
    if before is None and (piece.text == "**" or (text in "-*+" and spaced)):
        return Atom("break", "", piece.span, False)
    named = after is not None and after.kind in ("word", "other") and after.text != "\\"
    if after is None or named:
        dash = text == "-" and spaced and (after is None or len(after.text) > 1 or after.kind == "other")
        bold = piece.text in ("*", "**") and (after is None or after.kind == "other")
        return Atom("break" if dash or bold else "unknown", "", piece.span, False)
    if before is not None and before.kind == "word" and piece.glued and after.glued and text in "-^":
        return Atom("unknown", text, piece.span, False)  # cm-1, m^2
    follows_value = bool(made) and made[-1].kind in ("number", "close")
    if before is not None and before.kind in ("word", "other") and not follows_value:
        if piece.text == "**" and not piece.glued:
            return Atom("break", "", piece.span, False)
        unary = text == "-" and not spaced and not piece.glued and len(before.text) != 1
        listed = text == "-" and not spaced and before.text in ":,;"
        return Atom("sign" if unary or listed else "unknown", text, piece.span, False)
    return Atom("sign", text, piece.span, piece.glued)


def _break(piece: Token, following: Token | None, made: Sequence[Atom]) -> Atom:
    called = following is not None and following.text == "(" and following.glued and piece.text not in ":,;.\"'“‘["
    term = piece.kind == "word" and piece.glued and bool(made) and made[-1].kind == "close"  # (5/2)x
    bad = called or term or piece.text in "!√∑∏∫_\\|{}[]~≈≠<>&#@"
    return Atom("unknown" if bad else "break", piece.text, piece.span, piece.glued)


def _value(text: str) -> Value:
    if text.isdecimal():
        return int(text)
    whole, _, rest = text.partition(" ")
    if rest:
        over, _, under = rest.partition("/")
        return int(whole) + Fraction(int(over), int(under) or 1)
    return Fraction(text.replace(",", "") if not text.startswith(".") else "0" + text)
