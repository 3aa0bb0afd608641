"""Samples that give a locked hold-out away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Literal

from holdfast.db.models import Finding, Sample, Severity, Verdict
from holdfast.verifiers.base import Context, verifier
from holdfast.verifiers.consistency.holdout import RUN, Holdout, frozen
from holdfast.verifiers.consistency.words import placed_words, words
from holdfast.verifiers.project_file import ProjectFile

FEWEST_IN_RESPONSE = 5
"""Words that a response must have to be compared as a whole with short items: shorter answers are everybody's."""

_SHOWN = 5


@verifier(layer="consistency", version="1")
def contamination(sample: Sample, ctx: Context, *, holdout: tuple[ProjectFile, ...] = ()) -> Verdict:
    """Flag a sample that shares 13 words in a row, or the whole of a short item, with a hold-out.

    `holdout` names the files, JSON Lines, a JSON list, or text with an item a line, each plain or .gz; all strings of
    a record count. Case and punctuation do not. What more than ten items share is taken for instructions. A prompt of
    three to twelve words, and a response of five to twelve, are compared as a whole.

    Options:
        holdout: files of the locked hold-out (.jsonl, .json, .txt, also .gz), relative to the project's folder
    """
    state = ctx.state("contamination")
    if state is None:
        return Verdict.abstain()
    known = _opened(state)
    return Verdict.found([*_of(known, sample.response, "response"), *_of(known, sample.prompt, "prompt")])


_latest: Holdout | None = None


def _opened(state: Any) -> Holdout:
    """The hold-out, kept for as long as the same state is asked for."""
    global _latest
    if _latest is None or _latest.state is not state:
        _latest = Holdout(state)
    return _latest


def _of(known: Holdout, text: str, of: Literal["response", "prompt"]) -> Iterator[Finding]:
    found = words(text)
    if len(found) < RUN:
        item = known.whole(found) if of == "prompt" or len(found) >= FEWEST_IN_RESPONSE else None
        if item is not None:
            message = f"the whole {of}, {len(found)} words, stands in the hold-out {known.place(item)}"
            yield Finding("contamination", Severity.WARN, message, (0, len(text)), of)
        return
    placed = None
    for start, end, item in islice(known.matches(found), _SHOWN):
        placed = placed_words(text) if placed is None else placed
        message = f"{end - start} words in a row stand in the hold-out {known.place(item)}"
        yield Finding("contamination", Severity.WARN, message, (placed[start][1], placed[end - 1][2]), of)


@contamination.fit
def _read_holdout(samples: Iterable[Sample], *, holdout: tuple[ProjectFile, ...]) -> dict[str, Any] | None:
    """The hold-out as hashes; the samples have no part in it."""
    return frozen(holdout) if holdout else None
