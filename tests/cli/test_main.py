"""The command line as a whole: help, defaults, errors, exit statuses."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from holdfast.reviewer.cli import COMMANDS, main
from holdfast.reviewer.project import Project

Run = Callable[..., Result]
HOLDFAST = [sys.executable, "-c", "from holdfast.reviewer.cli import main; main()"]


def commands() -> list[tuple[str, click.Command]]:
    context = click.Context(main)
    found: list[tuple[str, click.Command]] = []
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        below = command.commands.values() if isinstance(command, click.Group) else ()
        found += [(f"{name} {one.name}", one) for one in below] or [(name, command)]
    return found


@pytest.mark.parametrize(("name", "command"), commands())
def test_every_command_takes_project_and_user(name: str, command: click.Command) -> None:
    options = {option for parameter in command.params for option in parameter.opts}
    assert {"--project", "--user", "--reviewer"} <= options, name
    assert command.get_short_help_str()


def test_help_lists_every_command() -> None:
    shown = CliRunner().invoke(main, ["--help"])
    assert shown.exit_code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in shown.stdout


def test_an_unknown_command_is_status_2_with_a_suggestion() -> None:
    result = CliRunner().invoke(main, ["statsu"])
    assert result.exit_code == 2
    assert "status" in result.stderr


def test_without_a_project_bare_holdfast_says_how_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, [])
    assert result.exit_code == 2
    assert "holdfast init" in result.stderr
    assert "holdfast demo" in result.stderr


def test_options_stand_before_or_after_the_command(project: Project, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    for arguments in (
        ["--project", str(project.root), "--user", "lead-1", "status"],
        ["status", "--project", str(project.root), "--reviewer", "lead-1"],
    ):
        assert CliRunner().invoke(main, arguments).exit_code == 0
    monkeypatch.setenv("HOLDFAST_PROJECT", str(project.root))
    assert CliRunner().invoke(main, ["status"]).exit_code == 0


def test_init_writes_a_project_once(tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "new"
    run("init", str(folder))
    assert (folder / "holdfast.toml").read_text(encoding="utf-8").startswith("#")
    assert stat.S_IMODE((folder / "holdfast.db").stat().st_mode) == 0o600
    assert "exists already" in run("init", str(folder), status=1).stderr
    assert "lead-1" in run("user", "list", "--project", str(folder)).stdout


def test_wrong_settings_are_status_2_and_name_the_key(project: Project, run: Run) -> None:
    (project.root / "holdfast.toml").write_text("[review]\nlease_secnds = 3\n", encoding="utf-8")
    message = run("next", status=2).stderr
    assert "review.lease_secnds" in message
    assert "lease_seconds" in message


def test_a_name_outside_the_alphabet_is_status_2(project: Project, run: Run) -> None:
    run("status", user="no spaces", status=2)
    run("user", "add", "a/b", "--role", "lead", status=2)


def test_a_missing_store_and_a_file_that_is_none_are_errors(project: Project, run: Run) -> None:
    project.store_path.write_bytes(b"not a database, but long enough to look like a file" * 100)
    assert "not a readable SQLite file" in run("status", status=1).stderr
    project.store_path.unlink()
    assert "holdfast init" in run("status", status=1).stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind the superuser")
def test_a_read_only_store_is_a_clear_error(project: Project, run: Run) -> None:
    project.root.chmod(0o500)
    project.store_path.chmod(0o400)
    assert "cannot be written" in run("decide", "b/1", "accept", status=1).stderr
    project.root.chmod(0o700)


def test_a_fault_is_a_short_message_with_the_way_to_a_traceback(
    project: Project, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("inner")

    monkeypatch.setattr("holdfast.reviewer.pipeline.status.status", broken)
    message = run("status", status=1).stderr
    assert "KeyError" in message
    assert "HOLDFAST_TRACEBACK=1" in message
    assert "Traceback" not in message


def test_ctrl_c_is_status_130(project: Project, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("holdfast.reviewer.pipeline.status.status", interrupted)
    assert "interrupted" in run("status", status=130).stderr


def test_a_reader_that_goes_away_makes_no_noise(project: Project) -> None:
    command = subprocess.Popen(
        [*HOLDFAST, "queue", "--jsonl", "--project", str(project.root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert command.stdout is not None
    assert command.stderr is not None
    command.stdout.close()
    noise = command.stderr.read()
    command.stderr.close()
    command.wait()
    assert noise == b""


def test_the_desk_needs_a_terminal(project: Project, run: Run) -> None:
    assert "terminal" in run("review", status=2).stderr
