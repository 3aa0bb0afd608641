"""What judges rate by: a Markdown text of the project, or the one built in."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property

LOW, HIGH = 1, 10
"""The ends of the scale on which judges rate; 10 is best."""

DEFAULT = """\
How good would this response be as an example for a language model to learn from?

- 10: nothing to improve: right in every detail, does what was asked, all of it and no more, clear and well put.
- 7 to 9: right and useful; only matters of style or thoroughness could be better.
- 4 to 6: partly right, incomplete, or hard to follow; a person would have to edit it.
- 2 to 3: mostly wrong, beside the question, or misleading.
- 1: useless or harmful: it should not be learned from.

Look for mistakes before you look for merits. Check facts, numbers and code yourself. Length is no merit.
Where a reference answer is given, a response that contradicts it is wrong unless the reference clearly is.
"""
_ONLY = "quality"
_CRITERION = re.compile(r"^##[ \t]+Criterion:[ \t]*(\S.*)$", re.MULTILINE | re.IGNORECASE)
_MOST, _LONGEST = 10, 40


@dataclass(frozen=True)
class Rubric:
    """A rubric's text and the names of its criteria, each of which a judge rates from 1 to 10."""

    text: str
    criteria: tuple[str, ...]

    @cached_property
    def version(self) -> str:
        """The first 8 hex digits of the SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:8]

    def named(self, criterion: str) -> str:
        """A criterion with the rubric's version, as votes name it: votes by different rubrics are never mixed."""
        return f"{criterion}@{self.version}"


def read_rubric(text: str) -> Rubric:
    """A rubric from Markdown: lines `## Criterion: NAME` start its criteria; without any there is one, `quality`.

    ValueError for an empty text, and for more or longer names than a judge can be asked for.
    """
    if not text.strip():
        raise ValueError("the rubric is empty")
    names = [name.strip().rstrip("#").strip().lower() for name in _CRITERION.findall(text)] or [_ONLY]
    if len(set(names)) < len(names):
        raise ValueError("two criteria of the rubric have the same name")
    if len(names) > _MOST or max(map(len, names)) > _LONGEST:
        raise ValueError(f"a rubric has up to {_MOST} criteria with names of up to {_LONGEST} characters")
    return Rubric(text, tuple(names))
