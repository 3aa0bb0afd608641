"""What the tests of the screens share."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pexpect
import pyte
import pytest

Step = tuple[str, str]
"""A text to wait for on the screen, and the keys to press then."""
Capture = Callable[..., bytes]


PATIENCE = 30
"""Seconds after which a program that does not show a text, or does not end, counts as hung."""


@pytest.fixture
def capture(tmp_path: Path) -> Capture:
    """Run a command in a pseudo-terminal to its end and give every byte it wrote there."""

    def run(
        command: Sequence[str], steps: Sequence[Step], *, size: tuple[int, int] = (24, 80), cwd: Path = tmp_path
    ) -> bytes:
        env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        child = pexpect.spawn(command[0], list(command[1:]), dimensions=size, cwd=str(cwd), env=env, timeout=PATIENCE)
        child.delaybeforesend = None
        written = bytearray()
        screen = pyte.Screen(size[1], size[0])
        stream = pyte.ByteStream(screen)
        try:
            for text, keys in steps:
                deadline = time.monotonic() + PATIENCE
                while not any(text in line for line in screen.display):
                    chunk = child.read_nonblocking(65536, timeout=max(deadline - time.monotonic(), 0))
                    written += chunk
                    stream.feed(chunk)
                child.send(keys)
            child.expect(pexpect.EOF)
            written += child.before
        except (pexpect.EOF, pexpect.TIMEOUT) as error:
            pytest.fail(f"{type(error).__name__} at\n" + "\n".join(line.rstrip() for line in screen.display))
        finally:
            child.close(force=True)
        return bytes(written)

    return run
