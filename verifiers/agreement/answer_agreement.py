"""Several models' answers to one prompt: an answer that the others contradict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

from holdfast.db.models import Sample, Verdict
from holdfast.verifiers.agreement.answer_groups import (
    FIRST_TEXT,
    HUMAN,
    KINDS,
    AnswerGroups,
    Gathering,
    Other,
    Reply,
    group_key,
    source_of,
    uid64,
)
from holdfast.verifiers.agreement.sketches import hashes, likeness, sketch_of
from holdfast.verifiers.agreement.track_record import learned_weights, weigh
from holdfast.verifiers.agreement.wording import in_words, of_all
from holdfast.verifiers.answers import read_answer
from holdfast.verifiers.base import Context, Threshold, above, verifier
from holdfast.verifiers.shown import shown

FEWEST_TEXTS = 2
"""Other texts without which answers in words are not compared."""
_LONE, _LONE_ODD = 0.6, 0.7
"""How much a contradiction counts that one other answer alone makes: one of the two is wrong, and nobody says which;
of an answer that is missing or, unlike the other, negative or no whole number, a little more."""

_SCATTER, _SCATTER_HUMAN = 0.2, 1.0
"""How much less a contradiction counts where the others contradict each other too, at most; of a person's answer."""
_LONGEST_VALUE, _LONGEST_SHOWN, _LISTED = 64, 40, 4
_TEXT_OTHERS = 8
_PROSE = 0.5
"""How much being unlike the others counts for a whole text: it can be right in other words."""
_JSON, _NUMBER = KINDS.index("json"), KINDS.index("number")


@verifier(layer="agreement", version="1", fit_cost=10)
def answer_agreement(
    sample: Sample, ctx: Context, *, execute: bool = False, flag_at: Threshold = above(0.7)
) -> Verdict:
    """Score how far the other models' answers to the prompt contradict a sample's: numbers, choices, labels, JSON.

    The score is the weighted share of the others that say something else, a little less where they do not agree among
    themselves either, unless this one alone is negative or no whole number; against a person's answer counts only what
    most of them agree on. A source weighs by how often it agrees with the rest, people most, the sample's own family
    less. One other answer alone counts six tenths, which orders and does not flag unless a limit is set below it.
    Answers in words count by how much more alike the others are to each other than to this one, whole texts half as
    much. `execute` runs answers that are programs in the sandbox, to compare the values that they leave in `ans` or
    print; one that computes none counts as contradicted.

    Options:
        execute: run answers that are programs in the sandbox and compare the values they compute
        flag_at: the weighted share of other sources' answers that differ
    """
    state = ctx.state("answer_agreement")
    key = group_key(sample)
    if state is None or key is None:
        return Verdict.abstain()
    groups, weights = _thawed(state)
    others = groups.answers(key)
    known = others.pop(uid64(sample.uid), None)
    for parent in sample.parents:
        others.pop(uid64(parent), None)
    if not others:
        return Verdict.abstain()
    reply = _reply(sample, execute=execute) if known is None else known.reply
    if execute and reply is not None and reply.kind >= FIRST_TEXT and (missing := _missing(sample, others.values())):
        return missing
    comparable = [other for other in others.values() if reply is not None and other.reply.kind == reply.kind]
    if reply is None or not comparable:
        return Verdict.abstain()
    if reply.kind >= FIRST_TEXT:
        return _text_verdict(reply, comparable)
    if reply.kind == _JSON and _all_differ(reply, comparable):
        return Verdict.abstain()  # a task that has no one answer
    own = source_of(sample)
    odd = own[0] != HUMAN and _is_odd(reply, comparable)
    scatter = _SCATTER_HUMAN if own[0] == HUMAN else 0.0 if odd else _SCATTER
    score = _contradiction(reply, weigh(comparable, groups, own, weights), scatter)
    if len(comparable) == 1:
        score *= _LONE_ODD if odd else _LONE
    if not flag_at.crossed(score):
        return Verdict.score(score)
    message, answer = _message(reply, comparable, groups), read_answer(sample)
    return Verdict.score(score, code="answer-disagrees", message=message, span=answer.span if answer else None)


@answer_agreement.fit
def _gather(samples: Iterable[Sample], *, execute: bool) -> dict[str, Any]:
    """The answers by prompt, and the sources' weights."""
    gathering = Gathering()
    for sample in samples:
        key = group_key(sample)
        reply = None if key is None else _reply(sample, execute=execute)
        if key is not None and reply is not None:
            gathering.add(sample, key, reply)
    state = gathering.state()
    return {**state, "weights": learned_weights(AnswerGroups(state))}


