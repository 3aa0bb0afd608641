"""However a project came to its settings and votes, it stands as a fresh one that is verified once with them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filling import ingest, make_sample
from verify_desk import Desk

from holdfast.db import decisions, queue
from holdfast.db.check import check
from holdfast.db.decisions import Submission
from holdfast.db.errors import Refused
from holdfast.db.models import Choice, Sample, Vote
from holdfast.db.replay import repair
from holdfast.db.samples import each, tallies
from holdfast.db.store import Store
from holdfast.db.verdicts import current
from holdfast.db.votes import record_votes
from holdfast.reviewer import trust
from holdfast.reviewer.pipeline import rederiving, verifying
from holdfast.reviewer.pipeline.ordering import bring_up_to_date
from holdfast.reviewer.pipeline.verify import entry_of, verify

CHECKS = """
from holdfast.verifiers import PASS, Context, Sample, Threshold, Verdict, above, verifier

def digit(sample, factor):
    return int(sample.response.split()[-1]) * factor % 7

@verifier(layer="format", version="1")
def one(sample: Sample, ctx: Context, *, flag_at: Threshold = above(99), fail_at: Threshold = above(99)) -> Verdict:
    return Verdict.score(digit(sample, 3))

@verifier(layer="consistency", version="1")
def two(sample: Sample, ctx: Context, *, more: int = 0, flag_at: Threshold = above(99),
        fail_at: Threshold = above(99)) -> Verdict:
    value = digit(sample, 5)
    return Verdict.abstain() if value == 2 else Verdict.score(value + more)

@verifier(layer="agreement", version="1", votes=True)
def voted(sample: Sample, ctx: Context, *, flag_at: Threshold = above(99), fail_at: Threshold = above(99)) -> Verdict:
    votes = ctx.votes(sample)
    return Verdict.score(len(votes)) if votes else Verdict.abstain()

@verifier(layer="agreement", version="1", votes=True)
def unvoted(sample: Sample, ctx: Context, *, flag_at: Threshold = above(99)) -> Verdict:
    votes = ctx.votes(sample)
    return Verdict.score(-len(votes)) if votes else Verdict.abstain()

@verifier(layer="oracle", version="1")
def last(sample: Sample, ctx: Context, *, flag_at: Threshold = above(99)) -> Verdict:
    value = digit(sample, 4)
    return Verdict.flag("odd", "is odd") if value == 5 else Verdict.score(value)

@verifier(layer="oracle", version="1")
def breaks(sample: Sample, ctx: Context) -> Verdict:
    if digit(sample, 1) == 6:
        raise ValueError("six")
    return PASS
