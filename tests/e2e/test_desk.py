"""The review desk in a real terminal: decide, edit, undo, leave, come back."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect
import pyte
import pytest
from terminal import PATIENCE

HOLDFAST = str(Path(sys.executable).with_name("holdfast"))
ROWS, COLUMNS = 30, 100
F2 = "\x1bOQ"
AGAIN = 0.5
"""Seconds after which a key is pressed again: the desk ignores decisions on what was painted only just now."""


class Screen:
    """A command in a terminal, and what it shows there."""

    def __init__(self, child: pexpect.spawn) -> None:
        self._child = child
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def text(self) -> str:
        """The screen as lines."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def shows(self, text: str, seconds: float) -> bool:
        """Whether a text (a regular expression) appears within so many seconds."""
        deadline = time.monotonic() + seconds
        while re.search(text, self.text) is None:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            try:
                self._stream.feed(self._child.read_nonblocking(65536, timeout=left))
            except pexpect.TIMEOUT:
                return False
        return True

    def press(self, key: str, *, until: str) -> None:
        """Press a key, again where it was too early, until a text appears."""
        for _ in range(int(PATIENCE / AGAIN)):
            self._child.send(key)
            if self.shows(until, AGAIN):
                return
        pytest.fail(f"{until!r} did not appear in\n{self.text}")

    def approve(self, key: str, *, until: str) -> None:
        """Press a key that approves what is on screen; give a reason where a check has failed it."""
        self.press(key, until=f"({until}|A blocking finding stands)")
        if until not in self.text:
            self.press("1", until=until)

    def leave(self) -> int:
        """Quit; returns the exit status."""
        self._child.send("q")
        self._child.expect(pexpect.EOF, timeout=PATIENCE)
        self._child.close()
        return int(self._child.exitstatus)


@contextmanager
def desk(folder: Path) -> Iterator[Screen]:
    env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    child = pexpect.spawn(HOLDFAST, ["--user", "annotator-9"], dimensions=(ROWS, COLUMNS), cwd=str(folder), env=env)
    try:
        screen = Screen(child)
        assert screen.shows("a accept", PATIENCE), screen.text
        yield screen
    finally:
        child.close(force=True)


def read(folder: Path, *arguments: str) -> Any:
    command = [HOLDFAST, *arguments, "--json", "--project", str(folder), "--user", "annotator-9"]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def test_what_was_decided_at_the_desk_is_there_when_it_opens_again(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    subprocess.run([HOLDFAST, "demo", "--dir", str(folder), "--no-tui"], capture_output=True, check=True)
    due = read(folder, "status")["due"]
    with desk(folder) as screen:
        assert screen.shows(f"{due} left", PATIENCE), screen.text
        screen.approve("a", until="today 1")
        screen.press("x", until="factually wrong")
        screen.press("1", until="today 2")
        screen.press("u", until="taken back")
        screen.press("x", until="factually wrong")
        screen.press("2", until="today 2")
        screen.press("e", until="YOUR EDIT")
        screen.press("Edited: ", until="Edited: ")
        screen.approve(F2, until="today 3")
        assert screen.leave() == 0
    status = read(folder, "status")
    assert (status["decided_today"], status["due"]) == (3, due - 3)
    assert status["claimed"] == {"mine": 0, "others": 0}
    with desk(folder) as screen:
        assert screen.shows(f"{due - 3} left", PATIENCE), screen.text
        screen.press("u", until="taken back")
        assert screen.leave() == 0
    assert read(folder, "status")["due"] == due - 2
    assert read(folder, "check") == {"ok": True, "problems": []}
