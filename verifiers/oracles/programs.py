"""Programs in texts: which lines are code, what they compute when they run, and what to say when they do not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from holdfast.db.models import Finding, Outcome, Sample, Severity, Span, Verdict
from holdfast.verifiers.answers import Answer
from holdfast.verifiers.jail.walls import package_places
from holdfast.verifiers.numbers import canonical, numbers, whole_number
from holdfast.verifiers.sandbox import Ran, Status, run_python

PACKAGES = ("numpy",)
"""Packages that programs may use unless the project names others: what Holdfast itself depends on."""
SECONDS = 5
MEMORY_MB = 1_024
LONGEST = 200_000
"""Longer responses are not run."""

_FENCE = re.compile(r"^([ \t]{0,12})(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^\n]*$")
_PYTHON = frozenset({"python", "python3", "py", "py3"})
_CODE_LINE = re.compile(
    r"[ \t]+\S|[#@)\]}]|(?:import|def|class|async|for|while|if|elif|with|try|except|else|finally|return|raise|assert"
    r"|del|pass|break|continue|global|lambda|yield|match)\b[^.?!]*(?:$|[:(\[.])|from [\w.]+ import |\"{3}|'{3}"
    r"|[A-Za-z_][\w.]*(?:, ?[A-Za-z_][\w.]*){0,9}(?:\[[^\]\n]*\])?(?:[ ]?:[ ]?[\w\[\], .]+)?"
    r"[ ]?(?:[-+*/%|&^]|//|\*\*)?=[^=]|[A-Za-z_][\w.]*\("
)
_SAYS_SO = re.compile(r"^(?:import \w|from [\w.]+ import |def \w+\(|class \w+[(:]|print\(|ans ?=)", re.MULTILINE)
_NAMES_VALUE = re.compile(r"^[a-z]+_\w+ ?= ?\S", re.MULTILINE)
_CODE_SHARE = 0.8
_SHOWN = 80
_CODES = {
    Status.EXCEPTION: "exception",
    Status.EXITED: "exits-early",
    Status.TIMEOUT: "timeout",
    Status.MEMORY: "memory",
    Status.OUTPUT: "output-flood",
    Status.CRASHED: "crash",
}


class Program(NamedTuple):
    """Python source in which line n stands where line n of the text stands; other lines are blank."""

    source: str
    fenced: bool


def program_of(text: str, *, tested: bool = False) -> Program | None:
    """The Python program that a text is, or holds between Markdown fences; None where there is none.

    A text that is `tested` is known to hold code: what stands between fences that name no language is it.
    """
    if len(text) > LONGEST:
        return None
    if "```" in text or "~~~" in text:
        return _fenced(text, tested)
    if text.startswith(">>>") or "\n>>>" in text:
        text = _without_sessions(text)
    return Program(text, False) if _is_code(text) else None


def _without_sessions(text: str) -> str:
    """The text with the lines of interactive sessions made blank: examples, and what they show."""
    lines, inside = text.split("\n"), False
    for at, line in enumerate(lines):
        inside = line.startswith(">>>") or (inside and bool(line.strip()) and not line.startswith(('"""', "'''")))
        if inside:
            lines[at] = ""
    return "\n".join(lines)


def _is_code(text: str) -> bool:
    lines = [line for line in text.split("\n") if line.strip()]
    code = sum(1 for line in lines if _CODE_LINE.match(line[:400]))
    if not lines or code < _CODE_SHARE * len(lines):
        return False
    return _SAYS_SO.search(text) is not None or len(_NAMES_VALUE.findall(text)) > 1


def _fenced(text: str, tested: bool) -> Program | None:
    """The lines between Python fences, each in its place, without the indentation of their fence."""
    lines = text.split("\n")
    kept = [""] * len(lines)
    found = False
    for first, last, language, indentation in _blocks(lines):
        block = [line.removeprefix(indentation) for line in lines[first:last]]
        code = "\n".join(block)
        session = code.lstrip().startswith(">>>")
        if code.strip() and not session and (language in _PYTHON or (not language and (tested or _is_code(code)))):
            kept[first:last] = block
            found = True
    return Program("\n".join(kept), True) if found else None


def _blocks(lines: list[str]) -> Iterator[tuple[int, int, str, str]]:
    """Fenced blocks as the lines from and to which they run, the language they name, and the fence's indentation."""
    opened: tuple[int, re.Match[str]] | None = None
    for at, line in enumerate(lines):
        fence = _FENCE.match(line) if "```" in line or "~~~" in line else None
        if opened is None:
            opened = (at, fence) if fence is not None else None
        elif fence is not None and not fence[3] and fence[2].startswith(opened[1][2]):
            yield opened[0] + 1, at, opened[1][3].lower(), opened[1][1]
            opened = None
    if opened is not None:  # cut off before its end
        yield opened[0] + 1, len(lines), opened[1][3].lower(), opened[1][1]


