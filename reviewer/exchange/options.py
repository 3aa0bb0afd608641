"""How records are to be read, as the user says it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from holdfast.db.errors import UsageError
from holdfast.reviewer.exchange.fields import MAPPABLE, METADATA, read_field
from holdfast.reviewer.exchange.raw import RecordError


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """The record format (None: recognised), mapped fields with their paths, paths to drop, and defaults by field."""

    format: str | None = None
    maps: tuple[tuple[str, str], ...] = ()
    drops: tuple[str, ...] = ()
    only_mapped: bool = False
    defaults: tuple[tuple[str, str | int], ...] = field(default=())


def parse_maps(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Read FIELD=PATH texts; UsageError for an unknown field, one named twice, and fields that exclude each other."""
    maps: dict[str, str] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not (equals and name and path):
            raise UsageError(f"--map {text}: write it as FIELD=PATH, such as --map prompt=question")
        if name not in MAPPABLE and not (name.startswith(METADATA) and name != METADATA):
            raise UsageError(f"--map {text}: there is no field {name!r}; {suggestion(name, MAPPABLE)}")
        if name in maps:
            raise UsageError(f"--map {text}: {name} is mapped twice; name one path for each field")
        maps[name] = path
    if "messages" in maps and "prompt" in maps:
        raise UsageError("--map messages and --map prompt exclude each other; the messages hold the prompt")
    return tuple(maps.items())


def checked_defaults(defaults: dict[str, str | int | None]) -> tuple[tuple[str, str | int], ...]:
    """The defaults that are given; UsageError for a value that its field cannot take."""
    given = {name: value for name, value in defaults.items() if value is not None}
    for name, value in given.items():
        try:
            read_field(name, value)
        except RecordError as error:
            raise UsageError(f"--{error}") from None
    return tuple(given.items())


def suggestion(name: str, known: Sequence[str]) -> str:
    """A hint at the known name that is meant, or all of them."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(known)}"
