"""Keeping the queue's order up to date: when an ordering is due, made, and brought to the rows of the queue."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from holdfast.db.errors import HoldfastError, Refused
from holdfast.db.locks import take
from holdfast.db.orderings import (
    BRISK,
    CALM,
    Ordering,
    decided_since,
    is_ranked,
    newest_ordering,
    outdated,
    rerank,
    save_ordering,
    save_ranked,
)
from holdfast.db.reviewed import basis, reviewed
from holdfast.db.store import Store
from holdfast.reviewer.config import ReviewConfig
from holdfast.reviewer.pipeline import approving
from holdfast.reviewer.pipeline.approving import approve
from holdfast.reviewer.pipeline.ordering_crew import Crew, Inline, Pool
from holdfast.reviewer.pipeline.ordering_state import basis_of, outgrown
from holdfast.reviewer.policy.learning import ENOUGH
from holdfast.reviewer.project import Project

FEWEST, SHARE = 25, 0.1
"""An ordering is due once so many decisions, and this share of those it knew, are new or changed."""
INLINE_SAMPLES = 2_000
"""Up to so many samples are ranked in this process, where decisions are too few to learn from."""

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many samples are done and how many there are."""

_WAIT_SECONDS = 0.05
_PROCESS = "holdfast.reviewer.pipeline.ordering_process"


@dataclass(frozen=True, slots=True)
class Reordered:
    """What came of bringing the queue up to date: the ordering in use, whether it is `new`, samples ranked anew.

    `approved` and `revoked` count approvals without a look that were given and taken back.
    """

    ordering: Ordering
    new: bool
    ranked: int
    approved: int = 0
    revoked: int = 0

    def document(self) -> dict[str, Any]:
        """The report as `reorder --json` prints it."""
        return {
            "version": self.ordering.version, "new": self.new, "ranked": self.ranked, "approved": self.approved,
            "revoked": self.revoked, **self.ordering.report,
        }  # fmt: skip


def due(review: ReviewConfig, store: Store) -> bool:
    """Whether the queue is to be brought up to date; quick enough to be asked after each decision.

    That is where decisions call for a new ordering, where the newest one was not brought to its end, and where
    approvals without a look may have to be taken back.
    """
    newest = newest_ordering(store)
    if newest is None:
        return basis(store).judged > 0
    if decided_since(store, newest.log_size, enough=_enough(newest)) or not is_ranked(store, newest.version):
        return True
    return approving.due(review, store)


def bring_up_to_date(
    project: Project,
    store: Store,
    *,
    actor: str,
    now: bool = False,
    wait: bool = True,
    lock: int | None = None,
    progress: Progress = lambda *_: None,
) -> Reordered | None:
    """Make a new ordering where one is due, and rank by the newest what waits and another one ranked.

    With `now`, any new decision calls for a new ordering. What is claimed keeps its place. Then what may be approved
    without a look is. Interrupted, it is taken up again by the next call. Without `wait` others come first: it gives
    up where another process is at it, and stores in short steps. `lock` is the lock's descriptor
    where it is held already. None where it gave up, or where nothing was ever judged.
    """
    with _alone(store, lock, progress, wait=wait) as alone:
        judged = basis(store).judged
        if not alone or not judged:
            return None
        newest = newest_ordering(store)
        new = newest is None or _is_due(project, store, newest, 1 if now else _enough(newest))
        ranked = 0
        with _crew(project, store, judged, new=new, gives_way=not wait) as crew:
            if newest is None or new:
                progress("learning from decisions", 0, 0)
                made = crew.make()
                save_ordering(store, log_size=made.log_size, report=made.report, state=made.state, actor=actor)
                newest = newest_ordering(store)
                assert newest is not None
            # What was claimed or judged meanwhile may have come back.
            while waiting := outdated(store, newest.version):
                done = 0
                for places in crew.places(newest.version, waiting):
                    rerank(store, places, pace=BRISK if wait else CALM)
                    done += len(places)
                    progress("ordering the queue", done, len(waiting))
                ranked += done
        if not is_ranked(store, newest.version):
            save_ranked(store, newest.version)
        approvals = approve(project.config.review, store, newest, actor=actor, progress=progress)
        return Reordered(newest, new, ranked, approvals.approved, approvals.revoked)


def start_in_background(project: Project, store: Store, *, actor: str) -> bool:
    """Where it is due, have a process of its own bring the queue up to date; at once, and whether one was started.

    None is started while another is at it. Nor where that fails, without memory or processes to spare, say: the order
    stays as it is, and the next decision asks again.
    """
    with suppress(HoldfastError, OSError):
        lock = _lock(store) if due(project.config.review, store) else None
        if lock is not None:
            try:
                _spawn(project, actor, lock)
            finally:
                os.close(lock)
            return True
    return False


def _spawn(project: Project, actor: str, lock: int) -> None:
    """Start the process; the lock is its own from the first instant, so that no other is started beside it."""
    theirs = 4 if lock == 3 else 3
    # Safe path: in the folder in which this runs there may be anything, and nobody has trusted it.
    command = [sys.executable, "-P", "-m", _PROCESS, str(project.root), actor, str(theirs)]
    quiet = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in range(3)]
    files = [*quiet, (os.POSIX_SPAWN_DUP2, lock, theirs)]
    _reap()
    _started.append(os.posix_spawn(command[0], command, os.environ, file_actions=files, setsid=True))


_started: list[int] = []


def _reap() -> None:
    """Ask after the processes that were started before, which would stay in the table of processes otherwise."""
    for pid in list(_started):
        try:
            gone, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            gone = pid
        if gone:
            _started.remove(pid)


def _enough(newest: Ordering) -> int:
    return max(FEWEST, int(SHARE * newest.report["decisions"]))


def _is_due(project: Project, store: Store, newest: Ordering, enough: int) -> bool:
    if decided_since(store, newest.log_size, enough=enough):
        return True
    return outgrown(newest.report["basis"], basis_of(store, project.config))


@contextmanager
def _alone(store: Store, lock: int | None, progress: Progress, *, wait: bool) -> Iterator[bool]:
    """Hold the lock for the block; False where another process has it and nobody is to wait."""
    lock = _lock(store) if lock is None else lock
    if lock is None and wait:
        progress("waiting for another process that orders the queue", 0, 0)
    while lock is None and wait:
        time.sleep(_WAIT_SECONDS)
        lock = _lock(store)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            os.close(lock)


def _lock(store: Store) -> int | None:
    try:
        return take(store.path, "order")
    except Refused:
        return None


@contextmanager
def _crew(project: Project, store: Store, judged: int, *, new: bool, gives_way: bool) -> Iterator[Crew]:
    """This process where that is quick and nothing is learned, else child processes."""
    if judged <= INLINE_SAMPLES and not (new and len(reviewed(store)) >= ENOUGH):
        yield Inline(project, store)
        return
    with Pool(project, min(os.cpu_count() or 1, 2), gives_way=gives_way) as pool:
        yield pool
