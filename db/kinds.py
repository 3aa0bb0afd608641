"""What a decision counts as: the first, a second opinion, an adjudication, an answer to gold, or one made again."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from holdfast.db import personal, queue
from holdfast.db.errors import NotFound, Refused
from holdfast.db.models import Role, Status
from holdfast.db.states import GUARANTEED, effective, opinions_of

if TYPE_CHECKING:
    from holdfast.db.decisions import Submission


def item_of(connection: sqlite3.Connection, sample_id: int) -> sqlite3.Row:
    """What a decision on a sample depends on: its place, its claim in the queue, its status; NotFound without one."""
    row: sqlite3.Row | None = connection.execute(
        f"""SELECT s.id, s.uid, s.source_id, o.batch_id, o.external_id, b.name AS batch, q.state, q.reviewer, q.token,
        q.expires_at, coalesce(q.stream, 'flagged') AS stream, coalesce(st.status, 'pending') AS status, st.verdict_id,
        coalesce(st.audit, 0) AS audit, {GUARANTEED} AS guaranteed
        FROM samples s JOIN occurrences o ON o.id = (SELECT min(id) FROM occurrences WHERE sample_id = s.id)
        JOIN batches b ON b.id = o.batch_id LEFT JOIN queue q ON q.sample_id = s.id
        LEFT JOIN states st ON st.sample_id = s.id WHERE s.id = ?""",
        (sample_id,),
    ).fetchone()
    if row is None:
        raise NotFound(f"no sample has the row id {sample_id}")
    return row


def kind_of(
    connection: sqlite3.Connection, submission: Submission, item: sqlite3.Row, role: Role, at: str
) -> tuple[str, bool]:
    """What a decision counts as, and whether it comes late; Refused where it cannot be made."""
    beside = personal.kind_of_claim(connection, item["id"], submission.reviewer, submission.token, at)
    late = submission.token is not None and beside is None and not holds(item, submission.token, at)
    if submission.token is None:
        # What looks undecided can be decided without a claim, or it would be told by not letting itself.
        beside = personal.kind_seen(connection, item["id"], submission.reviewer, lead=role is Role.LEAD, at=at)
    if item["status"] == Status.GOLD:
        _refuse_known(connection, submission, item, role, due=late or beside is not None)
        return "gold", late
    if (late or beside == "rereview") and personal.is_due_again(connection, item["id"], submission.reviewer, at):
        return "rereview", late
    if late:
        return "second", True
    decided = effective(opinions_of(connection, item["id"]))
    settled = decided is not None or item["status"] in (Status.SUPERSEDED, Status.ESCALATED)
    # What was approved without a look is open to everybody's first look.
    settled = settled or (item["status"] == Status.APPROVED and not item["guaranteed"])
    if beside is not None and (settled or _is_held(item, at)):
        return "second", False
    if submission.second_opinion and settled:
        return ("first" if _is_own_edit(connection, item, submission.reviewer) else "second"), False
    if submission.token is None:
        queue.refuse_if_held(connection, item["id"], submission.reviewer, at)
    if item["status"] == Status.ESCALATED and role is Role.LEAD:
        return "adjudication", False
    if decided is not None:
        raise Refused("decided already; give a second opinion with --second-opinion")
    if settled:
        remedy = {
            Status.SUPERSEDED: "decide its live revision",
            Status.ESCALATED: "a lead decides it",
        }.get(item["status"], "undo the edit that made it")
        raise Refused(f"{item['status']} already; {remedy}, or give a second opinion with --second-opinion")
    return "first", False


def _refuse_known(
    connection: sqlite3.Connection, submission: Submission, item: sqlite3.Row, role: Role, *, due: bool
) -> None:
    """Refused where a gold sample is nothing to its reviewer: to leads, and until it is due to who has decided it."""
    if role is Role.LEAD:
        raise Refused("a gold sample: its answer is known; `holdfast gold --retire` makes it data again")
    said = connection.execute(
        "SELECT 1 FROM decisions WHERE sample_id = ? AND reviewer = ? AND undone_seq IS NULL AND verdict <> 'skip'",
        (item["id"], submission.reviewer),
    ).fetchone()
    if said is not None and not due and not submission.second_opinion:
        raise Refused("decided already; give a second opinion with --second-opinion")


def _is_held(item: sqlite3.Row, at: str) -> bool:
    """Whether a lease of the queue on the sample has not ended."""
    return item["state"] == "claimed" and bool(item["expires_at"] >= at)


def holds(item: sqlite3.Row, token: str | None, at: str) -> bool:
    """Whether a token is that of such a lease."""
    return token is not None and _is_held(item, at) and bool(item["token"] == token)


def _is_own_edit(connection: sqlite3.Connection, item: sqlite3.Row, reviewer: str) -> bool:
    """Whether the sample is a standing revision that nobody but the reviewer had a part in: they may go on with it."""
    makers = connection.execute("SELECT reviewer FROM decisions WHERE revision_id = ?", (item["id"],)).fetchall()
    untouched = not opinions_of(connection, item["id"])
    return item["status"] == Status.APPROVED and untouched and {row[0] for row in makers} == {reviewer}
