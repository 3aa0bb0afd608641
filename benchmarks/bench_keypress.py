"""From a key press until the next sample is painted, through a pseudo-terminal, beside a bare app that swaps text."""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import shutil
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import orjson
from common import CACHE, HOLDFAST, flagged_project, percentile

from holdfast.db import samples
from holdfast.db.store import Store

COLUMNS, ROWS = 100, 30
PRESSES = 60
QUIET_SECONDS = 0.08
"""Painting is over when nothing has come for so long; it is not part of the time."""
PAUSE_SECONDS = 0.25
"""A reviewer's pause: longer than the desk refuses decisions on a sample that has just appeared."""

BARE_APP = """
import json, sys
from textual.app import App
from textual.content import Content
from textual.widgets import Static
class Bare(App):
    texts = json.load(open(sys.argv[1]))
    at = 0
    def compose(self):
        yield Static(Content(self.texts[0]))
    def key_a(self):
        self.at = (self.at + 1) % len(self.texts)
        self.query_one(Static).update(Content(self.texts[self.at]))
Bare().run()
"""


@dataclass(frozen=True)
class Painted:
    """Times in milliseconds from a key press to the first and to the last byte of its answer."""

    first: list[float]
    last: list[float]


class Terminal:
    """A program in a pseudo-terminal, its output read as fast as it comes."""

    def __init__(self, command: Sequence[str]) -> None:
        self.pid, self.handle = pty.fork()
        if self.pid == 0:
            os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
            os.execvp(command[0], list(command))
        fcntl.ioctl(self.handle, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def answer(self, patience: float) -> tuple[float, float]:
        """When the first and the last byte came, until it was quiet; SystemExit if nothing comes at all."""
        first = last = 0.0
        while select.select([self.handle], [], [], QUIET_SECONDS if first else patience)[0]:
            if not os.read(self.handle, 1 << 16):
                break
            last = time.perf_counter()
            first = first or last
        if not first:
            raise SystemExit("the program did not answer a key")
        return first, last

    def settle(self) -> None:
        """Throw away what was written meanwhile."""
        while select.select([self.handle], [], [], 0)[0]:
            os.read(self.handle, 1 << 16)

    def press(self, key: bytes) -> None:
        """Press a key."""
        os.write(self.handle, key)

    def close(self, key: bytes) -> None:
        """Press the key that quits and wait for the end."""
        self.press(key)
        try:
            while os.read(self.handle, 1 << 16):
                pass
        except OSError:  # how Linux says that the other side is closed
            pass
        os.waitpid(self.pid, 0)
        os.close(self.handle)


def paint_times(command: Sequence[str], quit_key: bytes, presses: int) -> Painted:
    """Press `a` again and again."""
    terminal = Terminal(command)
    terminal.answer(patience=30)
    time.sleep(2)
    first, last = [], []
    for _ in range(presses):
        time.sleep(PAUSE_SECONDS)
        terminal.settle()
        start = time.perf_counter()
        terminal.press(b"a")
        began, ended = terminal.answer(patience=10)
        first.append((began - start) * 1000)
        last.append((ended - start) * 1000)
    terminal.close(quit_key)
    return Painted(first, last)


def main() -> None:
    """Run pairs; print the ratio of the medians."""
    parser = argparse.ArgumentParser(description="key press to next sample painted")
    parser.add_argument("project", nargs="?", type=Path, help="a project with samples that are due; it is copied")
    parser.add_argument("--samples", type=int, default=1_000_000, help="how many samples the store holds, if made")
    parser.add_argument("--runs", type=int, default=3, help="how many pairs are run")
    chosen = parser.parse_args()
    folder = CACHE / "keypress"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(chosen.project or flagged_project(chosen.samples), folder)
    with Store.open(folder / "holdfast.db") as store:
        shown = [stored.sample for stored in islice(samples.each(store), PRESSES + 1)]
    with tempfile.TemporaryDirectory() as scratch:
        texts = Path(scratch) / "texts.json"
        texts.write_bytes(orjson.dumps([f"{sample.prompt}\n{sample.response}" for sample in shown]))
        bare = [sys.executable, "-c", BARE_APP, str(texts)]
        desk = [*HOLDFAST, "review", "--project", str(folder), "--user", "annotator-1"]
        ours, theirs = [], []
        for _ in range(chosen.runs):
            theirs.append(paint_times(bare, b"\x11", PRESSES))
            ours.append(paint_times(desk, b"q", PRESSES))
    medians = [
        statistics.median(one.last) / statistics.median(other.last) for one, other in zip(ours, theirs, strict=True)
    ]
    last = [time for one in ours for time in one.last]
    bare_last = [time for one in theirs for time in one.last]
    print(
        "key press → next sample painted: "
        f"{statistics.median(last):.1f} ms median, {percentile(last, 0.95):.1f} ms p95; "
        f"bare app {statistics.median(bare_last):.1f} and {percentile(bare_last, 0.95):.1f} ms; "
        f"{statistics.median(medians):.2f} × (goal ≤ 2)"
    )


if __name__ == "__main__":
    main()
