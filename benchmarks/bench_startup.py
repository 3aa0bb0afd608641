"""Start-up: `holdfast --help` beside bare Python, `holdfast review` to its first sample beside a bare Textual app."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

import pexpect
from common import HOLDFAST, arguments, flagged_project, scratch_copy

BARE_APP = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("READY")
Bare().run()
"""


def command_seconds(command: Sequence[str]) -> float:
    """Wall time of a whole process."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def screen_seconds(command: Sequence[str], shown: str, quit_key: str) -> float:
    """From spawning a terminal program until it shows a text."""
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    start = time.perf_counter()
    child = pexpect.spawn(
        command[0], list(command[1:]), dimensions=(30, 100), env=environment, timeout=60, encoding="utf-8"
    )
    child.expect(shown)
    seconds = time.perf_counter() - start
    child.send(quit_key)
    child.expect(pexpect.EOF)
    child.close()
    return seconds


def main() -> None:
    """Run pairs; print medians and ratios."""
    chosen = arguments("start-up", runs=5)
    folder = scratch_copy(flagged_project(chosen.samples))
    review = [*HOLDFAST, "review", "--project", str(folder), "--user", "annotator-1"]
    helps, pythons, reviews, bares = [], [], [], []
    for _ in range(chosen.runs):
        pythons.append(command_seconds([sys.executable, "-c", "pass"]))
        helps.append(command_seconds([*HOLDFAST, "--help"]))
        bares.append(screen_seconds([sys.executable, "-c", BARE_APP], "READY", "\x11"))
        reviews.append(screen_seconds(review, "RESPONSE", "q"))
    help_seconds, review_seconds = statistics.median(helps), statistics.median(reviews)
    print(
        f"holdfast --help {help_seconds:.2f} s (goal ≤ 0.3), {help_seconds / statistics.median(pythons):.1f} × Python\n"
        f"holdfast review to the first of {chosen.samples} samples {review_seconds:.2f} s (goal ≤ 1.5), "
        f"{review_seconds / statistics.median(bares):.1f} × a bare Textual app"
    )


if __name__ == "__main__":
    main()
