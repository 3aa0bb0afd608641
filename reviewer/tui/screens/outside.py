"""The way into the reviewer's own editor and back."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from textual.app import App

from holdfast.db.errors import HoldfastError
from holdfast.reviewer.pipeline.desk import ClaimedItem
from holdfast.reviewer.pipeline.editing import without_appended_newline
from holdfast.reviewer.tui.drafts import Turns, with_text
from holdfast.reviewer.tui.external import editor_command, private_file, text_from


async def edit_outside(
    app: App[Any],
    item: ClaimedItem,
    turns: Turns,
    say: Callable[..., None],
    edited: Callable[[Turns], None],
) -> None:
    """Let the editor change the response, then hand the turns on; the app's clocks go on meanwhile."""
    before = turns[item.response_turn].content
    try:
        with private_file(before) as path:
            command = [*editor_command(), str(path)]
            with app.suspend(), app.batch_update(), _interrupts_for_the_editor():
                failure = await _run(command)
            after = without_appended_newline(before, text_from(path))
    except (HoldfastError, OSError) as error:
        say(f"the editor could not be used: {error}", "warn")
        return
    if failure:
        say(f"{command[0]} {failure}: nothing is changed", "warn")
    elif after == before:
        say("nothing was changed in the editor")
    else:
        edited(with_text(turns, item.response_turn, after))


async def _run(command: list[str]) -> str | None:
    """How the program failed, in words: an exception would leave Textual suspended."""
    try:
        process = await asyncio.create_subprocess_exec(*command)
    except OSError as error:
        return f"could not be started ({error.strerror})"
    status = await process.wait()
    return f"ended with status {status}" if status else None


@contextmanager
def _interrupts_for_the_editor() -> Iterator[None]:
    """Ctrl+C in the editor must not end the desk behind it."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
