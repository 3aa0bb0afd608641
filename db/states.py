"""Statuses: pure rules, and the one function that brings a sample's projections up to date."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from holdfast.db import personal
from holdfast.db.models import Choice, Outcome, Provenance, Status, Stream


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """A sample's place in the queue; the values of `why` add up to `priority`.

    `version` is the ordering that ranked it, 0 for the rule score that a verify run gives it first. `p_shown` is what
    annotators see instead of `p_bad` where the place was drawn by hash, so that the two do not tell it apart.
    """

    stream: Stream
    priority: float
    p_bad: float
    why: tuple[tuple[str, float], ...]
    reasons: tuple[str, ...]
    p_shown: float | None = None
    version: int = 0


ENTRY_SET = "priority = ?, stream = ?, p_bad = ?, why = ?, reasons = ?, p_shown = ?, version = ?"
"""Assignments of an entry's columns, for the values that `packed` gives."""

UNRANKED = QueueEntry(Stream.FLAGGED, 0.0, 0.0, (), ())
"""The place of a sample that no ordering has ranked yet."""


GUARANTEED = "EXISTS (SELECT 1 FROM approvals WHERE sample_id = s.id AND revoked_seq IS NULL)"
"""True of samples that an approval without a look stands for; `s` is a table of samples."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """The part of a live decision that a status depends on."""

    kind: str
    verdict: Choice
    revision_id: int | None


def status_of(outcome: Outcome | None, provenance: Provenance, *, audit: bool, guaranteed: bool = False) -> Status:
    """The status that nobody's decision gives: what fails is rejected unless a human wrote it or the audit drew it.

    What is approved without a look (`guaranteed`) is so while no check flags it and the audit has not drawn it.
    """
    if outcome is None:
        return Status.PENDING
    if outcome is Outcome.FAIL and provenance is not Provenance.HUMAN and not audit:
        return Status.REJECTED
    if outcome in (Outcome.FAIL, Outcome.FLAG, Outcome.ERROR):
        return Status.FLAGGED
    return Status.APPROVED if guaranteed and not audit else Status.PASSED


def effective(opinions: Sequence[Opinion]) -> Opinion | None:
    """The decision that counts: the latest adjudication, else the first one."""
    for kind, order in (("adjudication", reversed(opinions)), ("first", iter(opinions))):
        for opinion in order:
            if opinion.kind == kind and opinion.verdict is not Choice.SKIP:
                return opinion
    return None


def decided_status(base: Status, opinions: Sequence[Opinion]) -> Status:
    """The status that live decisions, in order, make of the one that verdicts gave."""
    counts = effective(opinions)
    others = [one for one in opinions if one.kind == "second" and one.verdict is not Choice.SKIP]
    if counts is None:
        # An approved revision rests on the edit that made it, which is older than any opinion of it.
        disputed = base is Status.APPROVED and any(other.verdict is not Choice.ACCEPT for other in others)
        return Status.ESCALATED if disputed else base
    said = (counts.verdict, counts.revision_id)
    if counts.kind == "first" and any((other.verdict, other.revision_id) != said for other in others):
        return Status.ESCALATED
    return {
        Choice.ACCEPT: Status.APPROVED,
        Choice.EDIT: Status.SUPERSEDED,
        Choice.REJECT: Status.REJECTED,
        Choice.ESCALATE: Status.ESCALATED,
    }[counts.verdict]


def opinions_of(connection: sqlite3.Connection, sample_id: int) -> list[Opinion]:
    """The sample's live decisions in order."""
    rows = connection.execute(
        "SELECT kind, verdict, revision_id FROM decisions WHERE sample_id = ? AND undone_seq IS NULL ORDER BY seq",
        (sample_id,),
    )
    return [Opinion(row[0], Choice(row[1]), row[2]) for row in rows]


def derive(connection: sqlite3.Connection, sample_id: int) -> Status:
    """A sample's status from its verdict, its decisions and, for a revision, the decision that made it."""
    row = connection.execute(
        f"""SELECT s.provenance, s.ingest_id, st.audit, v.outcome, EXISTS (SELECT 1 FROM gold WHERE sample_id = s.id),
        {GUARANTEED} FROM samples s LEFT JOIN states st ON st.sample_id = s.id
        LEFT JOIN verdicts v ON v.id = st.verdict_id WHERE s.id = ?""",
        (sample_id,),
    ).fetchone()
    if row[4]:
        return Status.GOLD
    makers = connection.execute("SELECT sample_id FROM decisions WHERE revision_id = ?", (sample_id,)).fetchall()
    if any(_leads_to(connection, maker[0], sample_id) for maker in makers):
        base = Status.APPROVED
    elif makers and row[1] is None:
        return Status.SUPERSEDED
    else:
        outcome = None if row[3] is None else Outcome(row[3])
        base = status_of(outcome, Provenance(row[0]), audit=bool(row[2]), guaranteed=bool(row[5]))
    return decided_status(base, opinions_of(connection, sample_id))


