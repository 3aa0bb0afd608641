"""The jails: how each starts an interpreter behind walls that the kernel holds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from holdfast.verifiers.jail import filters

SCRATCH = "/scratch"
SCRATCH_BYTES = 32 << 20
SITE = "/site"
NOBODY = 65_534
OWN_UIDS = 1_200_000_000
"""Root's programs run as a user of their own, numbered from here, so that limits on processes count one jail."""

_PLACES = ("/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
_LINKER = "/etc/ld.so.cache"
_ENVIRONMENT = {
    "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "0", "PYTHONIOENCODING": "utf-8:backslashreplace",
    # Threads of numerical libraries would each take a share of the address space.
    "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
}  # fmt: skip
# Without -I, which would ignore PYTHONHASHSEED: the environment holds nothing but what stands above.
_FLAGS = ("-P", "-s", "-S", "-B", "-X", "utf8", "-c")


@dataclass(frozen=True, slots=True)
class Start:
    """A process to start: its command, user and environment, and what the code inside has to know."""

    command: list[str]
    environment: dict[str, str]
    user: int | None
    inherited: tuple[int, ...]
    site: list[str]
    readable: list[str]
    scratch: str | None
    landlock: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Jail:
    """One way to lock a program up; `user` is taken before the jail is built, where one is given."""

    name: str
    bwrap: str | None = None
    user: int | None = None
    own_users: bool = True

    def start(self, code: str, packages: Sequence[str], seccomp: int | None) -> Start:
        """How to start the interpreter on a line of code, with the named packages within its reach."""
        found = [place for name in packages for place in package_places(name)]
        if self.bwrap is None:
            return _under_landlock(code, found)
        assert seccomp is not None
        return self._under_bubblewrap(self.bwrap, code, found, seccomp)

    def _under_bubblewrap(self, bwrap: str, code: str, packages: Sequence[Path], seccomp: int) -> Start:
        known = _options_of(bwrap)
        command = [bwrap, "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--seccomp", str(seccomp)]
        if "--clearenv" in known:
            command.append("--clearenv")
        if self.own_users:
            command += ["--unshare-user", "--unshare-all"]
            command += ["--disable-userns"] * ("--disable-userns" in known)
        else:  # real root: no user name space, so that the code inside can become a user that owns nothing
            command += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
            command += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        command += _system_files(parents_open="--perms" in known)
        command += ["--perms", "0755"] * ("--perms" in known) + ["--dir", SITE]
        for package in packages:
            command += ["--ro-bind", str(package), f"{SITE}/{package.name}"]
        scratch = SCRATCH if "--size" in known else None
        if scratch:
            command += ["--perms", "0777", "--size", str(SCRATCH_BYTES), "--tmpfs", scratch, "--chdir", scratch]
        command += ["--remount-ro", "/"]
        environment = _ENVIRONMENT | ({"TMPDIR": scratch, "HOME": scratch} if scratch else {})
        for name, value in environment.items():
            command += ["--setenv", name, value]
        command += ["--", _interpreter(), *_FLAGS, code]
        readable = [*_PLACES, "/usr", sys.base_prefix, SITE, *_DEVICES, _LINKER]
        return Start(command, {}, self.user, (seccomp,), [SITE], readable, scratch)


def candidates() -> list[Jail]:
    """The jails that this machine might have, the best first; each still has to show that it holds."""
    if sys.platform != "linux" or not filters.supported():
        return []
    found = []
    bwrap = shutil.which("bwrap", path=os.environ.get("PATH", "") + ":/usr/bin:/usr/local/bin")
    if bwrap:
        if is_root():
            found.append(Jail("bubblewrap", bwrap, own_users=False))
            found.append(Jail("bubblewrap", bwrap, user=NOBODY))
        else:
            found.append(Jail("bubblewrap", bwrap))
    return [*found, Jail("landlock")]


def remedy() -> str:
    """What a person can do where no jail holds."""
    if sys.platform != "linux":
        return "generated code is run on Linux only: verify there, or leave out the verifiers that run code"
    if not filters.supported():
        return (
            "generated code is run on x86_64 and aarch64 only: verify there, or leave the verifiers that run code out"
        )
    if shutil.which("bwrap"):
        return (
            "bubblewrap is installed but may not make name spaces here: allow unprivileged user name spaces "
            "(in a container: --security-opt seccomp=unconfined), or use a kernel with landlock"
        )
    return "install bubblewrap: apt-get install bubblewrap"


@cache
def package_places(name: str) -> tuple[Path, ...]:
    """The folders and files of an installed package: itself and the shared libraries beside it; LookupError if none."""
    try:
        spec = find_spec(name) if name.isidentifier() else None
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin in (None, "built-in", "frozen"):
        raise LookupError(f"the package {name!r} is not installed beside Holdfast")
    whole = Path(spec.submodule_search_locations[0]) if spec.submodule_search_locations else Path(str(spec.origin))
    libraries = whole.with_name(f"{name}.libs")
    return (whole, libraries) if libraries.is_dir() else (whole,)


@cache
def _options_of(bwrap: str) -> frozenset[str]:
    shown = subprocess.run([bwrap, "--help"], capture_output=True, text=True, env={}, check=False)
    return frozenset((shown.stdout + shown.stderr).split())


def _interpreter() -> str:
    """The interpreter itself: a virtual environment's is a link to it."""
    return os.path.realpath(sys.executable)


def _system_files(*, parents_open: bool) -> list[str]:
    """Arguments that show the system's programs and libraries and the interpreter's own, all of them read-only."""
    arguments = ["--ro-bind", "/usr", "/usr"]
    for place in _PLACES:
        if os.path.islink(place):
            arguments += ["--symlink", os.readlink(place), place]
        elif os.path.isdir(place):
            arguments += ["--ro-bind", place, place]
    if parents_open:
        arguments += ["--perms", "0755", "--dir", "/etc"]
    arguments += ["--ro-bind-try", _LINKER, _LINKER]
    prefix = os.path.realpath(sys.base_prefix)
    if not _beneath(prefix, "/usr"):
        if parents_open:  # else a folder such as /root keeps its mode, and the program's user cannot enter it
            for folder in reversed(Path(prefix).parents[:-1]):
                arguments += ["--perms", "0755", "--dir", str(folder)]
        arguments += ["--ro-bind", prefix, prefix]
    if parents_open:
        arguments += ["--perms", "0755", "--dir", "/dev"]
    for device in _DEVICES:
        arguments += ["--dev-bind", device, device]
    return arguments


def _under_landlock(code: str, packages: Sequence[Path]) -> Start:
    site = sorted({str(package.parent) for package in packages})
    files = dict.fromkeys(["/usr", *_PLACES, _LINKER, os.path.realpath(sys.base_prefix)], "read")
    files |= dict.fromkeys(map(str, packages), "read") | dict.fromkeys(site, "list")
    files |= dict.fromkeys(_DEVICES, "write")
    return Start([_interpreter(), *_FLAGS, code], dict(_ENVIRONMENT), None, (), site, list(files), None, files)


def is_root() -> bool:
    """Whether this process is the superuser's."""
    return os.geteuid() == 0


def closed_folder() -> bool:
    """Whether another user than root could not reach the interpreter or what is installed beside it."""
    places = [Path(sys.base_prefix).resolve(), Path(sysconfig.get_path("platlib"))]
    return any(not folder.stat().st_mode & 0o001 for place in places for folder in (place, *place.parents))


def _beneath(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")
