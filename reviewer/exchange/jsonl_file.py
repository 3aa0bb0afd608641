"""JSON lines."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.reviewer.exchange.chunks import Chunks, lines
from holdfast.reviewer.exchange.raw import Problem, Raw


def read(chunks: Chunks) -> Iterator[Raw]:
    """Yield each line that is not blank as one record."""
    for number, line in lines(chunks):
        if isinstance(line, Problem) or not (line == b"" or line.isspace()):
            yield Raw(number, line)
