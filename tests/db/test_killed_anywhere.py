"""What writes the store, killed at every single statement: afterwards all of it is there or none of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filling import decide, flagged_store, judge, make_sample, revise
from killing import run_killed

from holdfast.db import approvals, decisions, gold, ingests, queue, replay, samples, users
from holdfast.db.check import check
from holdfast.db.models import Choice, Outcome, Role
from holdfast.db.store import Store

Action = Callable[[Store], Any]
AGAIN = ("ingest", "undo", "repair")
"""What can be asked for again, to the same end."""


def ingest(store: Store) -> None:
    """Twelve records: new ones, one that is known, one that clashes, one twice and one that cannot be read."""
    opened = ingests.Ingest.begin(store, batch="b", signature="again", actor="lead-1")
    numbers = [0, 20, 21, 21, *range(22, 29)]
    prepared = [
        ingests.prepare(make_sample(number), batch="b", external_id=str(place)) for place, number in enumerate(numbers)
    ]
    broken = ingests.Unreadable("f", 3, "not JSON", b"{", 1)
    given = [(prepared[:4], [broken]), (prepared[4:8], []), (prepared[8:], [])]
    done = 0
    for rows, unreadable in given:
        if done >= opened.position:
            opened.add(rows, unreadable)
        done += len(rows) + len(unreadable)
    opened.close()


def verify(store: Store) -> None:
    judge(store, {1: Outcome.PASS, 3: Outcome.FLAG, 4: Outcome.FAIL, 5: Outcome.FLAG})


ACTIONS: dict[str, Action] = {
    "ingest": ingest,
    "verify": verify,
    "claim": lambda store: queue.claim(store, reviewer="annotator-1"),
    "decide": lambda store: decide(store, 3, "accept"),
    "edit": lambda store: decide(store, 3, "edit", revision=revise(store, 3, "better")),
    "gold": lambda store: gold.set_gold(store, 1, actor="lead-1", verdict=Choice.ACCEPT),
    "second opinion": lambda store: decide(store, 1, "reject", reviewer="annotator-2"),
    "undo": lambda store: decisions.undo(store, reviewer="annotator-1", steps=2),
    "approve": lambda store: list(approvals.grant(store, [3, 4, 5], actor="lead-1", proof={"bad": 0})),
    "repair": lambda store: replay.repair(store, lambda _: None),
}


def contents(path: Path) -> Any:
    """What can be seen of a store, which has to be sound."""
    with Store.open(path) as store:
        assert list(check(store)) == []
        stored = list(samples.each(store))
        return (
            [(one.uid, one.external_id, one.status, one.audit, one.verdict_id is not None) for one in stored],
            [
                (one.choice, one.reviewer, one.undone)
                for each in stored
                for one in decisions.decisions_of(store, each.id)
            ],
            [(one.batch, one.line, one.raw) for one in ingests.quarantine(store)],
            samples.tallies(store),
            [row.sample_id for row in queue.listing(store)],
        )


@pytest.mark.parametrize("name", ACTIONS)
def test_nothing_is_half_done_wherever_it_is_killed(tmp_path: Path, store: Store, name: str) -> None:
    users.add_user(store, name="lead-1", role=Role.LEAD, actor="lead-1")
    flagged_store(store)
    decisions.decide(store, decisions.Submission(1, "annotator-1", Choice.ACCEPT, again=True, opinions=2))
    decide(store, 2, "edit", revision=revise(store, 2, "new"))
    store.close()
    action, path = ACTIONS[name], tmp_path / "killed.db"
    shutil.copyfile(store.path, path)
    before = contents(path)
    statements = run_killed(path, action)
    after = contents(path)
    assert statements > 0
    for number in range(1, statements + 1):
        for file in tmp_path.glob("killed.db*"):
            file.unlink()
        shutil.copyfile(store.path, path)
        assert run_killed(path, action, killed_at=number) == 0
        found = contents(path)
        assert found in (before, after), f"killed at statement {number} of {statements}"
        if name in AGAIN and found == before:
            assert run_killed(path, action) > 0
            assert contents(path) == after
