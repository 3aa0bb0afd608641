"""Revisions: edited samples, stored with the verdicts on them in the transaction of their decision."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from holdfast.db import rows, verdicts
from holdfast.db.errors import Refused
from holdfast.db.ingests import source_id_of
from holdfast.db.models import Sample, SampleVerdicts, Status, VerifierSpec
from holdfast.db.states import add_to_tally


@dataclass(frozen=True, slots=True)
class Revision:
    """An edited sample with what the stack said of it."""

    sample: Sample
    edit_share: float
    specs: tuple[VerifierSpec, ...]
    verdicts: SampleVerdicts


def store_revision(
    connection: sqlite3.Connection, revision: Revision, item: sqlite3.Row, at: str
) -> tuple[int, dict[str, Any]]:
    """Store an edit of `item` with its verdicts, inside a write transaction; its row id and what the event says of it.

    The sample itself may be there already: made by the same edit before, or ingested.
    """
    audit = bool(item["audit"])
    found = connection.execute("SELECT id, ingest_id FROM samples WHERE uid = ?", (revision.sample.uid,)).fetchone()
    if found is None:
        external_id = _next_external_id(connection, item["batch_id"], item["external_id"])
        row = rows.prepare(revision.sample, batch=item["batch"], external_id=external_id)
        revision_id = _insert_revision(connection, row, item["batch_id"], revision.edit_share)
        connection.execute(
            "INSERT INTO states (sample_id, status, audit) VALUES (?, 'superseded', ?)", (revision_id, item["audit"])
        )
        add_to_tally(connection, source_id_of(connection, row), Status.SUPERSEDED, 1, row.tokens)
    else:
        revision_id = found["id"]
        if connection.execute(
            "SELECT 1 FROM ingests WHERE id = ? AND closed_at IS NULL", (found["ingest_id"],)
        ).fetchone():
            raise Refused("an ingest that is still running brings this very text; decide again when it is done")
        known = connection.execute("SELECT audit FROM states WHERE sample_id = ?", (revision_id,)).fetchone()
        audit = audit or (known is not None and bool(known["audit"]))
    run = verdicts.revision_run(connection, specs=revision.specs, at=at)
    verdict_id = verdicts.insert_verdict(connection, run, revision_id, revision.verdicts, audit=audit)
    # A revision is judged without the votes on it, which there are where the same edit was made, and undone, before.
    connection.execute(
        """INSERT INTO states (sample_id, status, verdict_id, audit) VALUES (?, 'pending', ?, ?) ON CONFLICT (sample_id)
        DO UPDATE SET verdict_id = excluded.verdict_id, audit = excluded.audit,
        stale = EXISTS (SELECT 1 FROM votes WHERE sample_id = excluded.sample_id)""",
        (revision_id, verdict_id, int(audit)),
    )
    occurrence = connection.execute(
        "SELECT external_id, row_hash FROM occurrences WHERE sample_id = ? ORDER BY id LIMIT 1", (revision_id,)
    ).fetchone()
    verdict_hash = connection.execute("SELECT row_hash FROM verdicts WHERE id = ?", (verdict_id,)).fetchone()[0]
    return revision_id, {
        "uid": revision.sample.uid, "external_id": occurrence["external_id"], "row_hash": occurrence["row_hash"].hex(),
        "verdict_hash": verdict_hash.hex(), "edit_share": revision.edit_share,
    }  # fmt: skip


def _insert_revision(connection: sqlite3.Connection, row: rows.Row, batch_id: int, edit_share: float) -> int:
    source_id = source_id_of(connection, row)
    cursor = connection.execute(
        """INSERT INTO samples (uid, content_id, source_id, tokens, provenance, model, generation, edit_share,
        parents, messages)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (row.uid, row.content_id, source_id, row.tokens, row.provenance, row.model, row.generation, edit_share,
        row.parents,
         row.messages),
    )  # fmt: skip
    sample_id = cursor.lastrowid
    assert sample_id is not None
    connection.execute(
        """INSERT INTO occurrences (batch_id, external_id, sample_id, row_hash, family, domain, task, licence,
        group_key, label,
        sampling, reference, metadata) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (batch_id, row.external_id, sample_id, *row[10:20]),
    )
    connection.execute(
        "INSERT OR IGNORE INTO lineage SELECT value, ? FROM json_each(?)", (sample_id, row.parents or "[]")
    )
    return sample_id


def _next_external_id(connection: sqlite3.Connection, batch_id: int, external_id: str) -> str:
    stem, mark, number = external_id.rpartition("#")
    if not (mark and number.isdecimal()):
        stem, number = external_id, "1"
    taken = "SELECT 1 FROM occurrences WHERE batch_id = ? AND external_id = ?"
    following = int(number) + 1
    while connection.execute(taken, (batch_id, f"{stem}#{following}")).fetchone() is not None:
        following += 1
    return f"{stem}#{following}"
