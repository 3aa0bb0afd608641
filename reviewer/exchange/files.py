"""Output files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from holdfast.db.errors import HoldfastError, Refused

_BUFFER_BYTES = 1 << 20


class Pending:
    """Files written under temporary names beside their targets; `publish` gives them their names."""

    def __init__(self, *, force: bool) -> None:
        self._force = force
        self._waiting: list[tuple[Path, Path]] = []

    @contextmanager
    def open(self, target: Path) -> Iterator[BinaryIO]:
        """A new file that will be `target`, on disk when the block ends; Refused where `target` exists."""
        self.refuse_existing(target)
        temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
        with _named_errors(target), temporary.open("xb", buffering=_BUFFER_BYTES) as file:
            self._waiting.append((temporary, target))
            yield file
            file.flush()
            os.fsync(file.fileno())

    def publish(self) -> None:
        """Give every file its name, the first one last: it never stands without those that describe it."""
        self.refuse_existing(*(target for _, target in self._waiting))
        for temporary, target in reversed(self._waiting):
            temporary.replace(target)
            _sync_folder(target.parent)
        self._waiting.clear()

    def discard(self) -> None:
        """Remove what was not published."""
        for temporary, _ in self._waiting:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        self._waiting.clear()

    def refuse_existing(self, *targets: Path) -> None:
        """Refused where a target is a folder or a device, or exists and may not be overwritten."""
        for target in targets:
            if target.is_dir():
                raise Refused(f"{target}: is a folder; name a file")
            if target.exists() and not target.is_file():
                # Its name would be given to the new file, and the device be gone.
                raise Refused(f"{target}: is a device or a pipe; name a file")
            if not self._force and target.exists():
                raise Refused(f"{target}: exists already; --force overwrites it")


@contextmanager
def _named_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HoldfastError(f"{target}: {error.strerror or error}; nothing was written") from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
