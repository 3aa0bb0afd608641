"""Names the forbidden actions that a program tries; runs inside the jail, sent there as code.

An audit hook is no wall, since code that is not Python passes it by. The kernel refuses whether it is told of or not;
what is said here makes a reviewer understand what was refused.
"""

from __future__ import annotations

import _thread
import os
import sys
from collections.abc import Callable
from typing import Any

_PEEKING = {
    "gc.get_objects", "gc.get_referrers", "gc.get_referents", "sys._current_frames", "sys._current_exceptions",
    "sys.settrace", "sys.setprofile",
}  # fmt: skip
_FRAMES = {"tb_frame", "gi_frame", "cr_frame", "ag_frame"}
_STARTS_PROCESS = {
    "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn", "subprocess.Popen",
}  # fmt: skip
_LOOKS_UP = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"}
_READS_FOLDER = {"os.listdir", "os.scandir"}
_CHANGES_FILE = {
    "os.chmod", "os.chown", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate",
    "os.utime", "os.setxattr",
}  # fmt: skip
_SETS_OWNER = {8, 10, 15}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_MOST_NOTES = 20
CHECKS = "<checks>"

Emit = Callable[..., None]


def watcher(emit: Emit, request: dict[str, Any]) -> Callable[[str, tuple[Any, ...]], None]:
    """An audit hook that reports forbidden actions by name, and keeps a tested program out of its callers' frames."""
    said: set[str] = set()
    inside: set[int] = set()
    roots, pid, scratch = request["readable"], os.getpid(), request["scratch"]
    guarded = any(name == CHECKS for name, _ in request["parts"])
    trusted = (CHECKS, "<frozen ", "jail/", *(root + "/" for root in roots))
    thread, frame_at = _thread.get_ident, sys._getframe

    def say(what: str) -> None:
        if what not in said and len(said) < _MOST_NOTES:
            said.add(what)
            emit("tried", what=what)

    def watch(event: str, args: tuple[Any, ...]) -> None:
        if event in _QUIET or thread() in inside:
            return
        inside.add(thread())
        try:
            look(event, args)
        finally:
            inside.discard(thread())

    def look(event: str, args: tuple[Any, ...]) -> None:
        if event == "socket.__new__" and frame_at(3).f_code.co_name == "socketpair":
            return
        what = _forbidden(event, args, roots, scratch, pid)
        if what == _NO_SCRATCH:
            emit("scratchless")
        elif what:
            say(what)
        peeks = event in _PEEKING or event == "sys._getframe" or (event == "object.__getattr__" and args[1] in _FRAMES)
        if guarded and peeks:
            caller = frame_at(2).f_code.co_filename
            library = caller.startswith(trusted) and not caller.endswith("/inspect.py")
            if event in _PEEKING or not library:
                say("look into the interpreter's frames")
                raise PermissionError("blocked: looking into the interpreter")

    return watch


_NO_SCRATCH = "no scratch"
_QUIET = {"import", "compile", "exec", "marshal.loads", "object.__setattr__", "builtins.id"}


def _forbidden(event: str, args: tuple[Any, ...], roots: list[str], scratch: str | None, pid: int) -> str:
    """What an event is, in words, where the jail forbids it; else the empty string."""
    if event == "open":
        path, _, flags = args
        if isinstance(path, int):
            return ""
        return _on_file("write" if flags & _WRITING else "read", path, roots, scratch)
    if event in _CHANGES_FILE:
        return _on_file("change", args[0], roots, scratch)
    if event in ("os.link", "os.symlink"):
        return _on_file("link to", args[0], roots, scratch)
    if event in _READS_FOLDER:
        return _on_file("list", "." if args[0] is None else args[0], roots, scratch)
    if event in _LOOKS_UP:
        return f"look up the host {str(args[0])[:80]!r}"
    if event == "socket.__new__":
        return "open a network connection"
    if event in _STARTS_PROCESS:
        return "start a process"
    if (event in ("os.kill", "os.killpg") and args[0] != pid) or (event == "fcntl.fcntl" and args[1] in _SETS_OWNER):
        return "send a signal to another process"
    if event == "ctypes.dlsym":
        return f"call the C function {str(args[1])[:80]!r}"
    return ""


def _on_file(how: str, path: Any, roots: list[str], scratch: str | None) -> str:
    if isinstance(path, int) or path in ("<before>", "<response>", "<checks>"):
        return ""
    path = os.fsdecode(path)
    if scratch is None and how in ("write", "change") and (not path.startswith("/") or os.path.dirname(path) == "/tmp"):
        return _NO_SCRATCH
    whole = os.path.normpath(path if path.startswith("/") else f"{scratch or '/'}/{path}")
    allowed = [scratch, "/dev/null"] if how in ("write", "change") else [scratch, "/dev/null", "/dev/urandom", *roots]
    if any(root and (whole == root or whole.startswith(root + "/")) for root in allowed):
        return ""
    return f"{how} {path[:200]}"
