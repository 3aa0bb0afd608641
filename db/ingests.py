"""Staged ingestion: rows are written in small transactions and become visible together, when the ingest closes."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson

from holdfast.db import bulk, events, locks, search
from holdfast.db.merkle import merkle_root
from holdfast.db.rows import RAW_LIMIT, Row, Unreadable, prepare
from holdfast.db.store import Store, text_of
from holdfast.db.users import check_name, ensure_user

__all__ = ["Ingest", "IngestCounts", "Quarantined", "Row", "Unreadable", "prepare", "quarantine"]

SLICE_ROWS = 500
"""How many records one transaction takes at most, so that reviewers never wait, where the store is not empty."""

_YIELD_SECONDS = 0.004

_INSERT_SAMPLE = """INSERT INTO samples (id, uid, content_id, source_id, ingest_id, tokens, provenance, model,
generation,
    parents, messages) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_INSERT_OCCURRENCE = """INSERT INTO occurrences (batch_id, external_id, sample_id, ingest_id, row_hash, family,
domain, task,
    licence, group_key, label, sampling, reference, metadata) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_INSERT_QUARANTINE = (
    "INSERT INTO quarantine (ingest_id, file, line, reason, raw, raw_bytes, at) VALUES (?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True)
class IngestCounts:
    """What an ingest did: records read, occurrences new to the batch, known before, and unreadable."""

    read: int
    new: int
    known: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A record kept aside because it could not be read."""

    batch: str
    file: str
    line: int | None
    reason: str
    raw: bytes
    raw_bytes: int
    at: str


