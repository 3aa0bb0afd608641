"""Write the parts of the documentation that come from code: `python docs/generate.py`. A test keeps them in step."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from holdfast.reviewer import cli, config
from holdfast.reviewer.tui.bindings import bindings_markdown
from holdfast.verifiers import registry

DOCS = Path(__file__).resolve().parent

_CONFIGURATION = """\
# Configuration

<!-- made by docs/generate.py -->

A project's settings stand in its `holdfast.toml`, which `holdfast init` writes with every setting and its default.
What the file leaves out has its default. A misspelt key or a wrong value is an error that names the key, before
anything runs.
"""


def pages() -> dict[Path, str]:
    """Each page that holds generated parts, as it should be."""
    parts: dict[str, tuple[str, Callable[[], str]]] = {
        "keys": ("annotators.md", bindings_markdown),
        "verifiers": ("verifiers.md", verifiers),
        "options": ("engineers.md", options),
    }
    made = {DOCS / "configuration.md": configuration()}
    for name, (page, make) in parts.items():
        begin, end = f"<!-- {name}: made by docs/generate.py -->\n", f"<!-- {name}: end -->"
        text = (DOCS / page).read_text(encoding="utf-8")
        head, found, rest = text.partition(begin)
        _, closed, tail = rest.partition(end)
        if not (found and closed):
            raise ValueError(f"{page}: the marks of the part {name!r} are gone")
        made[DOCS / page] = f"{head}{begin}{make()}{end}{tail}"
    return made


def configuration() -> str:
    """The page of all settings, from the documented fields of the models."""
    lines = [_CONFIGURATION]
    for name, field in config.Config.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            lines += [f"## [{name}]\n", _one_line(section.__doc__), "", _SETTINGS]
            lines += [_setting(key, info) for key, info in section.model_fields.items()]
        else:
            lines += [f"## [{name}]\n", field.description or ""]
        lines.append("")
    return "\n".join([*lines, "## Options of verifiers\n", _OPTIONS, *_option_tables()]).rstrip() + "\n"


_SETTINGS = "| key | type | default | meaning |\n|---|---|---|---|"
_OPTIONS = """\
The options of a verifier stand in a table of its own, such as `[verifiers.length_outlier]`. A threshold is a number, or
`{above = 3.0}` or `{below = 0.2}`; changing one runs no check again.
"""


def verifiers() -> str:
    """The installed verifiers that come with Holdfast, as a table."""
    lines = ["| verifier | layer | version | what it does |", "|---|---|---|---|"]
    lines += [f"| `{one.name}` | {one.layer} | {one.version} | {_cell(one.summary)} |" for one in _built_in()]
    return "\n".join(lines) + "\n"


def options() -> str:
    """Every option of every command, as a table."""
    lines = ["| command | option | meaning |", "|---|---|---|"]
    with click.Context(cli.main, info_name="holdfast") as context:
        for path, command in commands(context):
            for parameter in command.get_params(context):
                if isinstance(parameter, click.Option) and not (parameter.hidden or _EVERYWHERE & {*parameter.opts}):
                    lines.append(f"| `{path}` | {_spelled(parameter, context)} | {_cell(parameter.help or '')} |")
    lines.append("| each | `--project DIR` | The project's folder. |")
    lines.append("| each | `--user NAME`, `--reviewer NAME` | Who acts. |")
    return "\n".join(lines) + "\n"


def commands(context: click.Context) -> Iterator[tuple[str, click.Command]]:
    """Every command by what is typed after `holdfast`; a group's commands by both words."""
    for name in cli.main.list_commands(context):
        command = cli.main.get_command(context, name)
        if isinstance(command, click.Group):
            for below in command.list_commands(context):
                inner = command.get_command(context, below)
                if inner is not None:
                    yield f"{name} {below}", inner
        elif command is not None:
            yield name, command


_EVERYWHERE = frozenset({"--project", "--user", "--help"})


def _spelled(option: click.Option, context: click.Context) -> str:
    value = "" if option.is_flag or option.count else f" {option.make_metavar(context)}".replace("INTEGER RANGE", "N")
    return ", ".join(f"`{name}{value}`" for name in option.opts).replace("|", r"\|")


def _built_in() -> list[registry.AnyVerifier]:
    return [one for one in registry.installed(warn=_refuse) if registry.is_built_in(one.name)]


def _refuse(message: str) -> None:
    raise ValueError(message)


def _option_tables() -> Iterator[str]:
    for one in _built_in():
        settings = one.settings({})
        shown = {**settings.options_json, **{name: limit.to_json() for name, limit in settings.thresholds.items()}}
        if shown:
            yield f"### [verifiers.{one.name}]\n"
            yield f"{_one_line(one.summary)}\n\n| option | default | meaning |\n|---|---|---|"
            rows = ((name, value, _cell(one.option_help[name])) for name, value in shown.items())
            yield "\n".join(f"| `{name}` | `{_toml(value)}` | {text} |" for name, value, text in rows) + "\n"


def _setting(key: str, info: FieldInfo) -> str:
    return f"| `{key}` | {_type_name(info.annotation)} | `{_toml(info.default)}` | {_cell(info.description or '')} |"


def _type_name(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f'`"{value}"`' for value in inner)
    if origin in (Union, UnionType):
        return _type_name(next(one for one in inner if one is not type(None)))
    if origin in (tuple, list):
        return "list of texts"
    names: dict[Any, str] = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    return names.get(annotation, "text")


def _toml(value: Any) -> str:
    if value is None:
        return "(none)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_toml(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(inner) for inner in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _cell(text: str) -> str:
    return _one_line(text).replace("|", r"\|")


def _one_line(text: str | None) -> str:
    return re.sub(r"\s+", " ", text or "").strip()


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.name}\n")
