"""Work on a store that is killed at a chosen statement, as by kill -9."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from holdfast.db.store import Store


def run_killed(path: Path, action: Callable[[Store], object], *, killed_at: int = 0) -> int:
    """Run an action in a process, killed at the statement of that number; how many it ran, 0: killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with Store.open(path) as store:
                os.write(writing, str(_traced(store, action, killed_at)).encode())
        finally:
            os._exit(1)  # whatever happened: the tests are run by the other process
    os.close(writing)
    with open(reading, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return int(said or 0)


def _traced(store: Store, action: Callable[[Store], object], killed_at: int) -> int:
    ran = 0

    def count(_: str) -> None:
        nonlocal ran
        ran += 1
        if ran == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    store.read().set_trace_callback(count)
    action(store)
    return ran
