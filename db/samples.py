"""Reading samples: one, many, by reference, by lineage, and counts by source."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel

from holdfast.db.errors import NotFound
from holdfast.db.models import Message, Provenance, Sample, Source, Status
from holdfast.db.store import Store

Model = TypeVar("Model", bound=BaseModel)

_PAGE_ROWS = 500
_PROVENANCES = {one.value: one for one in Provenance}
_STATUSES = {one.value: one for one in Status}
_FIELDS: dict[type[BaseModel], set[str]] = {model: set(model.model_fields) for model in (Message, Sample)}

SELECT = """SELECT s.id, s.uid, s.content_id, s.tokens, s.edit_share, s.provenance, s.model, s.generation,
s.parents, s.messages,
    o.external_id, o.family, o.domain, o.task, o.licence, o.group_key, o.label, o.sampling, o.reference, o.metadata,
    b.name AS batch, coalesce(st.status, 'pending') AS status, coalesce(st.audit, 0) AS audit, st.verdict_id
    FROM samples s JOIN occurrences o ON o.id = (SELECT min(id) FROM occurrences WHERE sample_id = s.id)
    JOIN batches b ON b.id = o.batch_id LEFT JOIN states st ON st.sample_id = s.id"""

VISIBLE = "s.ingest_id IS NOT coalesce((SELECT id FROM ingests WHERE closed_at IS NULL), -1)"
"""True of revisions and of rows of closed ingests; `s` is a table with an ingest_id."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A sample as the store has it; batch and external id are those of its first occurrence."""

    id: int
    sample: Sample
    uid: str
    content_id: str
    batch: str
    external_id: str
    status: Status
    tokens: int
    edit_share: float | None
    audit: bool
    verdict_id: int | None


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One ingested row of a sample."""

    batch: str
    external_id: str
    family: str | None
    domain: str | None
    task: str | None
    licence: str | None
    group: str | None
    label: str | None
    reference: str | None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many samples and tokens of a source have a status."""

    source: Source
    status: Status
    samples: int
    tokens: int


def load(store: Store, sample_id: int) -> Stored:
    """The sample with this id; NotFound where there is none."""
    row = store.read().execute(f"{SELECT} WHERE s.id = ?", (sample_id,)).fetchone()
    if row is None:
        raise NotFound(f"no sample has the row id {sample_id}")
    return from_row(row)


def uid_of(store: Store, sample_id: int) -> str:
    """A sample's uid; NotFound where there is none."""
    row = store.read().execute("SELECT uid FROM samples WHERE id = ?", (sample_id,)).fetchone()
    if row is None:
        raise NotFound(f"no sample has the row id {sample_id}")
    return str(row[0])


def load_many(store: Store, sample_ids: Iterable[int]) -> list[Stored]:
    """Samples in the order of their ids as given."""
    wanted = list(sample_ids)
    rows = store.read().execute(
        f"{SELECT} WHERE s.id IN (SELECT value FROM json_each(?))", (orjson.dumps(wanted).decode(),)
    )
    found = {row["id"]: from_row(row) for row in rows}
    return [found[sample_id] for sample_id in wanted]


def each(store: Store, *, status: Status | None = None, batch: str | None = None) -> Iterator[Stored]:
    """Visible samples by id, page by page, so that writers are never held up."""
    page = _page_query(status, batch)
    after = 0
    while True:
        values = {"after": after, "status": status, "batch": batch, "page": _PAGE_ROWS}
        ids = [int(row[0]) for row in store.read().execute(page, values)]
        yield from load_many(store, ids)
        if len(ids) < _PAGE_ROWS:
            return
        after = ids[-1]


def _page_query(status: Status | None, batch: str | None) -> str:
    """The ids of a page, from the table whose index has them in order."""
    if status is None or status is Status.PENDING:
        table, where = "samples s", VISIBLE
    else:
        # Only visible samples have a state.
        table, where = "(SELECT sample_id AS id, status FROM states) s", "s.status = :status"
    if status is Status.PENDING:
        where += " AND NOT EXISTS (SELECT 1 FROM states WHERE sample_id = s.id AND status <> 'pending')"
    if batch is not None:
        where += """ AND EXISTS (SELECT 1 FROM occurrences x WHERE x.sample_id = s.id
            AND x.batch_id = (SELECT id FROM batches WHERE name = :batch))"""
    return f"SELECT s.id FROM {table} WHERE {where} AND s.id > :after ORDER BY s.id LIMIT :page"


def resolve(store: Store, ref: str) -> int:
    """The row id a reference names: a uid, the unambiguous start of one, or batch/external_id (its live revision)."""
    batch, slash, external_id = ref.partition("/")
    if slash:
        return _live_revision(store.read(), _by_external_id(store.read(), batch, external_id))
    if re.fullmatch(r"[0-9a-f]{4,64}", ref) is None:
        raise NotFound(f"{ref[:80]!r} is no reference: give a uid (at least 4 of its hex digits) or batch/external_id")
    rows = (
        store.read()
        .execute(
            f"SELECT s.id, s.uid FROM samples s WHERE s.uid >= ? AND s.uid <= ? AND {VISIBLE} LIMIT 2",
            (ref, ref.ljust(64, "f")),
        )
        .fetchall()
    )
    if not rows:
        raise NotFound(f"no sample's uid starts with {ref}")
    if len(rows) > 1:
        raise NotFound(
            f"more than one uid starts with {ref} ({rows[0]['uid'][:16]}…, {rows[1]['uid'][:16]}…): give more digits"
        )
    return int(rows[0]["id"])


