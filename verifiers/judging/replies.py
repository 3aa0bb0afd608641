"""What a judge's reply says: ratings, or a winner; what cannot be read for certain is missing, never a guess."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from holdfast.verifiers.judging.reading import Parts, Unreadable, parts_of
from holdfast.verifiers.judging.statements import (
    Side,
    Stated,
    is_score,
    side_of,
    states_criterion,
    states_score,
    states_winner,
)
from holdfast.verifiers.judging.values import rating_of

Place = Literal["A", "B"]

_TOTALS = ("final_score", "final_rating", "overall_score", "overall_rating", "overall", "score", "rating")
_SPEAKS_OF_VERDICT = re.compile(r"rating|score|winner|verdict", re.IGNORECASE)
_REFUSES = re.compile(r"\b(?:i'm sorry|i am sorry|i can(?:'t|not)|unable to|as an ai)\b", re.IGNORECASE)
_DOUBLE_BRACKETS = re.compile(r"\[\[ ?([^\[\]]{1,20}) ?\]\]")
_NOBODY = re.compile(r"(?:none|neither|false|no|n/a|null)\b|0?$")
_PLACE = re.compile(r"(?:(?:the )?(?:response|answer|option) )?([ab])\.?")
_ONE: Mapping[str, tuple[Place, ...]] = {"a": ("A",), "b": ("B",)}


@dataclass(frozen=True, slots=True)
class Ratings:
    """A rating on each criterion, from 1 to 10; `instructs`: the judge says that the data tried to instruct it."""

    by_criterion: Mapping[str, float]
    rationale: str | None = None
    instructs: bool = False


@dataclass(frozen=True, slots=True)
class Winner:
    """Which of two responses is better; `instructs` holds the places of those that tried to instruct the judge."""

    winner: Side
    rationale: str | None = None
    instructs: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Unparsed:
    """A reply that gives no vote, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Verdict:
    """A verdict, where it stands, and the object that holds it; its value is None where that cannot be read."""

    place: int
    value: Any
    final: bool
    source: Mapping[str, Any] = field(default_factory=dict)


def parse_ratings(reply: str, criteria: Sequence[str], *, token: str | None = None) -> Ratings | Unparsed:
    """The ratings that a reply gives, one for each criterion; of several verdicts the last final one counts.

    With a `token`, a reply that does not give it back was not written for the question and counts as unparsed.
    """
    parts = parts_of(reply)
    names = tuple(name.lower() for name in criteria)
    verdicts = [
        *_in_objects(parts, lambda found: _ratings_in(found, names)),
        *(_scores_in_prose(parts) if len(names) == 1 else _criteria_in_prose(parts, names)),
    ]
    found = _deciding(parts, verdicts, token)
    if isinstance(found, Unparsed):
        return found
    ratings = found.value if isinstance(found.value, dict) else {names[0]: found.value}
    instructs = _instructs(found) is not None
    return Ratings({name: ratings[name.lower()] for name in criteria}, _rationale(found, parts), instructs)


def parse_winner(reply: str, *, token: str | None = None) -> Winner | Unparsed:
    """The winner that a reply names; `token`, and several verdicts, as for `parse_ratings`."""
    parts = parts_of(reply)
    verdicts = [*_in_objects(parts, _winner_in), *_winners_in_prose(parts)]
    found = _deciding(parts, verdicts, token)
    if isinstance(found, Unparsed):
        return found
    told = _instructs(found)
    named = None if told is None else _PLACE.fullmatch(told)
    # "both", "true" and the like: either may have been obeyed.
    instructing: tuple[Place, ...] = () if told is None else ("A", "B") if named is None else _ONE[named[1]]
    return Winner(found.value, _rationale(found, parts), instructing)


def _instructs(found: _Verdict) -> str | None:
    """What a judge says of instructions to it in the data, in lower case; None where it says that there are none."""
    said = found.source.get("instructs")
    text = "" if said is None else str(said).strip().lower()
    return None if _NOBODY.match(text) else text


