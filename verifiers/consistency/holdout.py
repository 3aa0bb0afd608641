"""A hold-out as what can be looked up of it: hashes of its runs of words, and where each comes from."""

from __future__ import annotations

import gzip
import zlib
from array import array
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import orjson

from holdfast.db.errors import UsageError
from holdfast.verifiers.consistency.words import words
from holdfast.verifiers.project_file import ProjectFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RUN = 13
"""Words in a row that are no coincidence."""
STRIDE = 7
"""Length and distance of the runs that are looked up first: a shared run of `RUN` words holds one of them whole."""
BOILERPLATE = 10
"""Items of a hold-out; what more of them hold is an instruction that they share and says nothing."""
FEWEST_WORDS = 3
"""Shorter texts of a hold-out are left out: "yes" is no test item."""


class Holdout:
    """The frozen form of hold-out files, opened for looking up; `state` is that of `frozen`."""

    def __init__(self, state: Any) -> None:
        self.state = state
        self._files: list[str] = state["files"]
        self._items: list[list[int]] = state["items"]
        self._short: dict[str, int] = state["short"]
        self._hints = _unpacked(state["hints"], "<u4")
        self._runs = _unpacked(state["runs"], "<u8")
        self._item_of_run = _unpacked(state["item_of_run"], "<u4")

    def place(self, item: int) -> str:
        """Where an item stands, in words."""
        file, number = self._items[item]
        name = self._files[file]
        return f"{name}, {'record' if _kind(name) == 'json' else 'line'} {number}"

    def whole(self, found: Sequence[str]) -> int | None:
        """The item that is made of these words and no others, if it is a short one."""
        if not self._short or not FEWEST_WORDS <= len(found) < RUN:
            return None
        return self._short.get(f"{_hash(found):016x}")

    def matches(self, found: Sequence[str]) -> Iterator[tuple[int, int, int]]:
        """Runs of words that the hold-out holds too, (start, end, item), in order."""
        if not self._hinted(found):
            return
        import numpy as np

        hashes = np.array([_hash(found[at : at + RUN]) for at in range(len(found) - RUN + 1)], dtype=np.uint64)
        places = np.minimum(self._runs.searchsorted(hashes), len(self._runs) - 1)
        hits = np.flatnonzero(self._runs[places] == hashes).tolist()
        first = 0
        for index, at in enumerate(hits):
            if index + 1 == len(hits) or hits[index + 1] > at + 1:
                yield hits[first], at + RUN, int(self._item_of_run[places[hits[first]]])
                first = index + 1

    def _hinted(self, found: Sequence[str]) -> bool:
        """Whether some run of `STRIDE` words, of those that are looked up, stands in the hold-out."""
        if len(found) < RUN or not len(self._runs):
            return False
        import numpy as np

        looked = [_hint(found[at : at + STRIDE]) for at in range(0, len(found) - STRIDE + 1, STRIDE)]
        hints = np.array(looked, dtype=np.uint32)
        places = np.minimum(self._hints.searchsorted(hints), len(self._hints) - 1)
        return bool((self._hints[places] == hints).any())


def frozen(files: Sequence[ProjectFile]) -> dict[str, Any]:
    """The state of a `Holdout` made of the files; UsageError where one cannot be read as what its name says."""
    import numpy as np

    items: list[list[int]] = []
    short: dict[str, int] = {}
    hints, runs, owners = array("I"), array("Q"), array("I")
    for number, file in enumerate(files):
        for line, texts in _records(file):
            item = len(items)
            items.append([number, line])
            for found in map(words, texts):
                if FEWEST_WORDS <= len(found) < RUN:
                    short.setdefault(f"{_hash(found):016x}", item)
                for at in range(len(found) - RUN + 1):
                    runs.append(_hash(found[at : at + RUN]))
                    owners.append(item)
                if len(found) >= RUN:
                    hints.extend(_hint(found[at : at + STRIDE]) for at in range(len(found) - STRIDE + 1))
    kept, item_of_run = _telling(np.array(runs, dtype=np.uint64), np.array(owners, dtype=np.uint32))
    return {
        "files": [file.name for file in files],
        "items": items,
        "short": short,
        "hints": _packed(np.unique(np.array(hints, dtype="<u4"))),
        "runs": _packed(kept.astype("<u8")),
        "item_of_run": _packed(item_of_run.astype("<u4")),
    }


def _telling(runs: NDArray[np.uint64], owners: NDArray[np.uint32]) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    """The runs in order, each with its first item, without those that many items share."""
    import numpy as np

    order = np.lexsort((owners, runs))
    runs, owners = runs[order], owners[order]
    new_run = np.ones(len(runs), dtype=bool)
    new_run[1:] = runs[1:] != runs[:-1]
    new_pair = new_run.copy()
    new_pair[1:] |= owners[1:] != owners[:-1]
    firsts = np.flatnonzero(new_run)
    n_items = np.add.reduceat(new_pair, firsts) if len(firsts) else firsts
    kept = firsts[n_items <= BOILERPLATE]
    return runs[kept], owners[kept]


def _records(file: ProjectFile) -> Iterator[tuple[int, list[str]]]:
    """The texts of each record of a hold-out, with its line, or its number in a JSON list."""
    kind = _kind(file.name)
    try:
        with gzip.open(file.path) if file.name.endswith(".gz") else file.path.open("rb") as lines:
            if kind == "json":
                whole = _parsed(lines.read(), file.name)
                for number, record in enumerate(whole if isinstance(whole, list) else [whole], start=1):
                    yield number, list(_strings(record))
                return
            for number, line in enumerate(lines, start=1):
                if kind in ("jsonl", "ndjson") and not line.isspace():
                    yield number, list(_strings(_parsed(line, f"{file.name}:{number}")))
                elif not line.isspace():
                    yield number, [line.decode()]
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise UsageError(f"the hold-out {file.name} cannot be read: {error}") from error


def _kind(name: str) -> str:
    return name.removesuffix(".gz").rpartition(".")[2].lower()


def _parsed(text: bytes, place: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"the hold-out {place} is not JSON: {error}") from error


def _strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value, but for the keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)


def _hash(found: Sequence[str]) -> int:
    return int.from_bytes(blake2b(" ".join(found).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _hint(found: Sequence[str]) -> int:
    return zlib.crc32(" ".join(found).encode("utf-8", "surrogatepass"))


def _packed(numbers: NDArray[Any]) -> str:
    return b64encode(numbers.tobytes()).decode()


def _unpacked(packed: str, kind: str) -> NDArray[Any]:
    import numpy as np

    return np.frombuffer(b64decode(packed), dtype=kind)
