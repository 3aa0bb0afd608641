"""Samples in brief: what a list shows of each, found by the beginning of its uid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from holdfast.db.models import Provenance, Status
from holdfast.db.samples import VISIBLE
from holdfast.db.store import Store


@dataclass(frozen=True, slots=True)
class Brief:
    """A sample without its text; batch and external id are those of its first occurrence.

    `wanted` says whether it occurs in the batch that was asked for; without one, True.
    """

    id: int
    uid: str
    external_id: str
    batch: str
    provenance: Provenance
    status: Status
    wanted: bool


def briefs(store: Store, starts: Sequence[str], *, batch: str | None = None) -> dict[str, Brief]:
    """Visible samples by the first 16 hex digits of their uids; those that the store does not hold are left out."""
    rows = store.read().execute(
        f"""SELECT s.id, s.uid, o.external_id, b.name, s.provenance, coalesce(st.status, 'pending'),
        :batch IS NULL OR EXISTS (SELECT 1 FROM occurrences x WHERE x.sample_id = s.id
            AND x.batch_id = (SELECT id FROM batches WHERE name = :batch)), p.value
        FROM json_each(:starts) p JOIN samples s ON s.uid >= p.value AND s.uid < p.value || 'g'
        JOIN occurrences o ON o.id = (SELECT min(id) FROM occurrences WHERE sample_id = s.id)
        JOIN batches b ON b.id = o.batch_id LEFT JOIN states st ON st.sample_id = s.id WHERE {VISIBLE}""",
        {"starts": orjson.dumps(list(starts)).decode(), "batch": batch},
    )
    return {
        row[7]: Brief(row[0], row[1], row[2], row[3], Provenance(row[4]), Status(row[5]), bool(row[6])) for row in rows
    }
