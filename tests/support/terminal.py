"""Programs in a pseudo-terminal, and what of the bytes they write there steers it."""

from __future__ import annotations

import os
import re
import time
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pexpect
import pyte
import pytest

PATIENCE = 30
"""Seconds after which a program that does not show a text, or does not end, counts as hung."""

SEQUENCE = re.compile(r"\x1b(?:\[(?P<private>[<=>?]?)(?P<numbers>[0-9;]*)(?P<final>\$?[@-~])|\]22;[a-z-]+\x07)")
COLOURS = re.compile(r"\x1b\[(?:[1-9];)*38;2;\d+;\d+;\d+(?:;48;2;\d+;\d+;\d+)?m")
"""Textual's styles always name true colours, which no attack here does."""
FORMATS = {"\u200d", "\u0600", "\u06dd"}

ATTACKS = [
    "\x1b[2J\x1b[1;1Hcsi \x1b[31mPWNED\x1b[0m",
    "\x1b]52;c;UFdORUQ=\x07osc52",
    "\x1b]8;;http://pwned.test\x1b\\osc8\x1b]8;;\x1b\\",
    "\x1b]0;PWNED\x07title",
    "\x1bP+q544e\x1b\\dcs \x1b_apc\x1b\\ \x1b^pm\x1b\\ \x1bc",
    "\x9b31mc1 \x9d52;c;UFdORUQ=\x9c \x90q\x9c \x85nel",
    "nul\x00 bs\x08\x08 bell\x07 del\x7f so\x0e si\x0f vt\x0b ff\x0c can\x18",
    "cr\rover crlf\r\ntab\tend",
    "bidi \u202egpj.exe\u202c \u2066x\u2069 \u200e\u200f\u061c",
    "zero\u200bwidth \u200c \u200d \u2060 \ufeff shy\u00ad \u2028ls\u2029ps",
    "filler\u3164\u115f\u2800 tag\U000e0041\U000e007f vs\ufe0f\U000e0100",
    "lone \ud800 \udcff non \ufffe \U0001ffff",
    "zalgo z" + "\u0301\u0335\u0327" * 12,
    "markup [/INST] list[int] [@click=app.quit]x[/] [b]b[/b] [link=http://pwned.test]l[/link]",
    "wide 的一是 한국어 \u1112\u1161\u11ab e\u0301 क्षि กำ می\u200cخواهم שלום",
    "emoji 👩\u200d👩\u200d👧\u200d👦 ❤\ufe0f 👍🏽 🇫🇷 1\ufe0f\u20e3 " + "\u200d".join("👩" * 9),
]


TOO_SOON = "press again"
"""What the review desk says to a key that came before a person could have seen what it is for."""
QUIET = 0.3
"""Seconds without output after which such a key is pressed again."""


def capture(command: Sequence[str], steps: Sequence[tuple[str, str]], *, cwd: Path, size: tuple[int, int]) -> bytes:
    """Run a command to its end and give the bytes it wrote; a step is a text to wait for and the keys to press then."""
    env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    child = pexpect.spawn(command[0], list(command[1:]), dimensions=size, cwd=str(cwd), env=env, timeout=PATIENCE)
    child.delaybeforesend = None
    written = bytearray()
    screen = pyte.Screen(size[1], size[0])
    stream = pyte.ByteStream(screen)
    try:
        sent = ""
        for text, keys in steps:
            deadline = time.monotonic() + PATIENCE
            while not any(text in line for line in screen.display):
                too_soon = sent and any(TOO_SOON in line for line in screen.display)
                try:
                    chunk = child.read_nonblocking(
                        65536, timeout=QUIET if too_soon else max(deadline - time.monotonic(), 0)
                    )
                except pexpect.TIMEOUT:
                    if not too_soon or time.monotonic() > deadline:
                        raise
                    child.send(sent)
                    continue
                written += chunk
                stream.feed(chunk)
            child.send(keys)
            sent = keys
        child.expect(pexpect.EOF)
        written += child.before
    except (pexpect.EOF, pexpect.TIMEOUT) as error:
        pytest.fail(f"{type(error).__name__} at\n" + "\n".join(line.rstrip() for line in screen.display))
    finally:
        child.close(force=True)
    return bytes(written)


def steering(written: bytes, size: tuple[int, int]) -> set[str]:
    """The escape sequences of a stream, less positions and colours, and the controls by themselves that are in it."""
    text = written.decode("utf-8")
    found = set()
    for match in SEQUENCE.finditer(text):
        if match["final"] == "H":
            row, column = (int(number) for number in match["numbers"].split(";"))
            assert row <= size[0]
            assert column <= size[1]
        found.add("H" if match["final"] == "H" else "colours" if COLOURS.fullmatch(match[0]) else match[0])
    plain = SEQUENCE.sub("", text)
    return found | {char for char in plain if unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp"}} - FORMATS
