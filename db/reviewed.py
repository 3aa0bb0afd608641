"""Decisions that say whether a sample is good: what the order of the queue is learned from."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.db.gold import NOT_GOLD
from holdfast.db.models import Choice
from holdfast.db.store import Store

_BAD = {Choice.ACCEPT.value: False, Choice.EDIT.value: True, Choice.REJECT.value: True}


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A sample with the decision that counts; `bad` where it was rejected or edited, None where it was escalated."""

    sample_id: int
    source: str
    bad: bool | None
    seq: int


def reviewed(store: Store) -> list[Reviewed]:
    """Every decided sample, in the order of the decisions that count: the latest adjudication, else the first one.

    Gold samples, second opinions, re-reviews, skips and what was undone are left out.
    """
    rows = store.read().execute(
        f"""SELECT d.sample_id, k.key, d.verdict, d.seq, d.kind FROM decisions d JOIN samples s ON s.id = d.sample_id
        JOIN sources k ON k.id = s.source_id WHERE d.undone_seq IS NULL AND d.verdict <> 'skip'
        AND d.kind IN ('first', 'adjudication') AND {NOT_GOLD} ORDER BY d.seq"""
    )
    counting: dict[int, Reviewed] = {}
    for sample_id, source, verdict, seq, kind in rows:
        if kind == "adjudication" or sample_id not in counting:
            counting[sample_id] = Reviewed(sample_id, source, _BAD.get(verdict), seq)
    return sorted(counting.values(), key=lambda one: one.seq)
