"""The process in which math-verify runs: pairs of formulas in, one JSON line each; verdicts out. Run as a script."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from functools import partial
from typing import Any

MEMORY = 2 << 30
"""Bytes of address space that the process may take."""
MOST_NODES = 512
"""Most nodes of a parsed expression."""
READY = "ready"
"""The first line, written when math-verify is imported."""


def answer(parse: Any, verify: Any, reference: str, response: str) -> dict[str, bool] | None:
    """Whether two formulas are equal and whether both are plain numbers; None where one cannot be read."""
    gold, given = (_parsed(parse, text) for text in (reference, response))
    if gold is None or given is None:
        return None
    same = bool(verify(gold, given, timeout_seconds=None)) or bool(verify(given, gold, timeout_seconds=None))
    return {"same": same, "numbers": all(getattr(one, "is_number", False) for one in (gold, given))}


def _parsed(parse: Any, text: str) -> Any:
    found = parse(f"${text}$")
    if len(found) != 1 or isinstance(found[0], str):
        return None
    return found[0] if _nodes(found[0]) <= MOST_NODES else None


def _nodes(expression: Any) -> int:
    count, waiting = 0, [expression]
    while waiting and count <= MOST_NODES:
        count += 1
        waiting.extend(getattr(waiting.pop(), "args", ()))
    return count


def main() -> None:
    """Answer until the input ends."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # not on every platform
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    logging.disable(logging.CRITICAL)
    try:
        from math_verify import LatexExtractionConfig, parse, verify
    except ImportError:
        return
    # LaTeX alone: the reader of plain expressions evaluates Python.
    read = partial(
        parse, extraction_config=[LatexExtractionConfig()], fallback_mode="no_fallback", parsing_timeout=None
    )
    print(READY, flush=True)
    for line in sys.stdin:
        reference, response = json.loads(line)
        try:
            result = answer(read, verify, reference, response)
        except (Exception, RecursionError):  # whatever the parser breaks on is not readable
            result = None
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
