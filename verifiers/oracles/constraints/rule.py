"""What a rule is: a function from a text and its arguments to the way in which the text breaks the rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from holdfast.db.models import Span


class Broken(NamedTuple):
    """How a text breaks a rule: what was asked and what is there, and the places that show it, the first one first."""

    message: str
    spans: tuple[Span, ...] = ()


class BadArgumentError(ValueError):
    """An argument that a rule needs is missing or of the wrong kind."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of one rule as the metadata give them; arguments that are null count as missing."""

    given: Mapping[str, Any]

    def count(self, name: str) -> int:
        """A whole number of at least 0 (2.0 is one, as tables with gaps spell it); BadArgumentError otherwise."""
        value = self.given.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise BadArgumentError(_complaint(name, value, "a whole number"))
        return value

    def text(self, name: str) -> str:
        """A text that is not blank, without the white space around it; BadArgumentError otherwise."""
        value = self.given.get(name)
        if not isinstance(value, str) or not value.strip():
            raise BadArgumentError(_complaint(name, value, "a text"))
        return value.strip()

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of at least one text, each once, sorted; BadArgumentError otherwise."""
        value = self.given.get(name)
        if not isinstance(value, list | tuple) or not value or not all(isinstance(one, str) and one for one in value):
            raise BadArgumentError(_complaint(name, value, "a list of texts"))
        return tuple(sorted(set(value)))

    def limit(self, count: str, relation: str) -> Limit:
        """A number and how the count must stand to it, from the two named arguments; BadArgumentError otherwise."""
        value = self.given.get(relation)
        if value not in (_AT_LEAST, _LESS_THAN):
            raise BadArgumentError(_complaint(relation, value, f"{_AT_LEAST!r} or {_LESS_THAN!r}"))
        return Limit(self.count(count), value == _AT_LEAST)


class Limit(NamedTuple):
    """A least number of things, or a number that their count must stay below."""

    number: int
    at_least: bool

    def allows(self, count: int) -> bool:
        """Whether the count keeps to the limit."""
        return count >= self.number if self.at_least else count < self.number

    def __str__(self) -> str:
        return f"at least {self.number:,}" if self.at_least else f"fewer than {self.number:,}"

    def beyond(self, spans: list[Span]) -> tuple[Span, ...]:
        """Of all places of what is counted those that are too many; none where there are too few."""
        return () if self.at_least else tuple(spans[max(0, self.number - 1) :])


Rule = Callable[[str, Arguments], Broken | None]
"""A check of one rule kind on a text that is not blank: None where the text keeps to it."""

_AT_LEAST, _LESS_THAN = "at least", "less than"


def plural(count: int, thing: str) -> str:
    """The count with its noun: `1 word`, `1,200 words`."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def quoted(text: str, longest: int = 60) -> str:
    """The text on one line in quotation marks, cut where it is long."""
    text = " ".join(text.split())
    return repr(text if len(text) <= longest else text[: longest - 1] + "…")


def _complaint(name: str, value: Any, wanted: str) -> str:
    return f"{name} is missing" if value is None else f"{name} should be {wanted}, not {quoted(repr(value), 40)}"
