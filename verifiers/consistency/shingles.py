"""Texts as sets of hashed shingles: many texts at a time, whatever their length, a few microseconds each."""

from __future__ import annotations

import hashlib
import unicodedata
from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Codes = NDArray[np.uint64]

Unit = Literal["word3", "char5"]
"""What a shingle is made of: three words in a row, or five characters (for scripts without spaces)."""

SIZES: dict[Unit, int] = {"word3": 3, "char5": 5}
"""Words or characters in a shingle; a text of fewer is compared as a whole."""

BATCH_TEXTS, BATCH_CHARACTERS = 2_048, 1 << 18
"""A batch is full with so many texts, or so many characters."""

_DOCUMENT_SHIFT, _HASH_BITS = 52, 52
_SLICE = 1 << 20
_CODE_POINTS = 0x110000
_POWER = 0x9E3779B97F4A7C15 | 1
_INVERSE = pow(_POWER, -1, 1 << 64)
_MIXERS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93)


class ShingleSets:
    """The shingle sets of texts, each distinct set once: `tokens` are 32-bit hashes, sorted within a set.

    Sets are numbered as they are met. A text without shingles is a set without tokens that equals no other text's.
    """

    def __init__(self, unit: Unit) -> None:
        self.tokens = bytearray()
        self.sizes = array("I")
        self._unit = unit
        self._numbers: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self.sizes)

    def add(self, texts: Sequence[str], *, short: int = 0, salt: Callable[[int], bytes] | None = None) -> list[int]:
        """The set number of each text; those of fewer than `short` words or characters share sets only where their
        `salt`, asked for by place in the batch, is the same."""
        import numpy as np

        folded = [_folded(text, self._unit) for text in texts]
        hashes, counts = (_words if self._unit == "word3" else _characters)(folded)
        salts = np.zeros(len(texts), dtype=np.uint64)
        given: dict[int, bytes] = {}
        if salt is not None:
            for place in np.flatnonzero(counts < short).tolist():
                given[place] = salt(place)
                salts[place] = int.from_bytes(hashlib.blake2b(given[place], digest_size=8).digest(), "little")
        keys = _shingles(hashes, counts, salts, SIZES[self._unit])
        ends = np.searchsorted(keys, np.arange(1, len(texts) + 1, dtype=np.uint64) << np.uint64(_DOCUMENT_SHIFT))
        prints = _fingerprints(keys, ends)
        tokens = (keys >> np.uint64(_HASH_BITS - 32)).astype(np.uint32)
        for place in np.flatnonzero(counts < SIZES[self._unit]).tolist():
            whole = " ".join(folded[place].split()).encode("utf-8", "surrogatepass")
            prints[place] = hashlib.blake2b(whole, digest_size=16, key=given.get(place, b"")[:64]).digest()
        return self._numbered(prints, tokens, [0, *ends.tolist()])

    def _numbered(self, prints: Sequence[bytes], tokens: NDArray[np.uint32], bounds: Sequence[int]) -> list[int]:
        numbers = []
        for place, fingerprint in enumerate(prints):
            number = self._numbers.setdefault(fingerprint, len(self._numbers))
            if number == len(self.sizes):
                start, end = bounds[place], bounds[place + 1]
                self.sizes.append(end - start)
                self.tokens += tokens[start:end].tobytes()
            numbers.append(number)
        return numbers


def batches(texts: Iterator[tuple[Any, str]]) -> Iterator[list[tuple[Any, str]]]:
    """Things with their texts, in batches of bounded size."""
    batch: list[tuple[Any, str]] = []
    characters = 0
    for thing, text in texts:
        if batch and (len(batch) == BATCH_TEXTS or characters + len(text) > BATCH_CHARACTERS):
            yield batch
            batch, characters = [], 0
        batch.append((thing, text))
        characters += len(text)
    if batch:
        yield batch


def jaccard(one: str, other: str, unit: Unit) -> float:
    """The Jaccard similarity of two texts' shingle sets; texts too short for a shingle are equal or not."""
    sets = ShingleSets(unit)
    numbers = sets.add([one, other])
    if numbers[0] == numbers[1]:
        return 1.0
    tokens = array("I")
    tokens.frombytes(sets.tokens)
    left, right = set(tokens[: sets.sizes[0]]), set(tokens[sets.sizes[0] :])
    return len(left & right) / max(len(left | right), 1)


def length(text: str, unit: Unit) -> int:
    """How many words, or characters, a text has."""
    import numpy as np

    folded = _folded(text, unit)
    return len(folded) if unit == "char5" else int(np.sum(_words([folded])[1]))


def _folded(text: str, unit: Unit) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    text = text.casefold()
    return " ".join(text.split()) if unit == "char5" else text


