"""File locks beside a store: one process at a time ingests, verifies, orders. A lock dies with its process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from holdfast.db.errors import Refused, StoreReadOnly

Purpose = Literal["ingest", "verify", "judges", "order"]

_DOING: dict[Purpose, str] = {
    "ingest": "another ingest is running",
    "verify": "another `holdfast verify` is running",
    "order": "the queue is being ordered by another process",
    "judges": "judges of an earlier `holdfast verify` are still at work",
}


def take(store_path: Path, purpose: Purpose) -> int:
    """Take the lock and return its file descriptor, to be closed; Refused while another process holds it."""
    path = store_path.with_name(f"{store_path.name}-{purpose}")
    try:
        lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreReadOnly(f"{path}: {error.strerror}; check the permissions of the file and its folder") from None
    try:
        if os.fstat(lock).st_uid == os.geteuid():
            # Whoever may write the store may lock it, whatever this process's umask.
            os.fchmod(lock, store_path.stat().st_mode & 0o666)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise Refused(f"{store_path}: {_DOING[purpose]} on this store; wait until it is done") from None
    return lock


@contextmanager
def held(store_path: Path, purpose: Purpose) -> Iterator[None]:
    """Hold the lock for the block; Refused while another process holds it."""
    lock = take(store_path, purpose)
    try:
        yield
    finally:
        os.close(lock)
