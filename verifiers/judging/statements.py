"""Sentences that state a verdict: `Final rating: 8/10`, `I would give it a 7`, `Winner: A`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from holdfast.verifiers.judging.values import has_scale, rating_in

Side = Literal["A", "B", "tie"]

_LEAD = r"(?:(?:so|thus|therefore|hence|finally|(?:in )?(?:conclusion|summary))[,:]? )?(?:my |the )?"
_FINAL = r"(?:(?P<final>final|overall|total) )?"
_NOUN = (
    r"(?:(?:quality )?(?:scores?|ratings?)|grade|mark|verdict|evaluation|assessment"
    r"|puntuación|puntuacion|calificación|nota|note|notation|bewertung|punktzahl|voto|valutazione|punteggio"
    r"|cijfer|beoordeling|betyg|ocena|wynik|оценка|балл|评分|評分|得分|分数|スコア|評価|点数|점수|평점)"
)
_IS = r"(?: ?(?:=|:|->|→)+ ?| (?:is|was):? | [-–—] | of (?=\d)| ?(?=\d))"
_GIVES = (
    r"i(?:'d| would| will|'ll)? (?:give|rate|score|grade) (?:(?:this|the) (?:response|answer)|it|this)"
    r"(?: (?:an?|the))?(?: (?:score|rating|grade) of)? "
)
_SCORE = re.compile(rf"{_LEAD}(?:{_FINAL}{_NOUN}{_IS}|{_GIVES})(?P<value>.*)", re.DOTALL)
_WINNER = re.compile(
    rf"{_LEAD}{_FINAL}"
    r"(?:winner|verdict|choice|preference|decision|judge?ment|(?:better|preferred)(?: response| answer)?)"
    r"(?: ?(?:=|:|->|→)+ ?| is:? )(?P<value>.*)",
    re.DOTALL,
)
_BETTER = re.compile(
    r"(?:response|answer|assistant) (?P<side>[ab]) (?:is|wins)"
    r"(?: (?:clearly|slightly|much|far|overall|the|better|winner))*[.!]?"
)
_SIDE = re.compile(
    r"(?:(?:response|answer|assistant|option) )?(?P<side>a|b|(?:it'?s )?(?:a )?(?:tie|draw)|equal)\b(?P<tail>.*)",
    re.DOTALL,
)
_SIDES: dict[str, Side] = {"a": "A", "b": "B"}


@dataclass(frozen=True, slots=True)
class Stated:
    """What a sentence states; `value` is None where that cannot be read."""

    value: float | Side | None
    final: bool = False


def states_score(sentence: str) -> Stated | None:
    """The rating that a sentence states; None where it does not speak of one."""
    found = _SCORE.match(sentence)
    return None if found is None else Stated(rating_in(found["value"]), bool(found["final"]))


def states_criterion(sentence: str, criteria: Sequence[str]) -> tuple[str, Stated] | None:
    """The rating that a sentence states on one of several criteria, with the criterion's name."""
    for name in criteria:
        if sentence.startswith(name):
            value = re.match(rf"(?: (?:score|rating))?{_IS}(?P<value>.*)", sentence[len(name) :], re.DOTALL)
            if value is not None:
                return name, Stated(rating_in(value["value"]))
    return None


def is_score(sentence: str, *, alone: bool) -> Stated | None:
    """A sentence that is nothing but a rating; one of a longer reply has to say that it is one of ten."""
    value = rating_in(sentence)
    return Stated(value) if value is not None and (alone or has_scale(sentence)) else None


def states_winner(sentence: str) -> Stated | None:
    """The winner that a sentence states; None where it does not speak of one."""
    found = _WINNER.match(sentence)
    if found is not None:
        return Stated(side_of(found["value"]), bool(found["final"]))
    better = _BETTER.fullmatch(sentence)
    return None if better is None else Stated(_SIDES[better["side"]])


def side_of(text: str) -> Side | None:
    """The side that a text names first; None where another one follows."""
    found = _SIDE.match(text.strip().lower())
    if found is None or re.search(r"^ ?(?:or|and|/|=|>|<)|\b[ab]\b", found["tail"][:2000]):
        return None
    return _SIDES.get(found["side"], "tie")
