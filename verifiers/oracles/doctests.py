"""Examples of an interactive session: what they show against what the response's code does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from holdfast.db.models import Finding, Sample, Severity, Verdict
from holdfast.verifiers.base import Context, verifier
from holdfast.verifiers.oracles.code_runs import Source, assembled
from holdfast.verifiers.oracles.examples import MARK, RUNNER, Example, examples_in
from holdfast.verifiers.oracles.programs import (
    LONGEST,
    MEMORY_MB,
    PACKAGES,
    SECONDS,
    passed,
    program_of,
    run,
    shown,
    trouble,
)
from holdfast.verifiers.sandbox import Ran

_FUNCTION = re.compile(r"^(?:async +)?def +([A-Za-z_]\w*)", re.MULTILINE)


class _Placed(NamedTuple):
    example: Example
    of: Literal["response", "prompt"]


@verifier(layer="oracle", version="1")
def doctests(
    sample: Sample,
    ctx: Context,
    *,
    packages: tuple[str, ...] = PACKAGES,
    seconds: int = SECONDS,
    memory_mb: int = MEMORY_MB,
) -> Verdict:
    """Run the >>> examples of prompt and response with the response's code, and fail what shows another value.

    Values compare as values, whatever their quotes and blanks; texts that differ and are no values are flagged.
    `packages` are the import names of installed packages that programs may use, `seconds` the processor time and
    `memory_mb` the address space that a program may take.

    Options:
        packages: packages that the code may import beside the standard library; they are bound into the jail
        seconds: processor seconds that the code may use
        memory_mb: memory that the code may use, in megabytes
    """
    if ">>>" not in sample.response and ">>>" not in sample.prompt:
        return Verdict.abstain()
    if len(sample.response) + len(sample.prompt) > LONGEST:
        return Verdict.abstain()
    source, placed = _source_and_examples(sample)
    if not placed:
        return Verdict.abstain()
    told = [(number, one.example.source, one.example.want) for number, one in enumerate(placed)]
    ran = run(
        source.text, before=source.before, checks=f"{RUNNER}\n_run_examples({told!r})\n", name="response",
        packages=packages, seconds=seconds, memory_mb=memory_mb,
    )  # fmt: skip
    return ran if isinstance(ran, Verdict) else _judged(ran, sample, source, placed)


def _source_and_examples(sample: Sample) -> tuple[Source, list[_Placed]]:
    """The code to run and the examples to run with it; a prompt's examples ask for code in the response."""
    program = program_of(sample.response)
    asked = program_of(sample.prompt)
    functions = _FUNCTION.findall(asked.source) if asked is not None else []
    completes = bool(functions) and program is None and sample.response[:1].isspace()
    if program is None and not completes:
        if _is_session(sample.response):
            return Source(""), [_Placed(one, "response") for one in examples_in(sample.response)]
        return Source(""), []
    source = assembled(sample, functions[-1] if functions else "")
    code = program.source if program is not None else sample.response
    placed = [_Placed(one, "response") for one in examples_in(sample.response, code_lines=_lines_of(code))]
    given = asked.source if asked is not None else ""
    known = {(one.example.source, one.example.want) for one in placed}
    for one in examples_in(sample.prompt, code_lines=_lines_of(given)):
        if (one.source, one.want) not in known:
            placed.append(_Placed(one, "prompt"))
    return source, placed


def _is_session(text: str) -> bool:
    """Whether a text holds a session that explains itself, rather than a quotation mark of e-mail."""
    return re.search(r"^[ \t]*>>> (?:import |from \w+ import |[a-z_]\w* = |[\w.]+\()", text, re.MULTILINE) is not None


def _lines_of(code: str) -> frozenset[int]:
    return frozenset(at for at, line in enumerate(code.split("\n")) if line.strip())


def _judged(ran: Ran, sample: Sample, source: Source, placed: Sequence[_Placed]) -> Verdict:
    raised = ran.raised
    if raised is None or not raised.in_checks or not raised.message.startswith(MARK):
        if raised is not None and raised.in_checks and not raised.source_line:
            return Verdict.abstain()
        found = trouble(ran, sample.response, first_line=source.first_line)
        if "```" not in sample.response and any(one.code == "syntax-error" for one in found):
            return Verdict.abstain()  # it may be no program, but a text about one
        return Verdict.found(found) if found else passed(ran, "all examples hold")
    findings = [one for one in trouble(ran, sample.response) if one.code in ("forbidden-action", "changes-builtins")]
    if raised.message != f"{MARK}none":
        findings.append(_failed(raised.message.removeprefix(MARK), placed, ran))
    return Verdict.found(findings) if findings else Verdict.abstain()


def _failed(told: str, placed: Sequence[_Placed], ran: Ran) -> Finding:
    """The finding for an example that shows otherwise: its number, how certain that is, and what it does."""
    number, how, does = told.split(":", 2)
    example, of = placed[int(number)]
    severity = Severity.BLOCK if how == "fail" else Severity.WARN
    wants = f", not {shown(example.want)}" if example.want.strip() else ""
    message = f"{shown(example.source)} {shown(does)}{wants} (run in {ran.jail})"
    return Finding("example-fails", severity, message, example.span, of)
