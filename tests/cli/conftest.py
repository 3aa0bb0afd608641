"""A project with samples at every status, and commands run on it as a user would."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from filling import ingest, judge, make_sample

from holdfast.db.models import Outcome
from holdfast.reviewer.cli import main
from holdfast.reviewer.project import Project

Run = Callable[..., Result]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Batch `b`: 0 is human and passed, 1 to 5 flagged, 6 passed and audited, 7 passed, 8 failed, 9 pending."""
    project = Project.init(tmp_path / "project", shared=False, user="lead-1")
    monkeypatch.chdir(project.root)
    samples = [make_sample(0, provenance="human", model=None), *(make_sample(number) for number in range(1, 10))]
    with project.store() as store:
        ingest(store, samples)
        outcomes = {1: Outcome.PASS, **dict.fromkeys(range(2, 7), Outcome.FLAG), 7: Outcome.PASS, 8: Outcome.PASS}
        judge(store, {**outcomes, 9: Outcome.FAIL}, audit=[7])
    return project


@pytest.fixture
def run() -> Run:
    """Run `holdfast` as a user, by default as the lead; the status must be the one expected."""

    def call(*arguments: str, user: str = "lead-1", status: int = 0, stdin: str | None = None) -> Result:
        result = CliRunner().invoke(main, [*arguments, "--user", user], input=stdin)
        assert result.exit_code == status, result.output
        return result

    return call


@pytest.fixture
def read(run: Run) -> Callable[..., Any]:
    """The JSON document that a command prints."""

    def call(*arguments: str, **options: Any) -> Any:
        return json.loads(run(*arguments, "--json", **options).stdout)

    return call