def occurrences(store: Store, sample_id: int) -> list[Occurrence]:
    """The rows that hold the sample, first one first."""
    rows = store.read().execute(
        """SELECT b.name, s.external_id, s.family, s.domain, s.task, s.licence, s.group_key, s.label, s.reference
        FROM occurrences s JOIN batches b ON b.id = s.batch_id WHERE s.sample_id = ? AND """
        + VISIBLE
        + " ORDER BY s.id",
        (sample_id,),
    )
    return [Occurrence(*row) for row in rows]


def parents_of(store: Store, stored: Stored) -> list[int | str]:
    """The parents' row ids, or their uids where the store does not hold them."""
    found: list[int | str] = []
    for uid in stored.sample.parents:
        row = store.read().execute("SELECT id FROM samples WHERE uid = ?", (uid,)).fetchone()
        found.append(uid if row is None else int(row[0]))
    return found


def children_of(store: Store, uid: str) -> list[int]:
    """Row ids of the samples that name this uid as a parent."""
    rows = store.read().execute(
        f"""SELECT s.id FROM lineage l JOIN samples s ON s.id = l.child_id WHERE l.parent_uid = ? AND {VISIBLE}
        ORDER BY s.id""",
        (uid,),
    )
    return [int(row[0]) for row in rows]


def tallies(store: Store) -> list[Tally]:
    """Counts by source and status; the time it takes depends on the number of sources alone."""
    rows = store.read().execute(
        """SELECT s.provenance, s.model, s.family, s.generation, s.domain, t.status, t.samples, t.tokens
        FROM tallies t JOIN sources s ON s.id = t.source_id WHERE t.samples > 0 ORDER BY s.key, t.status"""
    )
    return [
        Tally(Source(Provenance(row[0]), row[1], row[2], row[3], row[4]), Status(row[5]), row[6], row[7])
        for row in rows
    ]


def audited(store: Store, sample_ids: Iterable[int]) -> set[int]:
    """Those of some samples that the random audit drew."""
    rows = store.read().execute(
        "SELECT sample_id FROM states WHERE audit AND sample_id IN (SELECT value FROM json_each(?))",
        (orjson.dumps(list(sample_ids)).decode(),),
    )
    return {row[0] for row in rows}


def batches(store: Store) -> list[str]:
    """Names of the batches that hold visible rows, oldest first."""
    rows = store.read().execute(
        """SELECT name FROM batches b WHERE EXISTS
        (SELECT 1 FROM ingests i WHERE i.batch_id = b.id AND i.closed_at IS NOT NULL) ORDER BY b.id"""
    )
    return [row[0] for row in rows]


def from_row(row: sqlite3.Row) -> Stored:
    """A row of SELECT as a sample; stored text was validated when it came in."""
    # By position: a Row looks names up one by one, which would take longer than all the rest.
    (
        sample_id, uid, content_id, tokens, edit_share, provenance, model, generation, parents, messages,
        external_id, family, domain, task, licence, group, label, sampling, reference, metadata,
        batch, status, audit, verdict_id,
    ) = row  # fmt: skip
    sample = _built(
        Sample,
        uid=uid,
        messages_json=messages,
        messages=tuple([_message(turn) for turn in orjson.loads(messages)]),
        provenance=_PROVENANCES[provenance],
        model=model,
        generation=generation,
        parents=tuple(orjson.loads(parents)) if parents else (),
        family=family,
        domain=domain,
        task=task,
        licence=licence,
        group=group,
        reference=reference,
        label=label,
        sampling_json=sampling,
        metadata_json=metadata,
    )
    return Stored(
        sample_id, sample, uid, content_id, batch, external_id, _STATUSES[status], tokens, edit_share, bool(audit),
        verdict_id,
    )  # fmt: skip


def _message(turn: dict[str, Any]) -> Message:
    if len(turn) == 2:
        return _built(
            Message, role=turn["role"], content=turn["content"], name=None, tool_call_id=None, tool_calls=None
        )
    return Message.model_validate(turn)


def _built(model: type[Model], /, **values: Any) -> Model:
    """A model from values of all its fields, and of cached properties, as they are: a third of `model_construct`."""
    made = model.__new__(model)
    object.__setattr__(made, "__dict__", values)
    object.__setattr__(made, "__pydantic_fields_set__", _FIELDS[model])
    object.__setattr__(made, "__pydantic_extra__", None)
    object.__setattr__(made, "__pydantic_private__", None)
    return made


def _by_external_id(connection: sqlite3.Connection, batch: str, external_id: str) -> int:
    row = connection.execute(
        f"""SELECT s.sample_id FROM occurrences s WHERE s.batch_id = (SELECT id FROM batches WHERE name = ?)
        AND s.external_id = ? AND {VISIBLE}""",
        (batch, external_id),
    ).fetchone()
    if row is None:
        raise NotFound(f"no sample has the external id {external_id[:80]!r} in a batch {batch[:80]!r}")
    return int(row[0])


def _live_revision(connection: sqlite3.Connection, sample_id: int) -> int:
    """The end of the chain of edits that stand; the sample itself where there is none."""
    row = connection.execute(
        """WITH RECURSIVE line (id) AS (SELECT ? UNION SELECT d.revision_id FROM line
            JOIN states st ON st.sample_id = line.id AND st.status = 'superseded'
            JOIN decisions d ON d.sample_id = line.id AND d.undone_seq IS NULL AND d.revision_id IS NOT NULL)
        SELECT line.id FROM line JOIN states st ON st.sample_id = line.id WHERE st.status <> 'superseded'
        ORDER BY line.id DESC LIMIT 1""",
        (sample_id,),
    ).fetchone()
    return sample_id if row is None else int(row[0])
