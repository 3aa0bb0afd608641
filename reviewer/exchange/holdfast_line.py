"""A line of Holdfast's own export: the sample with its provenance, ancestry and metadata.

Identities are computed anew. Batch, status and decision belong to the project that wrote them and are left out.
"""

from __future__ import annotations

from typing import Any

from holdfast.reviewer.exchange.fields import NAMED

NAME = "holdfast"

_MARKS = frozenset({"uid", "content_id", "messages", "provenance"})
_LEFT_OUT = ("uid", "content_id", "batch", "prompt", "response", "edit_share", "status", "decision", "approved_by")
_LISTS = ("findings", "votes", "decisions", "occurrences")


def matches(record: dict[str, Any]) -> bool:
    """Whether the record has the identities and the messages of an exported sample."""
    return record.keys() >= _MARKS


def read(record: dict[str, Any]) -> dict[str, Any]:
    """Take every field of the sample out of the record."""
    for name in (*_LEFT_OUT, *_LISTS):
        record.pop(name, None)
    found: dict[str, Any] = {"messages": record.pop("messages", None)}
    found.update({name: record.pop(name) for name in NAMED if name in record})
    return found
