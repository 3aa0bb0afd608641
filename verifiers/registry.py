"""Finding verifiers by name: entry points of installed packages (our own too) and functions in a file."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from functools import cache
from importlib.metadata import EntryPoint, distributions
from pathlib import Path
from types import ModuleType
from typing import Any

from holdfast.db.errors import UsageError
from holdfast.verifiers.base import Verifier, did_you_mean

GROUP = "holdfast.verifiers"

AnyVerifier = Verifier[...]


def names() -> list[str]:
    """The names of all installed verifiers, sorted; nothing is imported."""
    return sorted(_entry_points())


def is_built_in(name: str) -> bool:
    """Whether the name is one of Holdfast's own verifiers."""
    entry = _entry_points().get(name)
    return entry is not None and entry.value.startswith("holdfast.")


def package_of(name: str) -> str:
    """The distribution that installed the named verifier, with its version."""
    entry = _entry_points().get(name)
    return f"{entry.dist.name} {entry.dist.version}" if entry is not None and entry.dist is not None else ""


def load(ref: str, *, sha256: str | None = None) -> AnyVerifier:
    """Load `NAME` (installed) or `FILE.py:NAME`; UsageError where there is none or it cannot be loaded.

    With `sha256` a file whose bytes have another hash is refused before any of it runs.
    """
    path, name = split_ref(ref)
    return _load_installed(name) if path is None else _load_from_file(path, name, sha256)


def split_ref(ref: str) -> tuple[Path | None, str]:
    """`FILE.py:NAME` as path and name, `NAME` as None and name."""
    path, colon, name = ref.rpartition(":")
    return (Path(path), name) if colon and path.endswith(".py") else (None, ref)


def installed(warn: Callable[[str], None]) -> list[AnyVerifier]:
    """Every installed verifier that loads, by name; `warn` gets one line for each that does not."""
    found = []
    for name in names():
        try:
            found.append(_load_installed(name))
        except UsageError as error:
            warn(f"{error}; left out")
    return found


@cache
def _entry_points() -> dict[str, EntryPoint]:
    """Entry points by name; of two with one name Holdfast's own is taken, else the first by package."""
    # `importlib.metadata.entry_points` would let the stale metadata of a checkout hide what is installed.
    installed = (entry for one in distributions() for entry in one.entry_points if entry.group == GROUP)
    found: dict[str, EntryPoint] = {}
    for entry in sorted(installed, key=lambda one: (not one.value.startswith("holdfast."), one.value)):
        found.setdefault(entry.name, entry)
    return found


def _load_installed(name: str) -> AnyVerifier:
    entry = _entry_points().get(name)
    if name.endswith(".py"):
        raise UsageError(f"{name}: say which verifier of the file is meant, as {name}:NAME")
    if entry is None:
        listed = did_you_mean(name, names()) or f"; installed are: {', '.join(names()) or 'none'}"
        raise UsageError(f"no verifier is called {name!r}{listed}")
    try:
        loaded = entry.load()
    except Exception as error:
        raise UsageError(
            f"verifier {name!r} of {package_of(name)} cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    if isinstance(loaded, Verifier) and loaded.name != name:
        raise UsageError(f"verifier {name!r} of {package_of(name)} calls itself {loaded.name!r}: the two must agree")
    return _checked(loaded, f"verifier {name!r} of {package_of(name)}")


def _load_from_file(path: Path, name: str, sha256: str | None) -> AnyVerifier:
    try:
        source = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the verifier file {path}: {error.strerror}") from error
    digest = hashlib.sha256(source).hexdigest()
    if sha256 is not None and digest != sha256:
        raise UsageError(f"{path} has changed since it was checked; run the command again")
    module = _execute(path.resolve(), source, digest)
    if not hasattr(module, name):
        found = [key for key, value in vars(module).items() if isinstance(value, Verifier)]
        listed = did_you_mean(name, found) or f"; verifiers in it: {', '.join(found) or 'none'}"
        raise UsageError(f"{path} holds no {name!r}{listed}")
    return _checked(getattr(module, name), f"{name} of {path}")


def _execute(path: Path, source: bytes, digest: str) -> ModuleType:
    """Run the file's source as a module of its own; a file with the same content is run once in a process."""
    module_name = f"holdfast_file_{digest[:16]}"
    if module_name in sys.modules:
        return sys.modules[module_name]
    module = ModuleType(module_name)
    module.__file__ = str(path)
    sys.modules[module_name] = module
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)
    except BaseException as error:
        del sys.modules[module_name]
        if isinstance(error, Exception):
            raise UsageError(f"{path} cannot be loaded: {type(error).__name__}: {error}") from error
        raise
    return module


def _checked(loaded: Any, what: str) -> AnyVerifier:
    if not isinstance(loaded, Verifier):
        raise UsageError(f"{what} is not a verifier: decorate the function with @verifier(layer=…, version=…)")
    return loaded
