"""Label Studio tasks: `data`, with `annotations` and `predictions`; those stay in metadata."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from holdfast.reviewer.exchange.annotated import read_texts
from holdfast.reviewer.exchange.raw import RecordError

NAME = "label-studio"

_GIVEN = ("annotations", "completions", "predictions")
_VALUES = ("choices", "text", "rating", "number")


def matches(record: dict[str, Any]) -> bool:
    """Whether the record has data beside annotations or predictions."""
    return isinstance(record.get("data"), dict) and any(name in record for name in _GIVEN)


def read(record: dict[str, Any]) -> dict[str, Any]:
    """Take the texts out of the task's data."""
    texts = record.get("data")
    if not isinstance(texts, dict):
        raise RecordError("the record has no data")
    record["data"] = texts = texts.copy()
    found = read_texts(texts, _answers(record))
    if not texts:
        del record["data"]
    return found


def _answers(record: dict[str, Any]) -> Iterator[Any]:
    """What people chose or wrote, then what was predicted; cancelled annotations do not count."""
    for name in _GIVEN:
        given = record.get(name)
        for annotation in given if isinstance(given, list) else ():
            if not isinstance(annotation, dict) or annotation.get("was_cancelled"):
                continue
            for region in annotation.get("result") or ():
                value = region.get("value") if isinstance(region, dict) else None
                yield from _chosen(value) if isinstance(value, dict) else ()


def _chosen(value: dict[str, Any]) -> Iterator[Any]:
    for name in _VALUES:
        found = value.get(name)
        yield from found if isinstance(found, list) else () if found is None else (found,)
