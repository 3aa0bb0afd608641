"""The process that asks a panel's judges: it owns litellm, stores each answer at once, and outlives its parent's death.

A parent that is gone is noticed by the end of the pipe. Calls under way are then waited for, since they are paid for,
and no other one is started.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.db.errors import HoldfastError, Refused, UsageError
from holdfast.db.locks import take
from holdfast.db.store import Store
from holdfast.reviewer.config import JudgesConfig
from holdfast.reviewer.pipeline.judge_report import JudgeReport
from holdfast.verifiers.judging.rubric import Rubric

if TYPE_CHECKING:
    import asyncio

    from holdfast.verifiers.calls import Price

_POLL_SECONDS, _SPARE_SECONDS = 0.2, 30.0


@dataclass(frozen=True, slots=True)
class PanelJob:
    """What the process has to be told."""

    store_path: Path
    config: JudgesConfig
    rubric: Rubric
    actor: str
    batch: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """How far the panel is."""

    doing: str
    answers: int


@dataclass(frozen=True, slots=True)
class Failed:
    """Why there is no report; `usage`: the configuration is wrong."""

    message: str
    usage: bool


class _Gone(Exception):
    """The parent wants no judges any more, or is dead."""


def serve(connection: Connection, job: PanelJob) -> None:
    """Run the panel; the main function of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What libraries print may hold keys, and must not end up in anybody's data.
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    answer: JudgeReport | Failed
    try:
        lock = _lock(connection, job)
        try:
            answer = _report(connection, job)
        finally:
            os.close(lock)
    except _Gone:
        return
    except HoldfastError as error:
        answer = Failed(str(error), isinstance(error, UsageError))
    except Exception as error:
        answer = Failed(_scrubbed(f"the judges' process broke: {type(error).__name__}: {error}"), False)
    with suppress(OSError):
        connection.send(answer)


def _lock(connection: Connection, job: PanelJob) -> int:
    """Take the lock of the judges; those of a run that was killed are waited for as long as their calls may take."""
    deadline = time.monotonic() + job.config.timeout_seconds + _SPARE_SECONDS
    while True:
        try:
            return take(job.store_path, "judges")
        except Refused:
            if time.monotonic() > deadline:
                raise
        try:
            connection.send(Asked("waiting for judges of an earlier run", 0))
            if connection.poll(_POLL_SECONDS):
                raise _Gone
        except OSError:
            raise _Gone from None


def _report(connection: Connection, job: PanelJob) -> JudgeReport:
    import asyncio

    from holdfast.db.writer import Writer
    from holdfast.reviewer.pipeline.judge_asking import Panel
    from holdfast.verifiers.judging.questions import Judge
    from holdfast.verifiers.llm import LiteLLM

    with suppress(OSError):
        connection.send(Asked("starting the judges", 0))
    models = LiteLLM()
    config = job.config
    prices = prices_of(config, models.price)
    judges = [
        Judge(name, config.families.get(name), config.max_tokens, models.takes_schema(name)) for name in config.models
    ]
    with Store.open(job.store_path) as store, Writer(store, job.actor) as writer:
        panel = Panel(store, writer, models, config, judges, prices, job.rubric)

        def tell(doing: str, answers: int) -> None:
            try:
                connection.send(Asked(doing, answers))
            except OSError:
                panel.stop.set()

        async def run() -> JudgeReport:
            # Both a word from the parent and its end mean that no further call is to be started.
            loop = asyncio.get_running_loop()
            loop.add_reader(connection.fileno(), _heard, loop, connection, panel.stop)
            await models.warm_up()
            return await panel.run(job.batch, tell)

        return asyncio.run(run())


def _heard(loop: asyncio.AbstractEventLoop, connection: Connection, stop: asyncio.Event) -> None:
    stop.set()
    loop.remove_reader(connection.fileno())


def prices_of(config: JudgesConfig, known: Callable[[str], Price | None]) -> dict[str, Price]:
    """The prices that are configured or known; UsageError where a budget is set and one is neither."""
    from holdfast.verifiers.calls import Price

    prices = {name: Price.per_million(price.input, price.output) for name, price in config.prices.items()}
    for name in config.models:
        price = prices.get(name) or known(name)
        if price is not None:
            prices[name] = price
        elif config.budget_usd is not None:
            raise UsageError(
                f"holdfast.toml: [judges] budget_usd is set, and no price of {name} is known: give one, as in "
                f'prices = {{ "{name}" = {{ input = 0.5, output = 1.5 }} }} (US dollars for a million tokens)'
            )
    return prices


def _scrubbed(text: str) -> str:
    from holdfast.verifiers.llm import scrubbed

    return scrubbed(text)
