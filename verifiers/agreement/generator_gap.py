"""What a generator thinks of its own sample, against what other families think of it."""

from __future__ import annotations

from statistics import fmean

from holdfast.db.models import Sample, Verdict, Vote
from holdfast.verifiers.agreement.quorum import about, by_criterion, family, has_score, quorum, share
from holdfast.verifiers.agreement.statistics import generator_gap as gap_of
from holdfast.verifiers.agreement.statistics import mean_by_family
from holdfast.verifiers.base import Context, Threshold, above, verifier


@verifier(layer="agreement", version="1", votes=True)
def generator_gap(
    sample: Sample,
    ctx: Context,
    *,
    quality: str = "quality",
    quality_max: float = 10.0,
    flag_at: Threshold = above(0.35),
) -> Verdict:
    """Score the gap between the own family's scores, or a declared quality, and the other families' mean score.

    The score is the size of the gap as a share of the scale, whichever way it goes. The declared quality is the number
    in the metadata field `quality`, out of `quality_max`; it counts where no judge of the own family has voted.

    Options:
        quality: the metadata field of the quality that the generator claims for the sample
        quality_max: the best quality that it can claim
        flag_at: how far the claim may lie from what other families say, as a share of the scale
    """
    found = quorum(sample, ctx, has_score)
    others = by_criterion(found.votes)
    if not others:
        return Verdict.abstain()
    gaps = []
    for criterion, own in by_criterion(found.own).items():
        if criterion in others:
            gaps.append((fmean(map(share, own)), _means(others[criterion]), criterion))
    declared = sample.metadata.get(quality) if not gaps else None
    if isinstance(declared, int | float) and not isinstance(declared, bool) and 0 <= declared <= quality_max:
        gaps.append((declared / quality_max, _means(list(found.votes)), ""))
    if not gaps:
        return Verdict.abstain()
    own_share, means, criterion = max(gaps, key=lambda one: abs(gap_of([one[0]], one[1])))
    gap = gap_of([own_share], means)
    who = "its own family" if declared is None else "its generator"
    others_mean = f"{10 * fmean(means):.2g}"
    message = f"{who} gives it {10 * own_share:.2g} of 10{about(criterion)}, other families {others_mean} on average"
    return Verdict.score(round(abs(gap), 6), code="self-praise" if gap > 0 else "self-doubt", message=message)


def _means(votes: list[Vote]) -> list[float]:
    return list(mean_by_family((family(vote), share(vote)) for vote in votes).values())
