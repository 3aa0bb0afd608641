"""Filters of the queue: `field:value`, `verifier:code`, `gen:2` and words, all of which must hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from holdfast.db.errors import UsageError
from holdfast.db.samples import Stored
from holdfast.db.verdicts import Outcomes


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sample that a filter looks at; `outcomes` reads its current verdicts."""

    stored: Stored
    outcomes: Callable[[], Sequence[Outcomes]]


Test = Callable[[Candidate], bool]

_FIELDS: dict[str, Callable[[Stored], object]] = {
    "batch": lambda stored: stored.batch,
    "id": lambda stored: stored.external_id,
    "uid": lambda stored: stored.uid,
    "status": lambda stored: stored.status,
    "provenance": lambda stored: stored.sample.provenance,
    "model": lambda stored: stored.sample.model,
    "family": lambda stored: stored.sample.family,
    "gen": lambda stored: stored.sample.generation,
    "generation": lambda stored: stored.sample.generation,
    "domain": lambda stored: stored.sample.domain,
    "task": lambda stored: stored.sample.task,
    "label": lambda stored: stored.sample.label,
    "licence": lambda stored: stored.sample.licence,
    "group": lambda stored: stored.sample.group,
}
_FINDINGS = ("verifier", "code", "severity")
_TERM = re.compile(r'(?:([A-Za-z_][\w.-]*):)?(?:"([^"]*)"|(\S+))')


def parse(expression: str, verifiers: Collection[str]) -> Callable[[Candidate], bool]:
    """A test of one sample; UsageError names a field that is neither known nor one of the `verifiers`.

    A value may hold `*` for any characters and stands in quotes where it holds spaces; `none` is a missing value.
    """
    tests = [_test(match[1], match[2] if match[2] is not None else match[3], verifiers)
             for match in _TERM.finditer(expression)]  # fmt: skip
    return lambda candidate: all(test(candidate) for test in tests)


def _test(field: str | None, value: str, verifiers: Collection[str]) -> Test:
    if field is None:
        return _text(value)
    if field in _FIELDS:
        return _field(_FIELDS[field], value)
    if field in _FINDINGS:
        return _finding(field, value)
    if field in verifiers:
        return _finding_of(field, value)
    known = [*_FIELDS, *_FINDINGS, *verifiers]
    near = get_close_matches(field, known, 1)
    hint = (
        f"did you mean {near[0]}?" if near else f"fields are {', '.join([*_FIELDS, *_FINDINGS])}, or a verifier's name"
    )
    raise UsageError(f"filter {field}:{value}: no such field; {hint} (quote a word that holds a colon)")


def _text(word: str) -> Test:
    wanted = word.casefold()
    return lambda candidate: (
        wanted in candidate.stored.sample.response.casefold() or wanted in candidate.stored.sample.prompt.casefold()
    )


def _field(read: Callable[[Stored], object], pattern: str) -> Test:
    return lambda candidate: _matches(read(candidate.stored), pattern)


def _finding(part: str, pattern: str) -> Test:
    def test(candidate: Candidate) -> bool:
        return any(
            _matches({"verifier": one.spec.name, "code": found.code, "severity": found.severity}[part], pattern)
            for one in candidate.outcomes()
            for found in one.verdict.findings
        )

    return test


def _finding_of(verifier: str, pattern: str) -> Test:
    def test(candidate: Candidate) -> bool:
        return any(
            _matches(found.code, pattern)
            for one in candidate.outcomes()
            if one.spec.name == verifier
            for found in one.verdict.findings
        )

    return test


def _matches(value: object, pattern: str) -> bool:
    if value is None:
        return pattern.casefold() == "none"
    return fnmatchcase(str(value).casefold(), pattern.casefold().replace("[", "[[]"))
