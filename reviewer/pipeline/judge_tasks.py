"""Which questions a panel has to ask about a store's samples, and the votes that answers to them give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Literal

from holdfast.db.groups import groups
from holdfast.db.models import Status, Vote
from holdfast.db.samples import Stored, each
from holdfast.db.store import Store
from holdfast.verifiers.judging.instructs_judge import INJECTION
from holdfast.verifiers.judging.questions import Judge, Question, ask_pair, ask_score, too_long
from holdfast.verifiers.judging.replies import Unparsed, parse_ratings, parse_winner
from holdfast.verifiers.judging.rubric import HIGH, Rubric

UNDECIDED = frozenset({Status.PASSED, Status.FLAGGED, Status.ESCALATED})
"""Statuses of samples that were verified and still wait for a person's decision, or may."""

_LONGEST_REASON = 2_000


@dataclass(frozen=True, slots=True)
class Task:
    """A question to a judge about one sample, or about two in an order: row ids and uids, the one shown first first."""

    judge: Judge
    question: Question
    ids: tuple[int, ...]
    uids: tuple[str, ...]

    @property
    def pair(self) -> tuple[int, ...] | None:
        """The compared samples in either order alike; None for a question about one."""
        return tuple(sorted(self.ids)) if len(self.ids) > 1 else None


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer says: its status (`parsed`, or why it gave no vote), votes by row id, the winner of a pair."""

    status: str
    votes: tuple[tuple[int, Vote], ...] = ()
    injections: int = 0
    winner: int | Literal["tie"] | None = None


def tasks(
    store: Store, judges: Sequence[Judge], rubric: Rubric, *, mode: str, batch: str | None = None
) -> Iterator[Task]:
    """Every question about live, verified, undecided samples, answered or not; those too long to be asked left out."""
    if mode != "pairwise":
        for stored in each(store, batch=batch):
            if stored.status in UNDECIDED:
                for judge in judges:
                    yield from _asked(judge, ask_score(judge, rubric, stored.sample), stored)
    if mode != "score":
        for first, second in _pairs(store, batch):
            for judge in judges:
                yield from _asked(judge, ask_pair(judge, rubric, first.sample, second.sample), first, second)
                yield from _asked(judge, ask_pair(judge, rubric, second.sample, first.sample), second, first)


def said(task: Task, rubric: Rubric, reply: str) -> Said:
    """What a judge's answer to a task says."""
    return _ratings(task, rubric, reply) if task.pair is None else _winner(task, rubric, reply)


def _asked(judge: Judge, question: Question, *stored: Stored) -> Iterator[Task]:
    if not too_long(question):
        yield Task(judge, question, tuple(one.id for one in stored), tuple(one.uid for one in stored))


def _pairs(store: Store, batch: str | None) -> Iterator[tuple[Stored, Stored]]:
    """Of each group, every sample and the next one to the same prompt, in a ring: linear in the size of the group.

    The ring holds all live samples of the group, so that decisions made meanwhile change no pair. One of a pair has to
    be undecided, and in the batch; neither may be rejected.
    """
    for members in groups(store):
        live = [one for one in members if one.status is not Status.SUPERSEDED]
        live.sort(key=lambda one: (one.sample.prompt, one.uid))
        for _, same in groupby(live, key=lambda one: one.sample.prompt):
            ring = list(same)
            for first, second in pairwise([*ring, ring[0]] if len(ring) > 2 else ring):
                if _is_due(first, second, batch):
                    yield first, second


def _is_due(first: Stored, second: Stored, batch: str | None) -> bool:
    if Status.REJECTED in (first.status, second.status) or first.sample.response == second.sample.response:
        return False
    return any(one.status in UNDECIDED and batch in (None, one.batch) for one in (first, second))


def _ratings(task: Task, rubric: Rubric, reply: str) -> Said:
    found = parse_ratings(reply, rubric.criteria, token=task.question.token)
    if isinstance(found, Unparsed):
        return Said(found.reason)
    if found.instructs:
        # What it rated may be what it was told to.
        return Said("parsed", ((task.ids[0], _injection(task.judge, found.rationale)),), injections=1)
    votes = (
        Vote(
            judge=task.judge.model,
            family=task.judge.family,
            criterion=rubric.named(name),
            score=rating,
            max=HIGH,
            reason=_reason(found.rationale),
        )
        for name, rating in found.by_criterion.items()
    )
    return Said("parsed", tuple((task.ids[0], vote) for vote in votes))


def _winner(task: Task, rubric: Rubric, reply: str) -> Said:
    found = parse_winner(reply, token=task.question.token)
    if isinstance(found, Unparsed):
        return Said(found.reason)
    places = dict(zip(("A", "B"), task.ids, strict=True))
    if found.instructs:
        told = tuple((places[place], _injection(task.judge, found.rationale)) for place in found.instructs)
        return Said("parsed", told, injections=len(told))
    votes = (
        Vote(
            judge=task.judge.model,
            family=task.judge.family,
            criterion=f"{rubric.named('preference')} vs {other[:12]}",
            winner=found.winner,
            reason=_reason(found.rationale),
            order=place,
        )
        for place, other in zip(places, reversed(task.uids), strict=True)
    )
    winner: int | Literal["tie"] = places[found.winner] if found.winner != "tie" else "tie"
    return Said("parsed", tuple(zip(task.ids, votes, strict=True)), winner=winner)


def _injection(judge: Judge, rationale: str | None) -> Vote:
    return Vote(judge=judge.model, family=judge.family, criterion=INJECTION, reason=_reason(rationale))


def _reason(rationale: str | None) -> str | None:
    return None if rationale is None else rationale[:_LONGEST_REASON]
