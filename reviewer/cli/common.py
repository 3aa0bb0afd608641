"""What every command shares: who acts on which project, and how data and talk are printed."""

from __future__ import annotations

import functools
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from holdfast.reviewer.project import Project

F = TypeVar("F", bound=Callable[..., Any])

_UNSAFE = re.compile(r"[^\n\x20-\x7e]")


class Name(click.ParamType[str]):
    """A name of a batch, mix or user: 1 to 64 letters, digits, dots, underscores and hyphens."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name as it is; anything else is wrong usage."""
        from holdfast.db.errors import UsageError
        from holdfast.db.users import check_name

        try:
            return check_name(str(value), "name")
        except UsageError as error:
            self.fail(str(error), param, ctx)


NAME = Name()


class Text(click.ParamType[str]):
    """Text as the shell gave it, read as UTF-8 whatever the locale."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text; bytes that are no UTF-8 are wrong usage."""
        text = str(value)
        try:
            # In an ASCII locale other bytes come as lone surrogates.
            return text if text.isascii() else text.encode(errors="surrogateescape").decode()
        except UnicodeError:
            self.fail("not UTF-8 text", param, ctx)


TEXT = Text()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who runs a command, and where."""

    project_dir: Path | None
    user: str

    def project(self) -> Project:
        """The project that the command works on; NoProject says how to start one."""
        from holdfast.reviewer.project import Project

        return Project.find(self.project_dir)


def acts(command: F) -> F:
    """Give a command `--project` and `--user` (or `--reviewer`), and a Caller as its keyword `caller`."""

    @click.option("--project", metavar="DIR", help="The project's folder.")
    @click.option("--user", "--reviewer", metavar="NAME", help="Who acts.")
    @functools.wraps(command)
    def run(*args: Any, project: str | None, user: str | None, **options: Any) -> Any:
        where = project or _from_above("project")
        who = user or _from_above("user") or _login()
        return command(*args, caller=Caller(Path(where) if where else None, NAME.convert(who, None, None)), **options)

    return run  # type: ignore[return-value]


def _from_above(name: str) -> str | None:
    """What was given before the command's name, the nearest first."""
    context = click.get_current_context().parent
    while context is not None:
        if (given := context.params.get(name)) is not None:
            return str(given)
        context = context.parent
    return None


def json_option(command: F) -> F:
    """Give a command `--json`, passed as the keyword `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def jsonl_option(command: F) -> F:
    """Give a command `--jsonl`, passed as the keyword `as_jsonl`."""
    return click.option("--jsonl", "as_jsonl", is_flag=True, help="Print one JSON document a line.")(command)


def print_json(document: Any) -> None:
    """Print a JSON document on stdout: indented and in ASCII on a terminal, compact and raw elsewhere."""
    import orjson

    if sys.stdout.isatty():
        text = orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
        click.echo(_UNSAFE.sub(_escape, text))
    else:
        _write_bytes(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))


def print_jsonl(documents: Iterable[Any]) -> None:
    """Print documents on stdout, one a line: in ASCII on a terminal, raw elsewhere."""
    import orjson

    terminal = sys.stdout.isatty()
    for document in documents:
        line = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
        if terminal:
            click.echo(_UNSAFE.sub(_escape, line.decode()), nl=False)
        else:
            _write_bytes(line)


def say(text: str = "") -> None:
    """Print a line of text on stdout; on a terminal what could steer it is made visible."""
    click.echo(_visible(text) if sys.stdout.isatty() else text)


def warn(text: str) -> None:
    """Print a line of talk on stderr; on a terminal what could steer it is made visible."""
    click.echo(_visible(text) if sys.stderr.isatty() else text, err=True)


def quantity(count: int, thing: str) -> str:
    """A number of things in words: 1 claim, 2 claims."""
    return f"{count} {thing if count == 1 else thing + 's'}"


def ticker() -> Callable[[str], None]:
    """A line on stderr that is written over as work goes on; silent where stderr is no terminal."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda text: click.echo(f"\r{text}", nl=False, err=True)


@contextmanager
def progress_line() -> Iterator[Callable[[str, int, int], None]]:
    """A progress line on stderr, redrawn in place, where stderr is a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return

    def show(what: str, done: int, total: int) -> None:
        share = f" {done:,} of {total:,} ({done / total:.0%})" if total else " …"
        click.echo(f"\r\x1b[K{what}{share}", nl=False, err=True)

    try:
        yield show
    finally:
        click.echo("\r\x1b[K", nl=False, err=True)


def _visible(text: str) -> str:
    from holdfast.reviewer.sanitise import terminal_text

    return terminal_text(text)


def _login() -> str:
    named = os.environ.get("HOLDFAST_USER")
    if named:
        return named
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise click.UsageError("this account has no login name: say who acts with --user or HOLDFAST_USER") from None


def _escape(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def _write_bytes(data: bytes) -> None:
    sys.stdout.buffer.write(data)
