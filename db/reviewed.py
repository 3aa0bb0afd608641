"""What the order of the queue is made from: decisions that say whether a sample is good, and what waits."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from holdfast.db.gold import NOT_GOLD
from holdfast.db.models import Choice
from holdfast.db.samples import VISIBLE
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


@dataclass(frozen=True, slots=True)
class Waiting:
    """The flagged samples that wait for a person, those that the audit drew aside, in columns parallel to each other.

    `ties` are the first 15 hex digits of the uids as numbers, ascending; `sources` are row ids.
    """

    sample_ids: array[int]
    ties: array[int]
    sources: array[int]


def waiting_flagged(store: Store) -> Waiting:
    """The flagged, undecided samples whose place in the queue no hash draws; claimed ones count."""
    found = Waiting(array("q"), array("q"), array("q"))
    for sample_id, tie, source in store.read().execute(
        f"""SELECT q.sample_id, q.tie, s.source_id FROM queue q JOIN samples s ON s.id = q.sample_id
        JOIN states st ON st.sample_id = q.sample_id
        WHERE q.state <> 'done' AND st.status = 'flagged' AND NOT st.audit AND {NOT_GOLD} ORDER BY q.tie"""
    ):
        found.sample_ids.append(sample_id)
        found.ties.append(tie)
        found.sources.append(source)
    return found


def first_judged(store: Store, *, limit: int) -> array[int]:
    """Row ids of the judged samples that are data and have the first uids, which are as good as drawn at random."""
    rows = store.read().execute(
        f"""SELECT s.id FROM samples s JOIN states st ON st.sample_id = s.id
        WHERE st.verdict_id IS NOT NULL AND {NOT_GOLD} ORDER BY s.uid LIMIT ?""",
        (limit,),
    )
    return array("q", (row[0] for row in rows))


def decided_ties(store: Store) -> array[int]:
    """The first 15 hex digits, as numbers, of the uids of all samples that somebody decided, ascending."""
    rows = store.read().execute(
        f"""SELECT DISTINCT s.uid FROM decisions d JOIN samples s ON s.id = d.sample_id
        WHERE d.undone_seq IS NULL AND d.verdict <> 'skip' AND {NOT_GOLD} ORDER BY s.uid"""
    )
    return array("q", (int(row[0][:15], 16) for row in rows))


@dataclass(frozen=True, slots=True)
class Basis:
    """What an ordering rests on beside decisions: how much was judged, the newest run, its stack, and its end.

    `gold` differs where other samples are gold.
    """

    judged: int
    run: int | None
    stack: int | None
    done: bool
    gold: int


def basis(store: Store) -> Basis:
    """How things stand now; quick, whatever the number of samples."""
    connection = store.read()
    (judged,) = connection.execute("SELECT coalesce(sum(samples), 0) FROM tallies WHERE status <> 'pending'").fetchone()
    row = connection.execute(
        "SELECT id, stack_id, completed_at FROM runs WHERE kind = 'batch' ORDER BY id DESC LIMIT 1"
    ).fetchone()
    (gold,) = connection.execute("SELECT coalesce(sum(seq), 0) FROM gold").fetchone()
    run, stack, completed_at = (None, None, None) if row is None else row
    return Basis(judged, run, stack, completed_at is not None, gold)


def unflagged_ids(store: Store, *, batch: str | None = None) -> array[int]:
    """Row ids, in order, of the undecided samples that nothing flagged and the audit did not draw."""
    within = """AND EXISTS (SELECT 1 FROM occurrences x WHERE x.sample_id = s.id
        AND x.batch_id = (SELECT id FROM batches WHERE name = :batch))"""
    rows = store.read().execute(
        f"""SELECT s.id FROM samples s LEFT JOIN states st ON st.sample_id = s.id WHERE {VISIBLE}
        AND coalesce(st.status, 'pending') IN ('pending', 'passed') AND NOT coalesce(st.audit, 0)
        {within if batch is not None else ""} ORDER BY s.id""",
        {"batch": batch},
    )
    return array("q", (row[0] for row in rows))
