"""The documentation is true: its commands run and print what it shows, and its generated parts are in step."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import click
import pytest
from click.testing import CliRunner, Result

from holdfast.reviewer.cli import COMMANDS, main

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(?P<kind>\w+)(?: (?P<file>[\w.-]+))?\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
OPENS_THE_DESK = {"holdfast", "holdfast review", "holdfast demo"}


@dataclass
class Step:
    """A command as a page shows it, with the lines shown below it."""

    command: str
    shown: list[str] = field(default_factory=list)


def steps(body: str) -> list[Step]:
    """The commands of one console block, in order."""
    found: list[Step] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append(Step(line.removeprefix("$ ")))
        elif line.strip():
            found[-1].shown.append(line)
    return found


def files_of(page: Path) -> Iterator[tuple[str, str]]:
    """The files that a page tells its reader to have."""
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if block["file"]:
            yield block["file"], block["body"]


def steps_of(page: Path) -> list[Step]:
    """All commands of a page, in order."""
    blocks = BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [step for block in blocks if block["kind"] == "console" for step in steps(block["body"])]


def as_pattern(line: str) -> re.Pattern[str]:
    """A shown line as a pattern: `…` stands for anything."""
    return re.compile(".*".join(re.escape(part) for part in line.rstrip().split("…")))


def run(command: str) -> Result:
    """Run a `holdfast …` command through the real command line, in this process."""
    arguments = shlex.split(command, comments=True)[1:]
    return CliRunner().invoke(main, arguments, prog_name="holdfast", catch_exceptions=False)


class Reader:
    """Somebody who types what a page says."""

    def __init__(self) -> None:
        self.last: Result | None = None
        self.status_looked_at = True

    def type(self, step: Step) -> None:
        """Run one command and compare what it prints with what the page shows."""
        word = step.command.split()[0]
        if step.command in OPENS_THE_DESK or word == "make":
            return
        if word == "cd":
            os.chdir(step.command.split()[1])
        elif step.command == "echo $?":
            assert self.last is not None
            assert [str(self.last.exit_code)] == step.shown, self.last.output
            self.status_looked_at = True
        else:
            self.expect_success()
            assert word == "holdfast", f"the test cannot run: {step.command}"
            self.last, self.status_looked_at = run(step.command), False
            self.compare(step, self.last.output)

    def expect_success(self) -> None:
        """A command whose exit status the page does not show must have succeeded."""
        if self.last is not None and not self.status_looked_at:
            assert self.last.exit_code == 0, self.last.output

    def compare(self, step: Step, output: str) -> None:
        """Every shown line is in the output, in the order shown."""
        rest = iter(output.splitlines())
        for line in step.shown:
            pattern = as_pattern(line)
            found = any(pattern.fullmatch(real.rstrip()) for real in rest)
            assert found, f"$ {step.command}\n{line}\nis not in\n{output}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_docs_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOLDFAST_USER", "lead-1")
    for name, body in files_of(page):
        (tmp_path / name).write_text(body, encoding="utf-8")
    reader = Reader()
    for step in steps_of(page):
        reader.type(step)
    reader.expect_success()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.finditer(page.read_text(encoding="utf-8")):
        target, _, anchor = link["target"].partition("#")
        if "://" in target:
            continue
        other = (page.parent / target).resolve() if target else page
        assert other.exists(), link["target"]
        if anchor:
            headings = re.findall(r"^#+ (.*)$", other.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}, link["target"]


def script(name: str) -> ModuleType:
    """One of the scripts that make parts of the documentation."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """The script that writes the generated parts."""
    return script("generate")


async def test_the_picture_of_the_desk_can_be_drawn() -> None:
    drawn = await script("pictures").triage()
    for words in ("library-fines", "chain_of_thought", "accept", "reject"):
        assert words in drawn
        assert words in (ROOT / "docs" / "images" / "triage.svg").read_text(encoding="utf-8")


def test_generated_parts_are_in_step(generate: ModuleType) -> None:
    for path, text in generate.pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `python docs/generate.py`"


def test_every_command_is_documented() -> None:
    text = (ROOT / "docs" / "engineers.md").read_text(encoding="utf-8")
    documented = {name for line in re.findall(r"^### (.*)$", text, re.MULTILINE) for name in line.split(", ")}
    assert set(COMMANDS) == documented


def test_every_command_has_help(generate: ModuleType) -> None:
    with click.Context(main, info_name="holdfast") as context:
        for name, command in generate.commands(context):
            assert command.help, name
            options = [one for one in command.get_params(context) if isinstance(one, click.Option)]
            assert [one.name for one in options if not one.help] == [], name
