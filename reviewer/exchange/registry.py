"""The record formats, in the order in which they are recognised."""

from __future__ import annotations

from typing import Any, Protocol

from holdfast.db.errors import UsageError
from holdfast.reviewer.exchange import (
    alpaca,
    argilla,
    distilabel,
    holdfast_line,
    label_studio,
    labelled,
    messages,
    preference,
    prompt_response,
    sharegpt,
)
from holdfast.reviewer.exchange.options import suggestion


class Format(Protocol):
    """A record format, one module each."""

    NAME: str

    def matches(self, record: dict[str, Any]) -> bool:
        """Whether a record is of the format, by its keys."""

    def read(self, record: dict[str, Any]) -> dict[str, Any]:
        """Take what the format knows out of the record, as fields by name; RecordError where something is missing."""


FORMATS: tuple[Format, ...] = (
    holdfast_line,
    argilla,
    label_studio,
    distilabel,
    preference,
    messages,
    sharegpt,
    alpaca,
    prompt_response,
    labelled,
)
NAMES = tuple(format.NAME for format in FORMATS)


def format_named(name: str) -> Format:
    """The format of a name; UsageError suggests one where there is none."""
    if name in NAMES:
        return FORMATS[NAMES.index(name)]
    raise UsageError(f"--format {name}: there is no such format; {suggestion(name, NAMES)}")


def recognise(records: list[dict[str, Any]]) -> Format | None:
    """The format that most of the records match, the most special one of several; None where none matches."""
    best = max(FORMATS, key=lambda format: sum(map(format.matches, records)))
    return best if any(map(best.matches, records)) else None
