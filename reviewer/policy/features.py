"""What is known of a sample as named numbers, from which decisions teach; and its words. Pure.

Each feature belongs to a term, the words in which what it taught is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import log1p

from holdfast.db.ranking import Rankable
from holdfast.reviewer.policy.rule import Rule, level, prompt_length
from holdfast.verifiers.consistency.words import words

LONGEST_WORD = 40
"""Characters of the longest word that is learned."""

_END = 1_500
"""Characters at the beginning and at the end of a text whose words are read."""
_MOST_WORDS = 400
_MOST_Z, _MOST_LEVEL = 3.0, 3.0
_OPENING = re.compile(r"\s*(\S{1,24})(?:\s+(\S{1,24}))?(?:\s+(\S{1,24}))?")
_DIGITS = re.compile(r"\d+")
_LONGEST_NAME = 60

Feature = tuple[str, float]


def numbers(one: Rankable, rule: Rule) -> Iterator[Feature]:
    """Measured features, each absent where it was not measured: scores, numbers of the metadata, lengths.

    Numbers without a limit of their own are also set beside those of their source. Names are `TERM|WHAT`.
    """
    spreads = rule.spreads(one)
    for seen in one.verdicts:
        value, name = seen.value, seen.check.name
        if value is not None and seen.check.limit is not None:
            yield f"{name}|score", min(level(seen.check, value), _MOST_LEVEL)
        elif value is not None:
            yield from _unlimited(name, value, spreads.get(name))
    for name, value in one.measures:
        yield from _unlimited(f"metadata {name}", value, spreads.get(f"metadata {name}"))
    yield "length|prompt", prompt_length(one)
    yield "length|response", log1p(len(one.response))


def _unlimited(name: str, value: float, spread: tuple[float, float] | None) -> Iterator[Feature]:
    yield f"{name}|score", value
    if spread is not None:
        yield f"{name}|beside its source", _beside(value, spread)


def _beside(value: float, spread: tuple[float, float]) -> float:
    return min(max((value - spread[0]) / spread[1], -_MOST_Z), _MOST_Z)


def kinds(one: Rankable) -> Iterator[str]:
    """What a sample is one of: its source, its template, findings it has. Names are `TERM|WHAT`."""
    for seen in one.verdicts:
        for code, _ in seen.findings:
            yield f"{seen.check.name}|{code}"
        if seen.letter == "e":
            yield f"{seen.check.name}|broke"
    yield f"past decisions on its source|{one.source}"
    if one.domain:
        yield f"past decisions on its domain|{one.domain}"
    if one.task:
        yield f"past decisions on its task|{one.task}"
    if one.label is not None:
        yield f"past decisions on its label|{one.label[:_LONGEST_NAME]}"
    yield f"past decisions on its template|prompt: {_opening(one.prompt)}"
    yield f"past decisions on its template|response: {_opening(one.response)}"


def term_of(name: str) -> str:
    """The term that a feature belongs to."""
    return name.partition("|")[0]


def words_of(text: str) -> set[str]:
    """The different words at the beginning and the end of a text; bounded however long the text is."""
    if len(text) > 2 * _END:
        text = f"{text[:_END]} {text[-_END:]}"
    return set(words(text)[:_MOST_WORDS])


def _opening(text: str) -> str:
    """The first three words of a text, numbers masked."""
    match = _OPENING.match(text[:200])
    return "" if match is None else _DIGITS.sub("0", " ".join(filter(None, match.groups())).lower())
