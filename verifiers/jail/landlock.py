"""The jail without name spaces: landlock, a seccomp filter and another user; runs inside, sent there as code.

Landlock governs which files are opened. What it leaves alone (modes, owners, times, signals, priorities, sockets) the
filter refuses; so every version of landlock serves, and a kernel without it ends the process before the program runs.
"""

from __future__ import annotations

import ctypes
import os
import struct
from typing import Any

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH = 1, 1
_READ_FILE, _READ_FOLDER, _WRITE_FILE = 1 << 2, 1 << 3, 1 << 1
_BITS_OF_VERSION = {1: 13, 2: 14, 3: 15, 4: 15}
_ALL_BITS = 16
_DEATH_SIGNAL, _KEEP_CAPABILITIES, _NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 1, 8, 38, 22, 2
_KILL, _CAPABILITIES = 9, 0x2008_0522
_READ_SEARCH = 1 << 2


def lock_down(request: dict[str, Any]) -> None:
    """Give up files, privileges, network and other processes for good; raises OSError where the kernel refuses."""
    libc = ctypes.CDLL(None, use_errno=True)

    def call(name: str, *arguments: Any) -> int:
        result: int = getattr(libc, name)(*arguments)
        if result < 0:
            raise OSError(ctypes.get_errno(), name)
        return result

    def prctl(option: int, value: int, pointer: Any = None) -> None:
        zero = ctypes.c_ulong(0)
        call("prctl", option, ctypes.c_ulong(value), zero if pointer is None else pointer, zero, zero)

    ruleset = _ruleset(request["landlock"], call)
    if os.getuid() == 0:
        prctl(_KEEP_CAPABILITIES, 1)
        request["become"](request["uids"])
        # The interpreter may lie in a folder that only root can enter, such as /root.
        kept = _READ_SEARCH if request["closed_folder"] else 0
        head = ctypes.create_string_buffer(struct.pack("II", _CAPABILITIES, 0))
        sets = ctypes.create_string_buffer(struct.pack("6I", kept, kept, 0, 0, 0, 0))
        call("capset", head, sets)
    prctl(_DEATH_SIGNAL, _KILL)
    prctl(_NO_NEW_PRIVILEGES, 1)
    call("syscall", _RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    own = struct.pack("I", os.getpid())
    code = ctypes.create_string_buffer(request["filter"].replace(struct.pack("I", request["own_pid"]), own))
    program = struct.pack("HxxxxxxP", len(request["filter"]) // 8, ctypes.addressof(code))
    buffer = ctypes.create_string_buffer(program)
    prctl(_SECCOMP, _FILTER, ctypes.byref(buffer))


def _ruleset(folders: dict[str, str], call: Any) -> int:
    """A ruleset that refuses all access to files but the given one: path to `read`, `list` or `write`."""
    version = call("syscall", _CREATE_RULESET, None, 0, _VERSION_FLAG)
    handled = (1 << _BITS_OF_VERSION.get(version, _ALL_BITS)) - 1
    attributes = ctypes.create_string_buffer(struct.pack("Q", handled))
    ruleset: int = call("syscall", _CREATE_RULESET, attributes, 8, 0)
    for path, access in folders.items():
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        allowed = {"list": _READ_FOLDER, "write": _READ_FILE | _WRITE_FILE}.get(access, _READ_FILE | _READ_FOLDER)
        if not os.path.isdir(path):
            allowed &= ~_READ_FOLDER
        rule = ctypes.create_string_buffer(struct.pack("=Qi", allowed, place))
        call("syscall", _ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
        os.close(place)
    return ruleset
