"""The order of the queue, killed while it is made or brought to the queue: the next one ends where it would have."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from filling import decide, ingest, judge, make_sample
from killing import run_killed

from holdfast.db import queue
from holdfast.db.check import check
from holdfast.db.models import Outcome
from holdfast.db.orderings import newest_ordering, state_of
from holdfast.db.store import Store
from holdfast.reviewer.pipeline.ordering import bring_up_to_date, due
from holdfast.reviewer.project import Project

KILLS = 12
LEAD = "lead-1"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with 24 samples of two sources that wait and an ordering behind which decisions have gone."""
    project = Project.init(tmp_path / "project", shared=False, user=LEAD)
    with project.store() as store:
        ingest(store, [make_sample(number, model=f"model-{number % 2}") for number in range(60)])
        judge(store, {number: Outcome.FLAG if number % 3 else Outcome.ERROR for number in range(1, 61)}, audit=[9, 14])
        bring_up_to_date(project, store, actor=LEAD)
        for number in range(1, 37):
            decide(store, number, "accept" if number % 4 else "reject")
    return project


def ordered(project: Project, *, killed_at: int = 0) -> int:
    """Bring the queue up to date in a process, killed at the statement of that number; how many it ran, 0: killed."""
    return run_killed(
        project.store_path, lambda store: bring_up_to_date(project, store, actor=LEAD), killed_at=killed_at
    )


def contents(store: Store) -> Any:
    newest = newest_ordering(store)
    assert newest is not None
    assert list(check(store)) == []
    return newest.version, state_of(store, newest.version), list(queue.listing(store))


def test_a_killed_ordering_goes_on_to_the_same_order(project: Project, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(project.root, whole)
    statements = ordered(Project(whole))
    with Project(whole).store() as store:
        expected = contents(store)
        assert expected[0] == 2
        assert not due(project.config.review, store)
    assert statements > KILLS
    unfinished = 0
    for killed_at in range(1, statements, -(-statements // KILLS)):
        again = Project(shutil.copytree(project.root, tmp_path / f"killed-{killed_at}"))
        assert ordered(again, killed_at=killed_at) == 0
        with again.store() as store:
            assert list(check(store)) == []
            unfinished += contents(store)[0] == 2
            assert due(again.config.review, store)
            bring_up_to_date(again, store, actor=LEAD)
            assert contents(store) == expected
            assert not due(again.config.review, store)
    assert unfinished
