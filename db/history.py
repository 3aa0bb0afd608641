"""Which decision a sample's status rests on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import orjson

from holdfast.db.decisions import Decision
from holdfast.db.models import Choice, Stream
from holdfast.db.store import Store

_COLUMNS = """d.seq, d.sample_id, s.uid, d.reviewer, d.verdict, d.kind, d.reason, d.note, d.override, d.revision_id,
    d.stream, d.late, d.at"""
_LIVE = """JOIN samples s ON s.id = d.sample_id
    WHERE d.undone_seq IS NULL AND d.verdict <> 'skip' AND d.kind IN ('first', 'adjudication')"""


def deciding(store: Store, sample_ids: Iterable[int]) -> dict[int, Decision]:
    """The decision that counts, by row id; samples that nobody decided are left out.

    That is the latest adjudication, else the first decision, else the edit that made a revision.
    """
    rows = store.read().execute(
        f"""SELECT d.revision_id AS about, {_COLUMNS} FROM decisions d {_LIVE}
            AND d.revision_id IN (SELECT value FROM json_each(:chosen))
        UNION ALL SELECT d.sample_id, {_COLUMNS} FROM decisions d {_LIVE}
            AND d.sample_id IN (SELECT value FROM json_each(:chosen))
        ORDER BY seq""",
        {"chosen": orjson.dumps(list(sample_ids)).decode()},
    )
    found: dict[int, Decision] = {}
    for row in rows:
        before = found.get(row["about"])
        if before is None or before.sample_id != row["about"] or row["kind"] == "adjudication":
            found[row["about"]] = _decision(row)
    return found


def made_beside(store: Store, sample_id: int) -> list[Decision]:
    """The edits that made a revision and change no status, oldest first: answers to gold, decisions made again."""
    rows = store.read().execute(
        f"""SELECT {_COLUMNS} FROM decisions d JOIN samples s ON s.id = d.sample_id WHERE d.revision_id = ?
        AND d.kind IN ('gold', 'rereview') AND d.undone_seq IS NULL ORDER BY d.seq""",
        (sample_id,),
    )
    return [_decision(row) for row in rows]


def _decision(row: sqlite3.Row) -> Decision:
    return Decision(
        row["seq"], row["sample_id"], row["uid"], row["reviewer"], Choice(row["verdict"]), row["kind"], row["reason"],
        row["note"], row["override"], row["revision_id"], Stream(row["stream"]), bool(row["late"]), row["at"], False,
    )  # fmt: skip
