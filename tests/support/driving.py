"""A reviewer at the desk, for tests of the screens."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress

from fake_desk import FakeDesk
from textual.message import Message
from textual.pilot import Pilot
from textual.worker import WorkerCancelled

from holdfast.reviewer.tui.app import HoldfastApp
from holdfast.reviewer.tui.screens.edit import EditScreen
from holdfast.reviewer.tui.screens.triage import TriageScreen
from holdfast.reviewer.tui.settings import Settings
from holdfast.reviewer.tui.widgets.painted import Painted

QUICK = Settings(settle_ms=0, retry_seconds=0.0, draft_seconds=0.02, preview_seconds=0.001)
ROUNDS = 2_000


async def settle(pilot: Pilot[None]) -> None:
    """Wait until nothing is under way: answers, workers, what they report, and what that starts."""
    app = pilot.app
    assert isinstance(app, HoldfastApp)
    calm = 0
    for _ in range(ROUNDS):
        with suppress(WorkerCancelled):
            await app.workers.wait_for_complete()
        await pilot.pause()
        calm = 0 if app.triage.busy or any(worker.is_running for worker in app.workers) else calm + 1
        if calm == 2:
            return
    raise AssertionError("the desk never came to rest")


async def until(pilot: Pilot[None], true: Callable[[], object]) -> None:
    """Wait for something that a clock of the desk brings about."""
    for _ in range(ROUNDS):
        if true():
            return
        await pilot.pause(0.001)
    raise AssertionError("it never came about")


class Driver:
    """A reviewer at the desk."""

    def __init__(self, app: HoldfastApp, pilot: Pilot[None], desk: FakeDesk, messages: list[Message]) -> None:
        self.app = app
        self.pilot = pilot
        self.desk = desk
        self.messages = messages

    @property
    def edit(self) -> EditScreen:
        """The edit screen, which is on top."""
        assert isinstance(self.app.screen, EditScreen)
        return self.app.screen

    @property
    def screen(self) -> TriageScreen:
        """The triage screen, whatever is open over it."""
        return self.app.triage

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, each when the one before has had its effect."""
        for key in keys:
            await self.pilot.press(key)
            await settle(self.pilot)

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        await settle(self.pilot)

    async def until(self, true: Callable[[], object]) -> None:
        """Wait for something that a clock of the desk brings about."""
        await until(self.pilot, true)

    def text(self, selector: str) -> str:
        """What a widget of the screen on top shows, line by line."""
        widget = self.app.screen.query_one(selector, Painted)
        return "\n".join(strip.text.rstrip() for strip in widget.render_lines(widget.size.region))

    def shown(self) -> str:
        """Everything on the terminal, line by line."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)


Review = Callable[..., AbstractAsyncContextManager[Driver]]