class Ingest:
    """One open ingest; at most one per store, held by a file lock that dies with its process."""

    def __init__(self, store: Store, lock: int, row: sqlite3.Row, batch: str) -> None:
        self._store = store
        self._lock: int | None = lock
        self._id: int = row["id"]
        self._batch_id: int = row["batch_id"]
        self._batch = batch
        self._bulk = bool(row["bulk"])
        if self._bulk:
            store.read().execute(bulk.RARE_CHECKPOINTS)
        self._first_sample_id: int = row["first_sample_id"]
        self._first_occurrence_id: int = row["first_occurrence_id"]
        self._actor: str = row["actor"]
        self._sources: dict[str, int] = {}
        self.position: int = row["position"]
        """How many records are staged already: a resumed reader skips so many."""
        self.portion_records: int | None = None if self._bulk else SLICE_ROWS
        """How many records `add` takes at a time without making reviewers wait; None: nobody can be reviewing yet."""

    @classmethod
    def begin(cls, store: Store, *, batch: str, signature: str, actor: str) -> Ingest:
        """Start an ingest into a batch, or resume an interrupted one that has the same batch and signature.

        Any other interrupted ingest is discarded. Raises Refused while another ingest is running.
        """
        check_name(batch, "batch")
        lock = locks.take(store.path, "ingest")
        try:
            left = _open_ingest(store)
            if left is not None and (left["batch"], left["signature"]) != (batch, signature):
                cls(store, lock, left, left["batch"])._remove()
                left = None
            if left is None:
                left = _start(store, batch=batch, signature=signature, actor=actor)
            return cls(store, lock, left, batch)
        except BaseException:
            os.close(lock)
            raise

    def add(self, rows: Sequence[Row], unreadable: Sequence[Unreadable] = ()) -> list[Unreadable]:
        """Stage rows and quarantine records; returns the rows quarantined for a known external id with other content.

        One transaction, after a pause for others: give it `portion_records` at most, in the order of the reader.
        """
        if not self._bulk:
            time.sleep(_YIELD_SECONDS)
        # Never less than was given: `position` counts records in the order of the reader, who mixes the two kinds.
        return self._add_slice(rows, unreadable)

    def close(self) -> IngestCounts:
        """Make the rows visible and append `batch.ingested`, which covers them by a Merkle root."""
        if self._bulk:
            with self._store.write() as connection:
                bulk.finish(connection)
        connection = self._store.read()
        root = merkle_root(
            row[0]
            for row in connection.execute(
                "SELECT row_hash FROM occurrences WHERE id >= ? AND ingest_id = ? ORDER BY id",
                (self._first_occurrence_id, self._id),
            )
        )
        tallies = connection.execute(
            "SELECT source_id, count(*), sum(tokens) FROM samples WHERE id >= ? AND ingest_id = ? GROUP BY source_id",
            (self._first_sample_id, self._id),
        ).fetchall()
        counts = self._counts(connection)
        with self._store.write() as connection:
            at = text_of(self._store.now())
            ensure_user(connection, self._actor, at=at)
            if counts.new:
                payload = {"batch": self._batch, "ingest": self._id, "new": counts.new, "known": counts.known,
                           "quarantined": counts.quarantined, "root": root}  # fmt: skip
                events.append(connection, at=at, actor=self._actor, type="batch.ingested", payload=payload)
            connection.execute("UPDATE ingests SET closed_at = ? WHERE id = ?", (at, self._id))
            connection.executemany(
                """INSERT INTO tallies VALUES (?, 'pending', ?, ?) ON CONFLICT (source_id, status) DO UPDATE
                SET samples = samples + excluded.samples, tokens = tokens + excluded.tokens""",
                [tuple(tally) for tally in tallies],
            )
        self._release()
        return counts

    def discard(self) -> None:
        """Remove every staged row."""
        self._remove()
        self._release()

    def suspend(self) -> None:
        """Let go of the ingest; the same call later resumes it."""
        self._release()

    def _counts(self, connection: sqlite3.Connection) -> IngestCounts:
        (new,) = connection.execute(
            "SELECT count(*) FROM occurrences WHERE id >= ? AND ingest_id = ?", (self._first_occurrence_id, self._id)
        ).fetchone()
        (quarantined,) = connection.execute(
            "SELECT count(*) FROM quarantine WHERE ingest_id = ?", (self._id,)
        ).fetchone()
        position, known = connection.execute("SELECT position, known FROM ingests WHERE id = ?", (self._id,)).fetchone()
        return IngestCounts(position, new, known, quarantined)

    def _add_slice(self, rows: Sequence[Row], unreadable: Sequence[Unreadable]) -> list[Unreadable]:
        with self._store.write() as connection:
            at = text_of(self._store.now())
            fresh, clashes = self._sort_out(connection, rows)
            known = len(rows) - len(fresh) - len(clashes)
            ids = self._insert_samples(connection, fresh)
            connection.executemany(
                _INSERT_OCCURRENCE,
                [
                    (self._batch_id, row.external_id, sample_id, self._id, *row[10:20])
                    for row, sample_id in zip(fresh, ids, strict=True)
                ],
            )
            quarantined = list(map(_clash, clashes))
            connection.executemany(
                _INSERT_QUARANTINE, [(self._id, *record, at) for record in (*unreadable, *quarantined)]
            )
            read = len(rows) + len(unreadable)
            connection.execute(
                "UPDATE ingests SET position = position + ?, known = known + ? WHERE id = ?", (read, known, self._id)
            )
        self.position += read
        return quarantined

    def _sort_out(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
        """Split off the rows new to the batch, and those whose external id names other content."""
        seen = self._known_hashes(connection, [row.external_id for row in rows])
        fresh: list[Row] = []
        clashes: list[Row] = []
        for row in rows:
            hash_there = seen.get(row.external_id)
            if hash_there is None:
                seen[row.external_id] = row.row_hash
                fresh.append(row)
            elif hash_there != row.row_hash:
                clashes.append(row)
        return fresh, clashes

    def _known_hashes(self, connection: sqlite3.Connection, external_ids: list[str]) -> dict[str, bytes]:
        """Row hashes of the batch's rows by external id, as far as they are among these."""
        found = connection.execute(
            """SELECT o.external_id, o.row_hash FROM json_each(?) wanted
            CROSS JOIN occurrences o ON o.batch_id = ? AND o.external_id = wanted.value""",
            (orjson.dumps(external_ids).decode(), self._batch_id),
        ).fetchall()
        for external_id in external_ids:
            if "\0" in external_id:  # where SQLite's JSON functions end a text
                found += connection.execute(
                    "SELECT external_id, row_hash FROM occurrences WHERE batch_id = ? AND external_id = ?",
                    (self._batch_id, external_id),
                ).fetchall()
        return dict(found)

    def _insert_samples(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> list[int]:
        """Insert the samples that are new; returns each row's sample id."""
        free_id = next_id(connection, "samples")
        ids: list[int] = []
        values: list[tuple[object, ...]] = []
        parents: list[tuple[str | None, int]] = []
        here: dict[str, int] = {}
        for row in rows:
            sample_id = here.get(row.uid)
            if sample_id is None and not self._bulk:
                found = connection.execute("SELECT id FROM samples WHERE uid = ?", (row.uid,)).fetchone()
                sample_id = None if found is None else found[0]
            if sample_id is None:
                sample_id, free_id = free_id, free_id + 1
                here[row.uid] = sample_id
                values.append(
                    (sample_id, row.uid, row.content_id, self._source_id(connection, row), self._id, *row[3:9])
                )
                if row.parents is not None:
                    parents.append((row.parents, sample_id))
            ids.append(sample_id)
        connection.executemany(_INSERT_SAMPLE, values)
        if self._bulk and values:
            search.index_rows(connection, free_id - len(values) - 1, free_id - 1)
        connection.executemany(
            "INSERT OR IGNORE INTO lineage SELECT value, :child FROM json_each(:parents)",
            [{"parents": text, "child": child} for text, child in parents],
        )
        return ids

    def _source_id(self, connection: sqlite3.Connection, row: Row) -> int:
        source_id = self._sources.get(row.source_key)
        if source_id is None:
            source_id = source_id_of(connection, row)
            self._sources[row.source_key] = source_id
        return source_id

    def _remove(self) -> None:
        with self._store.write() as connection:
            # Interrupted from here on, it is no longer what its position says: nobody may resume it.
            connection.execute("UPDATE ingests SET signature = '' WHERE id = ?", (self._id,))
        while True:
            with self._store.write() as connection:
                removed = _remove_slice(connection, self._id, self._first_sample_id, self._first_occurrence_id)
            if not removed:
                break
            time.sleep(_YIELD_SECONDS)
        with self._store.write() as connection:
            if self._bulk:
                bulk.finish(connection)
                search.clear(connection)
            connection.execute("DELETE FROM quarantine WHERE ingest_id = ?", (self._id,))
            connection.execute("DELETE FROM ingests WHERE id = ?", (self._id,))

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def quarantine(store: Store, *, batch: str | None = None) -> Iterator[Quarantined]:
    """Records that could not be read, oldest first; those of an open ingest are not shown."""
    rows = store.read().execute(
        """SELECT b.name, q.file, q.line, q.reason, q.raw, q.raw_bytes, q.at FROM quarantine q
        JOIN ingests i ON i.id = q.ingest_id JOIN batches b ON b.id = i.batch_id
        WHERE i.closed_at IS NOT NULL AND (:batch IS NULL OR b.name = :batch) ORDER BY q.id""",
        {"batch": batch},
    )
    for row in rows:
        yield Quarantined(*row)


def next_id(connection: sqlite3.Connection, table: str) -> int:
    """The id that the next row of an AUTOINCREMENT table gets; ids of deleted rows are never used again."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    return 1 if row is None else int(row[0]) + 1


def source_id_of(connection: sqlite3.Connection, row: Row) -> int:
    """The id of the row's source, made where it is new."""
    connection.execute(
        """INSERT INTO sources (key, provenance, model, family, generation, domain) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (key) DO NOTHING""",
        (row.source_key, row.provenance, row.model, row.family, row.generation, row.domain),
    )
    found = connection.execute("SELECT id FROM sources WHERE key = ?", (row.source_key,)).fetchone()
    return int(found[0])


def _open_ingest(store: Store) -> sqlite3.Row | None:
    found: sqlite3.Row | None = (
        store.read()
        .execute(
            "SELECT i.*, b.name AS batch FROM ingests i JOIN batches b ON b.id = i.batch_id WHERE i.closed_at IS NULL"
        )
        .fetchone()
    )
    return found


def _start(store: Store, *, batch: str, signature: str, actor: str) -> sqlite3.Row:
    with store.write() as connection:
        empty = bulk.begin_if_empty(connection)
        connection.execute("INSERT INTO batches (name) VALUES (?) ON CONFLICT (name) DO NOTHING", (batch,))
        connection.execute(
            """INSERT INTO ingests (batch_id, signature, actor, started_at, bulk, first_sample_id, first_occurrence_id)
            VALUES ((SELECT id FROM batches WHERE name = ?), ?, ?, ?, ?, ?, ?)""",
            (
                batch,
                signature,
                actor,
                text_of(store.now()),
                int(empty),
                next_id(connection, "samples"),
                next_id(connection, "occurrences"),
            ),
        )
        row: sqlite3.Row = connection.execute("SELECT * FROM ingests WHERE closed_at IS NULL").fetchone()
        return row


def _clash(row: Row) -> Unreadable:
    raw = row.messages.encode()
    reason = (
        f"external id {row.external_id!r} is in the batch already with other content; give the row an id of its own"
    )
    return Unreadable(row.file, row.line, reason, raw[:RAW_LIMIT], len(raw))


def _remove_slice(
    connection: sqlite3.Connection, ingest_id: int, first_sample_id: int, first_occurrence_id: int
) -> bool:
    """Delete some staged rows; False when none are left."""
    occurrences = connection.execute(
        """DELETE FROM occurrences WHERE id IN
        (SELECT id FROM occurrences WHERE id >= ? AND ingest_id = ? ORDER BY id DESC LIMIT ?)""",
        (first_occurrence_id, ingest_id, SLICE_ROWS),
    ).rowcount
    if occurrences:
        return True
    staged = "SELECT id FROM samples WHERE id >= ? AND ingest_id = ? LIMIT ?"
    ids = [row[0] for row in connection.execute(staged, (first_sample_id, ingest_id, SLICE_ROWS))]
    connection.executemany("DELETE FROM lineage WHERE child_id = ?", [(sample_id,) for sample_id in ids])
    connection.executemany("DELETE FROM samples WHERE id = ?", [(sample_id,) for sample_id in ids])
    return bool(ids)
