"""The demo's samples, written for this project: what people and three made-up models answered, defects included."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DemoBatch:
    """One batch of the demo and the file it comes from."""

    name: str
    file: str


BATCHES = (
    DemoBatch("seed", "seed.jsonl"),
    DemoBatch("gen-1", "gen1.jsonl"),
    DemoBatch("gen-2", "gen2.jsonl"),
    DemoBatch("found", "found.jsonl"),
)
"""People's samples, two generations of models trained in turn, and some of unknown origin."""


VOTES = "votes.jsonl"
"""What three made-up judges, and one of the models itself, said of some samples."""

DECISIONS = "decisions.jsonl"
"""What two reviewers have decided already, in order."""


@contextmanager
def data_file(name: str) -> Iterator[Path]:
    """One of the package's JSON lines files as a file on disk, also where the package lies in an archive."""
    with as_file(files(__name__).joinpath(name)) as path:
        yield path
