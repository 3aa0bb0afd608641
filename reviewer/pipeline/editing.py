"""What an edit makes: the revised sample, its provenance and how much of the text a person changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from holdfast.db.models import Message, Provenance, Sample
from holdfast.db.samples import Stored
from holdfast.db.store import Store
from holdfast.reviewer.pipeline.lineage import ancestry

_NOT_BY_A_PERSON = (Provenance.SYNTHETIC, Provenance.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Edit:
    """A revision before verifiers have seen it; `share` (0 to 1) of the response is new."""

    sample: Sample
    share: float


def without_appended_newline(before: str, after: str) -> str:
    """An edited text without the newline that an editor adds to the last line."""
    if after.endswith("\n") and not before.endswith("\n"):
        return after.removesuffix("\n").removesuffix("\r")
    return after


def revise(store: Store, stored: Stored, messages: tuple[Message, ...]) -> Edit | None:
    """The revision that `messages` make of a stored sample; None where they change nothing.

    It inherits everything but text, provenance and parents. An edit of human text stays human; one whose ancestry
    holds text of a model, or of unknown origin, is human-edited.
    """
    if messages == stored.sample.messages:
        return None
    line = ancestry(store, stored)
    derived = any(ancestor.sample.provenance is not Provenance.HUMAN for ancestor in line)
    origin = next((one for one in line if one.sample.provenance in _NOT_BY_A_PERSON), line[-1])
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


def _changed(sample: Sample, **changes: Any) -> Sample:
    # Not model_copy: it would keep the cached uid and content id of the original.
    fields = {name: getattr(sample, name) for name in Sample.model_fields}
    return Sample(**{**fields, **changes})
