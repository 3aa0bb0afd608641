"""The one door through which generated code is run: behind walls that the kernel holds, or not at all.

Inside there is no network, no file but the interpreter's own and an empty scratch folder, no environment, no other
process and none can be started; time, memory, output and file sizes have limits. What the walls keep in is certain.
What a program says of itself is not: it runs in one interpreter with the checks that are put to it, and one written
against this very harness could fake their passing. A program that prints, exits, is killed, patches built-in functions
or writes to pipes that it finds cannot: without the mark on the report's last line, nothing has passed.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

import orjson

from holdfast.verifiers.jail import process, walls
from holdfast.verifiers.jail.inside import BEFORE, CHECKS, RESPONSE

CPU_SECONDS = 5
WALL_SECONDS = 15.0
MEMORY_MB = 1_024
OUTPUT_LIMIT = 65_536
"""Bytes of each of a program's two output streams."""

_FILE_BYTES = 16 << 20
_OPEN_FILES = 64
_THREADS = 512
_THREADS_OF_THE_USER = 4_096


class Status(StrEnum):
    """How a run ended."""

    OK = "ok"
    EXCEPTION = "exception"
    EXITED = "exited"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    OUTPUT = "output"
    CRASHED = "crashed"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Why no program can be run here, and what a person can do about it."""

    remedy: str


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a variable when the program ended: the name of its type, and its text."""

    type: str
    text: str


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception that ended the run, and where: lines count from 1, 0 where the exception did not pass the part."""

    type: str
    message: str
    in_checks: bool
    line: int
    source_line: int


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a program: `message` says it in one line, `tried` are the forbidden actions, all of them blocked.

    `own` are names of built-in functions that mean the program's own to the checks.
    `assertion` is the check that did not hold; `got` and `expected` are its two sides where it compared two values.
    """

    status: Status
    jail: str
    message: str = ""
    stdout: str = ""
    stderr: str = ""
    value: Value | None = None
    raised: Raised | None = None
    tried: tuple[str, ...] = ()
    changed_builtins: bool = False
    own: tuple[str, ...] = ()
    assertion: str = ""
    compared: str = ""
    got: str = ""
    expected: str = ""
    seconds: float = 0.0


def available() -> str | Unavailable:
    """The name of the jail that programs run in on this machine; tried out once in each process."""
    jail = _jail()
    return jail.name if isinstance(jail, walls.Jail) else jail


def run_python(
    source: str,
    *,
    before: str = "",
    checks: str = "",
    value: str = "",
    name: str = "__main__",
    stdin: str = "",
    packages: tuple[str, ...] = (),
    cpu_seconds: int = CPU_SECONDS,
    wall_seconds: float = WALL_SECONDS,
    memory_mb: int = MEMORY_MB,
    output_limit: int = OUTPUT_LIMIT,
) -> Ran:
    """Run a program, then `checks` in the same namespace, and report the variable `value`; never raises for either.

    `before` is run first, and what it raises is passed over: it may be half a program, or none. `packages` are the
    import names of installed packages that the program may use. LookupError where one is missing.
    """
    jail = _jail()
    if isinstance(jail, Unavailable):
        return Ran(Status.UNAVAILABLE, "", jail.remedy)
    named = ((BEFORE, before), (RESPONSE, source), (CHECKS, checks))
    parts = tuple(part for part in named if part[1] or part[0] == RESPONSE)
    limits = _Limits(cpu_seconds, wall_seconds, memory_mb, output_limit)
    return _run(jail, parts, value, name, stdin, packages, limits)


@dataclass(frozen=True, slots=True)
class _Limits:
    cpu_seconds: int = CPU_SECONDS
    wall_seconds: float = WALL_SECONDS
    memory_mb: int = MEMORY_MB
    output_limit: int = OUTPUT_LIMIT

    def of_process(self, jail: walls.Jail) -> tuple[tuple[str, int], ...]:
        shared = jail.bwrap is None and not walls.is_root()
        return (
            ("RLIMIT_CPU", self.cpu_seconds),
            ("RLIMIT_AS", self.memory_mb << 20),
            ("RLIMIT_FSIZE", _FILE_BYTES),
            ("RLIMIT_NOFILE", _OPEN_FILES),
            ("RLIMIT_NPROC", _THREADS_OF_THE_USER if shared else _THREADS),
            ("RLIMIT_CORE", 0),
            ("RLIMIT_MEMLOCK", 0),
        )


def _run(
    jail: walls.Jail,
    parts: tuple[tuple[str, str], ...],
    value: str,
    name: str,
    stdin: str,
    packages: tuple[str, ...],
    limits: _Limits,
) -> Ran:
    nonce = os.urandom(16).hex().encode()
    encoded = tuple((part, text.encode("utf-8", "replace").decode()) for part, text in parts)
    request = {
        "nonce": nonce, "parts": encoded, "value": value, "module": name, "limits": limits.of_process(jail),
    }  # fmt: skip
    ended = process.run(
        jail, request, stdin=stdin.encode("utf-8", "replace"), packages=packages,
        wall=limits.wall_seconds, output=limits.output_limit,
    )  # fmt: skip
    return _told(jail, ended, _lines(ended.report, nonce), limits)


def _lines(report: bytes, nonce: bytes) -> list[dict[str, Any]]:
    """The report's lines that carry the mark; anything else on the pipe is the program's own and means nothing."""
    mark = nonce + b" "
    found = []
    for line in report.split(b"\n"):
        if line.startswith(mark):
            try:
                found.append(orjson.loads(line[len(mark) :]))
            except orjson.JSONDecodeError:
                continue
    return found


