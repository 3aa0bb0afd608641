"""Judges who change their mind when the two answers that they compare change places."""

from __future__ import annotations

from collections import defaultdict

from holdfast.db.models import Sample, Verdict, Vote
from holdfast.verifiers.agreement.quorum import Quorum, quorum
from holdfast.verifiers.agreement.statistics import position_consistency
from holdfast.verifiers.agreement.wording import of_all
from holdfast.verifiers.base import Context, Threshold, above, verifier

_PLACES = ("A", "B")
_SAYS = {True: "the sample", False: "the other"}


@verifier(layer="agreement", version="1", votes=True)
def order_flips(sample: Sample, ctx: Context, *, flag_at: Threshold = above(0.4)) -> Verdict:
    """Score the share of judges who name another winner once the compared answers are swapped.

    Such a judge has called a tie, whatever it says. Votes in one order alone do not count.

    Options:
        flag_at: the share of compared pairs whose winner changed with the order
    """
    found = quorum(sample, ctx, lambda vote: vote.winner is not None and vote.order in _PLACES)
    pairs = _in_both_orders(found)
    if not pairs:
        return Verdict.abstain()
    flipped = [judge for judge, pair in pairs.items() if pair[0] != pair[1]]
    value = 1 - position_consistency(list(pairs.values()))
    if not flipped:
        return Verdict.score(0.0)
    judges = "judge" if len(pairs) == 1 else "judges"
    names = "names" if len(flipped) == 1 else "name"
    message = f"{of_all(len(flipped), len(pairs))} {judges} {names} another winner when the answers are swapped: a tie"
    return Verdict.score(round(value, 6), code="order-flip", message=f"{message}{found.note}")


def _in_both_orders(found: Quorum) -> dict[tuple[str, str], tuple[str, str]]:
    """Of each judge and criterion with votes in both orders, the item that it named in either; the last votes count."""
    named: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for vote in found.votes:
        named[vote.judge, vote.criterion or ""][vote.order or ""] = _item(vote)
    return {who: (orders["A"], orders["B"]) for who, orders in named.items() if len(orders) == len(_PLACES)}


def _item(vote: Vote) -> str:
    return "tie" if vote.winner == "tie" else _SAYS[vote.winner == vote.order]
