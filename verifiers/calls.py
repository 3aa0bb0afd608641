"""Asking a model: requests and answers, what they cost, and a client that retries, caches and keeps to a budget."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any, Protocol

NANO = 10**9
"""Money is counted in whole billionths of a US dollar."""

_LONGEST_WAIT_SECONDS = 120.0
_TOKENS_PER_MESSAGE, _TOKENS_PER_REQUEST = 16, 64


@dataclass(frozen=True)
class Request:
    """One question to a model, at temperature 0: messages as (role, content), and a JSON schema for its answer."""

    model: str
    messages: tuple[tuple[str, str], ...]
    max_tokens: int
    schema: Mapping[str, Any] | None = None

    @cached_property
    def canonical(self) -> bytes:
        """JSON with sorted keys: equal for equal questions."""
        plain = {
            "max_tokens": self.max_tokens,
            "messages": self.plain_messages,
            "model": self.model,
            "response_format": self.schema,
            "temperature": 0,
        }
        return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()

    @cached_property
    def key(self) -> str:
        """SHA-256 (hex) of the canonical JSON: the key of the cached answer."""
        return hashlib.sha256(self.canonical).hexdigest()

    @property
    def plain_messages(self) -> list[dict[str, str]]:
        """The messages as the protocol has them."""
        return [{"role": role, "content": content} for role, content in self.messages]

    @property
    def most_prompt_tokens(self) -> int:
        """No tokenizer makes more tokens of the prompt than this: none of them has tokens of less than a byte."""
        written = sum(len(content.encode("utf-8", "surrogatepass")) for _, content in self.messages)
        schema = len(json.dumps(self.schema)) if self.schema else 0
        return written + schema + _TOKENS_PER_MESSAGE * len(self.messages) + _TOKENS_PER_REQUEST


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered; `served` is the version that it says it is, token counts are None where it gave none."""

    text: str
    served: str | None = None
    finish: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, in billionths of a US dollar a token."""

    input: Fraction
    output: Fraction

    @classmethod
    def per_million(cls, input: float, output: float) -> Price:
        """From US dollars for a million tokens, the unit of price lists."""
        return cls(nano(input) / 10**6, nano(output) / 10**6)

    def greatest(self, request: Request) -> int:
        """The most that an answer to the request can cost."""
        return self._of(request.most_prompt_tokens, request.max_tokens)

    def cost(self, request: Request, reply: Reply) -> int:
        """What an answer cost; what it could cost at most where it does not say how long it was."""
        if reply.tokens_in is None or reply.tokens_out is None:
            return self.greatest(request)
        return self._of(reply.tokens_in, reply.tokens_out)

    def _of(self, tokens_in: int, tokens_out: int) -> int:
        exact = self.input * tokens_in + self.output * tokens_out
        return -(-exact.numerator // exact.denominator)


class CallFailed(Exception):
    """A call gave no answer.

    `again`: another try may succeed, not before `wait` seconds where the provider said so. `billed`: it may have been
    paid for all the same. `fatal`: no call of this model will succeed.
    """

    def __init__(
        self, message: str, *, again: bool = False, wait: float | None = None, billed: bool = False, fatal: bool = False
    ) -> None:
        super().__init__(message)
        self.again, self.wait, self.billed, self.fatal = again, wait, billed, fatal


class BudgetSpent(Exception):
    """What is left of the budget does not pay for the call at its greatest cost."""


Transport = Callable[[Request, float], Awaitable[Reply]]
"""Sends a request once and returns the answer within so many seconds; CallFailed otherwise."""


class ResponseCache(Protocol):
    """Keeps every answer that was paid for."""

    async def get(self, request: Request) -> Reply | None:
        """The answer to a request of that key; None where there is none yet."""

    async def put(self, request: Request, reply: Reply, *, reservation: int, cost: int | None) -> None:
        """Keep an answer and settle its reservation at its cost (None: not known), both or neither."""


class Ledger(Protocol):
    """Keeps account of what calls cost, by reservations of their greatest cost before they start."""

    async def reserve(self, request: Request, greatest: int | None) -> int:
        """Reserve that much (None: not known), once others are settled where it takes that; BudgetSpent otherwise."""

    async def settle(self, reservation: int, cost: int) -> None:
        """Count that much for a call that gave no answer."""


@dataclass
class Client:
    """Asks models: from the cache where it can, else with retries, within the budget, so many at a time.

    The store is waited for outside the limit on calls: ask from more tasks than it allows calls to keep it exhausted.
    """

    transport: Transport
    cache: ResponseCache
    ledger: Ledger
    prices: Mapping[str, Price]
    timeout: float
    retries: int
    concurrency: int = 16
    backoff: float = 0.5
    """Seconds before the second try, about doubled before each further one, where the provider says nothing."""
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    """Set to let calls that are under way end, without another try."""

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.concurrency)

    async def ask(self, request: Request) -> tuple[Reply, bool]:
        """The answer, and whether it was cached; CallFailed or BudgetSpent where there is none."""
        known = await self.cache.get(request)
        if known is not None:
            return known, True
        tries = 0
        while True:
            try:
                return await self._call(request), False
            except CallFailed as failure:
                if not failure.again or tries == self.retries or await self._stopped_within(tries, failure.wait):
                    raise
                tries += 1

    async def _stopped_within(self, tries: int, told: float | None) -> bool:
        """Wait as long as it takes before another try; True where there is to be none."""
        own = random.uniform(0.5, 1.0) * self.backoff * 2**tries
        try:
            await asyncio.wait_for(self.stop.wait(), min(own if told is None else told, _LONGEST_WAIT_SECONDS))
        except TimeoutError:
            return False
        return True

    async def _call(self, request: Request) -> Reply:
        price = self.prices.get(request.model)
        greatest = None if price is None else price.greatest(request)
        reservation = await self.ledger.reserve(request, greatest)
        try:
            reply = await self._send(request)
        except CallFailed as failure:
            await self.ledger.settle(reservation, (greatest or 0) if failure.billed else 0)
            raise
        cost = None if price is None else price.cost(request, reply)
        await self.cache.put(request, reply, reservation=reservation, cost=cost)
        return reply

    async def _send(self, request: Request) -> Reply:
        async with self._slots:
            if self.stop.is_set():
                raise CallFailed("stopped before it was asked")
            try:
                return await asyncio.wait_for(self.transport(request, self.timeout), self.timeout + 1)
            except TimeoutError:
                raise CallFailed(f"no answer within {self.timeout:g} s", again=True, billed=True) from None


def nano(dollars: float) -> Fraction:
    """US dollars in billionths."""
    return Fraction(str(dollars)) * NANO
