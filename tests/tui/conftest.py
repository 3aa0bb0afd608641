"""A review desk without a store, driven by a pilot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from driving import QUICK, Driver, Review, settle
from fake_desk import START, FakeDesk
from textual.message import Message

from holdfast.reviewer.tui.app import HoldfastApp


@pytest.fixture
def review() -> Review:
    """Open the desk: `async with review(FakeDesk(…)) as at:`."""

    @asynccontextmanager
    async def opened(desk: FakeDesk, *, size: tuple[int, int] = (100, 30), **settings: Any) -> AsyncIterator[Driver]:
        messages: list[Message] = []
        app = HoldfastApp(desk, replace(QUICK, **settings), now=lambda: START)
        async with app.run_test(size=size, message_hook=messages.append) as pilot:
            await settle(pilot)
            yield Driver(app, pilot, desk, messages)

    return opened
