"""Which questions a panel has to ask about a store's samples, and the votes that answers to them give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby, pairwise
from typing import Literal

from holdfast.db.groups import groups
from holdfast.db.models import Status, Vote
from holdfast.db.samples import Stored, each, load_many
from holdfast.db.store import Store
from holdfast.verifiers.judging.instructs_judge import INJECTION
from holdfast.verifiers.judging.questions import Judge, Question, ask_pair, ask_score
from holdfast.verifiers.judging.replies import Unparsed, parse_ratings, parse_winner
from holdfast.verifiers.judging.rubric import HIGH, Rubric

UNDECIDED = frozenset({Status.PASSED, Status.FLAGGED, Status.ESCALATED})
"""Statuses of samples that were verified and still wait for a person's decision, or may."""

_LONGEST_REASON = 2_000
_PAGE = 500


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
    """Every question about live, verified, undecided samples, answered or not, and however long."""
    if mode != "pairwise":
        for stored in each(store, batch=batch):
            if stored.status in UNDECIDED:
                for judge in judges:
                    yield _asked(judge, ask_score(judge, rubric, stored.sample), stored)
    if mode != "score":
        for first, second in _pairs(store, batch):
            for judge in judges:
                yield _asked(judge, ask_pair(judge, rubric, first.sample, second.sample), first, second)
                yield _asked(judge, ask_pair(judge, rubric, second.sample, first.sample), second, first)


def said(task: Task, rubric: Rubric, reply: str) -> Said:
    """What a judge's answer to a task says."""
    return _ratings(task, rubric, reply) if task.pair is None else _winner(task, rubric, reply)


def has_votes(task: Task, rubric: Rubric, votes: Mapping[int, Sequence[Vote]]) -> bool:
    """Whether a task's samples have all votes that an answer could give, by the answer to an earlier question."""
    given = {(at, vote.judge, vote.criterion, vote.order) for at in task.ids for vote in votes.get(at, ())}
    model = task.judge.model
    if task.pair is None:
        return all((task.ids[0], model, rubric.named(name), None) in given for name in rubric.criteria)
    places = zip(task.ids, reversed(task.uids), ("A", "B"), strict=True)
    return all((at, model, _preference(rubric, other), place) in given for at, other, place in places)


def _asked(judge: Judge, question: Question, *stored: Stored) -> Task:
    return Task(judge, question, tuple(one.id for one in stored), tuple(one.uid for one in stored))


def _pairs(store: Store, batch: str | None) -> Iterator[tuple[Stored, Stored]]:
    """Of each group, every sample and the next one to the same prompt, in a ring: linear in the size of the group.

    The ring holds all live samples of the group, so that decisions made meanwhile change no pair. One of a pair has to
    be undecided, and in the batch; neither may be rejected.
    """
    for members in groups(store):
        live = sorted(
            (blake2b(one.sample.prompt.encode("utf-8", "surrogatepass"), digest_size=16).digest(), one.uid, one.id)
            for one in _loaded(store, members)
            if one.status is not Status.SUPERSEDED
        )
        for _, same in groupby(live, key=lambda one: one[0]):
            ring = [row_id for _, _, row_id in same]
            for first, second in pairwise(_loaded(store, [*ring, ring[0]] if len(ring) > 2 else ring)):
                if _is_due(first, second, batch):
                    yield first, second


def _loaded(store: Store, ids: Sequence[int]) -> Iterator[Stored]:
    """Samples by row id, in that order, some at a time: a group may hold a million."""
    for start in range(0, len(ids), _PAGE):
        yield from load_many(store, ids[start : start + _PAGE])


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
            criterion=_preference(rubric, other),
            winner=found.winner,
            reason=_reason(found.rationale),
            order=place,
        )
        for place, other in zip(places, reversed(task.uids), strict=True)
    )
    winner: int | Literal["tie"] = places[found.winner] if found.winner != "tie" else "tie"
    return Said("parsed", tuple(zip(task.ids, votes, strict=True)), winner=winner)


def _preference(rubric: Rubric, other: str) -> str:
    """The criterion of a vote on one of a pair: by which rubric, and against which sample."""
    return f"{rubric.named('preference')} vs {other[:12]}"


def _injection(judge: Judge, rationale: str | None) -> Vote:
    return Vote(judge=judge.model, family=judge.family, criterion=INJECTION, reason=_reason(rationale))


def _reason(rationale: str | None) -> str | None:
    # JSON can spell half of a surrogate pair, which is no character and cannot be stored.
    return None if rationale is None else rationale[:_LONGEST_REASON].encode(errors="replace").decode()
