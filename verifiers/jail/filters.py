"""The seccomp filter as BPF, assembled here: a few instructions a system call, for x86_64 and aarch64."""

from __future__ import annotations

import platform
import struct
from collections.abc import Sequence

from holdfast.verifiers.jail.syscalls import DENIED, DENIED_ON_FILES, ERRNO_NO_SUCH_CALL, ERRNO_PERM, NUMBERS

OWN_PID = 0x5EC0_71D5
"""Stands in a filter for the number of the process that will load it."""

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF_0000, 0x8000_0000, 0x0005_0000
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16
_X32 = 0x4000_0000
_MACHINES = {"x86_64": (0, 0xC000_003E), "aarch64": (1, 0xC000_00B7)}
_CLONE_THREAD, _UNIX, _STREAM, _SOCKET_KIND = 0x1_0000, 1, 1, 0xF
_PUSH_INTO_TERMINAL = (0x5412, 0x541C)
# Whoever may name the owner of a pipe and the signal that the owner gets may kill any process of the same user.
_SET_OWNER, _SET_OWNER_BY_IOCTL = (8, 10, 15), (0x8901, 0x8902)
_DEATH_SIGNAL = 1

Instruction = tuple[int, int, int, int]


def supported() -> bool:
    """Whether this machine's system calls are known."""
    return platform.machine() in _MACHINES


def filter_for(machine: str | None = None, *, files_in_sight: bool = False) -> bytes:
    """The filter as `struct sock_filter[]`; with the host's files or processes in sight it refuses more.

    A filter for that case holds OWN_PID where the loading process has to put its number.
    """
    column, arch = _MACHINES[machine or platform.machine()]
    program: list[Instruction] = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, arch),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if column == 0:  # the second table of x86_64 would be a way round the first
        program += [(_AT_LEAST, 0, 1, _X32), _refuse(ERRNO_PERM)]
    denied = (*DENIED, *DENIED_ON_FILES) if files_in_sight else DENIED
    for name in denied:
        program += _when(NUMBERS[name][column], [_refuse(ERRNO_PERM)])
    program += _when(NUMBERS["clone3"][column], [_refuse(ERRNO_NO_SUCH_CALL)])
    program += _when(NUMBERS["clone"][column], [*_argument(0), (_ANY_BIT, 1, 0, _CLONE_THREAD), _refuse(ERRNO_PERM)])
    program += _when(NUMBERS["socketpair"][column], _stream_pair_only())
    program += _when(NUMBERS["ioctl"][column], _argument_none_of(1, (*_PUSH_INTO_TERMINAL, *_SET_OWNER_BY_IOCTL)))
    program += _when(NUMBERS["fcntl"][column], _argument_none_of(1, _SET_OWNER))
    if files_in_sight:
        for name, own in (("kill", ()), ("tgkill", ()), ("prlimit64", (0,)), ("sched_setaffinity", (0,))):
            program += _when(NUMBERS[name][column], _argument_one_of(0, (OWN_PID, *own)))
        program += _when(NUMBERS["prctl"][column], _argument_none_of(0, (_DEATH_SIGNAL,)))
    program.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", code, yes, no, value) for code, yes, no, value in program)


def _when(number: int | None, then: list[Instruction]) -> list[Instruction]:
    """Instructions for one system call; those of `then` end in a decision, or fall through to `allow`."""
    if number is None:
        return []
    body = then if len(then) == 1 else [*then, (_RETURN, 0, 0, _ALLOW)]
    return [(_EQUAL, 0, len(body), number), *body]


def _refuse(errno: int) -> Instruction:
    return (_RETURN, 0, 0, _ERRNO | errno)


def _argument(index: int) -> list[Instruction]:
    """Load the low half of an argument; both machines are little-endian."""
    return [(_LOAD, 0, 0, _ARGUMENTS + 8 * index)]


def _argument_one_of(index: int, values: Sequence[int]) -> list[Instruction]:
    tests = [(_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [*_argument(index), *tests, _refuse(ERRNO_PERM)]


def _argument_none_of(index: int, values: Sequence[int]) -> list[Instruction]:
    tests = [(_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [*_argument(index), *tests, (_RETURN, 0, 0, _ALLOW), _refuse(ERRNO_PERM)]


def _stream_pair_only() -> list[Instruction]:
    return [
        *_argument(0),
        (_EQUAL, 0, 3, _UNIX),
        *_argument(1),
        (_AND, 0, 0, _SOCKET_KIND),
        (_EQUAL, 1, 0, _STREAM),
        _refuse(ERRNO_PERM),
    ]
