"""How far each source's answers are to be believed: by how often it agrees with the others."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from math import log

from holdfast.verifiers.agreement.answer_groups import FIRST_TEXT, HUMAN, AnswerGroups, Other, Reply

RECORD_PROMPTS, RECORD_ANSWERS = 4_000, 12
"""Prompts from which the records are learned, and answers to each of them."""
SAME_FAMILY = 0.7
"""Weight of a comparator of the sample's own family, as a share of what it would have otherwise."""

_LEAST_WEIGHT, _WRONG_ANSWERS = 0.05, 5
_ROUNDS = 5


def weigh(
    others: Sequence[Other], groups: AnswerGroups, own: tuple[str, str], weights: Sequence[float]
) -> Iterator[tuple[Reply, float]]:
    """The others' replies with their weights: a source's is split among its answers, and less for the own family."""
    counts = Counter(other.source for other in others)
    for other in others:
        name, family = groups.sources[other.source]
        share = SAME_FAMILY if name != HUMAN and family == own[1] else 1.0
        yield other.reply, share * weights[other.source] / counts[other.source]


def learned_weights(groups: AnswerGroups) -> list[float]:
    """The sources' weights from how often each agrees with the weighted majority of the others; people's are highest.

    A weight is the log-odds that an answer is right, against a handful of wrong ones that were as likely.
    """
    prompts = []
    for others in groups.each(most=RECORD_PROMPTS):
        exact = [other for other in others if other.reply.kind < FIRST_TEXT]
        prompts.append(exact[:RECORD_ANSWERS])
    people = [name == HUMAN for name, _ in groups.sources]
    weights = [1.0] * len(people)
    for _ in range(_ROUNDS):
        agreed, asked = [1.0] * len(weights), [2.0] * len(weights)
        for others in prompts:
            for source, share in _agreements(others, groups, weights):
                agreed[source] += share
                asked[source] += 1
        weights = [
            _log_odds(99, 100) if human else _log_odds(one, of)
            for human, one, of in zip(people, agreed, asked, strict=True)
        ]
    return [round(weight, 6) for weight in weights]


def _agreements(others: Sequence[Other], groups: AnswerGroups, weights: Sequence[float]) -> Iterator[tuple[int, float]]:
    """Of each source that answered one prompt, the share of its answers that are the weighted majority's."""
    shares: defaultdict[int, list[float]] = defaultdict(list)
    for other in others:
        rest = [one for one in others if one.source != other.source]
        share = _agreement(other, rest, groups, weights)
        if share is not None:
            shares[other.source].append(share)
    for source, of_source in shares.items():
        yield source, sum(of_source) / len(of_source)


def _agreement(other: Other, rest: Sequence[Other], groups: AnswerGroups, weights: Sequence[float]) -> float | None:
    """Whether an answer is the weighted majority's, 1 or 0, or a share of a tie; None where nothing compares."""
    tally: dict[str, float] = {}
    for reply, weight in weigh(rest, groups, groups.sources[other.source], weights):
        if reply.kind == other.reply.kind:
            tally[reply.value] = tally.get(reply.value, 0.0) + weight
    if not tally:
        return None
    most = max(tally.values())
    ahead = [value for value, weight in tally.items() if weight == most]
    return (other.reply.value in ahead) / len(ahead)


def _log_odds(agreed: float, asked: float) -> float:
    share = min(agreed / asked, 0.98)
    return max(log(_WRONG_ANSWERS * share / (1 - share)), _LEAST_WEIGHT)
