"""Who judges: this process, or worker processes, of which one that dies costs the sample it was on, not the run."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

from holdfast.db.errors import HoldfastError
from holdfast.db.store import Store
from holdfast.reviewer.pipeline.processes import death_of, end_with_parent, interrupts_ignored, own_modules_only
from holdfast.reviewer.pipeline.stack_run import NOWHERE, Job, Result, StackRun

AHEAD = 4
"""Tasks per worker that may be finished or under way before the oldest one is."""

_FEWEST_LIVES = 3


@dataclass(frozen=True, slots=True)
class Task:
    """Samples to judge, by row id, or verifiers to fit; `crashes` names checks not to be run again and why."""

    number: int
    ids: tuple[int, ...] = ()
    fits: tuple[str, ...] = ()
    crashes: Mapping[int, Mapping[int, str]] = field(default_factory=dict)
    lives: int = _FEWEST_LIVES


@dataclass(frozen=True, slots=True)
class _Failure:
    message: str


class Crew(Protocol):
    """Whoever fits verifiers and judges samples for a job."""

    def freeze(self, costs: Mapping[str, float]) -> Mapping[str, bytes]:
        """Fit verifiers to the corpus, given by name with what that costs compared with others."""

    def arm(self, job: Job) -> None:
        """Go on with what the run has learned."""

    def results(self, tasks: Iterable[Task]) -> Iterator[list[Result]]:
        """The results of each task, in the order of the tasks, numbered from 0."""


class Inline:
    """This process as a crew: no start-up, but a check that ends its process ends this one."""

    def __init__(self, job: Job, store: Store) -> None:
        self._store = store
        self.arm(job)

    def arm(self, job: Job) -> None:
        """Go on with what the run has learned."""
        self._run = StackRun(job, self._store)

    def freeze(self, costs: Mapping[str, float]) -> Mapping[str, bytes]:
        """Fit verifiers to the corpus."""
        return dict(zip(costs, self._run.freeze(list(costs)), strict=True))

    def results(self, tasks: Iterable[Task]) -> Iterator[list[Result]]:
        """The results of each task."""
        for task in tasks:
            yield list(self._run.judge(task.ids, task.crashes))


class _Worker:
    """One process, the pipe to it, and the shared words in which it notes where it is."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self.place = context.RawArray("q", (NOWHERE, NOWHERE))
        self.connection, other = context.Pipe()
        self.process: BaseProcess = context.Process(target=_serve, args=(other, self.place))
        self.task: Task | None = None
        with interrupts_ignored(), own_modules_only():
            self.process.start()
        other.close()

    def tell(self, message: Job | Task) -> None:
        """Send a job or a task; a process that is gone already is noticed when its answer is waited for."""
        if isinstance(message, Task):
            self.task = message
            self.place[0] = self.place[1] = NOWHERE
        try:
            self.connection.send(message)
        except (BrokenPipeError, ConnectionResetError):
            return

    def answer(self) -> Any:
        """What the process sent; None where it died instead."""
        try:
            return self.connection.recv() if self.connection.poll() else None
        except (EOFError, OSError):  # also where it died in the middle of a message
            return None

    def bury(self) -> Task:
        """The dead process's task, with the check that killed it among those not to be run again."""
        self.process.join()
        task, (sample_id, position) = self.task, self.place
        assert task is not None
        self.close()
        death = death_of(self.process.exitcode)
        if sample_id != NOWHERE:
            how = f"the check ended its process ({death})"
            crashes = {**task.crashes, sample_id: {**task.crashes.get(sample_id, {}), position: how}}
            return replace(task, crashes=crashes)
        if task.fits:
            who = f"verifier {task.fits[0]}" if len(task.fits) == 1 else f"one of the verifiers {', '.join(task.fits)}"
            raise HoldfastError(f"{who} ended its process while it learned from the corpus ({death})")
        if task.lives == 1:
            raise HoldfastError(
                f"a worker process died {_FEWEST_LIVES} times before it judged a sample ({death}): is memory short?"
            )
        return replace(task, lives=task.lives - 1)

    def close(self) -> None:
        """End the process, at once if it is busy."""
        self.connection.close()
        if self.task is not None:
            self.process.kill()
        self.process.join()


