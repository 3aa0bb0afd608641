"""JSON in and out with every number spelt as it was, and values as the text they are stored as."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import orjson

from holdfast.reviewer.exchange.raw import RecordError

_NOT_JSON = re.compile(rb"[-\s:,\[](NaN|-?Infinity)\b")
_TOO_DEEP = "the record is nested too deeply (over 250 levels)"


class Verbatim:
    """A number by its spelling."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def loads(text: bytes) -> dict[str, Any]:
    """Parse a JSON object; numbers that Python would spell otherwise become Verbatim. RecordError says what fails."""
    try:
        record = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise RecordError(_reason(text, error)) from None
    if type(record) is not dict:
        raise RecordError(f"the record is {kind_of(record)}, not an object")
    try:
        if _respelt(record, b"-0" in text):
            record = json.loads(text, parse_float=Verbatim, parse_int=Verbatim)
    except RecursionError:
        raise RecordError(_TOO_DEEP) from None
    return record  # type: ignore[no-any-return]


def dumps(value: Any) -> str:
    """JSON text of a parsed value; RecordError where it is nested too deeply or holds what JSON cannot."""
    try:
        return orjson.dumps(value, default=_default).decode()
    except TypeError as error:
        cause = error.__cause__
        raise cause if isinstance(cause, RecordError) else RecordError(_TOO_DEEP) from None


def scalar_text(value: Any) -> str | None:
    """A string as it is, a number by its spelling, true and false as JSON; None of anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, Verbatim):
        return value.text
    if isinstance(value, (bool, int, float, Decimal)):
        return dumps(value)
    return None


def kind_of(value: Any) -> str:
    """What a JSON value is, with its article."""
    if isinstance(value, bool):
        return "true or false"
    kinds = {dict: "an object", list: "a list", str: "text", bytes: "binary data", type(None): "null"}
    return kinds.get(type(value), "a number")


def _respelt(value: Any, minus_zero: bool) -> bool:
    """Whether a number in `value` may be written otherwise than it was read."""
    kind = type(value)
    if kind is dict:
        value = value.values()
    elif kind is not list:
        return kind is float or (minus_zero and kind is int and value == 0)
    for item in value:  # noqa: SIM110 (a generator takes twice the time, for every record)
        if type(item) is not str and _respelt(item, minus_zero):
            return True
    return False


def _reason(text: bytes, error: orjson.JSONDecodeError) -> str:
    nul = text.find(b"\0")
    if nul >= 0:
        return f"a NUL byte (byte {nul + 1} of the record)"
    try:
        text.decode()
    except UnicodeDecodeError as wrong:
        return f"invalid UTF-8 (byte {wrong.start + 1} of the record)"
    if "surrogate" in error.msg:
        return f"a lone surrogate, which is no character (column {error.colno})"
    if error.msg.startswith("depth limit"):
        return _TOO_DEEP
    if "infinity" in error.msg:
        return f"a number beyond the range of doubles (column {error.colno})"
    if _NOT_JSON.match(text, max(error.pos - 1, 0)):
        return f"NaN and Infinity are not JSON (column {error.colno})"
    return f"malformed JSON: {error.msg} (column {error.colno})"


def _default(value: Any) -> Any:
    if isinstance(value, Verbatim):
        return orjson.Fragment(value.text)
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value)) if value.is_finite() else None
    if isinstance(value, bytes):
        raise RecordError("the record holds binary data, which is no text; leave the field out with --drop")
    return str(value)
