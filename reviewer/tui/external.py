"""A text in the reviewer's own editor, by way of a file that only the reviewer can read."""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.db.errors import HoldfastError


def editor_command() -> list[str]:
    """The command of `$VISUAL` or `$EDITOR`, else `vi`."""
    return shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi") or ["vi"]


@contextmanager
def private_file(text: str) -> Iterator[Path]:
    """A file with a text, mode 0600, in a folder of its own, mode 0700; both are removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="holdfast-"))
    try:
        path = folder / "response.txt"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8", "surrogatepass"))
        yield path
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def text_from(path: Path) -> str:
    """The file's text as the editor left it; HoldfastError if it is gone or not UTF-8."""
    try:
        return path.read_bytes().decode("utf-8", "surrogatepass")
    except OSError as error:
        raise HoldfastError(f"the editor left no file to read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise HoldfastError(f"the editor saved text that is not UTF-8 (byte {error.start})") from error
