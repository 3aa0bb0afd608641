"""Answers that are programs: what they compute against the number of the reference."""

from __future__ import annotations

from fractions import Fraction

from holdfast.db.models import Sample, Verdict
from holdfast.verifiers.answers import Answer, stated_number
from holdfast.verifiers.base import Context, verifier
from holdfast.verifiers.oracles.programs import (
    MEMORY_MB,
    PACKAGES,
    SECONDS,
    line_span,
    number_of,
    passed,
    program_of,
    run,
    shown,
    trouble,
)
from holdfast.verifiers.sandbox import Ran

_NOISE = Fraction(1, 10**6)


@verifier(layer="oracle", version="1")
def program_answer(
    sample: Sample,
    ctx: Context,
    *,
    packages: tuple[str, ...] = PACKAGES,
    seconds: int = SECONDS,
    memory_mb: int = MEMORY_MB,
) -> Verdict:
    """Run a response that is a Python program, and fail it unless it leaves the reference's number in `ans`.

    A program without `ans` is judged by the last number that it prints. Applies where the reference is a number or
    states one, and nothing else says how to test the program. `packages` are the import names of installed packages
    that programs may use, `seconds` the processor time and `memory_mb` the address space that a program may take.

    Options:
        packages: packages that the code may import beside the standard library; they are bound into the jail
        seconds: processor seconds that the code may use
        memory_mb: memory that the code may use, in megabytes
    """
    if not sample.reference or sample.metadata.get("tests"):
        return Verdict.abstain()
    program = program_of(sample.response)
    expected = stated_number(sample.reference) if program is not None else None
    if program is None or expected is None:
        return Verdict.abstain()
    ran = run(program.source, value="ans", packages=packages, seconds=seconds, memory_mb=memory_mb)
    if isinstance(ran, Verdict):
        return ran
    found = trouble(ran, sample.response)
    return Verdict.found(found) if found else _compared(ran, expected, sample)


def _compared(ran: Ran, expected: Answer, sample: Sample) -> Verdict:
    wanted = Fraction(expected.value)
    number = number_of(ran)
    place = _last_assignment(sample.response) if ran.value is not None else None
    if number is None:
        left = "leaves nothing in `ans`, and prints no number"
        if ran.value is not None:
            left = f"leaves {shown(ran.value.text)} in `ans`, which is no number"
        return Verdict.fail("no-answer", f"{left}; the reference says {expected.value} (run in {ran.jail})", span=place)
    told = shown(ran.value.text) if ran.value is not None else shown(str(float(number)))
    if _equal(number, wanted):
        return passed(ran, f"computes {told}, as the reference says")
    message = f"computes {told}; the reference says {expected.value} (run in {ran.jail})"
    return Verdict.fail("wrong-answer", message, span=place)


def _equal(number: Fraction, wanted: Fraction) -> bool:
    """Whether two numbers differ by no more than floating point does, or than a reference of decimals is rounded."""
    if abs(number - wanted) <= _NOISE * max(Fraction(1), abs(wanted)):
        return True
    for places in range(2, 7):
        if (wanted * 10**places).denominator == 1:
            return wanted.denominator != 1 and round(number, places) == wanted
    return False


def _last_assignment(text: str) -> tuple[int, int] | None:
    """The line that gives `ans` its value."""
    lines = text.split("\n")
    for at in range(len(lines) - 1, -1, -1):
        if lines[at].lstrip().startswith(("ans =", "ans=")):
            return line_span(text, at + 1)
    return None
