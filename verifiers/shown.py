"""A piece of somebody's text as a message shows it."""

from __future__ import annotations


def shown(text: str, longest: int = 60) -> str:
    r"""The text on one line, cut where it is long; what cannot be seen is written out (`\x1b`, `\u202e`)."""
    text = " ".join(text.split())
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    return text if text.isprintable() else "".join(mark if mark.isprintable() else repr(mark)[1:-1] for mark in text)