def _told(jail: walls.Jail, ended: process.Ended, lines: list[dict[str, Any]], limits: _Limits) -> Ran:
    """Put the report and the way the process ended together."""
    kinds: dict[str, dict[str, Any]] = {}
    for line in lines:
        kinds.setdefault(str(line["kind"]), line)
    tried = tuple(str(line["what"]) for line in lines if line["kind"] == "tried")
    out, err = (data.decode("utf-8", "replace") for data in (ended.stdout, ended.stderr))
    status, message = _status(ended, kinds, limits)
    if status is Status.UNAVAILABLE and not message:
        reason = kinds.get("unsafe", {}).get("message") or err.strip().splitlines()[-1:] or "no word from inside"
        message = f"the jail {jail.name} could not be closed: {reason}"
    done, raised, compared = kinds.get("done", {}), kinds.get("raised"), kinds.get("compared", {})
    asked = status is Status.OK and done.get("type") not in (None, "", "missing")
    return Ran(
        status, jail.name, message, out, err,
        value=Value(str(done["type"]), str(done["value"])) if asked else None,
        raised=_raised(raised) if raised and status in (Status.EXCEPTION, Status.MEMORY) else None,
        tried=tried,
        changed_builtins=any(line["kind"] == "note" and "built-in" in line["what"] for line in lines),
        own=tuple(str(line["name"]) for line in lines if line["kind"] == "own"),
        assertion=str(kinds.get("assertion", {}).get("text", "")),
        compared=str(compared.get("text", "")),
        got=str(compared.get("got", "")),
        expected=str(compared.get("expected", "")),
        seconds=ended.seconds,
    )  # fmt: skip


def _raised(line: Mapping[str, Any]) -> Raised:
    checks = line["part"] == CHECKS
    own = int(line["line"])
    through = int(line.get("through_line", 0)) if line.get("through") == RESPONSE else 0
    return Raised(str(line["type"]), str(line["message"]), checks, own if checks else 0, through if checks else own)


def _status(ended: process.Ended, kinds: Mapping[str, dict[str, Any]], limits: _Limits) -> tuple[Status, str]:
    """How the run ended, in one word and in words; the message is empty where there is nothing to say."""
    if "ready" not in kinds:
        return Status.UNAVAILABLE, ""
    if "scratchless" in kinds:
        return Status.UNAVAILABLE, "the program writes files, which this jail has no place for; " + walls.remedy()
    if ended.killed == "output":
        return Status.OUTPUT, f"prints more than {limits.output_limit // 1_000} kB"
    number = -ended.code if ended.code < 0 else ended.code - 128
    cpu_spent = number == signal.SIGXCPU or (number == signal.SIGKILL and ended.seconds >= limits.cpu_seconds)
    raised = kinds.get("raised")
    if raised is None and (ended.killed == "time" or (cpu_spent and "done" not in kinds)):
        limit = (
            f"{limits.cpu_seconds} s of processor time"
            if cpu_spent and not ended.killed
            else f"{limits.wall_seconds:g} s"
        )
        return Status.TIMEOUT, f"runs longer than {limit}"
    if raised is not None:
        if raised.get("memory"):
            return Status.MEMORY, f"needs more than {limits.memory_mb} MB of memory"
        text = str(raised["message"])
        return Status.EXCEPTION, f"raises {raised['type']}" + (f": {_one_line(text)}" if text else "")
    if "done" in kinds:
        return Status.OK, ""
    if number in {one.value for one in signal.Signals}:
        return Status.CRASHED, f"is ended by a signal ({signal.Signals(number).name})"
    return Status.EXITED, "ends the process before the end of the program"


def _one_line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 200 else text[:199] + "…"


@cache
def _jail() -> walls.Jail | Unavailable:
    """The first jail whose walls stand; each is tried by a program that does what it must not be able to do."""
    for jail in walls.candidates():
        if holds(jail):
            return jail
    return Unavailable(walls.remedy())


_ESCAPES = """
import os, _socket
def works(action, *arguments):
    try:
        action(*arguments)
    except OSError:
        return False
    return True
ans = [name for name, got_out in {
    "network": works(_socket.socket, 2, 1),
    "unix socket": works(_socket.socket, 1, 1),
    "process": works(os.fork),
    "secret": works(open, "/etc/passwd"),
    "write": works(open, "/holdfast-probe", "w") or works(open, "/usr/holdfast-probe", "w"),
    "list": any(works(os.listdir, folder) for folder in ("/proc", "/sys", "/var")),
    "proc": works(open, "/proc/self/environ"),
    "signal": works(os.kill, os.getppid(), 0) if os.getppid() != 1 else False,
    "root": os.getuid() == 0 or os.geteuid() == 0,
    "environment": bool({"HOLDFAST_PROBE", "HOME"} & set(os.environ) and os.environ.get("HOME") != "/scratch"),
}.items() if got_out]
"""


def holds(jail: walls.Jail) -> bool:
    """Whether a program in this jail is kept from all that it must not do, and can do the rest."""
    try:
        ran = _run(jail, ((RESPONSE, _ESCAPES),), "ans", "__main__", "", (), _Limits())
    except OSError:
        return False
    return ran.status is Status.OK and ran.value == Value("list", "[]")