def _words(texts: Sequence[str]) -> tuple[Codes, NDArray[np.int64]]:
    """A hash of each word of the texts, one text after the other, and the number of words in each."""
    import numpy as np

    if sum(map(len, texts)) > 2 * _SLICE:
        return _words_of_long(texts)
    codes = _codes("\n".join(texts) + "\n")
    inside = _is_word()[codes]
    edges = np.flatnonzero(np.diff(inside, prepend=False))
    starts, ends = edges[0::2], edges[1::2]
    # A word's polynomial is a difference of prefix sums, moved to where words begin.
    sums = np.cumsum(codes * _powers(_POWER, len(codes)), dtype=np.uint64)
    sums = np.concatenate((np.zeros(1, dtype=np.uint64), sums))
    hashes = (sums[ends] - sums[starts]) * _powers(_INVERSE, len(codes))[starts]
    bounds = np.cumsum([len(text) + 1 for text in texts])
    return _mixed(hashes, _MIXERS[0]), np.diff(np.searchsorted(starts, bounds), prepend=0)


def _words_of_long(texts: Sequence[str]) -> tuple[Codes, NDArray[np.int64]]:
    """As `_words`, a slice of a text at a time; a word that a slice's end cuts counts as two."""
    import numpy as np

    hashes: list[Codes] = []
    counts = []
    for text in texts:
        found = [_words([text[start : start + _SLICE]])[0] for start in range(0, max(len(text), 1), _SLICE)]
        hashes += found
        counts.append(sum(map(len, found)))
    return np.concatenate(hashes), np.array(counts, dtype=np.int64)


def _characters(texts: Sequence[str]) -> tuple[Codes, NDArray[np.int64]]:
    """A hash of each character of the texts, one text after the other, and the number of characters in each."""
    import numpy as np

    return _mixed(_codes("".join(texts)).astype(np.uint64), _MIXERS[0]), np.array([len(text) for text in texts])


def _codes(text: str) -> NDArray[np.unsignedinteger[Any]]:
    import numpy as np

    if text.isascii():
        return np.frombuffer(text.encode(), dtype=np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


@lru_cache(maxsize=1)
def _is_word() -> NDArray[np.bool_]:
    """For each code point, whether words are made of it: letters, digits of all kinds, the underscore."""
    import numpy as np

    table = np.fromiter((chr(code).isalnum() for code in range(_CODE_POINTS)), dtype=np.bool_, count=_CODE_POINTS)
    table[ord("_")] = True
    return table


_kept_powers: dict[int, Codes] = {}


def _powers(base: int, count: int) -> Codes:
    """The first powers of a number modulo 2**64."""
    import numpy as np

    kept = _kept_powers.get(base)
    if kept is None or len(kept) < count:
        factors = np.full(max(count, BATCH_CHARACTERS * 2), base, dtype=np.uint64)
        factors[0] = 1
        _kept_powers[base] = kept = np.multiply.accumulate(factors)
    return kept[:count]


def _shingles(hashes: Codes, counts: NDArray[np.int64], salts: Codes, size: int) -> Codes:
    """The distinct shingles of the texts as sorted numbers: the text's place above, 52 bits of hash below."""
    import numpy as np

    places = np.repeat(np.arange(len(counts), dtype=np.uint64), counts)
    if len(hashes) < size:
        return np.empty(0, dtype=np.uint64)
    last = len(hashes) - size + 1
    mixed = hashes[:last].copy()
    for step in range(1, size):
        mixed *= np.uint64(_MIXERS[1])
        mixed += hashes[step : last + step]
    whole = places[:last] == places[size - 1 :]
    of = places[:last][whole]
    mixed = _mixed(mixed[whole] + salts[of], _MIXERS[2])
    keys: Codes = np.sort((of << np.uint64(_DOCUMENT_SHIFT)) | (mixed >> np.uint64(64 - _HASH_BITS)))
    distinct: Codes = keys[np.diff(keys, prepend=~keys[:1]) != 0]
    return distinct


def _fingerprints(keys: Codes, ends: NDArray[np.int64]) -> list[bytes]:
    """For each text 16 bytes that are equal for equal sets."""
    import numpy as np

    low = keys & np.uint64((1 << _HASH_BITS) - 1)
    nothing = np.zeros(1, dtype=np.uint64)
    columns = []
    for mixer in _MIXERS[:2]:
        sums = np.concatenate((nothing, np.cumsum(_mixed(low, mixer), dtype=np.uint64)))[ends]
        columns.append(np.diff(sums, prepend=nothing))
    packed = np.stack(columns, axis=1).astype("<u8").tobytes()
    return [packed[at : at + 16] for at in range(0, len(packed), 16)]


def _mixed(values: Codes, factor: int) -> Codes:
    """Numbers scattered over all 64 bits, one to one."""
    import numpy as np

    values = (values ^ (values >> np.uint64(31))) * np.uint64(factor)
    return values ^ (values >> np.uint64(29))
