"""What the metadata of a sample give an oracle to check against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from holdfast.db.models import Sample


def given(sample: Sample, name: str, within: str = "") -> Any:
    """The value of a metadata field, or None; `within` is the dotted path of the part of the metadata that holds it."""
    if not sample.metadata_json or f'"{name}"' not in sample.metadata_json:
        return None
    part: Any = sample.metadata
    for step in filter(None, within.split(".")):
        part = part.get(step) if isinstance(part, Mapping) else None
    return part.get(name) if isinstance(part, Mapping) else None


def parsed(value: Any) -> Any:
    """A value that may be written as JSON text, as data; a text that is no JSON stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