def _deciding(parts: Parts, verdicts: Sequence[_Verdict], token: str | None) -> _Verdict | Unparsed:
    """The verdict that counts, or why none does."""
    if not parts.shown.strip():
        return Unparsed("it is empty, or never came to an end of its thinking")
    if parts.cut is not None:
        return Unparsed("it was cut off")
    if token is not None and token not in parts.shown:
        return Unparsed("it does not give back the token of the question")
    if not verdicts:
        return Unparsed("it refuses to judge" if _REFUSES.search(parts.shown) else "it states no verdict")
    ordered = sorted(verdicts, key=lambda verdict: verdict.place)
    last = ([verdict for verdict in ordered if verdict.final] or ordered)[-1]
    return last if last.value is not None else Unparsed("its verdict cannot be read for certain")


def _in_objects(parts: Parts, read: Callable[[Mapping[str, Any]], Any]) -> Iterator[_Verdict]:
    """The verdicts in objects; one that looks like a verdict and is no JSON is one that cannot be read."""
    for start, end, found in parts.objects:
        if isinstance(found, dict):
            lowered = {str(key).strip().lower(): value for key, value in found.items()}
            value = read(lowered)
            if value is not _NOTHING:
                yield _Verdict(start, value, True, lowered)
        elif isinstance(found, Unreadable) and _SPEAKS_OF_VERDICT.search(parts.shown, start, end):
            yield _Verdict(start, None, True)


_NOTHING = object()
"""Stands for an object that has nothing to do with a verdict."""


def _ratings_in(found: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    held = found.get("ratings", found.get("scores", _NOTHING))
    if held is not _NOTHING:
        if not isinstance(held, dict):
            return rating_of(held) if len(names) == 1 else None
        held = {str(key).strip().lower(): value for key, value in held.items()}
        if set(held) != set(names):
            return None
    elif set(names) <= set(found):
        held = {name: found[name] for name in names}
    elif len(names) == 1:
        given = [found[key] for key in _TOTALS if key in found]
        return _NOTHING if not given else rating_of(given[0]) if len({repr(one) for one in given}) == 1 else None
    else:
        return None if set(names) & set(found) else _NOTHING
    ratings = {name: rating_of(value) for name, value in held.items()}
    return None if None in ratings.values() else ratings


def _winner_in(found: Mapping[str, Any]) -> Any:
    for key in ("winner", "verdict", "preferred", "choice", "better"):
        if key in found:
            return side_of(str(found[key]))
    return _NOTHING


def _scores_in_prose(parts: Parts) -> Iterator[_Verdict]:
    segments = list(parts.segments())
    stated = [(place, states_score(sentence)) for place, sentence in segments]
    if segments and not any(found for _, found in stated):
        place, sentence = segments[-1]
        stated.append((place, is_score(sentence, alone=len(segments) == 1)))
    return _as_verdicts(stated)


def _criteria_in_prose(parts: Parts, names: tuple[str, ...]) -> Iterator[_Verdict]:
    """One verdict from the ratings on all criteria, unless some are missing or cannot be read."""
    found: dict[str, Stated] = {}
    place = 0
    for at, sentence in parts.segments():
        named = states_criterion(sentence, names)
        if named is not None:
            found[named[0]], place = named[1], at
    if found:
        ratings = {name: stated.value for name, stated in found.items()}
        whole = set(ratings) == set(names) and None not in ratings.values()
        yield _Verdict(place, ratings if whole else None, False)


def _winners_in_prose(parts: Parts) -> Iterator[_Verdict]:
    stated: list[tuple[int, Stated | None]] = [
        (found.start(), Stated("tie" if found[1].strip() in "Cc" else side_of(found[1])))
        for found in _DOUBLE_BRACKETS.finditer(parts.shown)
    ]
    if not stated:
        segments = list(parts.segments())
        stated = [(place, states_winner(sentence)) for place, sentence in segments]
        if len(segments) == 1 and segments[0][1].rstrip(".!") in ("a", "b", "tie", "response a", "response b"):
            stated.append((0, Stated(side_of(segments[0][1]))))
    return _as_verdicts(stated)


def _as_verdicts(stated: Sequence[tuple[int, Stated | None]]) -> Iterator[_Verdict]:
    return (_Verdict(place, found.value, found.final) for place, found in stated if found is not None)


def _rationale(found: _Verdict, parts: Parts) -> str | None:
    said = found.source.get("rationale") or found.source.get("reason") or found.source.get("explanation")
    if not isinstance(said, str) or not said.strip():
        said = None if found.source else parts.shown
    return None if said is None else said.strip()