def executed_answer(
    sample: Sample, *, packages: tuple[str, ...] = PACKAGES, seconds: int = SECONDS, memory_mb: int = MEMORY_MB
) -> Answer | None:
    """The number that a response's program computes, as an answer that compares; None where it computes none."""
    program = program_of(sample.response)
    if program is None:
        return None
    ran = run(program.source, value="ans", packages=packages, seconds=seconds, memory_mb=memory_mb)
    number = number_of(ran) if isinstance(ran, Ran) and ran.status is Status.OK else None
    if number is None:
        return None
    # Twelve digits: what two orders of summing may differ by is no difference.
    return Answer("number", canonical(Fraction(f"{float(number):.12g}") if number.denominator != 1 else number))


def run(
    source: str, *, before: str = "", checks: str = "", value: str = "", name: str = "__main__",
    packages: tuple[str, ...], seconds: int, memory_mb: int,
) -> Ran | Verdict:  # fmt: skip
    """Run a program as an oracle's options say; an `error` verdict where it could not be run in safety."""
    try:
        for package in packages:
            package_places(package)
    except LookupError as error:
        return Verdict.error(f"{error.args[0]}: install it, or take it out of `packages`")
    ran = run_python(
        source, before=before, checks=checks, value=value, name=name, packages=packages,
        cpu_seconds=seconds, wall_seconds=3 * seconds + 5, memory_mb=memory_mb,
    )  # fmt: skip
    if ran.status is Status.UNAVAILABLE:
        return Verdict.error(f"the program was not run: {ran.message}")
    if ran.raised is not None and ran.raised.type == "ModuleNotFoundError":
        return _missing(ran, packages)
    return ran


def _missing(ran: Ran, packages: tuple[str, ...]) -> Ran | Verdict:
    """What is not there is no fault of the program's where it could be."""
    assert ran.raised is not None
    quoted = re.search(r"'([A-Za-z_]\w*)", ran.raised.message)
    name = quoted[1] if quoted else ""
    try:
        package_places(name)
    except LookupError:
        return Verdict.flag("missing-package", f"imports {name!r}, which is not installed here; it was not run")
    listed = ", ".join(f'"{one}"' for one in (*packages, name))
    return Verdict.error(f"the program needs {name!r}: set packages = [{listed}] for this verifier")


def trouble(ran: Ran, text: str, *, first_line: int = 0) -> list[Finding]:
    """Findings for forbidden actions and for an end that is none, each at the line of the text that is to blame.

    `first_line` is the number of lines that stand in the source before the text.
    """
    found = []
    if ran.tried:
        more = f" and {len(ran.tried) - 1} more" if len(ran.tried) > 1 else ""
        found.append(_block("forbidden-action", f"tried to {ran.tried[0]}{more}: blocked by {ran.jail}"))
    if ran.status is not Status.OK:
        line = ran.raised.source_line - first_line if ran.raised else 0
        syntax = ran.raised is not None and ran.raised.type in ("SyntaxError", "IndentationError", "TabError")
        code = "syntax-error" if syntax else _CODES[ran.status]
        message = f"is no valid Python: {_reason(ran)}" if syntax else ran.message
        where = f", line {line}" if line > 0 else ""
        found.append(_block(code, f"{message}{where} (run in {ran.jail})", line_span(text, line)))
    if ran.changed_builtins:
        message = "changes built-in functions, which the checks after it rely on"
        found.append(Finding("changes-builtins", Severity.WARN, message))
    return found


def _reason(ran: Ran) -> str:
    assert ran.raised is not None
    return re.sub(r" ?\(<\w+>, line \d+\)| on line \d+", "", ran.raised.message)


def _block(code: str, message: str, span: Span | None = None) -> Finding:
    return Finding(code, Severity.BLOCK, message, span)


def passed(ran: Ran, what: str) -> Verdict:
    """A pass that says what held and in which jail it was seen to hold."""
    return Verdict(Outcome.PASS, None, (Finding("ran", Severity.INFO, f"{what} (run in {ran.jail})"),))


def line_span(text: str, line: int) -> Span | None:
    """Where a line of a text stands, without its indentation; None outside the text and for blank lines."""
    if line < 1:
        return None
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
        if start == 0:
            return None
    end = text.find("\n", start)
    content = text[start : end if end >= 0 else len(text)]
    stripped = content.strip()
    if not stripped:
        return None
    start += content.index(stripped)
    return start, start + len(stripped)


def number_of(ran: Ran) -> Fraction | None:
    """The number that a program left in the variable asked for or, without the variable, printed last."""
    if ran.value is None:
        printed = [line for line in ran.stdout.splitlines() if line.strip()][-1:]
        found = list(numbers(printed[0][:2_000])) if printed else []
        return Fraction(found[-1].value) if found else None
    if ran.value.type in ("int", "float", "Decimal", "Fraction"):
        try:
            return Fraction(ran.value.text)
        except (ValueError, ZeroDivisionError):
            return None
    number = whole_number(ran.value.text) if ran.value.type == "str" else None
    return None if number is None else Fraction(number.value)


def shown(text: str) -> str:
    """A value or a piece of code on one line of bounded length."""
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
