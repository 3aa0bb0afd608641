"""What is found out from a source's first records before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from holdfast.db.errors import UsageError
from holdfast.reviewer.exchange.mapping import Mapper, ProvenanceMissing
from holdfast.reviewer.exchange.options import ReadOptions
from holdfast.reviewer.exchange.paths import FieldPath
from holdfast.reviewer.exchange.prompt_response import NAME as PROMPT_RESPONSE
from holdfast.reviewer.exchange.raw import Problem, Raw, RecordError
from holdfast.reviewer.exchange.registry import FORMATS, NAMES, Format, format_named, recognise
from holdfast.reviewer.exchange.values import loads

_RECORDS = 20
_RAWS = 1000
_BYTES = 8 << 20
_TEXTS = frozenset({"prompt", "response", "messages"})


@dataclass(frozen=True, slots=True)
class Plan:
    """How a source's records are read: the format's name (None: no readable record was seen); notes for the user."""

    format: str | None
    prompt_optional: bool = False
    notes: tuple[str, ...] = ()

    def mapper(self, options: ReadOptions) -> Mapper:
        """The mapper of the source's records."""
        format = None if self.format is None else format_named(self.format)
        return Mapper(options, format, prompt_optional=self.prompt_optional)


def read_head(raws: Iterable[Raw]) -> list[Raw]:
    """The first records, enough to tell their format; `raws` should be an iterator that goes on behind them."""
    head: list[Raw] = []
    readable = size = 0
    for raw in raws:
        head.append(raw)
        if not isinstance(raw.payload, Problem):
            readable += 1
            size += len(raw.payload) if isinstance(raw.payload, bytes) else 0
        if readable >= _RECORDS or size > _BYTES or len(head) >= _RAWS:
            break
    return head


def make_plan(name: str, head: Iterable[Raw], options: ReadOptions) -> Plan:
    """Tell how to read the records of the source `name` by its first ones.

    UsageError where their format is unknown, where no record has a text that is mapped, or where none says its
    provenance and there is no default.
    """
    records = [record for raw in head if (record := record_of(raw)) is not None]
    missing = [(option, path) for option, path in _paths(options) if not _anywhere(path, records)] if records else []
    for option, path in missing:
        if option.removeprefix("--map ") in _TEXTS:
            raise UsageError(f"{name}: {option}={path}: none of the first records has that; {_holds(records)}")
    format, prompt_optional = _format(name, records, options)
    plan = Plan(None if format is None else format.NAME, prompt_optional, _notes(name, missing))
    _check_provenance(name, records, plan.mapper(options))
    return plan


def record_of(raw: Raw) -> dict[str, Any] | None:
    """A copy of the record that can be consumed; None where it cannot be read."""
    if isinstance(raw.payload, bytes):
        try:
            return loads(raw.payload)
        except RecordError:
            return None
    return raw.payload.copy() if isinstance(raw.payload, dict) else None


def record_test(options: ReadOptions) -> Callable[[dict[str, Any]], bool]:
    """A test that tells a record from an object that wraps records."""
    formats = FORMATS if options.format is None else (format_named(options.format),)
    mapper = Mapper(options, None)
    texts = [FieldPath(path) for name, path in options.maps if name in _TEXTS]

    def test(record: dict[str, Any]) -> bool:
        if any(path.get(record) is not None for path in texts):
            return True
        view = mapper.view(record.copy())
        return any(format.matches(view) for format in formats)

    return test


def _format(name: str, records: list[dict[str, Any]], options: ReadOptions) -> tuple[Format | None, bool]:
    mapped = {field for field, _ in options.maps}
    if options.format is not None:
        return format_named(options.format), False
    if "messages" in mapped or mapped >= {"prompt", "response"}:
        return format_named("messages" if "messages" in mapped else PROMPT_RESPONSE), False
    mapper = Mapper(options, None)
    format = recognise([mapper.view(record.copy()) for record in records]) if records else None
    if format is None and "response" in mapped:
        return format_named(PROMPT_RESPONSE), True
    if format is None and records:
        raise UsageError(
            f"{name}: cannot tell the format of its records; {_holds(records)}; say where prompt and response stand "
            f"(--map prompt=PATH --map response=PATH), or name the format (--format {'|'.join(NAMES)})"
        )
    return format, False


def _check_provenance(name: str, records: list[dict[str, Any]], mapper: Mapper) -> None:
    lacking = None
    for record in records:
        try:
            mapper.sample(record.copy())
        except ProvenanceMissing as error:
            lacking = error
        except RecordError:
            continue
        else:
            return
    if lacking is not None:
        raise UsageError(f"{name}: {lacking}")


def _paths(options: ReadOptions) -> list[tuple[str, str]]:
    return [(f"--map {name}", path) for name, path in options.maps] + [("--drop", path) for path in options.drops]


def _anywhere(path: str, records: list[dict[str, Any]]) -> bool:
    place = FieldPath(path)
    return any(place.has(record) for record in records)


def _notes(name: str, missing: list[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(f"{name}: none of the first records has {path!r} ({option})" for option, path in missing)


def _holds(records: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(key for record in records for key in record))
    more = ", …" if len(names) > 20 else ""
    return f"they hold {', '.join(names[:20]) or 'nothing'}{more}"
