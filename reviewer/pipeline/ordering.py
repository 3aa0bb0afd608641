"""Keeping the queue's order up to date: when an ordering is due, made, and brought to the rows of the queue."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from holdfast.db.errors import Refused
from holdfast.db.locks import take
from holdfast.db.orderings import Ordering, decided_since, newest_ordering, outdated, rerank, save_ordering
from holdfast.db.reviewed import basis, reviewed
from holdfast.db.store import Store
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

FOREGROUND_PAUSE, BACKGROUND_PAUSE = 0.25, 1.5
"""How long the store is left to others after each step that ranks, in lengths of that step."""

_WAIT_SECONDS = 0.05


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


def due(store: Store) -> bool:
    """Whether decisions call for a new ordering; quick enough to be asked after each of them."""
    newest = newest_ordering(store)
    if newest is None:
        return basis(store).judged > 0
    return decided_since(store, newest.log_size, enough=_enough(newest))


def bring_up_to_date(
    project: Project,
    store: Store,
    *,
    actor: str,
    now: bool = False,
    wait: bool = True,
    progress: Progress = lambda *_: None,
) -> Reordered | None:
    """Make a new ordering where one is due, and rank by the newest what waits and another one ranked.

    With `now`, any new decision calls for a new ordering. What is claimed keeps its place. Then what may be approved
    without a look is. Interrupted, it is taken up again by the next call. Without `wait` others come first: it gives
    up where another process is at it, and leaves the store to them most of the time. None where it gave up, or where
    nothing was ever judged.
    """
    with _alone(store, wait=wait) as alone:
        judged = basis(store).judged
        if not alone or not judged:
            return None
        newest = newest_ordering(store)
        new = newest is None or _is_due(project, store, newest, 1 if now else _enough(newest))
        ranked = 0
        with _crew(project, store, judged, new=new) as crew:
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
                    rerank(store, places, pause=FOREGROUND_PAUSE if wait else BACKGROUND_PAUSE)
                    done += len(places)
                    progress("ordering the queue", done, len(waiting))
                ranked += done
        approvals = approve(project.config.review, store, newest, actor=actor, progress=progress)
        return Reordered(newest, new, ranked, approvals.approved, approvals.revoked)


def start_in_background(project: Project, store: Store, *, actor: str) -> bool:
    """Where an ordering is due, have a process of its own make it, and return at once; whether one was started.

    So too where approvals without a look may have to be taken back. None is started while another is at it.
    """
    if not due(store) and not approving.due(project.config.review, store):
        return False
    lock = _lock(store)
    if lock is None:
        return False
    os.close(lock)
    command = [sys.executable, "-m", "holdfast.reviewer.pipeline.ordering_process", str(project.root), actor]
    quiet = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in range(3)]
    _reap()
    _started.append(os.posix_spawn(command[0], command, os.environ, file_actions=quiet, setsid=True))
    return True


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
def _alone(store: Store, *, wait: bool) -> Iterator[bool]:
    """Hold the lock for the block; False where another process has it and nobody is to wait."""
    lock = _lock(store)
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
def _crew(project: Project, store: Store, judged: int, *, new: bool) -> Iterator[Crew]:
    """This process where that is quick and nothing is learned, else child processes."""
    if judged <= INLINE_SAMPLES and not (new and len(reviewed(store)) >= ENOUGH):
        yield Inline(project, store)
        return
    with Pool(project, min(os.cpu_count() or 1, 2)) as pool:
        yield pool
