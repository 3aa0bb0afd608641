"""Samples whose response says the same as another one's, in nearly the same words.

Two responses are near-duplicates if the sets of their word 3-grams (NFC, case folded, Unicode words) have a Jaccard
similarity of .7 or more; responses of fewer than three words must be equal but for case and white space. With `unit`
char5 the sets are of five characters in a row, for scripts without spaces between words.

The response decides, with the calls of its turn: models that answer one long question are not alike because of it. But
short responses are alike by chance, so those of fewer than ten words (twenty characters with char5) are compared only
among answers to the same prompt. A cluster is what such pairs tie together.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from holdfast.db.models import PASS, Finding, Outcome, Provenance, Sample, Severity, Verdict
from holdfast.verifiers.base import Context, verifier
from holdfast.verifiers.consistency.near_duplicate_state import Neighbourhood, Place, key_of, moved, unpacked
from holdfast.verifiers.consistency.shingles import ShingleSets, Unit, batches, length

SHORT: dict[Unit, int] = {"word3": 10, "char5": 20}
"""Responses of fewer words, or characters, are compared among answers to the same prompt alone."""

_KEY_BYTES = 16
_MODELS_WRITE = (Provenance.SYNTHETIC, Provenance.HUMAN_EDITED)


@verifier(layer="consistency", version="1", fit_cost=6)
def near_duplicate(sample: Sample, ctx: Context, *, unit: Unit = "word3") -> Verdict:
    """Flag a copy or near-copy of another sample; of each cluster a human sample passes where it has one, else one.

    The one that passes is human if possible, then one that passed before the corpus grew, then the one with the lowest
    uid. The score is the similarity to what the message names. Samples that no run has compared yet abstain.

    Options:
        unit: what overlap is counted in: sequences of three words, or of five characters for scripts without
            spaces
    """
    state = ctx.state("near_duplicate")
    if state is None:
        return Verdict.abstain()
    known = unpacked(state)
    place = known.place(sample.uid)
    if place is None:
        return PASS if known.holds(sample.uid) else Verdict.abstain()
    if place.passes:
        return PASS
    return Verdict(Outcome.FLAG, place.similarity, (_finding(sample, place, unit),))


def _finding(sample: Sample, place: Place, unit: Unit) -> Finding:
    how = "an exact copy of" if place.exact else "nearly the same as"
    whose = ", which a person wrote" if place.target_human else ""
    likeness = "" if place.exact else f" (similarity {place.similarity:.2f})"
    code = "exact-duplicate" if place.exact else "near-duplicate"
    # That a model finds the short answer that a person gave to the same prompt says nothing.
    if place.target_human and sample.provenance in _MODELS_WRITE and length(compared_text(sample), unit) >= SHORT[unit]:
        code = "memorised"
    return Finding(code, Severity.WARN, f"{how} {place.target}{whose}{likeness}")


@near_duplicate.fit
def _compare_all(samples: Iterable[Sample], *, unit: Unit, previous: Any = None) -> dict[str, str]:
    """Where each sample of the corpus stands; `previous` is the state of the corpus as it was before it grew."""
    from holdfast.verifiers.consistency.near_duplicate_clusters import Census, neighbourhood

    before = unpacked(previous) if previous else None
    sets, census = ShingleSets(unit), Census()
    with_text = ((sample, compared_text(sample)) for sample in samples)
    for batch in batches((sample, text) for sample, text in with_text if text and not text.isspace()):
        of = [sample for sample, _ in batch]
        numbers = sets.add([text for _, text in batch], short=SHORT[unit], salt=partial(_prompt_key, of))
        for sample, number in zip(of, numbers, strict=True):
            census.count(
                key_of(sample.uid),
                duplicate_key(sample),
                number,
                human=sample.provenance is Provenance.HUMAN,
                passed=before is not None and _passed(before, sample.uid),
            )
    return neighbourhood(sets, census).pack()


@near_duplicate.moves
def _moved(before: dict[str, str], after: dict[str, str]) -> Iterable[str]:
    """Samples that got, or lost, a likeness when the corpus grew."""
    return moved(unpacked(before), unpacked(after))


def compared_text(sample: Sample) -> str:
    """The response, and the names and arguments of the calls that its turn makes."""
    text = sample.response
    for message in reversed(sample.messages):
        if message.role == "assistant":
            calls = "".join(f"\n{call.name} {call.arguments}" for call in message.tool_calls or ())
            return text + calls if calls else text
    return text


def duplicate_key(sample: Sample) -> bytes:
    """The first half of the SHA-256 of all normalised turns, 16 bytes."""
    digest = hashlib.sha256()
    for message in sample.messages:
        digest.update(f"{message.role}\0{normalised(message.content)}\0".encode())
        for call in message.tool_calls or ():
            digest.update(f"{call.name}\0{normalised(call.arguments)}\0".encode())
    return digest.digest()[:_KEY_BYTES]


def normalised(text: str) -> str:
    """NFC, case folded, each run of white space one space, none at the ends."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.casefold().split())


def _prompt_key(samples: Sequence[Sample], place: int) -> bytes:
    return hashlib.sha256(normalised(samples[place].prompt).encode()).digest()[:_KEY_BYTES]


def _passed(before: Neighbourhood, uid: str) -> bool:
    place = before.place(uid)
    return before.holds(uid) if place is None else place.passes


__all__ = ["SHORT", "compared_text", "duplicate_key", "near_duplicate", "normalised"]
