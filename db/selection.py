"""Which samples a verifier run has to look at, grouped by the stack that judged them last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.db import samples
from holdfast.db.models import Provenance, VerifierSpec
from holdfast.db.store import Store
from holdfast.db.verdicts import specs_of

_FROM = """FROM samples s LEFT JOIN states st ON st.sample_id = s.id LEFT JOIN verdicts v ON v.id = st.verdict_id
    LEFT JOIN runs r ON r.id = v.run_id"""
_STALE = "(r.stack_id IS NOT NULL AND st.stale)"
_WHERE = f"""{samples.VISIBLE} AND st.status IS NOT 'superseded'
    AND (:batch IS NULL OR EXISTS (SELECT 1 FROM occurrences x JOIN batches xb ON xb.id = x.batch_id
                                   WHERE x.sample_id = s.id AND xb.name = :batch))"""


@dataclass(frozen=True, slots=True)
class Judged:
    """The live samples that one stack judged last; `stack_id` is None for those that none has judged yet.

    What `stale` ones rest on has changed since they were judged: there are new votes on them, or samples like them.
    """

    stack_id: int | None
    specs: tuple[VerifierSpec, ...]
    stale: bool
    samples: int
    last_id: int


@dataclass(frozen=True, slots=True)
class Scored:
    """A judged sample without its text; `packed` are its current verdicts' outcomes and values as they are stored."""

    sample_id: int
    uid: str
    provenance: Provenance
    audit: bool
    verdict_id: int
    packed: str


def judged(store: Store, *, batch: str | None = None) -> list[Judged]:
    """The live samples of the store, or of a batch, by the stack that judged them last."""
    rows = store.read().execute(
        f"""SELECT g.stack_id, k.spec, g.stale, g.samples, g.last_id FROM
        (SELECT r.stack_id, {_STALE} AS stale, count(*) AS samples, max(s.id) AS last_id {_FROM} WHERE {_WHERE}
         GROUP BY r.stack_id, {_STALE}) g
        LEFT JOIN stacks k ON k.id = g.stack_id ORDER BY g.stack_id, g.stale""",
        {"batch": batch},
    )
    return [Judged(row[0], tuple(specs_of(row[1])) if row[1] else (), bool(row[2]), row[3], row[4]) for row in rows]


def ids_of(
    store: Store, group: Judged, *, batch: str | None = None, after_id: int = 0, last_id: int, limit: int = 500
) -> list[int]:
    """The next row ids, in order, of a group's live samples."""
    rows = store.read().execute(
        f"""SELECT s.id {_FROM} WHERE s.id > :after AND s.id <= :last AND r.stack_id IS :stack AND {_STALE} = :stale
        AND {_WHERE} ORDER BY s.id LIMIT :limit""",
        {"after": after_id, "last": last_id, "stack": group.stack_id, "stale": group.stale, "batch": batch,
         "limit": limit},
    )  # fmt: skip
    return [row[0] for row in rows]


def scored(
    store: Store, group: Judged, *, batch: str | None = None, after_id: int = 0, limit: int = 500
) -> list[Scored]:
    """The next live samples, by id, of a group that was judged, with what its stack said of them."""
    rows = (
        store.read()
        .execute(
            f"""SELECT s.id, s.uid, s.provenance, st.audit, v.id AS verdict_id, v.outcomes {_FROM}
        WHERE s.id > :after AND s.id <= :last AND r.stack_id IS :stack AND {_STALE} = :stale AND {_WHERE}
        ORDER BY s.id LIMIT :limit""",
            {"after": after_id, "last": group.last_id, "stack": group.stack_id, "stale": group.stale, "batch": batch,
             "limit": limit},
        )
        .fetchall()
    )  # fmt: skip
    return [
        Scored(row["id"], row["uid"], Provenance(row["provenance"]), bool(row["audit"]), row["verdict_id"],
               row["outcomes"])
        for row in rows
    ]  # fmt: skip


def identities(store: Store, *, last_id: int) -> Iterator[tuple[str, str]]:
    """Source key and uid of every ingested sample up to a row id."""
    after = 0
    while True:
        rows = (
            store.read()
            .execute(
                f"""SELECT s.id, k.key, s.uid FROM samples s JOIN sources k ON k.id = s.source_id
            WHERE s.id > :after AND s.id <= :last AND s.ingest_id IS NOT NULL AND {samples.VISIBLE}
            ORDER BY s.id LIMIT 5000""",
                {"after": after, "last": last_id},
            )
            .fetchall()
        )
        yield from ((row[1], row[2]) for row in rows)
        if not rows:
            return
        after = rows[-1][0]
