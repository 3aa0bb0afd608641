"""Asking a panel's judges, many at a time, until every sample has their votes or there is a reason to stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from holdfast.db.models import Vote
from holdfast.db.responses import lost_calls
from holdfast.db.store import Store
from holdfast.db.votes import votes_of_many
from holdfast.db.writer import Writer
from holdfast.reviewer.config import JudgesConfig
from holdfast.reviewer.pipeline.judge_report import JudgeReport, JudgeTally
from holdfast.reviewer.pipeline.judge_store import PanelStore
from holdfast.reviewer.pipeline.judge_tasks import Said, Task, has_votes, said, tasks
from holdfast.verifiers.calls import NANO, BudgetSpent, CallFailed, Client, Price, Reply, Request, Transport
from holdfast.verifiers.judging.questions import Judge, too_long
from holdfast.verifiers.judging.rubric import Rubric

GIVE_UP_AFTER = 10
"""Requests in a row that got no answer after which a judge is asked no more."""

_TELL_SECONDS = 0.2

Tell = Callable[[str, int], None]
"""Told what is being done and how many requests have an answer."""


class Panel:
    """One run of a panel; it is run once."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        transport: Transport,
        config: JudgesConfig,
        judges: Sequence[Judge],
        prices: Mapping[str, Price],
        rubric: Rubric,
    ) -> None:
        self._store = store
        self._config = config
        self._judges = judges
        self._prices = prices
        self._rubric = rubric
        self._kept = PanelStore(store, writer, self._read, budget=_nano(config.budget_usd))
        self._client = Client(
            transport, self._kept, self._kept, prices, config.timeout_seconds, config.retries, config.concurrency
        )
        self._tallies = {
            judge.model: JudgeTally(judge.model, cost_usd=0.0 if judge.model in prices else None) for judge in judges
        }
        self._in_a_row = dict.fromkeys(self._tallies, 0)
        self._given_up: set[str] = set()
        self._under_way: dict[str, tuple[Task, asyncio.Event]] = {}
        self._winners: dict[tuple[str, tuple[int, ...]], object] = {}
        self._budget_spent = False
        self._answers = 0
        self._told = 0.0
        self._tell: Tell = lambda *_: None

    @property
    def stop(self) -> asyncio.Event:
        """Set to start no further call."""
        return self._client.stop

    async def run(self, batch: str | None, tell: Tell) -> JudgeReport:
        """Ask whatever has no answer yet, about the samples of a batch or of the store."""
        self._tell = tell
        started = time.monotonic()
        todo = tasks(self._store, self._judges, self._rubric, mode=self._config.mode, batch=batch)
        workers = [asyncio.create_task(self._work(todo)) for _ in range(2 * self._config.concurrency)]
        try:
            await asyncio.gather(*workers)
        except BaseException:
            self.stop.set()  # not every error comes from a task
            await asyncio.gather(*workers, return_exceptions=True)
            raise
        return JudgeReport(
            judges=list(self._tallies.values()),
            stopped=self._why_stopped(),
            spent_usd=self._kept.spent / NANO,
            seconds=time.monotonic() - started,
        )

    async def _work(self, todo: Iterator[Task]) -> None:
        while not self.stop.is_set():
            task = next(todo, None)
            if task is None:
                return
            if too_long(task.question):
                self._tallies[task.judge.model].too_long += 1
            elif task.judge.model not in self._given_up:
                await self._alone(task)
                self._say_how_far()
            # Else a run over samples that all have their votes would never look at the pipe.
            await asyncio.sleep(0)

    async def _alone(self, task: Task) -> None:
        """Do a task, unless the same question is under way: then wait, and find its answer in the store."""
        key = task.question.request.key
        while key in self._under_way:
            await self._under_way[key][1].wait()
        self._under_way[key] = (task, asyncio.Event())
        try:
            await self._do(task)
        except BaseException:
            self.stop.set()  # at once: nobody else is to start a call whose answer may not be kept either
            raise
        finally:
            self._under_way.pop(key)[1].set()

    async def _do(self, task: Task) -> None:
        model, tally = task.judge.model, self._tallies[task.judge.model]
        request = task.question.request
        # A setting such as max_tokens makes another question of it, not another opinion.
        if await self._kept.get(request) is None and has_votes(task, self._rubric, self._votes(task)):
            return
        try:
            reply, cached = await self._client.ask(request)
        except BudgetSpent:
            self._budget_spent = True
            self.stop.set()
        except CallFailed as failure:
            if self.stop.is_set():
                return
            tally.failed += 1
            tally.problem = str(failure)
            self._in_a_row[model] += 1
            if failure.fatal or self._in_a_row[model] == GIVE_UP_AFTER:
                self._given_up.add(model)
                if len(self._given_up) == len(self._judges):
                    self.stop.set()
        else:
            self._in_a_row[model] = 0
            found = said(task, self._rubric, reply.text)
            if cached:
                found = await self._keep_missing(task, found)
            self._count(task, found, tally, reply, cached=cached)

    async def _keep_missing(self, task: Task, found: Said) -> Said:
        """Store those votes of a known answer that its samples lack; what it says, with them alone."""
        stored = self._votes(task)
        votes = tuple((at, vote) for at, vote in found.votes if vote not in stored.get(at, ()))
        lacking = Said(found.status, votes, found.injections, found.winner)
        if votes:
            await self._kept.keep(lacking)
        return lacking

    def _votes(self, task: Task) -> Mapping[int, Sequence[Vote]]:
        return votes_of_many(self._store, task.ids)

    def _read(self, request: Request, reply: Reply) -> tuple[Said, tuple[str, ...]]:
        task = self._under_way[request.key][0]
        return said(task, self._rubric, reply.text), task.uids

    def _count(self, task: Task, found: Said, tally: JudgeTally, reply: Reply, *, cached: bool) -> None:
        self._answers += 1
        tally.cached += cached
        tally.calls += not cached
        tally.votes += len(found.votes)
        if found.status != "parsed":
            tally.unparsed += 1
            cut = f" ([judges] max_tokens = {self._config.max_tokens})" if reply.finish == "length" else ""
            tally.unread = found.status + cut
        tally.injections += found.injections
        if not cached and tally.cost_usd is not None:
            tally.cost_usd += self._prices[task.judge.model].cost(task.question.request, reply) / NANO
        if task.pair is not None and found.winner is not None:
            before = self._winners.pop((task.judge.model, task.pair), None)
            if before is None:
                self._winners[task.judge.model, task.pair] = found.winner
            else:
                tally.pairs += 1
                tally.flips += before != found.winner

    def _say_how_far(self) -> None:
        now = time.monotonic()
        if now - self._told >= _TELL_SECONDS:
            self._told = now
            cost = f", ${self._kept.spent / NANO:.2f}" if self._prices else ""
            self._tell(f"asking judges: {self._answers:,} answers{cost}", self._answers)

    def _why_stopped(self) -> str | None:
        reasons = [
            f"judge {name} was given up: {tally.problem}"
            for name, tally in self._tallies.items()
            if name in self._given_up
        ]
        if self._budget_spent:
            lost = lost_calls(self._store)
            unknown = f", {lost:,} calls whose end is not known counted at their greatest cost" if lost else ""
            reasons.append(
                f"the judges' budget of ${self._config.budget_usd:g} does not pay for another call "
                f"(${self._kept.spent / NANO:.4f} spent{unknown}); raise [judges] budget_usd, and the same command "
                "goes on"
            )
        return "; ".join(reasons) or None


def _nano(dollars: float | None) -> int | None:
    return None if dollars is None else int(dollars * NANO)
