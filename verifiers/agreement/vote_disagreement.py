"""Judges who disagree with each other: in their scores, and in their labels."""

from __future__ import annotations

from collections import Counter

from holdfast.db.models import Sample, Verdict, Vote
from holdfast.verifiers.agreement.quorum import about, by_criterion, family, has_score, quorum, share
from holdfast.verifiers.agreement.statistics import d_score, mean_by_family, normalised_entropy, shares_by_family
from holdfast.verifiers.answers import folded
from holdfast.verifiers.base import Context, Threshold, above, verifier

_LISTED, _LONGEST = 5, 40


@verifier(layer="agreement", version="1", votes=True)
def score_disagreement(sample: Sample, ctx: Context, *, flag_at: Threshold = above(0.35)) -> Verdict:
    """Score how far the judges' scores differ: the mean difference between two families, as a share of the scale.

    Where votes are about several criteria, the most disputed one counts. The sample's own family has no vote.

    Options:
        flag_at: the mean difference between two judges' scores, as a share of the scale
    """
    found = quorum(sample, ctx, has_score)
    disputes = []
    for criterion, votes in by_criterion(found.votes).items():
        means = mean_by_family((family(vote), share(vote)) for vote in votes)
        if len(means) > 1:
            disputes.append((d_score(list(means.values())), criterion, votes))
    if not disputes:
        return Verdict.abstain()
    value, criterion, votes = max(disputes, key=lambda one: one[0])
    message = f"the judges' scores{about(criterion)} lie apart: {_scores(votes)}{found.note}"
    return Verdict.score(round(value, 6), code="scores-disagree", message=message)


@verifier(layer="agreement", version="1", votes=True)
def label_disagreement(sample: Sample, ctx: Context, *, flag_at: Threshold = above(0.9)) -> Verdict:
    """Score how evenly the judges' labels are divided: the entropy of the vote, 1 for a tie of all that were named.

    Each family of judges has one vote, split as its judges split. Where votes are about several criteria, the most
    disputed one counts. The sample's own family has no vote.

    Options:
        flag_at: the entropy of the labels that judges gave, as a share of the greatest possible
    """
    found = quorum(sample, ctx, lambda vote: bool(vote.label and folded(vote.label)))
    disputes = []
    for criterion, votes in by_criterion(found.votes).items():
        if len({family(vote) for vote in votes}) > 1:
            shares = shares_by_family((family(vote), folded(vote.label or "")) for vote in votes)
            disputes.append((normalised_entropy(shares.values()), criterion, votes))
    if not disputes:
        return Verdict.abstain()
    value, criterion, votes = max(disputes, key=lambda one: one[0])
    message = f"the judges' labels{about(criterion)} are divided: {_labels(votes)}{found.note}"
    return Verdict.score(round(value, 6), code="labels-disagree", message=message)


def _scores(votes: list[Vote]) -> str:
    """The scores from the highest down, each out of its greatest where these differ."""
    ordered = sorted(votes, key=share, reverse=True)
    scales = {vote.max for vote in votes}
    texts = [f"{vote.score:g}" if len(scales) == 1 else f"{vote.score:g}/{vote.max:g}" for vote in ordered]
    if len(texts) > _LISTED:
        texts = [*texts[:2], "…", *texts[-2:]]
    out_of = f" of {next(iter(scales)):g}" if len(scales) == 1 else ""
    return f"{', '.join(texts)}{out_of}"


def _labels(votes: list[Vote]) -> str:
    """The labels, the most frequent first, with how many judges name each."""
    spelt = {folded(vote.label or ""): " ".join((vote.label or "").split())[:_LONGEST] for vote in reversed(votes)}
    counts = Counter(folded(vote.label or "") for vote in votes)
    ranked = sorted(counts, key=lambda label: (-counts[label], label))
    listed = [f"{counts[label]} {spelt[label]}" for label in ranked[:_LISTED]]
    return ", ".join(listed) + (", …" if len(ranked) > _LISTED else "")
