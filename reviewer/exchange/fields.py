"""The fields that a record's values can be mapped to, and how each is read from a value."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from holdfast.db.models import Provenance
from holdfast.reviewer.exchange.raw import RecordError
from holdfast.reviewer.exchange.values import Verbatim, dumps, kind_of, scalar_text

CONVERSATION = ("prompt", "response", "system", "messages")
SAMPLING = ("temperature", "persona", "prompt_version")
NAMED = (
    "reference", "label", "task", "domain", "model", "family", "generation", *SAMPLING, "group", "external_id",
    "provenance", "parents", "licence",
)  # fmt: skip
MAPPABLE = (*CONVERSATION, *NAMED)
METADATA = "metadata."

_UID = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"([0-9]{1,15})(\.0+)?")
_PROVENANCES = {str(provenance): provenance for provenance in Provenance}


def read_field(name: str, value: Any) -> Any:
    """A field's value from a record's; None where the record says nothing. RecordError names what does not fit."""
    if value is None or value == "":
        return None
    reader = _READERS.get(name)
    return _text(name, value) if reader is None else reader(name, value)


def _text(name: str, value: Any) -> str:
    text = scalar_text(value)
    if text is None:
        raise RecordError(f"{name} is {kind_of(value)}, not text")
    return text


def _any(name: str, value: Any) -> str:
    text = scalar_text(value)
    return dumps(value) if text is None else text


def _generation(name: str, value: Any) -> int:
    whole = None if isinstance(value, bool) else _WHOLE.fullmatch(scalar_text(value) or "")
    if whole is None:
        raise RecordError(f"{name} is {_shown(value)}, not a whole number from 0 up")
    return int(whole[1])


def _temperature(name: str, value: Any) -> Verbatim:
    text = scalar_text(value) or ""
    if isinstance(value, bool) or not _NUMBER.fullmatch(text):
        raise RecordError(f"{name} is {_shown(value)}, not a number")
    return Verbatim(text)


def _provenance(name: str, value: Any) -> Provenance:
    found = _PROVENANCES.get(value.lower()) if isinstance(value, str) else None
    if found is None:
        raise RecordError(f"{name} is {_shown(value)}; it must be one of {', '.join(_PROVENANCES)}")
    return found


def _parents(name: str, value: Any) -> tuple[str, ...]:
    uids = [value] if isinstance(value, str) else value
    if not isinstance(uids, list) or not all(isinstance(uid, str) and _UID.fullmatch(uid) for uid in uids):
        raise RecordError(f"{name} is {_shown(value)}, not a list of uids (64 hexadecimal digits each)")
    return tuple(uids)


def _shown(value: Any) -> str:
    text = scalar_text(value)
    if text is None:
        return kind_of(value)
    return repr(text if len(text) <= 40 else text[:39] + "…")


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "reference": _any,
    "label": _any,
    "generation": _generation,
    "temperature": _temperature,
    "provenance": _provenance,
    "parents": _parents,
}
