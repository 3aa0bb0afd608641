"""Judges' votes in words, and what of them a reviewer may know before an answer of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from holdfast.db.filters import HIDDEN_CODE
from holdfast.db.models import Finding, Sample, VerifierSpec, Vote
from holdfast.reviewer.pipeline.desk import ShownVote, Votes
from holdfast.verifiers.agreement.quorum import family, has_score, is_own, share
from holdfast.verifiers.agreement.statistics import normalised_entropy, shares_by_family

HIDDEN_MESSAGE = "rests on judges' votes: hidden until you answer"
HIDDEN_TERM = "judges' votes, hidden until you answer"

_LISTED = 4
_LONGEST_NAME, _LONGEST = 80, 4_000
"""Longest name of a judge, a label or a criterion, and longest reason, in characters, for which a screen has room."""


def shown_votes(sample: Sample, votes: Sequence[Vote], *, blind: bool) -> Votes | None:
    """The votes for the screen; None where there are none, and nothing but that there are some for a blind reviewer."""
    if not votes:
        return None
    if blind:
        return Votes(hidden=True)
    rows = tuple(ShownVote(_who(sample, vote), verdict_of(vote), _clipped(vote.reason, _LONGEST)) for vote in votes)
    labels = [(family(vote), " ".join(vote.label.split())) for vote in votes if vote.label]
    entropy = normalised_entropy(shares_by_family(labels).values()) if len(labels) > 1 else None
    return Votes(count=len(votes), tally=_tally(votes), entropy=entropy, rows=rows)


def verdict_of(vote: Vote) -> str:
    """What a vote says, in a few words."""
    said = []
    if vote.label:
        said.append(_plain(vote.label))
    if vote.score is not None:
        said.append(f"{vote.score:g}" if vote.max is None else f"{vote.score:g}/{vote.max:g}")
    if vote.winner is not None:
        said.append(_winner(vote))
    about = f"{_plain(vote.criterion)}: " if vote.criterion else ""
    sure = "" if vote.confidence is None else f" (confidence {vote.confidence:g})"
    return f"{about}{', '.join(said) or 'its reply could not be read'}{sure}"


def masked(spec: VerifierSpec, finding: Finding) -> Finding:
    """A finding as a blind reviewer sees it: one that rests on votes tells no more than that."""
    if not spec.votes:
        return finding
    return replace(finding, code=HIDDEN_CODE, message=HIDDEN_MESSAGE, span=None)


def _who(sample: Sample, vote: Vote) -> str:
    judge = _plain(vote.judge)
    return f"{judge} (of its own family)" if is_own(sample, vote) else judge


def _winner(vote: Vote) -> str:
    if vote.winner == "tie":
        return "a tie"
    if vote.order is None:
        return f"{vote.winner} wins"
    return "prefers this one" if vote.winner == vote.order else "prefers the other one"


def _tally(votes: Sequence[Vote]) -> str:
    """The labels by how many name each, the mean score, and how many comparisons the sample won."""
    parts = []
    labels = Counter(_plain(vote.label) for vote in votes if vote.label)
    ranked = sorted(labels, key=lambda label: (-labels[label], label))
    parts += [f"{labels[label]} {label}" for label in ranked[:_LISTED]]
    if len(ranked) > _LISTED:
        parts.append("…")
    scores = [10 * share(vote) for vote in votes if has_score(vote)]
    if scores:
        spread = f" ({min(scores):.3g} to {max(scores):.3g})" if len(scores) > 1 else ""
        parts.append(f"mean {sum(scores) / len(scores):.2g} of 10{spread}")
    placed = [vote for vote in votes if vote.winner is not None and vote.order is not None]
    if placed:
        parts.append(f"won {sum(vote.winner == vote.order for vote in placed)} of {len(placed)}")
    return " · ".join(parts) or "none could be read"


def _plain(text: str | None) -> str:
    return _clipped(" ".join((text or "").split()), _LONGEST_NAME)


def _clipped(text: str | None, most: int) -> str:
    text = text or ""
    return text if len(text) <= most else f"{text[: most - 1]}…"
