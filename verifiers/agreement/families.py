"""Which models and judges belong together, by what is declared or else by how their names begin."""

from __future__ import annotations

import re
from functools import lru_cache

_BEGINNING = re.compile(r"(?:[a-z]+\.)*([^\W\d_]+)")
"""Behind the makers that some providers put before a name, as in `us.anthropic.claude-3`."""
_GENERIC = frozenset({"ai", "annotator", "base", "judge", "llm", "lm", "model", "person", "rater", "system"})
"""Beginnings that say what a thing is, not whose it is."""


@lru_cache(maxsize=4096)
def family_of(name: str, declared: str | None = None) -> str:
    """The family of a model or judge: the declared one, else the word its name begins with behind any path.

    A name that begins with a generic word, or with none, is a family of its own.
    """
    if declared and not declared.isspace():
        return declared.strip().casefold()
    last = name.strip().casefold().rpartition("/")[2]
    word = _BEGINNING.match(last)
    return last if word is None or word[1] in _GENERIC else word[1]


def related(name: str, family: str | None, other: str, other_family: str | None) -> bool:
    """Whether two models are the same or of one family: as declared where both are, else by their names too."""
    if name == other or family_of(name, family) == family_of(other, other_family):
        return True
    return not (family and other_family) and family_of(name) == family_of(other)
