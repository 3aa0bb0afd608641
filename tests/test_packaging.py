"""What a wheel holds, and what the lock pins."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("db", "reviewer", "verifiers")


def shipped_files() -> set[str]:
    """Every file of the three folders, as its path below `holdfast`."""
    return {
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the sdist, which is built from a copy: old build folders can leak into neither."""
    source = tmp_path_factory.mktemp("source") / "holdfast"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info")
    shutil.copytree(ROOT, source, ignore=ignored)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(source / "dist"), str(source)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return next((source / "dist").glob("*.whl"))


def test_every_package_is_listed(pyproject: dict[str, Any]) -> None:
    folders = {Path(file).parent.as_posix() for file in shipped_files() if file.endswith(".py")}
    assert set(pyproject["tool"]["setuptools"]["packages"]) == {f"holdfast.{f.replace('/', '.')}" for f in folders}


def test_the_wheel_holds_every_file_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    own = {name.removeprefix("holdfast/") for name in names if name.startswith("holdfast/")}
    rest = {name for name in names if not name.startswith("holdfast/")}
    assert own == shipped_files()
    assert {re.sub(r"^holdfast-[^/]+\.dist-info/.*", "", name) for name in rest} == {""}


def test_the_lock_pins_every_dependency(pyproject: dict[str, Any]) -> None:
    project = pyproject["project"]
    wanted = [*project["dependencies"], *pyproject["dependency-groups"]["dev"]]
    for extra in project["optional-dependencies"].values():
        wanted += [line for line in extra if not line.startswith("holdfast")]
    pinned = locked()
    for requirement in map(Requirement, wanted):
        version = pinned.get(canonicalize_name(requirement.name), "not locked")
        assert requirement.specifier.contains(version), f"{requirement}: {version}; run `make lock`"


def test_the_lock_names_no_index_and_no_pandas() -> None:
    text = (ROOT / "requirements.lock").read_text("utf-8")
    assert "://" not in text
    assert "--index-url" not in text
    assert "pandas" not in locked()


def locked() -> dict[str, str]:
    """Versions by package name."""
    text = (ROOT / "requirements.lock").read_text("utf-8")
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", text, flags=re.MULTILINE))
