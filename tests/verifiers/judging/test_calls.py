"""Calls of models: cached, tried again, kept within the budget; what failed says nothing of keys."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from holdfast.verifiers.calls import BudgetSpent, CallFailed, Client, Price, Reply, Request
from holdfast.verifiers.llm import failure_of, scrubbed

REQUEST = Request("kelp/judge-1", (("user", "héllo"),), 100)


@dataclass
class Kept:
    """A cache and a ledger in memory; a reservation is its place in `costs`, which holds the greatest cost first."""

    budget: int = 10**12
    replies: dict[str, Reply] = field(default_factory=dict)
    costs: list[int | None] = field(default_factory=list)

    async def get(self, request: Request) -> Reply | None:
        return self.replies.get(request.key)

    async def put(self, request: Request, reply: Reply, *, reservation: int, cost: int | None) -> None:
        self.replies[request.key] = reply
        self.costs[reservation] = cost

    async def reserve(self, request: Request, greatest: int | None) -> int:
        if sum(cost or 0 for cost in self.costs) + (greatest or 0) > self.budget:
            raise BudgetSpent
        self.costs.append(greatest)
        return len(self.costs) - 1

    async def settle(self, reservation: int, cost: int) -> None:
        self.costs[reservation] = cost


class Script:
    """A transport that answers with what it is given, one after the other."""

    def __init__(self, *answers: Reply | CallFailed) -> None:
        self.left = list(answers)

    async def __call__(self, request: Request, timeout: float) -> Reply:
        answer = self.left.pop(0)
        if isinstance(answer, CallFailed):
            raise answer
        return answer


def client(transport: Any, kept: Kept, **options: Any) -> Client:
    prices = {"kelp/judge-1": Price.per_million(1, 2)}
    return Client(transport, kept, kept, prices, timeout=5, retries=2, backoff=0, **options)


AGAIN = CallFailed("busy", again=True)
LOST = CallFailed("closed", again=True, billed=True)
GREATEST = (len("héllo".encode()) + 16 + 64) * 1_000 + 100 * 2_000


def test_an_answer_is_asked_for_once() -> None:
    kept = Kept()
    asked = client(Script(Reply("8", tokens_in=10, tokens_out=3)), kept)
    assert asyncio.run(asked.ask(REQUEST)) == (Reply("8", tokens_in=10, tokens_out=3), False)
    assert asyncio.run(asked.ask(REQUEST))[1] is True
    assert kept.costs == [10 * 1_000 + 3 * 2_000]


def test_a_failure_that_may_pass_is_tried_again_and_what_may_have_been_billed_is_counted() -> None:
    kept = Kept()
    asyncio.run(client(Script(AGAIN, LOST, Reply("8", tokens_in=1, tokens_out=1)), kept).ask(REQUEST))
    assert kept.costs == [0, GREATEST, 3_000]


def test_tries_come_to_an_end() -> None:
    script = Script(AGAIN, AGAIN, AGAIN, Reply("8"))
    with pytest.raises(CallFailed, match="busy"):
        asyncio.run(client(script, Kept()).ask(REQUEST))
    assert len(script.left) == 1


def test_what_no_other_try_can_mend_is_tried_once() -> None:
    script = Script(CallFailed("bad request"), Reply("8"))
    with pytest.raises(CallFailed, match="bad request"):
        asyncio.run(client(script, Kept()).ask(REQUEST))
    assert len(script.left) == 1


def test_an_answer_that_does_not_say_its_length_counts_at_its_greatest_cost() -> None:
    kept = Kept()
    asyncio.run(client(Script(Reply("8")), kept).ask(REQUEST))
    assert kept.costs == [GREATEST]


def test_a_call_that_the_budget_may_not_pay_for_is_not_made() -> None:
    script = Script(Reply("8", tokens_in=1, tokens_out=1))
    with pytest.raises(BudgetSpent):
        asyncio.run(client(script, Kept(budget=GREATEST - 1)).ask(REQUEST))
    assert script.left
    asyncio.run(client(script, Kept(budget=GREATEST)).ask(REQUEST))
    assert not script.left


def test_once_stopped_nothing_is_asked_any_more() -> None:
    asked = client(Script(Reply("8")), Kept())
    asked.stop.set()
    with pytest.raises(CallFailed):
        asyncio.run(asked.ask(REQUEST))


def test_no_more_calls_than_allowed_are_under_way() -> None:
    under_way = most = 0

    async def transport(request: Request, timeout: float) -> Reply:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return Reply("8")

    async def ask() -> None:
        asked = client(transport, Kept(), concurrency=3)
        requests = (Request("kelp/judge-1", (("user", str(number)),), 10) for number in range(20))
        await asyncio.gather(*(asked.ask(request) for request in requests))

    asyncio.run(ask())
    assert most == 3


class HTTPStatusError(Exception):
    """Named as the one that HTTP clients raise for an answer with an error status."""


class ConnectError(Exception):
    """Named as the one that HTTP clients raise where there is no connection."""


def error_of(status: int | None, cause: Exception | None = None, retry_after: str | None = None) -> Exception:
    error = RuntimeError("it failed")
    error.__cause__ = cause
    vars(error).update(status_code=status, litellm_response_headers={"retry-after": retry_after} if retry_after else {})
    return error


@pytest.mark.parametrize(
    ("error", "again", "billed", "fatal"),
    [
        (error_of(429, HTTPStatusError()), True, False, False),
        (error_of(500, HTTPStatusError()), True, False, False),
        (error_of(503, HTTPStatusError()), True, False, False),
        (error_of(400, HTTPStatusError()), False, False, False),
        (error_of(401, HTTPStatusError()), False, False, True),
        (error_of(404, HTTPStatusError()), False, False, True),
        (error_of(500), True, True, False),  # litellm says 500 of connections that broke and of garbage too
        (error_of(500, ConnectError()), True, False, False),
        (error_of(408), True, True, False),
        (error_of(None), True, True, False),
    ],
)
def test_what_a_failure_means(error: Exception, again: bool, billed: bool, fatal: bool) -> None:
    failure = failure_of(error)
    assert (failure.again, failure.billed, failure.fatal) == (again, billed, fatal)


@pytest.mark.parametrize(("header", "wait"), [("7", 7.0), ("0", 0.0), ("-3", 0.0), ("soon", None), (None, None)])
def test_how_long_the_provider_wants_to_be_left_alone(header: str | None, wait: float | None) -> None:
    assert failure_of(error_of(429, HTTPStatusError(), header)).wait == wait


def test_no_key_survives_in_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KELP_API_KEY", "a-perfectly-plain-word")
    text = (
        "Incorrect API key provided: sk-proj-abc123DEF456ghi7. Authorization: Bearer eyJhbGciOi.x "
        "x-api-key: 0123456789abcdef; http://user-7:pass-word@proxy:3128/ "
        "AIzaSyA1234567890abcdef, and a-perfectly-plain-word; task-oriented skates"
    )
    clean = scrubbed(text)
    for part in ("abc123DEF456", "eyJhbGciOi", "0123456789abcdef", "1234567890", "perfectly-plain", "user-7", "pass-"):
        assert part not in clean
    assert clean.endswith("task-oriented skates")
    assert failure_of(RuntimeError("no: a-perfectly-plain-word")).args == ("RuntimeError: no: [key]",)
