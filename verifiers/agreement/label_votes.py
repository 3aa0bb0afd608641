"""Judges' labels against the sample's own."""

from __future__ import annotations

from collections import Counter

from holdfast.db.models import Sample, Verdict
from holdfast.verifiers.agreement.quorum import family, quorum
from holdfast.verifiers.agreement.statistics import leading, shares_by_family
from holdfast.verifiers.agreement.wording import of_all
from holdfast.verifiers.answers import folded
from holdfast.verifiers.base import Context, Threshold, above, verifier

_LONGEST = 40


@verifier(layer="agreement", version="1", votes=True)
def label_votes(sample: Sample, ctx: Context, *, flag_at: Threshold = above(0.6)) -> Verdict:
    """Score the share of the judges' vote that goes to another label than the sample's own.

    Each family of judges has one vote, split as its judges split; the sample's own family has none.

    Options:
        flag_at: the weighted share of judges that give another label
    """
    if sample.label is None:
        return Verdict.abstain()
    found = quorum(sample, ctx, lambda vote: bool(vote.label and folded(vote.label)))
    if not found.votes:
        return Verdict.abstain()
    own = folded(sample.label)
    shares = shares_by_family((family(vote), folded(vote.label or "")) for vote in found.votes)
    against = 1 - shares.pop(own, 0.0)
    if not shares:
        return Verdict.score(0.0)
    rival = leading(shares)
    said = Counter(folded(vote.label or "") for vote in found.votes)
    spelt = next(vote.label or "" for vote in found.votes if folded(vote.label or "") == rival)
    says = "says" if said[rival] == 1 else "say"
    models = "model" if len(found.votes) == 1 else "models"
    message = (
        f"{of_all(said[rival], len(found.votes))} {models} {says} {_short(spelt)}; "
        f"the sample says {_short(sample.label)}{found.note}"
    )
    return Verdict.score(round(against, 6), code="label-disputed", message=message)


def _short(label: str) -> str:
    label = " ".join(label.split())
    return label if len(label) <= _LONGEST else f"{label[:_LONGEST]}…"