class Pool:
    """Worker processes as a crew; a context manager."""

    def __init__(self, job: Job, workers: int) -> None:
        self._job = job
        self._workers = [_Worker() for _ in range(workers)]
        self.arm(job)

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.close()

    def arm(self, job: Job) -> None:
        """Go on with what the run has learned."""
        self._job = job
        for worker in self._workers:
            worker.tell(job)

    def freeze(self, costs: Mapping[str, float]) -> Mapping[str, bytes]:
        """Fit verifiers to the corpus, which each process reads once for its share of them."""
        shares = [tuple(share) for share in even_shares(costs, len(self._workers)) if share]
        tasks = (Task(number, fits=share) for number, share in enumerate(shares))
        states = self._in_order(tasks)
        return {name: state for share in shares for name, state in zip(share, next(states), strict=True)}

    def results(self, tasks: Iterable[Task]) -> Iterator[list[Result]]:
        """The results of each task, in the order of the tasks, numbered from 0."""
        return self._in_order(tasks)

    def _in_order(self, tasks: Iterable[Task]) -> Iterator[Any]:
        waiting = iter(tasks)
        again: deque[Task] = deque()
        done: dict[int, Any] = {}
        given = returned = 0
        while True:
            for worker in self._workers:
                if worker.task is not None:
                    continue
                early = given - returned < AHEAD * len(self._workers)
                task = again.popleft() if again else next(waiting, None) if early else None
                if task is not None:
                    given = max(given, task.number + 1)
                    worker.tell(task)
            if returned in done:
                yield done.pop(returned)
                returned += 1
                continue  # a result that was taken may let another task out
            if returned == given and not any(worker.task for worker in self._workers):
                return
            for number, answer in self._answers(again):
                done[number] = answer

    def _answers(self, again: deque[Task]) -> Iterator[tuple[int, Any]]:
        """Wait for answers; the tasks of processes that died go back into `again`, to new processes."""
        busy = [worker for worker in self._workers if worker.task is not None]
        ready = set(wait([one for worker in busy for one in (worker.connection, worker.process.sentinel)]))
        for worker in busy:
            if not {worker.connection, worker.process.sentinel} & ready:
                continue
            answer = worker.answer()
            if isinstance(answer, _Failure):
                raise HoldfastError(answer.message)
            if answer is None:
                again.append(worker.bury())
                self._workers[self._workers.index(worker)] = successor = _Worker()
                successor.tell(self._job)
            elif worker.task is not None:
                number, worker.task = worker.task.number, None
                yield number, answer


def even_shares(costs: Mapping[str, float], shares: int) -> list[list[str]]:
    """Divide names so that the shares cost about the same: the dearest first, each to the cheapest share so far."""
    divided: list[list[str]] = [[] for _ in range(shares)]
    totals = [0.0] * shares
    for name in sorted(costs, key=lambda name: (-costs[name], name)):
        least = totals.index(min(totals))
        divided[least].append(name)
        totals[least] += costs[name]
    return divided


def _serve(connection: Connection, place: Any) -> None:
    """A worker process: take a job, then task after task, until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()
    # What a check prints must not end up in the data on stdout.
    os.dup2(2, 1)
    # Samples and verdicts are many, short-lived and without cycles: looking for some that often is wasted.
    gc.set_threshold(50_000, 20, 50)
    try:
        job = connection.recv()
        with Store.open(job.store_path) as store:
            stack_run = StackRun(job, store)
            while True:
                message: Job | Task = connection.recv()
                if isinstance(message, Job):
                    stack_run = StackRun(message, store)
                    gc.freeze()
                elif message.fits:
                    connection.send(stack_run.freeze(message.fits))
                else:
                    results = list(stack_run.judge(message.ids, message.crashes, place))
                    place[0] = NOWHERE
                    connection.send(results)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except Exception as error:
        known = isinstance(error, HoldfastError)
        connection.send(_Failure(str(error) if known else f"a worker process broke: {type(error).__name__}: {error}"))
