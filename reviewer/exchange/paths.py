"""Dotted paths into a record."""

from __future__ import annotations

from typing import Any

_ABSENT = object()


class FieldPath:
    """A place in a record: `a.b.0`, each part a key or an index of a list; a key that holds dots itself comes first."""

    __slots__ = ("_parts", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._parts = text.split(".")

    def get(self, record: dict[str, Any]) -> Any:
        """The value there; None where there is none."""
        value = self._find(record)
        return None if value is _ABSENT else value

    def has(self, record: dict[str, Any]) -> bool:
        """Whether there is a value, null or other."""
        return self._find(record) is not _ABSENT

    def remove(self, record: dict[str, Any]) -> None:
        """Take the value out of the record, and objects that are empty without it; elements of lists stay.

        Objects inside the record are replaced, not changed.
        """
        if self._text in record or len(self._parts) == 1:
            record.pop(self._text, None)
            return
        if self.has(record):
            _remove(record, self._parts)

    def _find(self, record: dict[str, Any]) -> Any:
        if self._text in record or len(self._parts) == 1:
            return record.get(self._text, _ABSENT)
        value: Any = record
        for part in self._parts:
            if isinstance(value, dict) and part in value:
                value = value[part]
            elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
                value = value[int(part)]
            else:
                return _ABSENT
        return value


def _remove(record: dict[str, Any], parts: list[str]) -> None:
    inner = record[parts[0]]
    if len(parts) > 1:
        if not isinstance(inner, dict):
            return
        inner = inner.copy()
        _remove(inner, parts[1:])
        if inner:
            record[parts[0]] = inner
            return
    del record[parts[0]]
