"""Who makes orderings and ranks samples by them: this process, or child processes, which alone import scikit-learn."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Protocol

from holdfast.db.errors import HoldfastError
from holdfast.db.models import Status
from holdfast.db.orderings import newest_verdict, place_of, state_of
from holdfast.db.ranking import Rankable, rankables
from holdfast.db.states import QueueEntry
from holdfast.db.store import Store
from holdfast.reviewer.pipeline.ordering_places import placing_of
from holdfast.reviewer.pipeline.ordering_state import Made, make
from holdfast.reviewer.pipeline.processes import end_with_parent, own_modules_only
from holdfast.reviewer.policy.estimator import Estimator
from holdfast.reviewer.policy.ordering import entry_of
from holdfast.reviewer.project import Project

PAGE = 1_000
"""Samples that a process ranks at a time."""
_AHEAD = 3

Places = list[tuple[object, ...]]
"""Places of samples, packed for the store."""


class Ranker:
    """An ordering of the store, ready to rank samples."""

    def __init__(self, store: Store, version: int) -> None:
        state = state_of(store, version)
        self._store = store
        self._version = version
        self._estimator = Estimator(state["estimator"])
        self._placing = placing_of(state)

    def entries(self, samples: Sequence[Rankable]) -> list[QueueEntry]:
        """The places of samples, in their order."""
        estimates = self._estimator.estimate_many(samples)
        return [
            entry_of(one, estimate, self._placing, self._version)
            for one, estimate in zip(samples, estimates, strict=True)
        ]

    def doubts(self, samples: Sequence[Rankable]) -> list[float]:
        """The probabilities that samples are bad, in their order."""
        return [round(estimate.p_bad, 6) for estimate in self._estimator.estimate_many(samples)]

    def entry(self, sample_id: int) -> QueueEntry | None:
        """One sample's place by its row id; None where nothing sends it to people."""
        (one,) = rankables(self._store, [sample_id])
        wanted = one.flagged or one.audit or one.status is Status.ESCALATED
        return self.entries([one])[0] if wanted else None

    def places(self, sample_ids: Sequence[int]) -> Places:
        """Samples' places, packed for the store, the highest first: the store's indices take them up fastest so."""
        newest = newest_verdict(self._store)
        entries = self.entries(rankables(self._store, sample_ids))
        packed = [place_of(sample_id, entry, newest) for sample_id, entry in zip(sample_ids, entries, strict=True)]
        return sorted(packed, key=_falling)


def _falling(place: tuple[object, ...]) -> tuple[float, int]:
    priority, *_, sample_id, _ = place
    assert isinstance(priority, float)
    assert isinstance(sample_id, int)
    return -priority, sample_id


class Crew(Protocol):
    """Whoever makes orderings of a project and ranks samples by them."""

    def make(self) -> Made:
        """An ordering of the store as it is now."""

    def places(self, version: int, sample_ids: Sequence[int]) -> Iterator[Places]:
        """The samples' places by an ordering, in pages of so many samples as they come."""


class Inline:
    """This process as a crew, for little work; it must not have enough decisions to learn from."""

    def __init__(self, project: Project, store: Store) -> None:
        self._project = project
        self._store = store

    def make(self) -> Made:
        """An ordering of the store as it is now."""
        return make(self._project, self._store)

    def places(self, version: int, sample_ids: Sequence[int]) -> Iterator[Places]:
        """The samples' places by an ordering."""
        ranker = Ranker(self._store, version)
        for page in _pages(sample_ids):
            yield ranker.places(page)


class Pool:
    """Child processes as a crew; a context manager. With `gives_way` they run only while nobody else would."""

    def __init__(self, project: Project, workers: int, *, gives_way: bool = False) -> None:
        self._workers = workers
        self._executor = ProcessPoolExecutor(
            workers, mp_context=get_context("spawn"), initializer=_begin, initargs=(project, gives_way)
        )

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(cancel_futures=True)

    def make(self) -> Made:
        """An ordering of the store as it is now."""
        with _deaths_told(), own_modules_only():
            return self._executor.submit(_make).result()

    def places(self, version: int, sample_ids: Sequence[int]) -> Iterator[Places]:
        """The samples' places by an ordering, a few pages ahead of whoever stores them."""
        waiting = _pages(sample_ids)
        under_way: deque[Future[Places]] = deque()
        with _deaths_told():
            while True:
                while len(under_way) < _AHEAD * self._workers and (page := next(waiting, None)) is not None:
                    with own_modules_only():  # a process is started where none is free
                        under_way.append(self._executor.submit(_places, version, page))
                if not under_way:
                    return
                yield under_way.popleft().result()


@contextmanager
def _deaths_told() -> Iterator[None]:
    try:
        yield
    except BrokenProcessPool:
        raise HoldfastError(
            "a process that ordered the queue died (is memory short?); what it ranked is kept, "
            "and `holdfast reorder` goes on from there"
        ) from None


def _pages(sample_ids: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(sample_ids), PAGE):
        yield list(sample_ids[start : start + PAGE])


class _Seat:
    """What a child process keeps between tasks."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.store = project.store()
        self.version = 0
        self.ranker: Ranker | None = None


_seats: list[_Seat] = []


def _begin(project: Project, gives_way: bool) -> None:
    # They only read: nobody ever waits for a lock of a process that is not let run.
    if gives_way and sys.platform == "linux":
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    elif gives_way:
        os.nice(19)
    # Sums come out alike whatever the number of processors, and nobody waits for a thread that has none.
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=end_with_parent, daemon=True).start()
    # Samples and their places are many, short-lived and without cycles: looking for some that often is wasted.
    gc.set_threshold(50_000, 20, 50)
    _seats.append(_Seat(project))


def _make() -> Made:
    return make(_seats[0].project, _seats[0].store)


def _places(version: int, sample_ids: list[int]) -> Places:
    seat = _seats[0]
    if seat.ranker is None or seat.version != version:
        seat.ranker, seat.version = Ranker(seat.store, version), version
    return seat.ranker.places(sample_ids)
