"""A file as chunks of decompressed bytes, and as lines: memory stays bounded whatever the file holds."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from holdfast.db.rows import RAW_LIMIT
from holdfast.reviewer.exchange.raw import MAX_RECORD, Problem, problem, too_long

CHUNK = 1 << 18

_UTF8_BOM = b"\xef\xbb\xbf"
_FOREIGN = {
    b"\xff\xfe": "the file is UTF-16 text; convert it to UTF-8",
    b"\xfe\xff": "the file is UTF-16 text; convert it to UTF-8",
    b"\x1f\x8b": "the file is compressed with gzip; give it a name that ends in .gz, or unpack it",
}


class Chunks:
    """Iterates over a file's bytes without a byte-order mark; stops at damage and says so in `damage`."""

    def __init__(
        self, raw: io.BufferedIOBase, *, gz: bool, owned: bool = True, progress: Callable[[int], None] | None = None
    ) -> None:
        self._raw = raw
        self._file: io.BufferedIOBase = gzip.GzipFile(fileobj=raw, mode="rb") if gz else raw
        self._owned = owned
        self._progress = progress
        self._told = 0
        self._returned: list[bytes] = []
        self._started = False
        self.damage: str | None = None

    @classmethod
    def of(cls, path: Path, *, gz: bool = False, progress: Callable[[int], None] | None = None) -> Chunks:
        """Open a file; `progress` is told how many more of its (compressed) bytes have been read."""
        return cls(path.open("rb"), gz=gz, progress=progress)

    def __enter__(self) -> Chunks:
        return self

    def __exit__(self, *raised: object) -> None:
        if self._file is not self._raw:
            self._file.close()
        if self._owned:
            self._raw.close()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = self._returned.pop() if self._returned else self._read()
        if not self._started:
            self._started = True
            chunk = self._without_bom(chunk)
        if not chunk:
            raise StopIteration
        return chunk

    def give_back(self, chunk: bytes) -> None:
        """Have `chunk` come first again."""
        if chunk:
            self._returned.append(chunk)

    def _without_bom(self, chunk: bytes) -> bytes:
        while 0 < len(chunk) < 4 and (more := self._read()):
            chunk += more
        for mark, reason in _FOREIGN.items():
            if chunk.startswith(mark):
                self.damage = reason
                return b""
        if chunk.startswith(_UTF8_BOM):
            return chunk[len(_UTF8_BOM) :] or self._read()
        return chunk

    def _read(self) -> bytes:
        if self.damage is not None:
            return b""
        try:
            # One read of the file below: a longer one would lose what it had when it met damage.
            chunk = self._file.read1(CHUNK)
        except EOFError:
            self.damage = "the gzip file is cut short here; what stands before was read"
        except (gzip.BadGzipFile, zlib.error) as error:
            self.damage = f"the gzip file is damaged here ({error}); what stands before was read"
        except OSError as error:
            self.damage = f"the file cannot be read further ({error.strerror or error})"
        else:
            self._tell()
            return chunk
        return b""

    def _tell(self) -> None:
        if self._progress is not None and self._raw.seekable():
            at = self._raw.tell()
            self._progress(at - self._told)
            self._told = at


def in_memory(data: bytes) -> Chunks:
    """The chunks of bytes that are at hand."""
    return Chunks(io.BytesIO(data), gz=False)


def lines(chunks: Chunks) -> Iterator[tuple[int, bytes | Problem]]:
    """Yield each line with its number (from 1), without its newline; one over MAX_RECORD, and damage, as problems."""
    number = 1
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        pieces = chunk.split(b"\n")
        for piece in pieces[:-1]:
            if held:
                yield number, _line(held, piece, size + len(piece))
                held, size = [], 0
            else:
                yield number, piece
            number += 1
        if pieces[-1]:
            size += len(pieces[-1])
            if size <= MAX_RECORD:
                held.append(pieces[-1])
            elif len(held) != 1 or len(held[0]) > RAW_LIMIT:
                held = [b"".join(held)[:RAW_LIMIT]]
    if chunks.damage is not None:
        yield number, problem(chunks.damage, b"".join(held), size)
    elif held:
        yield number, _line(held, b"", size)


def _line(held: list[bytes], last: bytes, size: int) -> bytes | Problem:
    line = b"".join((*held, last))
    return line if size <= MAX_RECORD else too_long(line, size)
