"""Whether two formulas are equal, asked of math-verify in a process of its own, which is killed when it takes long."""

from __future__ import annotations

import atexit
import json
import os
import re
import selectors
import subprocess
import sys
import threading
import time
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

LONGEST = 4_096
DEEPEST = 64
GREATEST_EXPONENT = 10_000
START_SECONDS = 30.0
"""What a fresh process may take until it is ready: it imports sympy."""

_WORKER = Path(__file__).with_name("symbolic_worker.py")
_LONG_DIGITS = re.compile(r"\d{101}")
_EXPONENT = re.compile(r"(?:\^|\*\*)\s*[{(]?\s*[-+]?\s*(\d+)")
_TOWER = re.compile(r"(?:\^|\*\*)\s*[{(]{0,3}[\w.]{0,20}(?:\^|\*\*)|\d{4,}\s*[)}]?\s*!|!!")
_COMMAND = re.compile(r"\\(?:text|mathrm|textbf|mathbf)\{[^{}]{0,40}\}|\\(?:begin|end)\{[a-z]{0,12}\}|\\[a-zA-Z]+")
_FOREIGN = re.compile(r"[?#@`\";~]|[^\x20-\x7e°±²³·×÷\u0370-\u03ff\u2080-\u209c\u2200-\u22ff∞√]")
_WORD = re.compile(
    r"(?!(?:(?:arc)?(?:sin|cos|tan|cot|sec|csc)h?|log|exp|sqrt|mod|lim|max|min|gcd|lcm)(?![a-zA-Z]))[a-zA-Z]{3,}|"
    r"[a-zA-Z]{2,} [a-zA-Z]{2,}"
)
_SIDE_BY_SIDE = re.compile(r"\d\s+\d")
_MATHEMATICS = re.compile(r"[\d\\√π∞]|[a-zA-Z] ?[\^=<>+*/]")
_DATE = re.compile(r"\s*(?:\d+(?:[-:]\d+){1,5}|\d+([/.])\d+\1\d+)\s*")


class Comparison(NamedTuple):
    """What math-verify says of two formulas; `numbers` says that both are free of variables."""

    same: bool
    numbers: bool


def readable(text: str) -> bool:
    """Whether a text looks like one formula of bounded size rather than prose or a program."""
    if not text or len(text) > LONGEST or _FOREIGN.search(text) or not _MATHEMATICS.search(text):
        return False
    # 1 000 is a thousand, or two numbers, but no product.
    if _DATE.fullmatch(text) or _SIDE_BY_SIDE.search(text):
        return False
    if _WORD.search(_COMMAND.sub(" ", text)) or _LONG_DIGITS.search(text) or _TOWER.search(text):
        return False
    if any(len(one) > 5 or int(one) > GREATEST_EXPONENT for one in _EXPONENT.findall(text)):
        return False
    return _balanced(text)


def compare(reference: str, response: str, *, seconds: float) -> Comparison | None:
    """Compare two formulas; None where one is not readable, the time is over or math-verify is not installed."""
    texts = [_bare(reference), _bare(response)]
    if seconds <= 0 or not all(readable(one) for one in texts) or not _installed():
        return None
    with _LOCK:
        reply = _PROCESS.ask(json.dumps(texts), seconds)
    return None if reply is None else Comparison(reply["same"], reply["numbers"])


def close() -> None:
    """End the process; the next comparison starts another."""
    with _LOCK:
        _PROCESS.stop()


class _Process:
    """The warm process and the pipe to it; one question at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def ask(self, line: str, seconds: float) -> dict[str, bool] | None:
        process = self._process
        if process is None or process.poll() is not None or self._owner != os.getpid():
            process = self._start()
            if _line(process, START_SECONDS) is None:
                self.stop()
                return None
        assert process.stdin is not None
        try:
            process.stdin.write(line.encode() + b"\n")
            process.stdin.flush()
            reply = _line(process, seconds)
        except OSError:
            reply = None
        if reply is None:
            self.stop()
            return None
        answer: dict[str, bool] | None = json.loads(reply)
        return answer

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # it held what the process did not read
                    continue
        process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        self.stop()
        self._owner = os.getpid()
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(_WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # an interrupt from the keyboard is for the caller
        )
        return self._process


_PROCESS = _Process()
_LOCK = threading.Lock()
atexit.register(_PROCESS.stop)


@cache
def _installed() -> bool:
    return find_spec("math_verify") is not None


def _line(process: subprocess.Popen[bytes], seconds: float) -> bytes | None:
    """The next line that a process writes, or None at its end or when the time is over."""
    assert process.stdout is not None
    deadline, got = time.monotonic() + seconds, b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not got.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                return None
            part = os.read(process.stdout.fileno(), 65_536)
            if not part:
                return None
            got += part
    return got


def _bare(text: str) -> str:
    """A formula without the signs of mathematics around it, and without a final full stop."""
    text = text.strip().rstrip(".").strip()
    for before, after in (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]")):
        if text.startswith(before) and text.endswith(after) and len(text) > len(before) + len(after):
            return text[len(before) : -len(after)].strip()
    return text


def _balanced(text: str) -> bool:
    depth = 0
    for mark in text:
        if mark in "{([":
            depth += 1
            if depth > DEEPEST:
                return False
        elif mark in "})]":
            depth -= 1
    return depth == 0
