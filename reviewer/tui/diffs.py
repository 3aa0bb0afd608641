"""Word differences between two texts as a document. Pure."""

from __future__ import annotations

import re

from holdfast.reviewer.tui.docs import Builder

_TOKEN = re.compile(r"\w+|[^\S\n]+|\n|[^\w\s]")
_CONTEXT = 24
"""Unchanged tokens kept on either side of a change."""


def add_word_diff(builder: Builder, before: str, after: str) -> Builder:
    """Append what changed, word by word, as `[-old-]{+new+}` with some of what stayed around it."""
    from rapidfuzz.distance import Indel

    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    opcodes = Indel.opcodes(old, new)
    for index, code in enumerate(opcodes):
        if code.tag == "equal":
            kept = old[code.src_start : code.src_end]
            builder.add(_shortened(kept, first=index == 0, last=index == len(opcodes) - 1))
        if code.tag in {"delete", "replace"}:
            builder.add(f"[-{''.join(old[code.src_start : code.src_end])}-]", "removed")
        if code.tag in {"insert", "replace"}:
            builder.add(f"{{+{''.join(new[code.dest_start : code.dest_end])}+}}", "added")
    return builder


def _shortened(tokens: list[str], *, first: bool, last: bool) -> str:
    """A stretch that stayed, its middle left out where it is long."""
    head = [] if first else tokens[:_CONTEXT]
    tail = [] if last else tokens[-_CONTEXT:]
    if len(tokens) <= len(head) + len(tail):
        return "".join(tokens)
    return f"{''.join(head)}{' … ' if head or tail else ''}{''.join(tail)}"
