"""Filters of the queue: `field:value`, `verifier:code`, `gen:2` and words, all of which must hold."""

from __future__ import annotations

import re
from collections.abc import Collection
from difflib import get_close_matches

from holdfast.db.errors import UsageError
from holdfast.db.filters import FIELDS, FINDING_FIELDS, TEXT, Condition

_TERM = re.compile(r'(?:(?P<field>[A-Za-z_][\w.-]*):)?(?:"(?P<quoted>[^"]*)"|(?P<plain>\S+))')


def parse(expression: str, verifiers: Collection[str]) -> tuple[Condition, ...]:
    """The conditions of a filter; UsageError names a field that is neither known nor one of the `verifiers`.

    A value may hold `*` for any characters and stands in quotes where it holds spaces; `none` is a missing value.
    """
    return tuple(
        _condition(term["field"], term["plain"] if term["quoted"] is None else term["quoted"], verifiers)
        for term in _TERM.finditer(expression)
    )


def _condition(field: str | None, value: str, verifiers: Collection[str]) -> Condition:
    if field is None:
        return Condition(((TEXT, value),))
    if field in FIELDS or field in FINDING_FIELDS:
        return Condition(((field, value),))
    if field in verifiers:
        return Condition((("verifier", field), ("code", value)))
    fields = [*FIELDS, *FINDING_FIELDS]
    near = get_close_matches(field, [*fields, *verifiers], 1)
    hint = f"did you mean {near[0]}?" if near else f"fields are {', '.join(fields)}, or a verifier's name"
    raise UsageError(f"filter {field}:{value}: no such field; {hint} (quote a word that holds a colon)")
