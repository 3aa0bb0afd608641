"""The final answer of a response against the reference: numbers fast, formulas by math-verify within hard limits."""

from __future__ import annotations

import re
from fractions import Fraction

from holdfast.db.models import PASS, Outcome, Sample, Verdict
from holdfast.verifiers.answers import Answer, looks_like_program, number_answer, stated_number, stated_part
from holdfast.verifiers.base import Context, verifier
from holdfast.verifiers.choice_lists import options_of
from holdfast.verifiers.numbers import numbers
from holdfast.verifiers.oracles.symbolic import compare, readable
from holdfast.verifiers.units import may_be_converted, ratio

_ABSTAIN = Verdict.abstain()
_NOISE = Fraction(1, 10**9)
_ROUNDED_OR_DEGREES = (".", "°", "circ", "approx")
_SHOWN = 60
_NUMBER_WORD = re.compile(
    r"\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w{3,6}teen|twenty|thirty|forty|fifty|"
    r"sixty|seventy|eighty|ninety|hundred|thousand|million|dozen|half|twice|none|no|nothing|third|quarter)\b",
    re.IGNORECASE,
)


@verifier(layer="oracle", version="1")
def math_answer(sample: Sample, ctx: Context, *, seconds: float = 5.0) -> Verdict:
    """Fail responses whose final number or formula is not that of the reference.

    Applies where the reference is a number or a formula, or states one; never to questions of choice and programs.
    `seconds` is what math-verify (the extra `math`) may take for a pair of formulas; 0 leaves formulas unjudged.

    Options:
        seconds: how long the comparison of two formulas may take
    """
    reference = sample.reference
    if reference is None or not reference or options_of(sample):
        return _ABSTAIN
    text = sample.response
    expected = stated_number(reference)
    if expected is None:
        return _ABSTAIN if looks_like_program(text) else _formulas(text, reference, seconds)
    answer = number_answer(text)
    if answer is None:
        return _unread(text, reference, expected, seconds)
    if answer.value == expected.value and (answer.unit == expected.unit or answer.unit is None):
        return PASS
    return _compared(text, answer, reference, expected)


def _compared(text: str, answer: Answer, reference: str, expected: Answer) -> Verdict:
    """The verdict on two numbers that differ in value or in unit."""
    if answer.stated and answer.unit is None is expected.unit and answer.value.isdigit() and expected.value.isdigit():
        return Verdict.fail("wrong-answer", _message(text, answer, reference, expected), span=answer.span)
    given, wanted = Fraction(answer.value), Fraction(expected.value)
    factor = ratio(answer.unit, expected.unit)
    if factor is not None and factor != 1:
        if abs(given * factor - wanted) <= abs(wanted) * _NOISE:
            return PASS
        if given == wanted:
            return Verdict.flag("wrong-unit", _message(text, answer, reference, expected), span=answer.span)
    if abs(given - wanted) <= abs(wanted) * _NOISE:
        return PASS
    if _may_be_the_same(given, answer.unit, wanted, expected.unit):
        return _ABSTAIN
    if answer.stated:
        return Verdict.fail("wrong-answer", _message(text, answer, reference, expected), span=answer.span)
    message = f"states no final answer; its last number is {answer.value}, the reference says {expected.value}"
    return Verdict.flag("no-final-answer", message, span=answer.span)


def _may_be_the_same(given: Fraction, unit: str | None, wanted: Fraction, other_unit: str | None) -> bool:
    """Whether one number is the other rounded to two decimals or more, or converted to a unit that is not said."""
    half_said = unit is None or other_unit is None
    if half_said and (may_be_converted(given, unit, wanted) or may_be_converted(wanted, other_unit, given)):
        return True
    given, wanted = (value / 100 if of == "%" else value for value, of in ((given, unit), (wanted, other_unit)))
    for exact, rounded in ((given, wanted), (wanted, given)):
        places = _places(rounded)
        if 2 <= places <= 20 and round(exact, places) == rounded:
            return True
    return False


def _places(value: Fraction) -> int:
    """How many decimals a number has; 99 for one without end."""
    for places in range(21):
        if value.denominator != 1 and 10**places % value.denominator:
            continue
        return places
    return 99


def _unread(text: str, reference: str, expected: Answer, seconds: float) -> Verdict:
    """The verdict on a response of which no number could be read as its answer."""
    if looks_like_program(text) or not text.strip():
        return _ABSTAIN
    part = stated_part(text)
    if part is not None:
        verdict = _formulas(text, reference, seconds)
        if verdict.outcome is not Outcome.ABSTAIN:
            return verdict
        if any(one.value == expected.value for one in numbers(text, *part)):
            return _ABSTAIN
        if _NUMBER_WORD.search(text, *part):
            return _ABSTAIN
    elif not text.isascii() or _NUMBER_WORD.search(text):
        return _ABSTAIN
    message = f"states no answer that can be compared; the reference says {expected.value}"
    return Verdict.flag("no-final-answer", message, span=part if part is not None and part[0] < part[1] else None)


def _formulas(text: str, reference: str, seconds: float) -> Verdict:
    """The verdict on formulas: fail where both are numbers and differ, flag where variables leave a doubt."""
    wanted_at = stated_part(reference) or (0, len(reference))
    given_at = stated_part(text) or (0, len(text))
    wanted, given = reference[slice(*wanted_at)], text[slice(*given_at)]
    if " ".join(wanted.split()) == " ".join(given.split()):
        return PASS if readable(wanted) else _ABSTAIN
    found = compare(wanted, given, seconds=seconds)
    if found is not None and found.same:
        return PASS
    if found is None or any((mark in wanted) or (mark in given) for mark in _ROUNDED_OR_DEGREES):
        return _ABSTAIN
    message = f"answers {_shown(given)}; the reference says {_shown(wanted)}"
    make = Verdict.fail if found.numbers else Verdict.flag
    return make("wrong-answer", message, span=given_at)


def _message(text: str, answer: Answer, reference: str, expected: Answer) -> str:
    return f"answers {_said(text, answer)}; the reference says {_said(reference, expected)}"


def _said(text: str, answer: Answer) -> str:
    """A number as it was written, with its unit."""
    assert answer.span is not None
    said = text[slice(*answer.span)]
    if answer.unit is not None and answer.unit not in said.lower():
        said = f"{said} {answer.unit}"
    return _shown(said)


def _shown(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
