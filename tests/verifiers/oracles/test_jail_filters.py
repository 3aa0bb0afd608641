"""The filter of system calls, run by a small BPF machine of the tests' own, for machines that are not this one too."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from holdfast.verifiers.jail.filters import OWN_PID, filter_for
from holdfast.verifiers.jail.syscalls import DENIED, DENIED_ON_FILES, NUMBERS

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOWED, REFUSED, NO_SUCH_CALL, KILLED = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
THREAD_FLAGS, FORK_FLAGS = 0x3D0F00, 0x1200011
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


def decide(program: bytes, number: int, *arguments: int, arch: int) -> int:
    """What the kernel would answer."""
    data = struct.pack("=IIQ6Q", number, arch, 0, *[*arguments, *[0] * 6][:6])
    at = accumulator = 0
    while True:
        code, yes, no, value = struct.unpack_from("HBBI", program, 8 * at)
        at += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("=I", data, value)
            case 0x54:
                accumulator &= value
            case 0x15:
                at += yes if accumulator == value else no
            case 0x35:
                at += yes if accumulator >= value else no
            case 0x45:
                at += yes if accumulator & value else no
            case 0x06:
                return int(value)
            case _:
                raise AssertionError(hex(code))


@pytest.mark.parametrize("machine", ARCHITECTURES)
@pytest.mark.parametrize("files", [False, True])
def test_every_named_call_is_refused_and_others_are_not(machine: str, files: bool) -> None:
    arch = ARCHITECTURES[machine]
    column = list(ARCHITECTURES).index(machine)
    program = filter_for(machine, files_in_sight=files)
    refused = {NUMBERS[name][column] for name in (*DENIED, *(DENIED_ON_FILES if files else ()))}
    special = {NUMBERS[name][column] for name in ("clone", "clone3", "socketpair", "ioctl", "fcntl")}
    if files:
        special |= {NUMBERS[name][column] for name in ("kill", "tgkill", "prlimit64", "sched_setaffinity", "prctl")}
    for number in set(range(480)) - special:
        assert decide(program, number, arch=arch) == (REFUSED if number in refused else ALLOWED), number


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_arguments_decide_where_they_matter(machine: str) -> None:
    arch, column = ARCHITECTURES[machine], list(ARCHITECTURES).index(machine)

    def answer(name: str, *arguments: int, files: bool = False) -> int:
        number = NUMBERS[name][column]
        assert number is not None
        return decide(filter_for(machine, files_in_sight=files), number, *arguments, arch=arch)

    assert answer("clone", THREAD_FLAGS) == ALLOWED
    assert answer("clone", FORK_FLAGS) == REFUSED
    assert answer("clone3") == NO_SUCH_CALL
    assert answer("socketpair", 1, 1) == ALLOWED
    assert answer("socketpair", 1, 1 | 0x80000) == ALLOWED
    assert answer("socketpair", 1, 2) == REFUSED
    assert answer("socketpair", 2, 1) == REFUSED
    assert answer("ioctl", 0, 0x5401) == ALLOWED
    assert answer("ioctl", 0, 0x5412) == REFUSED
    for command in (0x8901, 0x8902):
        assert answer("ioctl", 0, command) == REFUSED
    assert answer("fcntl", 0, 1) == ALLOWED
    for command in (8, 10, 15):
        assert answer("fcntl", 0, command) == REFUSED
    assert answer("prctl", 15, files=True) == ALLOWED
    assert answer("prctl", 1, files=True) == REFUSED
    for name in ("kill", "tgkill", "prlimit64", "sched_setaffinity"):
        assert answer(name, OWN_PID, files=True) == ALLOWED
        assert answer(name, 1, files=True) == REFUSED
    assert answer("prlimit64", 0, files=True) == ALLOWED
    assert answer("kill", 0, files=True) == REFUSED


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_other_tables_of_calls_are_closed(machine: str) -> None:
    program = filter_for(machine)
    assert decide(program, 1, arch=0x40000003) == KILLED
    if machine == "x86_64":
        assert decide(program, 0x40000000 + 41, arch=ARCHITECTURES[machine]) == REFUSED


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_the_numbers_are_those_of_the_headers(machine: str) -> None:
    header = HEADERS[machine]
    if not header.is_file():
        pytest.skip(f"{header} is not installed")
    text, column = header.read_text(), list(ARCHITECTURES).index(machine)
    known = {name: int(number) for name, number in re.findall(r"#define\s+__NR(?:3264)?_(\w+)\s+(\d+)", text)}
    for name, numbers in NUMBERS.items():
        if name in known:
            assert numbers[column] == known[name], name