"""
NAMES = ("one", "two", "voted", "unvoted", "last", "breaks")
FAILING = ("one", "two", "voted")
SAMPLES = 14


class Interrupted(Exception):
    """The process was stopped."""


def samples() -> list[Sample]:
    people: dict[str, object] = {"provenance": "human", "model": None}
    return [make_sample(number, **({} if number % 4 else people)) for number in range(SAMPLES)]


def settings(chance: random.Random) -> str:
    """Some of the checks, with some limits."""
    names = [name for name in NAMES if chance.random() < 0.8] or ["one"]
    text = f"enabled = []\nfiles = {[f'checks.py:{name}' for name in names]}"
    for name in names:
        text += f"\n[verifiers.{name}]"
        if name == "two":
            text += f"\nmore = {chance.choice((0, 0, 0, 1))}"
        if name != "breaks" and chance.random() < 0.7:
            text += f"\nflag_at = {{{chance.choice(('above', 'below'))} = {chance.choice((-2.5, -0.5, 1.5, 4.5))}}}"
        if name in FAILING and chance.random() < 0.4:
            text += f"\nfail_at = {{{chance.choice(('above', 'below'))} = {chance.choice((-0.5, 0.5, 3.5, 5.5))}}}"
    return text


def project(root: Path, text: str) -> Desk:
    desk = Desk(root)
    desk.checks.write_text(CHECKS)
    trust.trust(desk.checks)
    configure(desk, text)
    with desk.project.store() as store:
        ingest(store, samples())
    return desk


def configure(desk: Desk, text: str) -> None:
    desk.configure(text, review="audit_share = 0.3\naudit_min_per_source = 1")


def stand(store: Store) -> dict[str, Any]:
    """Statuses, audit, verdicts and findings, the queue in order with its reasons, and the counts."""
    found = {
        stored.sample.response: (stored.status, stored.audit, [(one.spec.name, one.verdict) for one in rows])
        for stored in each(store)
        if (rows := current(store, stored.id))
    }
    waiting = [(row.sample_id, replace(row.entry, version=0)) for row in queue.listing(store, limit=1000)]
    return {"samples": found, "queue": waiting, "tallies": tallies(store)}


def stopped_at(patch: pytest.MonkeyPatch, write: int) -> None:
    """Let the process stop just before it writes that often."""
    left = [write]

    def stopping(name: str, module: Any) -> None:
        real: Callable[..., Any] = getattr(module, name)

        def wrapped(*given: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                raise Interrupted
            return real(*given, **named)

        patch.setattr(module, name, wrapped)

    for module in (verifying, rederiving):
        stopping("record", module)
    stopping("complete_run", verifying)
    stopping("carry", rederiving)


def disturb(desk: Desk, store: Store, chance: random.Random) -> list[tuple[int, Vote]]:
    """Verify, perhaps a part and not to the end; then votes, decisions, a repair. Returns the votes."""
    with pytest.MonkeyPatch.context() as patch, suppress(Interrupted):
        if chance.random() < 0.4:
            stopped_at(patch, chance.randint(1, 5))
        alone = [f"{desk.checks}:{chance.choice(NAMES)}"] if chance.random() < 0.25 else []
        verify(desk.project, store, actor="lead-1", verifiers=alone)
    votes = [
        (chance.randint(1, SAMPLES), Vote(f"judge-{chance.randint(1, 5)}", label="x"))
        for _ in range(chance.choice((0, 0, 1, 3)))
    ]
    record_votes(store, votes, actor="lead-1")
    if chance.random() < 0.5:
        choice = chance.choice((Choice.ACCEPT, Choice.REJECT, Choice.SKIP, Choice.ESCALATE))
        with suppress(Refused):
            decisions.decide(store, Submission(chance.randint(1, SAMPLES), "annotator-1", choice))
    if chance.random() < 0.2:
        repair(store, entry_of(store))
    assert list(check(store)) == []
    return votes


@pytest.mark.parametrize("seed", range(8))
def test_it_stands_as_a_fresh_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(verifying, "is_built_in", lambda _ref: True)  # no worker processes
    chance = random.Random(seed)
    votes: list[tuple[int, Vote]] = []
    worn = project(tmp_path / "worn", settings(chance))
    with worn.project.store() as store:
        for _ in range(chance.randint(2, 5)):
            votes += disturb(worn, store, chance)
            configure(worn, settings(chance))
        text = settings(chance)
        configure(worn, text)
        verify(worn.project, store, actor="lead-1")
        assert list(check(store)) == []
        decisions.undo(store, reviewer="annotator-1", steps=100)
        assert list(check(store)) == []
        again = verify(worn.project, store, actor="lead-1")
        assert (again.verified, again.rederived, again.rejudged) == (0, 0, 0)
        bring_up_to_date(worn.project, store, actor="lead-1", now=True)
        found = stand(store)
    assert found == fresh(tmp_path / "fresh", text, votes)


def fresh(root: Path, text: str, votes: Sequence[tuple[int, Vote]]) -> dict[str, Any]:
    """How a project stands that has been verified once, after all the votes."""
    desk = project(root, text)
    with desk.project.store() as store:
        record_votes(store, votes, actor="lead-1")
        verify(desk.project, store, actor="lead-1")
        return stand(store)
