"""Argilla records: `fields`, with `responses` and `suggestions` to questions; those stay in metadata."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from holdfast.reviewer.exchange.annotated import read_texts
from holdfast.reviewer.exchange.raw import RecordError

NAME = "argilla"

_MARKS = frozenset({"responses", "suggestions", "vectors", "status"})


def matches(record: dict[str, Any]) -> bool:
    """Whether the record has fields beside one of Argilla's own members."""
    return isinstance(record.get("fields"), dict) and not _MARKS.isdisjoint(record)


def read(record: dict[str, Any]) -> dict[str, Any]:
    """Take the texts out of the record's fields."""
    texts = record.get("fields")
    if not isinstance(texts, dict):
        raise RecordError("the record has no fields")
    record["fields"] = texts = texts.copy()
    found = read_texts(texts, _answers(record))
    if not texts:
        del record["fields"]
    return found


def _answers(record: dict[str, Any]) -> Iterator[Any]:
    """People's answers, then suggested ones: by question in version 2, as lists in version 1."""
    for name in ("responses", "suggestions"):
        given = record.get(name)
        for item in given.values() if isinstance(given, dict) else given if isinstance(given, list) else ():
            yield from _values(item)


def _values(item: Any) -> Iterator[Any]:
    if isinstance(item, list):
        for one in item:
            yield from _values(one)
    elif isinstance(item, dict):
        if isinstance(item.get("values"), dict):
            for answer in item["values"].values():
                yield from _values(answer)
        else:
            yield item.get("value")
