"""Code against its tests: the response's program, or its completion of the prompt's, run with the tests given."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from holdfast.db.models import Finding, Sample, Severity, Span, Verdict
from holdfast.verifiers.base import Context, verifier
from holdfast.verifiers.oracles.programs import (
    LONGEST,
    MEMORY_MB,
    PACKAGES,
    SECONDS,
    line_span,
    passed,
    program_of,
    run,
    shown,
    trouble,
)
from holdfast.verifiers.sandbox import Ran, Status

_DEFINED = r"^(?:async[ ]+)?(?:def|class)[ ]+{0}\b|^{0}\s?(?::[^=\n]{{1,80}})?=[^=]"
_LAST_FUNCTION = re.compile(r"^(?:async +)?def +([A-Za-z_]\w*)", re.MULTILINE)
_CHECK = re.compile(r"^def +check\b", re.MULTILINE)
_CALLS_CHECK = re.compile(r"^(?!def )[^\n#]*\bcheck\(", re.MULTILINE)
_TEST_FUNCTION = re.compile(r"^def +(test\w*)\(\s?\)", re.MULTILINE)
_ASSERTS = re.compile(r"^(?:assert\b|for |with |if |try:)", re.MULTILINE)
_OWN_EQUALITY = re.compile(r"\b(?:def +)?__eq__\b|\b(?:from|import) +(?:unittest\.)?mock\b|\bunittest +import +mock\b")
_NAME = re.compile(r"[A-Za-z_]\w{0,200}\Z")
_TOP_LEVEL = ("def ", "class ", "import ", "from ", "@", "#", "async def ", '"""', "'''")


class Source(NamedTuple):
    """A program to test: `before` holds what the prompt gives, `first_line` lines stand ahead of the response's."""

    text: str
    before: str = ""
    first_line: int = 0


@verifier(layer="oracle", version="1")
def code_runs(
    sample: Sample,
    ctx: Context,
    *,
    packages: tuple[str, ...] = PACKAGES,
    seconds: int = SECONDS,
    memory_mb: int = MEMORY_MB,
) -> Verdict:
    """Run a response's code against the tests in `metadata.tests`, and fail it at the first one that does not hold.

    Tests are Python: `check(candidate)`, functions named test…, or plain asserts, in one text or in a list. The code
    may be a whole program or complete the prompt's function; `metadata.entry_point` names the function under test.
    `packages` are the import names of installed packages that programs may use, `seconds` the processor time and
    `memory_mb` the address space that a program may take.

    Options:
        packages: packages that the code may import beside the standard library; they are bound into the jail
        seconds: processor seconds that the code may use
        memory_mb: memory that the code may use, in megabytes
    """
    tests = _tests_of(sample.metadata.get("tests"))
    if not tests or len(tests) > LONGEST or len(sample.response) > LONGEST:
        return Verdict.abstain()
    entry = _entry_point(sample)
    checks = _with_calls(tests, entry)
    if checks is None:
        return Verdict.abstain()
    source = assembled(sample, entry)
    ran = run(
        source.text, before=source.before, checks=checks, name="response", packages=packages, seconds=seconds,
        memory_mb=memory_mb,
    )  # fmt: skip
    return ran if isinstance(ran, Verdict) else _judged(ran, sample, source, entry, tests)


def _tests_of(raw: Any) -> str:
    """The tests as one program; the empty string where there are none."""
    if isinstance(raw, list):
        raw = "\n".join(one for one in raw if isinstance(one, str))
    return raw if isinstance(raw, str) and raw.strip() else ""


def _entry_point(sample: Sample) -> str:
    named = sample.metadata.get("entry_point")
    if isinstance(named, str) and _NAME.match(named):
        return named
    last = _LAST_FUNCTION.findall(sample.prompt[-LONGEST:])
    return last[-1] if last else ""


def _with_calls(tests: str, entry: str) -> str | None:
    """The tests with the calls that start them; None where nothing could be called."""
    if _CHECK.search(tests):
        if _CALLS_CHECK.search(tests):
            return tests
        return f"{tests}\ncheck({entry})\n" if entry else None
    calls = [name for name in _TEST_FUNCTION.findall(tests) if not re.search(rf"^{name}\(", tests, re.MULTILINE)]
    if calls:
        return tests + "\n" + "".join(f"{name}()\n" for name in calls)
    if not _ASSERTS.search(tests) and not re.search(r"^test\w*\(", tests, re.MULTILINE):
        return None
    if re.search(r"\bcandidate\(", tests) and entry:
        return f"candidate = {entry}\n{tests}"
    return tests


