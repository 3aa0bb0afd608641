"""Decisions: one compare-and-swap transaction each, undone and redone by compensating events."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from holdfast.db import events, exports, personal, queue
from holdfast.db.errors import Refused, UsageError
from holdfast.db.kinds import holds, item_of, kind_of
from holdfast.db.models import Choice, Status, Stream
from holdfast.db.revisions import Revision, store_revision
from holdfast.db.states import effective, opinions_of, refresh
from holdfast.db.store import Store, text_of
from holdfast.db.users import ensure_user

SKIP_SECONDS = 3600
"""How long a skipped item is kept from the reviewer who skipped it."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What a reviewer decided; `shown` describes what was on screen. `token` None claims and decides in one step.

    A first decision may ask for more: to be shown `again` to its reviewer after a day, or so many `opinions` in all.
    """

    sample_id: int
    reviewer: str
    choice: Choice
    token: str | None = None
    reason: str | None = None
    note: str | None = None
    override: str | None = None
    revision: Revision | None = None
    second_opinion: bool = False
    dwell_seconds: float | None = None
    shown: Mapping[str, Any] | None = None
    again: bool = False
    opinions: int | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A stored decision: `late` when the lease had ended, so that it counts as a second opinion."""

    seq: int
    sample_id: int
    uid: str
    status: Status
    late: bool
    second_opinion: bool
    revision_uid: str | None
    kind: str


@dataclass(frozen=True, slots=True)
class Undone:
    """A decision that was taken back, or made again."""

    seq: int
    sample_id: int
    uid: str
    choice: Choice


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision as the history shows it; `undone` ones no longer count."""

    seq: int
    sample_id: int
    uid: str
    reviewer: str
    choice: Choice
    kind: str
    reason: str | None
    note: str | None
    override: str | None
    revision_id: int | None
    stream: Stream
    late: bool
    at: str
    undone: bool


def decide(store: Store, submission: Submission) -> Receipt:
    """Store a decision with its revision, verdicts and event; Refused where the item is another's or decided already.

    With a token whose lease has ended the decision is kept as a second opinion and marked late.
    """
    _check(submission)
    with store.write() as connection:
        now = store.now()
        at = text_of(now)
        role = ensure_user(connection, submission.reviewer, at=at)
        item = item_of(connection, submission.sample_id)
        kind, late = kind_of(connection, submission, item, role, at)
        revision_id, revision_facts = None, None
        if submission.revision is not None:
            revision_id, revision_facts = store_revision(connection, submission.revision, item, at)
        payload = {**_payload(submission, item, kind, late, revision_facts), **_asked(submission, kind, now)}
        payload["shown"] |= personal.place_of(connection, submission.sample_id, submission.reviewer)
        seq = events.append(connection, at=at, actor=submission.reviewer, type="decision.made", payload=payload)
        apply_made(connection, seq, at, submission.reviewer, submission.sample_id, revision_id, payload)
        personal.free(connection, submission.sample_id, submission.reviewer)
        if (not late and kind in ("first", "adjudication")) or holds(item, submission.token, at):
            queue.free(connection, submission.sample_id)
        if submission.choice is Choice.SKIP:
            connection.execute(
                "INSERT OR REPLACE INTO skips VALUES (?, ?, ?)",
                (submission.sample_id, submission.reviewer, text_of(now + timedelta(seconds=SKIP_SECONDS))),
            )
        connection.execute(
            "DELETE FROM drafts WHERE sample_id = ? AND reviewer = ?", (submission.sample_id, submission.reviewer)
        )
        status = refresh(connection, submission.sample_id)
        revision_uid = None if submission.revision is None else submission.revision.sample.uid
        return Receipt(seq, submission.sample_id, item["uid"], status, late, kind == "second", revision_uid, kind)


def undo(store: Store, *, reviewer: str, steps: int = 1) -> list[Undone]:
    """Take back the reviewer's latest decisions, newest first; Refused where a later decision rests on one."""
    with store.write() as connection:
        at = text_of(store.now())
        undone = []
        for _ in range(steps):
            row = connection.execute(
                """SELECT d.*, s.uid FROM decisions d JOIN samples s ON s.id = d.sample_id
                WHERE d.reviewer = ? AND d.undone_seq IS NULL ORDER BY d.seq DESC LIMIT 1""",
                (reviewer,),
            ).fetchone()
            if row is None:
                break
            _refuse_if_built_upon(connection, row)
            queue.refuse_if_held(connection, row["sample_id"], reviewer, at)
            payload = {"decision": row["seq"], "uid": row["uid"]}
            seq = events.append(connection, at=at, actor=reviewer, type="decision.undone", payload=payload)
            apply_undone(connection, seq, row["seq"])
            connection.execute("DELETE FROM skips WHERE sample_id = ? AND reviewer = ?", (row["sample_id"], reviewer))
            refresh(connection, row["sample_id"])
            undone.append(Undone(row["seq"], row["sample_id"], row["uid"], Choice(row["verdict"])))
        return undone


