"""Texts in a few bytes each, from which one can tell how many words two of them share."""

from __future__ import annotations

import re
from collections.abc import Collection
from struct import Struct
from zlib import crc32

KEPT = 16
"""Word hashes that a sketch keeps of a text: the smallest ones, so that texts keep the same of what they share."""
SKETCH_BYTES = 4 * KEPT

_READ = 600
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_]+")
_PACKED = Struct(f"<{KEPT}I")
_NONE = 0xFFFFFFFF


def sketch_of(text: str) -> bytes:
    """The sketch of a text's beginning, of SKETCH_BYTES bytes; empty for a text without words."""
    words = {crc32(word.encode("utf-8", "surrogatepass")) for word in _WORD.findall(text[:_READ].casefold())}
    smallest = sorted(words)[:KEPT]
    return _PACKED.pack(*smallest, *[_NONE] * (KEPT - len(smallest))) if smallest else b""


def hashes(sketch: bytes) -> frozenset[int]:
    """The word hashes of a sketch."""
    return frozenset(_PACKED.unpack(sketch)) - {_NONE}


def likeness(one: Collection[int], other: Collection[int]) -> float:
    """Jaccard similarity of two texts' words, estimated where they have more than a sketch keeps; 1 for two empty."""
    first, second = set(one), set(other)
    smallest = sorted(first | second)[:KEPT]
    return len((first & second).intersection(smallest)) / len(smallest) if smallest else 1.0
