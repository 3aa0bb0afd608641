"""What the models answered to each prompt, packed: a few bytes an answer, found again by prompt."""

from __future__ import annotations

from array import array
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from holdfast.db.models import Provenance, Sample
from holdfast.verifiers.agreement.families import family_of
from holdfast.verifiers.agreement.sketches import SKETCH_BYTES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_ANSWERS = 64
"""Answers that are kept of one prompt: those with the first uids."""
HUMAN = "human"
"""The source of all that people wrote."""

KINDS = ("number", "choice", "label", "json", "text", "prose")
"""Kinds of answers; those before `text` are compared by value, the others by the words that they share."""
FIRST_TEXT = KINDS.index("text")


class Reply(NamedTuple):
    """An answer as it is compared: its kind's place in KINDS, and its value or, of a text, its sketch."""

    kind: int
    value: str = ""
    sketch: bytes = b""


class Other(NamedTuple):
    """An answer that another sample gave to the same prompt; `source` is a place in the groups' sources."""

    source: int
    reply: Reply


def group_key(sample: Sample) -> int | None:
    """64 bits that samples answering one prompt share, by `group` or else by the prompt; None without either."""
    if sample.group:
        return _hash64(f"group\0{sample.group}")
    prompt = " ".join(sample.prompt.split())
    return _hash64(f"prompt\0{prompt}") if prompt else None


def source_of(sample: Sample) -> tuple[str, str]:
    """Who answered, and of which family: a person, or a model by its name."""
    if sample.provenance in (Provenance.HUMAN, Provenance.HUMAN_EDITED):
        return HUMAN, HUMAN
    name = sample.model or sample.family or sample.provenance.value
    return name, family_of(name, sample.family)


class Gathering:
    """Answers as they come in, one sample after the other."""

    def __init__(self) -> None:
        self._groups, self._uids = array("Q"), array("Q")
        self._sources, self._kinds, self._values = array("I"), array("B"), array("I")
        self._source_places: dict[tuple[str, str], int] = {}
        self._value_places: dict[str, int] = {}
        self._sketches = bytearray()

    def add(self, sample: Sample, key: int, reply: Reply) -> None:
        """Take in what a sample answered to the prompt with this key: 25 bytes, and 64 more of a text."""
        if reply.kind < FIRST_TEXT:
            place = self._value_places.setdefault(reply.value, len(self._value_places))
        else:
            place = len(self._sketches) // SKETCH_BYTES
            self._sketches += reply.sketch
        self._groups.append(key)
        self._uids.append(uid64(sample.uid))
        self._sources.append(self._source_places.setdefault(source_of(sample), len(self._source_places)))
        self._kinds.append(reply.kind)
        self._values.append(place)

    def state(self) -> dict[str, Any]:
        """The answers to prompts that have several, in an order that does not depend on that of the samples."""
        import numpy as np

        groups, uids = np.array(self._groups, np.uint64), np.array(self._uids, np.uint64)
        order = np.lexsort((uids, groups))
        order = order[_several(groups[order], most=MOST_ANSWERS)]
        kinds, values = np.array(self._kinds, np.uint8)[order], np.array(self._values, np.uint32)[order]
        is_text = kinds >= FIRST_TEXT
        names = list(self._value_places)
        kept = sorted({names[place] for place in values[~is_text]})
        renumbered = {self._value_places[name]: place for place, name in enumerate(kept)}
        sketches = np.frombuffer(bytes(self._sketches), f"V{SKETCH_BYTES}")[values[is_text]]
        values[~is_text] = [renumbered[place] for place in values[~is_text]]
        values[is_text] = np.arange(len(sketches))
        sources = sorted(self._source_places)
        places = {self._source_places[source]: place for place, source in enumerate(sources)}
        return {
            "sources": sources,
            "values": kept,
            "groups": _text(groups[order]),
            "uids": _text(uids[order]),
            "source": _text(np.array([places[place] for place in np.array(self._sources)[order]], np.uint32)),
            "kinds": _text(kinds),
            "value": _text(values),
            "sketches": _text(sketches),
        }


@dataclass(frozen=True, slots=True)
class _Columns:
    """The answers column by column, parallel, sorted by group and uid."""

    groups: NDArray[np.uint64]
    uids: NDArray[np.uint64]
    source: NDArray[np.uint32]
    kinds: NDArray[np.uint8]
    value: NDArray[np.uint32]


class AnswerGroups:
    """The answers by prompt, from a gathering's state."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        import numpy as np

        self.sources: list[tuple[str, str]] = [(name, family) for name, family in state["sources"]]
        self._values: list[str] = state["values"]
        self._sketches = b64decode(state["sketches"])
        self._at = _Columns(
            np.frombuffer(b64decode(state["groups"]), np.uint64),
            np.frombuffer(b64decode(state["uids"]), np.uint64),
            np.frombuffer(b64decode(state["source"]), np.uint32),
            np.frombuffer(b64decode(state["kinds"]), np.uint8),
            np.frombuffer(b64decode(state["value"]), np.uint32),
        )

    def answers(self, key: int) -> dict[int, Other]:
        """The answers to a prompt by the first 64 bits of their samples' uids; empty where there are not several."""
        import numpy as np

        columns = self._at
        sought = np.uint64(key)
        start = int(np.searchsorted(columns.groups, sought))
        end = start + int(np.searchsorted(columns.groups[start : start + MOST_ANSWERS], sought, side="right"))
        return self._slice(start, end)

    def each(self, *, most: int) -> Iterator[list[Other]]:
        """The answers to each of the first `most` prompts."""
        import numpy as np

        groups = self._at.groups
        starts = np.flatnonzero(groups[1:] != groups[:-1]) + 1 if len(groups) else np.array([], np.int64)
        bounds = [0, *starts.tolist(), len(groups)]
        for start, end in islice(pairwise(bounds), most):
            yield list(self._slice(start, end).values())

    def _slice(self, start: int, end: int) -> dict[int, Other]:
        columns = self._at
        rows = zip(
            columns.uids[start:end].tolist(),
            columns.source[start:end].tolist(),
            columns.kinds[start:end].tolist(),
            columns.value[start:end].tolist(),
            strict=True,
        )
        return {uid: Other(source, self._reply(kind, value)) for uid, source, kind, value in rows}

    def _reply(self, kind: int, place: int) -> Reply:
        if kind < FIRST_TEXT:
            return Reply(kind, self._values[place])
        return Reply(kind, sketch=self._sketches[SKETCH_BYTES * place : SKETCH_BYTES * (place + 1)])


def uid64(uid: str) -> int:
    """The first 64 bits of a uid."""
    return int(uid[:16], 16)


def _several(groups: NDArray[np.uint64], *, most: int) -> NDArray[np.bool_]:
    """Of sorted groups, which rows belong to one of several rows and are among its first `most`."""
    import numpy as np

    _, start, count = np.unique(groups, return_index=True, return_counts=True)
    place = np.arange(len(groups)) - np.repeat(start, count)
    return (np.repeat(count, count) > 1) & (place < most)


def _text(column: NDArray[Any]) -> str:
    return b64encode(column.tobytes()).decode()


def _hash64(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