def redo(store: Store, *, reviewer: str, steps: int = 1) -> list[Undone]:
    """Make undone decisions again, in their order; a new decision of the reviewer forgets what could be redone."""
    with store.write() as connection:
        at = text_of(store.now())
        redone = []
        for _ in range(steps):
            row = connection.execute(
                """SELECT d.*, s.uid FROM decisions d JOIN samples s ON s.id = d.sample_id WHERE d.reviewer = :reviewer
                AND d.undone_seq > (SELECT max(seq) FROM decisions WHERE reviewer = :reviewer) ORDER BY
                d.undone_seq DESC LIMIT 1""",
                {"reviewer": reviewer},
            ).fetchone()
            if row is None:
                break
            queue.refuse_if_held(connection, row["sample_id"], reviewer, at)
            _refuse_if_settled(connection, row)
            payload = {"decision": row["seq"], "uid": row["uid"]}
            events.append(connection, at=at, actor=reviewer, type="decision.redone", payload=payload)
            apply_redone(connection, row["seq"])
            queue.free(connection, row["sample_id"])
            personal.free(connection, row["sample_id"], reviewer)
            refresh(connection, row["sample_id"])
            redone.append(Undone(row["seq"], row["sample_id"], row["uid"], Choice(row["verdict"])))
        return redone


def decisions_of(store: Store, sample_id: int) -> list[Decision]:
    """A sample's decisions in order, undone ones included."""
    return _history(store, "d.sample_id = ? ORDER BY d.seq", (sample_id,))


def decisions_by(store: Store, reviewer: str, *, limit: int = 50) -> list[Decision]:
    """A reviewer's latest decisions, newest first."""
    return _history(store, "d.reviewer = ? ORDER BY d.seq DESC LIMIT ?", (reviewer, limit))


def count_since(store: Store, reviewer: str, since: datetime) -> int:
    """How many decisions of a reviewer since an instant still count."""
    (count,) = (
        store.read()
        .execute(
            "SELECT count(*) FROM decisions WHERE reviewer = ? AND undone_seq IS NULL AND at >= ?",
            (reviewer, text_of(since)),
        )
        .fetchone()
    )
    return int(count)


def apply_made(
    connection: sqlite3.Connection, seq: int, at: str, actor: str, sample_id: int, revision_id: int | None,
    payload: Mapping[str, Any],
) -> None:  # fmt: skip
    """Project a `decision.made` event."""
    connection.execute(
        """INSERT INTO decisions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, NULL,
        1 + coalesce((SELECT nth FROM decisions WHERE reviewer = ?3 ORDER BY seq DESC LIMIT 1), 0), ?13, ?14)""",
        (seq, sample_id, actor, payload["verdict"], payload["kind"], payload["reason"], payload["note"],
         payload["override"], revision_id, payload["stream"], int(payload["late"]), at, payload.get("again_at"),
         payload.get("opinions")),
    )  # fmt: skip