def _reply(sample: Sample, *, execute: bool) -> Reply | None:
    """A sample's answer as it is compared; None where it has neither an answer nor words."""
    answer = None
    if execute:
        from holdfast.verifiers.oracles.programs import executed_answer

        answer = executed_answer(sample)
    answer = answer or read_answer(sample)
    if answer is None:
        sketch = sketch_of(sample.response)
        return Reply(KINDS.index("prose"), sketch=sketch) if sketch else None
    kind = KINDS.index(answer.kind)
    if kind >= FIRST_TEXT:
        return Reply(kind, sketch=sketch_of(answer.value))
    value = answer.value
    if len(value) > _LONGEST_VALUE:
        value = f"#{blake2b(value.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"
    return Reply(kind, value)


def _missing(sample: Sample, others: Iterable[Other]) -> Verdict | None:
    """The verdict on a program that computes no answer where several others have a number; None of other texts."""
    from holdfast.verifiers.oracles.programs import program_of
    from holdfast.verifiers.sandbox import available

    numbers = sum(other.reply.kind == _NUMBER for other in others)
    if not numbers or program_of(sample.response) is None or not isinstance(available(), str):
        return None
    message = f"its program computes no answer; {in_words(numbers)} others have a number"
    return Verdict.score(1.0 if numbers > 1 else _LONE_ODD, code="answer-missing", message=message)


def _contradiction(reply: Reply, weighed: Iterable[tuple[Reply, float]], scatter: float) -> float:
    """The weighted share of others that say something else, less by up to `scatter` where they do not agree on what."""
    tally: dict[str, float] = {}
    for other, weight in weighed:
        tally[other.value] = tally.get(other.value, 0.0) + weight
    total = sum(tally.values())
    against = total - tally.pop(reply.value, 0.0)
    if not tally:
        return 0.0
    together = max(tally.values()) / against
    return round(against / total * (1 - scatter * (1 - together)), 6)


def _is_odd(reply: Reply, others: Iterable[Other]) -> bool:
    """Whether a number is negative or no whole one, which none of the others is."""
    return reply.kind == _NUMBER and not reply.value.isdecimal() and all(one.reply.value.isdecimal() for one in others)


def _message(reply: Reply, others: Sequence[Other], groups: AnswerGroups) -> str:
    """What the sample answers, what most of the others do, and whether one of those is a person."""
    sources = [groups.sources[other.source][0] for other in others]
    noun = "answer" if len(set(sources)) < len(sources) else "source" if HUMAN in sources else "model"
    counts = Counter(other.reply.value for other in others)
    supporters = counts.pop(reply.value, 0)
    ranked = sorted(counts, key=lambda value: (-counts[value], value))
    if not ranked:
        return ""
    rival, count = ranked[0], counts[ranked[0]]
    own = f"answers {shown(reply.value)}" if _is_short(reply.value) else "has an answer of its own"
    if count == 1 and not supporters:
        listed = ", ".join(map(shown, filter(_is_short, ranked[:_LISTED]))) + (", …" if len(ranked) > _LISTED else "")
        return f"{own}; no other {noun} does, nor do two agree: {listed}"
    says = ("says" if count == 1 else "say") if _is_short(rival) else ("has" if count == 1 else "agree on")
    people = {other.reply.value for other, source in zip(others, sources, strict=True) if source == HUMAN}
    person = ", a person's among them" if rival in people else ""
    what = shown(rival) if _is_short(rival) else "another"
    return f"{own}; {of_all(count, len(others))} other {noun}s {says} {what}{person}"


def _is_short(value: str) -> bool:
    return not value.startswith("#") and len(value) <= _LONGEST_SHOWN


def _all_differ(reply: Reply, others: Sequence[Other]) -> bool:
    return len({reply.value, *(other.reply.value for other in others)}) == len(others) + 1


def _text_verdict(reply: Reply, others: Sequence[Other]) -> Verdict:
    # One source's copies of a text are one text.
    sketches = [hashes(sketch) for _, sketch in sorted({(one.source, one.reply.sketch) for one in others})]
    sketches = sketches[:_TEXT_OTHERS]
    if len(sketches) < FEWEST_TEXTS:
        return Verdict.abstain()
    own = hashes(reply.sketch)
    pairs = [likeness(one, other) for place, one in enumerate(sketches) for other in sketches[place + 1 :]]
    among = sum(pairs) / len(pairs)
    to_own = sum(likeness(own, other) for other in sketches) / len(sketches)
    message = f"unlike {in_words(len(sketches))} other answers, which have {among:.0%} of their words in common"
    counts = 1.0 if KINDS[reply.kind] == "text" else _PROSE
    return Verdict.score(round(counts * max(0.0, among - to_own), 6), code="text-disagrees", message=message)


_latest: tuple[Any, AnswerGroups, list[float]] | None = None


def _thawed(state: Any) -> tuple[AnswerGroups, list[float]]:
    """The groups and weights of a state; those of the state that was last asked for are kept."""
    global _latest
    latest = _latest
    if latest is None or latest[0] is not state:
        _latest = latest = (state, AnswerGroups(state), state["weights"])
    return latest[1], latest[2]
