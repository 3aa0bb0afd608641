"""Replies of models and what they cost: kept to the letter, counted to the billionth of a dollar."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from typing import Any

import pytest

from holdfast.db.check import check
from holdfast.db.responses import Response, add_response, lost_calls, reserve, responses_to, settle, spent
from holdfast.db.store import Store
from holdfast.db.writer import Batch, Writer

AT = "2026-01-05T09:00:00.000000Z"
REPLY = Response("ab" * 32, "kelp/judge-1", "stub-2026", ("u1", "u2"), "parsed", "stop", 100, 20, 140_000, "é💧\x00 {")


def test_a_reply_comes_back_to_the_letter_and_the_first_one_stays(store: Store) -> None:
    with store.write() as connection:
        add_response(connection, REPLY, at=AT)
        add_response(connection, Response("ab" * 32, "kelp/judge-1", None, (), "", None, None, None, None, "2"), at=AT)
    assert responses_to(store, ["ab" * 32, "cd" * 32]) == {"ab" * 32: REPLY}
    assert list(check(store)) == []


@pytest.mark.parametrize("change", ["UPDATE responses SET reply = '10'", "DELETE FROM responses"])
def test_replies_are_append_only(store: Store, change: str) -> None:
    with store.write() as connection:
        add_response(connection, REPLY, at=AT)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"), store.write() as connection:
        connection.execute(change)


def test_what_was_reserved_counts_until_it_is_settled(store: Store) -> None:
    with store.write() as connection:
        first, second, unknown = (
            reserve(connection, "ab" * 32, "kelp/judge-1", greatest, at=AT) for greatest in (500, 300, None)
        )
    assert (spent(store), lost_calls(store)) == (800, 3)
    with store.write() as connection:
        settle(connection, first, 120)
        settle(connection, unknown, None)
    assert (spent(store), lost_calls(store)) == (420, 1)
    with store.write() as connection:
        settle(connection, first, 5)
        settle(connection, second, 0)
    assert (spent(store), lost_calls(store)) == (120, 0)


def test_a_write_that_fails_takes_no_other_with_it(store: Store) -> None:
    together = threading.Event()

    def wait(_: Batch) -> None:
        together.wait(30)

    def fails(_: Batch) -> None:
        raise OverflowError("too large")

    async def run(writer: Writer) -> list[Any]:
        first = asyncio.ensure_future(writer.do(wait))
        rest = [
            asyncio.ensure_future(writer.do(write))
            for write in (lambda batch: add_response(batch.connection, REPLY, at=batch.at), fails, lambda _: 7)
        ]
        await asyncio.sleep(0)
        together.set()
        return await asyncio.gather(first, *rest, return_exceptions=True)

    with Writer(store, "lead-1") as writer:
        done, kept, failed, told = asyncio.run(run(writer))
    assert (done, kept, told) == (None, None, 7)
    assert isinstance(failed, OverflowError)
    assert list(responses_to(store, [REPLY.request_hash])) == [REPLY.request_hash]
