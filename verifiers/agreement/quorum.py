"""Whose votes count: all but those of the sample's own family, which are kept and marked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from holdfast.db.models import Provenance, Sample, Vote
from holdfast.verifiers.agreement.families import family_of, related
from holdfast.verifiers.agreement.wording import in_words
from holdfast.verifiers.base import Context

_LONGEST = 40


class Quorum(NamedTuple):
    """The votes that count, and those of the sample's own family."""

    votes: tuple[Vote, ...]
    own: tuple[Vote, ...]

    @property
    def note(self) -> str:
        """What a message adds where votes were left out."""
        if not self.own:
            return ""
        return f" ({in_words(len(self.own))} of its own family not counted)"


def quorum(sample: Sample, ctx: Context, says: Callable[[Vote], bool]) -> Quorum:
    """The votes on a sample that say something of a kind; a judge whose reply could not be read is missing."""
    counted: list[Vote] = []
    own: list[Vote] = []
    for vote in ctx.votes(sample):
        if says(vote):
            (own if is_own(sample, vote) else counted).append(vote)
    return Quorum(tuple(counted), tuple(own))


def is_own(sample: Sample, vote: Vote) -> bool:
    """Whether the judge is the sample's model or of its family."""
    if sample.provenance is Provenance.HUMAN or not (sample.model or sample.family):
        return False
    return related(sample.model or sample.family or "", sample.family, vote.judge, vote.family)


def family(vote: Vote) -> str:
    """The judge's family."""
    return family_of(vote.judge, vote.family)


def has_score(vote: Vote) -> bool:
    """Whether a vote carries a score that can be put on a scale."""
    return vote.score is not None and bool(vote.max)


def share(vote: Vote) -> float:
    """A vote's score as a share of its greatest, in [0, 1]; of a vote that has one."""
    assert vote.score is not None
    assert vote.max
    return min(max(vote.score / vote.max, 0.0), 1.0)


def by_criterion(votes: Iterable[Vote]) -> dict[str, list[Vote]]:
    """Votes by what they are about, in order of the name; the empty string where they do not say."""
    found: dict[str, list[Vote]] = {}
    for vote in votes:
        found.setdefault(vote.criterion or "", []).append(vote)
    return dict(sorted(found.items()))


def about(criterion: str) -> str:
    """What a message adds where votes are about a criterion."""
    criterion = " ".join(criterion.split())
    return f" on {criterion[:_LONGEST]}" if criterion else ""
