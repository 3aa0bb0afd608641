"""Which verifier files this user lets projects run: recorded by the hash of their content."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import orjson

from holdfast.db.errors import HoldfastError, UsageError


def state_dir() -> Path:
    """The user's folder for state, `$XDG_STATE_HOME/holdfast` or what the platform has in its place."""
    named = os.environ.get("XDG_STATE_HOME")
    if named:
        return Path(named) / "holdfast"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "holdfast"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "holdfast"
    return Path.home() / ".local" / "state" / "holdfast"


def digest(path: Path) -> str:
    """SHA-256 of the file's bytes; UsageError where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None


def trust(path: Path) -> str:
    """Record the file's hash for this user and return it; a changed file has to be trusted again."""
    sha256 = digest(path)
    known = {**_known(), sha256: str(path.resolve())}
    target = state_dir() / "trusted.json"
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = target.with_name(f".trusted.{os.getpid()}.json")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(orjson.dumps(known, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
        draft.replace(target)
    except OSError as error:
        raise HoldfastError(f"cannot write {target}: {error.strerror}") from None
    return sha256


def is_trusted(sha256: str) -> bool:
    """Whether this user trusted a file with this hash."""
    return sha256 in _known()


def _known() -> dict[str, str]:
    path = state_dir() / "trusted.json"
    try:
        known = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, orjson.JSONDecodeError) as error:
        raise HoldfastError(f"{path} cannot be read ({error}); repair or remove it") from None
    return known if isinstance(known, dict) else {}
