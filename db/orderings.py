"""Orderings of the queue: versioned states that rank it, and bringing the queue's rows to the newest one."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from holdfast.db import events
from holdfast.db.states import QueueEntry
from holdfast.db.store import Store, text_of
from holdfast.db.users import ensure_user

_LEAST_PAUSE_SECONDS = 0.001

FITTED = "ordering.fitted"
"""The type of the event that covers an ordering."""

_RANKED = "ranked_by"
"""The key in `meta` of the ordering by which the whole queue was ranked last."""

_DECIDED = "type IN ('decision.made', 'decision.undone', 'decision.redone')"


@dataclass(frozen=True, slots=True)
class Ordering:
    """An ordering without its state: `version` is its number, `log_size` how much of the log it was made from."""

    version: int
    at: str
    log_size: int
    report: dict[str, Any]


def save_ordering(store: Store, *, log_size: int, report: bytes, state: bytes, actor: str) -> int:
    """Keep an ordering (report and state as JSON) with the event that covers it; returns its version."""
    digest = state_hash(report, state)
    with store.write() as connection:
        at = text_of(store.now())
        ensure_user(connection, actor, at=at)
        version = connection.execute(
            "INSERT INTO orderings (at, log_size, report, state_hash, state) VALUES (?, ?, ?, ?, ?) RETURNING id",
            (at, log_size, report.decode(), digest, state),
        ).fetchone()[0]
        decisions = orjson.loads(report)["decisions"]
        payload = {"version": version, "log_size": log_size, "decisions": decisions, "state_hash": digest}
        events.append(connection, at=at, actor=actor, type=FITTED, payload=payload)
    return int(version)


def state_hash(report: bytes, state: bytes) -> str:
    """SHA-256 over all that an ordering says."""
    return hashlib.sha256(report + b"\n" + state).hexdigest()


def newest_ordering(store: Store) -> Ordering | None:
    """The ordering in use; None before the first one."""
    row = store.read().execute("SELECT id, at, log_size, report FROM orderings ORDER BY id DESC LIMIT 1").fetchone()
    return None if row is None else Ordering(row[0], row[1], row[2], orjson.loads(row[3]))


def state_of(store: Store, version: int) -> dict[str, Any]:
    """The state of an ordering."""
    row = store.read().execute("SELECT state FROM orderings WHERE id = ?", (version,)).fetchone()
    return dict(orjson.loads(row[0]))


def decided_since(store: Store, size: int, *, enough: int) -> bool:
    """Whether at least so many decisions were made, undone or made again after the first `size` events."""
    if log_size(store) - size < enough:
        return False
    counted = f"SELECT count(*) FROM (SELECT 1 FROM events WHERE seq > ? AND {_DECIDED} LIMIT ?)"
    (count,) = store.read().execute(counted, (size, enough)).fetchone()
    return bool(count >= enough)


def save_ranked(store: Store, version: int) -> None:
    """Keep that the whole queue is ranked by an ordering."""
    with store.write() as connection:
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_RANKED, str(version)))


def is_ranked(store: Store, version: int) -> bool:
    """Whether the queue was once ranked by an ordering to its end, and no lead's item came that none ranked; quick."""
    connection = store.read()
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (_RANKED,)).fetchone()
    (new,) = connection.execute(
        """SELECT EXISTS (SELECT 1 FROM queue WHERE state = 'open' AND pool = 'lead' AND priority = 0
        AND version <> ?)""",
        (version,),
    ).fetchone()
    return row is not None and row[0] == str(version) and not new


def outdated(store: Store, version: int) -> array[int]:
    """Row ids of the samples that wait unclaimed and that another ordering ranked, in the order of the queue."""
    rows = store.read().execute(
        """SELECT sample_id FROM queue WHERE state = 'open' AND pool <> 'none' AND version <> ?
        ORDER BY pool = 'review', +priority DESC, tie""",
        (version,),
    )
    return array("q", (row[0] for row in rows))


@dataclass(frozen=True, slots=True)
class Pace:
    """How places are stored: so many rows a transaction, and after each a pause of so many times its length."""

    rows: int
    pause: float


BRISK, CALM = Pace(500, 0.1), Pace(40, 0.7)
"""For whoever waits for the end; and for the background, behind which nobody waits long."""


def rerank(store: Store, rows: Sequence[tuple[object, ...]], *, pace: Pace = BRISK) -> None:
    """Give waiting samples their places, as `place_of` packs them, in short transactions; what is claimed stays.

    So does what was judged since its place was found: it waits for another. Whoever waits for the lock looks again in
    short steps, and gets it in the pauses.
    """
    for start in range(0, len(rows), pace.rows):
        since = time.monotonic()
        with _hurried(store), store.write() as connection:
            connection.executemany(
                """UPDATE queue SET priority = ?, p_bad = ?, why = ?, p_shown = ?, version = ?
                WHERE sample_id = ? AND state = 'open' AND NOT EXISTS
                (SELECT 1 FROM states st WHERE st.sample_id = queue.sample_id AND st.verdict_id > ?)""",
                rows[start : start + pace.rows],
            )
        time.sleep(max(_LEAST_PAUSE_SECONDS, pace.pause * (time.monotonic() - since)))


@contextmanager
def _hurried(store: Store) -> Iterator[None]:
    """Let commits not wait for the disk, with the lock held: a place that a power cut takes is given again.

    What others commit waits for all that was written before it, as ever.
    """
    connection = store.read()
    connection.execute("PRAGMA synchronous = NORMAL")
    try:
        yield
    finally:
        connection.execute("PRAGMA synchronous = FULL")


def place_of(sample_id: int, entry: QueueEntry, verdict_id: int) -> tuple[object, ...]:
    """A sample's place as `rerank` takes it: stream and reasons stay as the verify run set them.

    `verdict_id` is what `newest_verdict` gave before the sample was read.
    """
    why = orjson.dumps(entry.why).decode()
    return (entry.priority, entry.p_bad, why, entry.p_shown, entry.version, sample_id, verdict_id)


def newest_verdict(store: Store) -> int:
    """The row id of the newest verdict; later ones have higher ones."""
    (newest,) = store.read().execute("SELECT coalesce(max(id), 0) FROM verdicts").fetchone()
    return int(newest)


def log_size(store: Store) -> int:
    """How many events the log holds."""
    (size,) = store.read().execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
    return int(size)


def problems(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Kind and detail of orderings that are not what their events cover."""
    covered: dict[int, str] = {}
    for (text,) in connection.execute("SELECT payload FROM events WHERE type = ? ORDER BY seq", (FITTED,)):
        payload = orjson.loads(text)
        covered[payload["version"]] = payload["state_hash"]
    for version, digest, report, state in connection.execute("SELECT id, state_hash, report, state FROM orderings"):
        if not covered.pop(version, "") == digest == state_hash(report.encode(), state):
            yield "ordering", f"ordering {version} was altered: it is not what its event covers"
    for version in covered:
        yield "ordering", f"ordering {version} is in the log but not in the store"