def assembled(sample: Sample, entry: str) -> Source:
    """The response as a program: alone where it defines the function, else as the end of the prompt's code."""
    program = program_of(sample.response, tested=True)
    code = program.source if program is not None else sample.response
    asked = program_of(sample.prompt)
    given = asked.source if asked is not None else ""
    if not entry or re.search(_DEFINED.format(entry), code, re.MULTILINE) or not _defines(given, entry):
        return Source(code, given)
    head = given.rstrip("\n") + "\n"
    return Source(head + _indented(code), "", head.count("\n"))


def _defines(code: str, entry: str) -> bool:
    return re.search(_DEFINED.format(entry), code, re.MULTILINE) is not None


def _indented(body: str) -> str:
    """A function's body with an indentation that it lost: of all lines, or of the first alone."""
    lines = body.split("\n")
    at = next((at for at, line in enumerate(lines) if line.strip()), 0)
    if lines[at][:1].isspace() or lines[at].startswith(_TOP_LEVEL):
        return body
    rest = [line for line in lines[at + 1 :] if line.strip()]
    if rest and all(line[:1].isspace() for line in rest) and not lines[at].rstrip().endswith(":"):
        lines[at] = "    " + lines[at]
    else:
        lines = ["    " + line for line in lines]
    return "\n".join(lines)


def _judged(ran: Ran, sample: Sample, source: Source, entry: str, tests: str) -> Verdict:
    raised = ran.raised
    own_fault = raised is None or not raised.in_checks or raised.source_line > 0
    if ran.status is not Status.EXCEPTION or own_fault:
        found = trouble(ran, sample.response, first_line=source.first_line)
        if ran.status is Status.OK:
            found += [*_own_equality(sample, entry), *_own_functions(ran, entry, tests)]
        return Verdict.found(found) if found else passed(ran, "all tests hold")
    assert raised is not None
    found = [one for one in trouble(ran, sample.response) if one.code in ("forbidden-action", "changes-builtins")]
    return Verdict.found([*found, _failed_test(ran, sample, source, entry)])


def _own_equality(sample: Sample, entry: str) -> list[Finding]:
    """A function that brings values of its own with their own `==` may pass any test that compares them."""
    own = _OWN_EQUALITY.search(sample.response)
    if own is None or _OWN_EQUALITY.search(sample.prompt) or not re.search(rf"\bdef +{entry}\b", sample.response):
        return []
    message = "all tests hold, but the code brings an == of its own, which the tests may rely on"
    return [Finding("own-equality", Severity.WARN, message, own.span())]


def _own_functions(ran: Ran, entry: str, tests: str) -> list[Finding]:
    """Tests that compare by way of `abs` or `all` say little where the code brings its own."""
    used = [name for name in ran.own if name != entry and re.search(rf"\b{name}\b", tests)]
    if not used:
        return []
    message = f"all tests hold, but they use {shown(', '.join(used))}, which the code defines itself"
    return [Finding("own-functions", Severity.WARN, message)]


def _failed_test(ran: Ran, sample: Sample, source: Source, entry: str) -> Finding:
    """The finding for an exception that came from the tests themselves."""
    raised = ran.raised
    assert raised is not None
    place = _definition(sample.response, entry)
    where = f"(run in {ran.jail})"
    if raised.type == "AssertionError":
        said = f"fails the test {shown(ran.assertion)}" if ran.assertion else "fails a test"
        if ran.compared:
            said = f"{shown(ran.compared)} gives {shown(ran.got)}, not {shown(ran.expected)}"
        elif raised.message and raised.message not in said:
            said += f": {shown(raised.message)}"
        return Finding("test-fails", Severity.BLOCK, f"{said} {where}", place)
    if raised.type == "NameError" and f"'{entry}'" in raised.message:
        return Finding("missing-function", Severity.BLOCK, f"defines no function {entry} {where}")
    said = f"{raised.type}: {shown(raised.message)}"
    if raised.type == "TypeError" and entry in raised.message:
        return Finding("exception", Severity.BLOCK, f"cannot be called as the tests do: {said} {where}", place)
    message = f"the tests break: line {raised.line} raises {said} {where}"
    return Finding("tests-break", Severity.WARN, message, place)


def _definition(text: str, entry: str) -> Span | None:
    """The line of a text that defines the function under test."""
    if not entry:
        return None
    found = re.search(_DEFINED.format(entry), text, re.MULTILINE)
    return None if found is None else line_span(text, text.count("\n", 0, found.start()) + 1)
