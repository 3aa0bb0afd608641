"""What every process that this program starts has in common: how it ends, and how its end is told."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import parent_process
from multiprocessing.connection import wait

_SAFE_PATH = "PYTHONSAFEPATH"


def end_with_parent() -> None:
    """End this process once the one that started it is gone: nobody would take the results of a long task."""
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


@contextmanager
def interrupts_ignored() -> Iterator[None]:
    """Let a process started in the block inherit that it leaves Ctrl-C to this one."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def own_modules_only() -> Iterator[None]:
    """Have Python processes that are started in the block import nothing from the current folder.

    Anything may lie there, and nobody has trusted it. Without this they look there first, until they know better.
    """
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SAFE_PATH]
        else:
            os.environ[_SAFE_PATH] = before


def death_of(exitcode: int | None) -> str:
    """How a process ended, from its exit code."""
    if exitcode is None or exitcode >= 0:
        return f"exit status {exitcode}"
    try:
        return signal.Signals(-exitcode).name
    except ValueError:
        return f"signal {-exitcode}"
