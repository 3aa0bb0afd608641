"""Examples of an interactive session in a text, and the code that runs them inside the jail."""

from __future__ import annotations

import re
from typing import NamedTuple

from holdfast.db.models import Span

MOST = 50
"""Most examples of one text that are run."""

_FIRST = re.compile(r"([ \t]*)>>>(?: (.*)|$)")
_CONTINUED = re.compile(r"\.\.\.(?: |$)")
_CLOSING = ('"""', "'''", "```", "~~~")


class Example(NamedTuple):
    """An example: its code, what it shows, and where its first line stands."""

    source: str
    want: str
    span: Span


def examples_in(text: str, *, code_lines: frozenset[int] = frozenset()) -> list[Example]:
    """The examples of a text, in order; those with a backslash within lines of code (from 0) are passed over.

    In a docstring a backslash may be an escape, and what the example says is then not what stands in the text.
    """
    if ">>>" not in text:
        return []
    found: list[Example] = []
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    at = 0
    while at < len(lines) and len(found) < MOST:
        first = _FIRST.match(lines[at])
        if first is None or not (first[2] or "").strip():
            at += 1
            continue
        head, indent = at, len(first[1])
        source = [first[2]]
        at += 1
        while at < len(lines) and _CONTINUED.match(lines[at][indent:]) and not lines[at][:indent].strip():
            source.append(lines[at][indent + 4 :])
            at += 1
        want, at = _want(lines, at, indent)
        code = "\n".join(source)
        if head in code_lines and "\\" in code + want:
            continue
        found.append(Example(code, want, (starts[head] + indent, starts[head] + len(lines[head].rstrip()))))
    return found


def _want(lines: list[str], at: int, indent: int) -> tuple[str, int]:
    """What an example shows, up to a blank line, another example, a fence or closing quotes; and the line behind it."""
    want = []
    while at < len(lines):
        line = lines[at]
        text = line.strip()
        if not text or text.startswith((">>>", *_CLOSING)) or (line[:indent].strip() and indent):
            break
        for quotes in _CLOSING[:2]:
            if text.endswith(quotes) and text.count(quotes) == 1:
                want.append(line[indent:].rstrip().removesuffix(quotes))
                return "\n".join(want), at + 1
        want.append(line[indent:])
        at += 1
    return "\n".join(want), at


MARK = "example:"

RUNNER = """
def _run_examples(examples):
    import ast, io, sys
    # The code that is tested may define functions of these names.
    from builtins import abs, all, compile, exec, float, globals, isinstance, len, list, map, max, tuple, type
    from builtins import AssertionError, Exception, TypeError

    def literal(text):
        try:
            return True, ast.literal_eval(text.strip())
        except Exception:
            return False, None

    def close(one, other):
        if isinstance(one, float) or isinstance(other, float):
            try:
                return abs(one - other) <= 1e-6 * max(1, abs(other)) or one != one and other != other
            except TypeError:
                return False
        if type(one) is type(other) and isinstance(one, (list, tuple)):
            return len(one) == len(other) and all(map(close, one, other))
        return one == other

    def matches(got, want):
        if "..." not in want:
            return got == want
        at, parts = 0, want.split("...")
        if not got.startswith(parts[0]) or not got.endswith(parts[-1]):
            return False
        for part in parts:
            at = got.find(part, at)
            if at < 0:
                return False
            at += len(part)
        return True

    def through_response(trace):
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == "<response>":
                return True
            trace = trace.tb_next
        return False

    judged = doubtful = 0
    for number, source, want in examples:
        expected = want.strip().splitlines()[-1].partition(":")[0].strip() if want.startswith("Traceback") else ""
        shown, error = io.StringIO(), None
        kept, sys.stdout = sys.stdout, shown
        try:
            exec(compile(source, "<example>", "single"), globals())
        except Exception as raised:
            error = raised
        finally:
            sys.stdout = kept
        got = " ".join(shown.getvalue().split())
        wanted = " ".join(want.split())
        if wanted == "None" and not got:
            wanted = ""
        if error is not None:
            name = type(error).__name__
            if expected.rpartition(".")[2] == name:
                judged += 1
            elif through_response(error.__traceback__) and wanted:
                raise AssertionError(f"example:{number}:fail:raises {name}: {error}")
            continue
        if expected:
            raise AssertionError(f"example:{number}:fail:raises nothing")
        if not wanted and got in ("", "None"):
            judged += want.strip() == "None"
            continue
        judged += 1
        if matches(got, wanted):
            continue
        (first, one), (second, other) = literal(got), literal(wanted)
        if first and second:
            if not close(one, other):
                raise AssertionError(f"example:{number}:fail:gives {got}")
        elif not wanted and first:
            judged -= 1
        elif not doubtful:
            doubtful = f"example:{number}:flag:gives {got or 'nothing'}"
    if doubtful:
        raise AssertionError(doubtful)
    if not judged:
        raise AssertionError("example:none")
"""
"""Defines `_run_examples([(number, source, want)])`, which raises AssertionError for the first that shows otherwise.

The message is `example:NUMBER:fail:…` where both values are literals that differ or the response's code raised,
`…:flag:…` where texts differ that may mean the same, and `example:none` where nothing could be judged.
"""
