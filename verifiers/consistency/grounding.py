"""The text that a grounded answer must keep to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from holdfast.db.models import Sample

ENOUGH_REAL = 50
"""Real grounded samples of a task from which it is learned what is usual."""
ENOUGH_BATCH = 20
"""Grounded samples of a source from which it is learned what is usual."""


def source_text(sample: Sample, path: str) -> str | None:
    """The text or texts at a dotted path of the sample's metadata, joined by line ends; None where there is none."""
    keys = path.split(".")
    if not sample.metadata_json or f'"{keys[0]}"' not in sample.metadata_json:
        return None
    value: Any = sample.metadata
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return "\n".join(_strings(value)) or None


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)
