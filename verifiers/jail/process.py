"""Starts a jailed interpreter, feeds it, and reads what it says within bounds, whatever it does to its pipes."""

from __future__ import annotations

import contextlib
import marshal
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from holdfast.verifiers.jail import filters, walls

_CHUNK = 65_536
_REPORT_LIMIT = 1 << 20
_LOOK_EVERY = 0.05


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: its exit status (negative: by that signal) or why it was killed; and what it wrote."""

    code: int
    killed: str
    stdout: bytes
    stderr: bytes
    report: bytes
    seconds: float


@dataclass(slots=True)
class _Stream:
    fd: int
    limit: int
    data: bytearray


def run(
    jail: walls.Jail, request: Mapping[str, Any], *, stdin: bytes, packages: tuple[str, ...], wall: float, output: int
) -> Ended:
    """Run one request behind the jail's walls; OSError where the process cannot be started at all."""
    with contextlib.ExitStack() as stack:
        seccomp = None
        if jail.bwrap is not None:
            seccomp = _in_memory(stack, filters.filter_for())
        told, said = os.pipe()
        stack.callback(os.close, told)
        asked = os.memfd_create("request", 0)
        stack.callback(os.close, asked)
        start = jail.start(_first_line(asked), packages, seccomp)
        os.write(asked, marshal.dumps(_complete(request, start, said)))
        os.lseek(asked, 0, os.SEEK_SET)
        began = time.monotonic()
        try:
            process = subprocess.Popen(
                start.command,
                stdin=_in_memory(stack, stdin),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(*start.inherited, asked, said),
                env=start.environment,
                cwd="/",
                user=start.user,
                group=start.user,
                extra_groups=[] if start.user is not None else None,
                start_new_session=True,
            )
        finally:
            os.close(said)
        return _watch(process, told, began, wall, output)


def _in_memory(stack: contextlib.ExitStack, data: bytes) -> int:
    """A file that holds the data and nothing else, ready to be read, without a place in any folder."""
    fd = os.memfd_create("data", 0)
    stack.callback(os.close, fd)
    with open(fd, "wb", closefd=False) as file:
        file.write(data)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _first_line(asked: int) -> str:
    return (
        f"import marshal,os;q=marshal.load(open({asked},'rb'));n,m,w=({{'__name__':'jail'}}for _ in'123');"
        "exec(q['code'],n);exec(q['watching'],w);l=q['lock_down'];q['become']=n['become'];"
        "l and exec(l,m);n['main'](q,m.get('lock_down'),w['watcher'])"
    )


def _complete(request: Mapping[str, Any], start: walls.Start, said: int) -> dict[str, Any]:
    locked = start.landlock is not None
    own_user = walls.OWN_UIDS + os.getpid() % 1_000_000
    return {
        **request,
        "code": _code("inside.py"),
        "watching": _code("watching.py"),
        "lock_down": _code("landlock.py") if locked else None,
        "landlock": start.landlock,
        "filter": filters.filter_for(files_in_sight=True) if locked else b"",
        "own_pid": filters.OWN_PID,
        "closed_folder": locked and walls.is_root() and walls.closed_folder(),
        "uids": [own_user, walls.NOBODY],
        "report": said,
        "site": start.site,
        "readable": start.readable,
        "scratch": start.scratch,
    }


@cache
def _code(name: str) -> Any:
    """A module of this package, compiled; the interpreter inside is this very one."""
    path = Path(__file__).with_name(name)
    return compile(path.read_text("utf-8"), f"jail/{name}", "exec")


def _watch(process: subprocess.Popen[bytes], told: int, began: float, wall: float, output: int) -> Ended:
    """Read until the process has ended, the time is over or a stream is too long; a pipe left open holds nobody up."""
    assert process.stdout is not None
    assert process.stderr is not None
    streams = [
        _Stream(process.stdout.fileno(), output, bytearray()),
        _Stream(process.stderr.fileno(), output, bytearray()),
        _Stream(told, _REPORT_LIMIT, bytearray()),
    ]
    killed = ""
    try:
        with process.stdout, process.stderr, selectors.DefaultSelector() as selector:
            for stream in streams:
                os.set_blocking(stream.fd, False)
                selector.register(stream.fd, selectors.EVENT_READ, stream)
            while not killed and process.poll() is None and selector.get_map():
                left = began + wall - time.monotonic()
                for key, _ in selector.select(max(0.0, min(left, _LOOK_EVERY))):
                    if _read(key.data) == 0:
                        selector.unregister(key.fd)
                killed = _reason(streams, began + wall)
            if not killed and process.poll() is None:
                killed = _wait(process, began + wall)
            _kill(process)
            for stream in streams:
                while len(stream.data) <= stream.limit and _read(stream) > 0:
                    pass
            killed = killed or _reason(streams, float("inf"))
    finally:
        _kill(process)
    out, err, report = (bytes(stream.data[: stream.limit]) for stream in streams)
    return Ended(process.returncode, killed, out, err, report, time.monotonic() - began)


def _read(stream: _Stream) -> int:
    """Take what is there and count it; -1 where nothing is there yet, 0 at the end."""
    try:
        data = os.read(stream.fd, _CHUNK)
    except BlockingIOError:
        return -1
    stream.data += data
    return len(data)


def _reason(streams: list[_Stream], until: float) -> str:
    if any(len(stream.data) > stream.limit for stream in streams):
        return "output"
    return "time" if time.monotonic() > until else ""


def _wait(process: subprocess.Popen[bytes], until: float) -> str:
    try:
        process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        return "time"
    return ""


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the whole group; what lies in a process name space of its own dies with the first of it."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