def apply_undone(connection: sqlite3.Connection, seq: int, decision_seq: int) -> None:
    """Project a `decision.undone` event; exports that hold what was decided are stale."""
    connection.execute("UPDATE decisions SET undone_seq = ? WHERE seq = ?", (seq, decision_seq))
    exports.apply_taken_back(connection, decision_seq)


def apply_redone(connection: sqlite3.Connection, decision_seq: int) -> None:
    """Project a `decision.redone` event."""
    connection.execute("UPDATE decisions SET undone_seq = NULL WHERE seq = ?", (decision_seq,))


def _check(submission: Submission) -> None:
    for text in (submission.note, submission.reason, submission.override):
        if text is not None:
            try:
                text.encode()
            except UnicodeEncodeError:
                raise UsageError("the note or reason is not valid Unicode text; type it again") from None
    if (submission.revision is not None) != (submission.choice is Choice.EDIT):
        raise UsageError("an edit, and nothing else, comes with a revised response")


def _asked(submission: Submission, kind: str, now: datetime) -> dict[str, Any]:
    """What a decision asks of people later on; it goes with the event where there is anything."""
    if kind != "first" or submission.choice not in (Choice.ACCEPT, Choice.EDIT, Choice.REJECT):
        return {}
    again = {"again_at": text_of(now + personal.AGAIN_AFTER)} if submission.again else {}
    return again if submission.opinions is None else {**again, "opinions": submission.opinions}


def _payload(
    submission: Submission, item: sqlite3.Row, kind: str, late: bool, revision: dict[str, Any] | None
) -> dict[str, Any]:
    stream = {"gold": Stream.GOLD, "rereview": Stream.REREVIEW}.get(kind, Stream(item["stream"]))
    return {
        "uid": item["uid"],
        "verdict": submission.choice.value,
        "kind": kind,
        "late": late,
        "reason": submission.reason,
        "note": submission.note,
        "override": submission.override,
        "stream": stream.value,
        "revision": revision,
        "dwell_seconds": submission.dwell_seconds,
        "shown": {"verdict": item["verdict_id"], **(submission.shown or {})},
    }


def _refuse_if_built_upon(connection: sqlite3.Connection, row: sqlite3.Row) -> None:
    if row["revision_id"] is None:
        return
    later = connection.execute(
        "SELECT reviewer FROM decisions WHERE sample_id = ? AND undone_seq IS NULL AND verdict <> 'skip' LIMIT 1",
        (row["revision_id"],),
    ).fetchone()
    if later is not None:
        raise Refused(f"{row['uid'][:12]}: {later[0]} decided the edited revision since; that must be undone first")


def _refuse_if_settled(connection: sqlite3.Connection, row: sqlite3.Row) -> None:
    counts = effective(opinions_of(connection, row["sample_id"]))
    if row["kind"] == "adjudication":
        settled = counts is not None and counts.kind == "adjudication"
    else:
        settled = row["kind"] == "first" and counts is not None
    if settled:
        raise Refused(f"{row['uid'][:12]}: somebody decided it meanwhile; it cannot be redone")


def _history(store: Store, where: str, values: Sequence[object]) -> list[Decision]:
    found = store.read().execute(
        f"SELECT d.*, s.uid FROM decisions d JOIN samples s ON s.id = d.sample_id WHERE {where}", tuple(values)
    )
    return [
        Decision(
            row["seq"], row["sample_id"], row["uid"], row["reviewer"], Choice(row["verdict"]), row["kind"],
            row["reason"],
            row["note"], row["override"], row["revision_id"], Stream(row["stream"]), bool(row["late"]), row["at"],
            row["undone_seq"] is not None,
        )
        for row in found
    ]  # fmt: skip
