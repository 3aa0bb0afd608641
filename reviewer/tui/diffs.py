"""Word differences between two texts as a document. Pure."""

from __future__ import annotations

import re

from holdfast.reviewer.tui.docs import Builder

_TOKEN = re.compile(r"\w+|[^\S\n]+|\n|[^\w\s]")
_CONTEXT = 24
"""Unchanged tokens kept on either side of a change."""


def add_word_diff(builder: Builder, before: str, after: str) -> Builder:
    """Append what changed, word by word, as `[-old-]{+new+}` with some of what stayed around it."""
    changes = _changes(_TOKEN.findall(before), _TOKEN.findall(after))
    for index, (old, new) in enumerate(changes):
        if old == new:
            builder.add(_shortened(old, first=index == 0, last=index == len(changes) - 1))
            continue
        if old:
            builder.add(f"[-{''.join(old)}-]", "removed")
        if new:
            builder.add(f"{{+{''.join(new)}+}}", "added")
    return builder


def _changes(old: list[str], new: list[str]) -> list[tuple[list[str], list[str]]]:
    """Stretches of both texts in turn, equal or changed; changes with only a blank between them are one."""
    from rapidfuzz.distance import Indel

    changes: list[tuple[list[str], list[str]]] = []
    for code in Indel.opcodes(old, new):
        pair = (old[code.src_start : code.src_end], new[code.dest_start : code.dest_end])
        blank_between = (
            len(changes) > 1
            and pair[0] != pair[1]
            and changes[-1][0] == changes[-1][1]
            and "".join(changes[-1][0]) == " "
        )
        if blank_between:
            pair = (changes[-1][0] + pair[0], changes[-1][1] + pair[1])
            changes.pop()
        if changes and pair[0] != pair[1] and changes[-1][0] != changes[-1][1]:
            pair = (changes[-1][0] + pair[0], changes[-1][1] + pair[1])
            changes.pop()
        changes.append(pair)
    return changes


def _shortened(tokens: list[str], *, first: bool, last: bool) -> str:
    """A stretch that stayed, its middle left out where it is long."""
    head = [] if first else tokens[:_CONTEXT]
    tail = [] if last else tokens[-_CONTEXT:]
    if len(tokens) <= len(head) + len(tail):
        return "".join(tokens)
    return f"{''.join(head)}{' … ' if head or tail else ''}{''.join(tail)}"
