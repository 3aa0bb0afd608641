"""Which passages of a text are code or somebody's words, and so say nothing of the text's own defects."""

from __future__ import annotations

import re

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_LOOK_BACK = 1_000
_OPENING = "“„«‹「『"
_CLOSING = "”»›」』"


def without_code(text: str) -> str:
    """The text with fenced and inline code blanked out, so that offsets stay."""
    return _CODE.sub(_blank, text) if "`" in text else text


def is_quoted(text: str, at: int) -> bool:
    """Whether an offset lies within quotation marks that were opened in the same paragraph."""
    start = max(text.rfind("\n\n", 0, at) + 1, at - _LOOK_BACK, 0)
    before = text[start:at]
    if before.count('"') % 2:
        return True
    opened = max(map(before.rfind, _OPENING))
    return opened > max(map(before.rfind, _CLOSING))


def _blank(code: re.Match[str]) -> str:
    return " " * len(code.group())
