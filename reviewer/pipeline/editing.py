"""What an edit makes: the revised sample, its provenance and how much of the text a person changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from holdfast.db.models import Message, Provenance, Sample
from holdfast.db.samples import Stored, load, parents_of
from holdfast.db.store import Store

_NOT_BY_A_PERSON = (Provenance.SYNTHETIC, Provenance.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Edit:
    """A revision before verifiers have seen it; `share` is None of the response's ancestor, in [0, 1]."""

    sample: Sample
    share: float


def with_response(original: Sample, text: str) -> tuple[Message, ...]:
    """The turns of a sample with another response; a newline that an editor appended is left out."""
    if text.endswith("\n") and not original.response.endswith("\n"):
        text = text.removesuffix("\n").removesuffix("\r")
    return original.with_response(text)


def revise(store: Store, stored: Stored, messages: tuple[Message, ...]) -> Edit | None:
    """The revision that `messages` make of a stored sample; None where they change nothing.

    It inherits everything but text, provenance and parents. An edit of human text stays human; one whose ancestry
    holds text of a model, or of unknown origin, is human-edited.
    """
    if messages == stored.sample.messages:
        return None
    ancestry = _ancestry(store, stored)
    derived = any(ancestor.sample.provenance is not Provenance.HUMAN for ancestor in ancestry)
    origin = next((each for each in ancestry if each.sample.provenance in _NOT_BY_A_PERSON), ancestry[-1])
    sample = _changed(
        stored.sample,
        messages=messages,
        provenance=Provenance.HUMAN_EDITED if derived else Provenance.HUMAN,
        generation=stored.sample.generation if derived else 0,
        parents=(stored.uid,),
    )
    return Edit(sample, edit_share(origin.sample.response, sample.response))


def edit_share(before: str, after: str) -> float:
    """Levenshtein distance over code points, divided by the longer length: 0 for equal texts, at most 1."""
    from rapidfuzz.distance import Levenshtein

    return float(Levenshtein.normalized_distance(before, after))


def _ancestry(store: Store, stored: Stored) -> list[Stored]:
    """The sample and its ancestors in the store, nearest first."""
    found, seen = [stored], {stored.id}
    for each in found:
        for parent in parents_of(store, each):
            if isinstance(parent, int) and parent not in seen:
                seen.add(parent)
                found.append(load(store, parent))
    return found


def _changed(sample: Sample, **changes: Any) -> Sample:
    # Not model_copy: it would keep the cached uid and content id of the original.
    fields = {name: getattr(sample, name) for name in Sample.model_fields}
    return Sample(**{**fields, **changes})