def refresh(connection: sqlite3.Connection, sample_id: int, entry: QueueEntry | None = None) -> Status:
    """Bring status, tallies and queue of a sample and its revisions up to date, inside a write transaction."""
    status = derive(connection, sample_id)
    _set_status(connection, sample_id, status)
    _set_queue(connection, sample_id, status, entry)
    personal.settle(connection, sample_id)
    revisions = connection.execute(
        "SELECT DISTINCT revision_id FROM decisions WHERE sample_id = ? AND revision_id IS NOT NULL", (sample_id,)
    ).fetchall()
    for (revision_id,) in revisions:
        refresh(connection, revision_id)
    return status


def _leads_to(connection: sqlite3.Connection, sample_id: int, revision_id: int) -> bool:
    """Whether the sample is live and its effective decision is the edit that made the revision."""
    if derive(connection, sample_id) is not Status.SUPERSEDED:
        return False
    counts = effective(opinions_of(connection, sample_id))
    return counts is not None and counts.revision_id == revision_id


def _set_status(connection: sqlite3.Connection, sample_id: int, status: Status) -> None:
    source_id, tokens, old = connection.execute(
        """SELECT s.source_id, s.tokens, coalesce(st.status, 'pending') FROM samples s
        LEFT JOIN states st ON st.sample_id = s.id WHERE s.id = ?""",
        (sample_id,),
    ).fetchone()
    connection.execute(
        """INSERT INTO states (sample_id, status, audit) VALUES (?, ?, 0)
        ON CONFLICT (sample_id) DO UPDATE SET status = excluded.status""",
        (sample_id, status.value),
    )
    if old != status:
        add_to_tally(connection, source_id, old, -1, -tokens)
        add_to_tally(connection, source_id, status.value, 1, tokens)


def add_to_tally(connection: sqlite3.Connection, source_id: int, status: str, samples: int, tokens: int) -> None:
    """Add to a source's counts of a status."""
    connection.execute(
        """INSERT INTO tallies VALUES (?, ?, ?, ?) ON CONFLICT (source_id, status) DO UPDATE
        SET samples = samples + excluded.samples, tokens = tokens + excluded.tokens""",
        (source_id, status, samples, tokens),
    )


def pool_of(status: Status, *, audit: bool) -> str | None:
    """Who a sample waits for: `lead`, `review` or, None, nobody; decided samples have other statuses."""
    if status is Status.ESCALATED:
        return "lead"
    if status is Status.FLAGGED or (status is Status.PASSED and audit):
        return "review"
    return None


def _set_queue(connection: sqlite3.Connection, sample_id: int, status: Status, entry: QueueEntry | None) -> None:
    (audit,) = connection.execute("SELECT audit FROM states WHERE sample_id = ?", (sample_id,)).fetchone()
    pool = pool_of(status, audit=bool(audit))
    row = connection.execute("SELECT pool, state FROM queue WHERE sample_id = ?", (sample_id,)).fetchone()
    if row is None:
        # A decided sample's place is kept too: it comes back to it where the decision is undone.
        if pool is not None:
            insert_entry(connection, sample_id, pool, "open", entry or UNRANKED)
        elif entry is not None:
            insert_entry(connection, sample_id, "review", "done", entry)
        return
    if pool is None:
        connection.execute(
            "UPDATE queue SET state = 'done' WHERE sample_id = ? AND state = 'open' AND pool <> 'none'", (sample_id,)
        )
    elif row[1] == "done" or row[0] != pool:
        # Whoever holds it keeps it: a claim ends when its holder decides, releases it or goes silent.
        connection.execute(
            "UPDATE queue SET pool = ?, state = iif(state = 'done', 'open', state) WHERE sample_id = ?",
            (pool, sample_id),
        )
    if entry is not None:
        connection.execute(
            f"UPDATE queue SET {ENTRY_SET} WHERE sample_id = ?",
            (*packed(entry), sample_id),
        )


def insert_entry(connection: sqlite3.Connection, sample_id: int, pool: str, state: str, entry: QueueEntry) -> None:
    """Put a sample into the queue; ties in priority are broken by its uid."""
    connection.execute(
        """INSERT INTO queue
        (sample_id, batch_id, tie, pool, state, priority, stream, p_bad, why, reasons, p_shown, version)
        SELECT s.id, (SELECT batch_id FROM occurrences WHERE sample_id = s.id ORDER BY id LIMIT 1), ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?
        FROM samples s WHERE s.id = ?""",
        (_tie(connection, sample_id), pool, state, *packed(entry), sample_id),
    )


def packed(entry: QueueEntry) -> tuple[object, ...]:
    """An entry as the queue's columns hold it, in the order of ENTRY_SET."""
    head = (entry.priority, entry.stream.value, entry.p_bad, _json(entry.why), _json(entry.reasons))
    return (*head, entry.p_shown, entry.version)


def _tie(connection: sqlite3.Connection, sample_id: int) -> int:
    (uid,) = connection.execute("SELECT uid FROM samples WHERE id = ?", (sample_id,)).fetchone()
    return int(uid[:15], 16)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
