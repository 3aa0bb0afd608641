"""Samples that say the same as another one, to the letter or but for case, white space and Unicode composition."""

from __future__ import annotations

import hashlib
import unicodedata
from array import array
from collections.abc import Iterable

from holdfast.db.models import PASS, Provenance, Sample, Verdict
from holdfast.verifiers.base import Context, verifier

_KEY_BYTES = 16
_UID_BYTES = 32


@verifier(layer="consistency", version="1")
def exact_duplicate(sample: Sample, ctx: Context) -> Verdict:
    """Flag a copy of another sample; of its copies the earliest human one, else the earliest one, passes."""
    representatives = ctx.state("exact_duplicate")
    key = duplicate_key(sample)
    if representatives is None or key is None:
        return Verdict.abstain()
    found = representatives.get(key.hex())
    if found is None or found["uid"] == sample.uid:
        return PASS
    why = "which a person wrote" if found["human"] else "which came first"
    return Verdict.flag("exact-duplicate", f"an exact copy of {found['uid'][:16]}, {why}")


def duplicate_key(sample: Sample) -> bytes | None:
    """The first half of the SHA-256 of the normalised turns, 16 bytes; None where the response is empty."""
    if not sample.response or sample.response.isspace():
        return None
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


@exact_duplicate.fit
def _representatives(samples: Iterable[Sample]) -> dict[str, dict[str, str | bool]]:
    """The representative of each group of copies, by the hex key of the group."""
    import numpy as np

    keys, uids, human = bytearray(), bytearray(), array("b")
    for sample in samples:
        key = duplicate_key(sample)
        if key is not None:
            keys += key
            uids += bytes.fromhex(sample.uid)
            human.append(sample.provenance is Provenance.HUMAN)
    if not human:
        return {}
    packed = np.frombuffer(keys, dtype=f"V{_KEY_BYTES}")
    _, group, count = np.unique(packed, return_inverse=True, return_counts=True)
    # Stable sorting by (group, not human) leaves each group's representative first.
    copies = np.flatnonzero(count[group] > 1)
    written = np.frombuffer(human, dtype=np.int8)
    order = copies[np.lexsort((copies, -written[copies], group[copies]))]
    firsts = order[np.flatnonzero(np.diff(group[order], prepend=-1))]
    return {
        bytes(keys[at * _KEY_BYTES : (at + 1) * _KEY_BYTES]).hex(): {
            "uid": bytes(uids[at * _UID_BYTES : (at + 1) * _UID_BYTES]).hex(),
            "human": bool(written[at]),
        }
        for at in map(int, firsts)
    }
