"""Projections from the log: where they differ from it, and how they are built anew."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator

import orjson

from holdfast.db import decisions, exports, gold, search
from holdfast.db.check_derived import PARENTS
from holdfast.db.errors import StoreError
from holdfast.db.models import Outcome, Provenance
from holdfast.db.states import GUARANTEED, QueueEntry, derive, pool_of, refresh, status_of
from holdfast.db.store import Store

EntryOf = Callable[[int], QueueEntry | None]
"""Ranks a sample, by its row id, when its place in the queue is lost."""

_PROJECTED = (
    "SELECT seq, sample_id, reviewer, verdict, kind, reason, note, override, revision_id, stream, late, at, "
    "undone_seq, nth, again_at, opinions"
)


def repair(store: Store, entry_of: EntryOf) -> None:
    """Rebuild users, decisions, statuses, counts, queue and lineage from events, verdicts and samples at once.

    The full text follows. StoreError where the log names samples that the store does not hold.
    """
    with store.write() as connection:
        for table in ("exports", "decisions", "gold", "rereviews", "overlaps", "tallies", "users", "lineage"):
            connection.execute(f"DELETE FROM {table}")
        connection.execute(f"INSERT OR IGNORE INTO lineage {PARENTS}")
        try:
            _replay_events(connection)
        except (sqlite3.IntegrityError, ValueError, LookupError, TypeError) as error:
            raise StoreError(f"{store.path}: the log itself is damaged ({error}); restore a backup") from error
        # Nothing but its mark tells that a sample is to be looked at again because of others.
        marked = [row[0] for row in connection.execute("SELECT sample_id FROM states WHERE stale")]
        connection.execute("DELETE FROM states")
        connection.execute(
            """INSERT INTO states SELECT v.sample_id, 'pending', v.id, v.audit,
            EXISTS (SELECT 1 FROM votes WHERE sample_id = v.sample_id) FROM verdicts v
            WHERE v.id = (SELECT max(id) FROM verdicts WHERE sample_id = v.sample_id)"""
        )
        connection.executemany("UPDATE states SET stale = 1 WHERE sample_id = ?", [(one,) for one in marked])
        connection.execute(
            """INSERT OR IGNORE INTO states SELECT sample_id, 'pending', NULL, 0, 0 FROM
            (SELECT sample_id FROM decisions UNION SELECT sample_id FROM gold)"""
        )
        connection.execute(
            """INSERT INTO tallies SELECT s.source_id, 'pending', count(*), sum(s.tokens) FROM samples s
            WHERE s.ingest_id IS NOT coalesce((SELECT id FROM ingests WHERE closed_at IS NULL), -1) GROUP BY
            s.source_id"""
        )
        for (sample_id,) in connection.execute("SELECT sample_id FROM states ORDER BY sample_id").fetchall():
            queued = connection.execute("SELECT 1 FROM queue WHERE sample_id = ?", (sample_id,)).fetchone()
            refresh(connection, sample_id, None if queued else entry_of(sample_id))
        search.clear(connection)
    search.index_new(store)


def _replay_events(connection: sqlite3.Connection) -> None:
    for seq, at, actor, kind, text in connection.execute(
        "SELECT seq, at, actor, type, payload FROM events ORDER BY seq"
    ):
        payload = orjson.loads(text)
        if kind == "user.added":
            connection.execute(
                "INSERT INTO users VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET role = excluded.role",
                (payload["name"], payload["role"], at),
            )
        elif kind == "decision.made":
            revision = payload["revision"]
            revision_id = None if revision is None else _row_id(connection, revision["uid"])
            decisions.apply_made(connection, seq, at, actor, _row_id(connection, payload["uid"]), revision_id, payload)
        elif kind == "decision.undone":
            decisions.apply_undone(connection, seq, payload["decision"])
        elif kind == "decision.redone":
            decisions.apply_redone(connection, payload["decision"])
        elif kind == "export.written":
            exports.apply_written(connection, seq, payload)
        elif kind == "approval.revoked":
            exports.apply_taken_back(connection, payload["since"])
        elif kind == "gold.set":
            gold.apply_set(connection, seq, _row_id(connection, payload["uid"]), payload)
        elif kind == "gold.retired":
            gold.apply_retired(connection, _row_id(connection, payload["uid"]))


def _decisions(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Stored decisions against their events."""
    undone: dict[int, int | None] = {}
    for seq, kind, text in connection.execute(
        "SELECT seq, type, payload FROM events WHERE type IN ('decision.undone', 'decision.redone') ORDER BY seq"
    ):
        undone[orjson.loads(text)["decision"]] = seq if kind == "decision.undone" else None
    expected = connection.execute(
        "SELECT seq, at, actor, payload FROM events WHERE type = 'decision.made' ORDER BY seq"
    )
    stored = connection.execute(f"{_PROJECTED} FROM decisions ORDER BY seq")
    row = stored.fetchone()
    made: Counter[str] = Counter()
    for seq, at, actor, text in expected:
        made[actor] += 1
        while row is not None and row["seq"] < seq:
            yield "decision", f"decision {row['seq']} by {row['reviewer']} is not in the log"
            row = stored.fetchone()
        if row is None or row["seq"] > seq:
            yield "decision", f"decision {seq} by {actor} is in the log but not in the table of decisions"
            continue
        as_logged = _as_row(connection, seq, at, actor, orjson.loads(text), undone.get(seq), made[actor])
        if tuple(row) != as_logged:
            yield "decision", f"decision {seq} by {actor} ({at}) is not as the log has it"
        row = stored.fetchone()
    while row is not None:
        yield "decision", f"decision {row['seq']} by {row['reviewer']} is not in the log: the log's end was cut"
        row = stored.fetchone()


def _as_row(
    connection: sqlite3.Connection, seq: int, at: str, actor: str, payload: dict[str, object], undone_seq: int | None,
    nth: int,
) -> tuple[object, ...]:  # fmt: skip
    revision = payload["revision"]
    revision_id = _row_id(connection, revision["uid"]) if isinstance(revision, dict) else None
    return (
        seq, _row_id(connection, payload["uid"]), actor, payload["verdict"], payload["kind"], payload["reason"],
        payload["note"],
        payload["override"], revision_id, payload["stream"], int(bool(payload["late"])), at, undone_seq, nth,
        payload.get("again_at"), payload.get("opinions"),
    )  # fmt: skip


def _states(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    rows = connection.execute(
        f"""SELECT st.sample_id, s.uid, s.provenance, st.status, st.audit, st.verdict_id, v.outcome, v.audit AS drawn,
        (SELECT max(id) FROM verdicts WHERE sample_id = st.sample_id) AS newest, q.state, q.pool,
        EXISTS (SELECT 1 FROM decisions WHERE sample_id = st.sample_id OR revision_id = st.sample_id)
        OR EXISTS (SELECT 1 FROM gold WHERE sample_id = st.sample_id) AS decided, {GUARANTEED} AS guaranteed
        FROM states st JOIN samples s ON s.id = st.sample_id LEFT JOIN verdicts v ON v.id = st.verdict_id
        LEFT JOIN queue q ON q.sample_id = st.sample_id"""
    )
    for row in rows:
        audit = bool(row["audit"])
        if row["decided"]:
            status = derive(connection, row["sample_id"])
        else:
            outcome = None if row["outcome"] is None else Outcome(row["outcome"])
            provenance = Provenance(row["provenance"])
            status = status_of(outcome, provenance, audit=audit, guaranteed=bool(row["guaranteed"]))
        if status != row["status"] or row["verdict_id"] != row["newest"] or (row["drawn"] or 0) != row["audit"]:
            yield (
                "projection",
                f"sample {row['uid'][:16]}: its status is {row['status']}, but the log makes it {status}",
            )
        pool = pool_of(status, audit=audit)
        due = pool is not None
        # A claim may be on a sample that is not due.
        queued = ("open", "claimed") if due else ("open",)
        if due != (row["state"] in queued and row["pool"] != "none"):
            yield "projection", f"sample {row['uid'][:16]} ({status}) is {'not ' if due else ''}in the queue"
        elif due and row["pool"] != pool:
            yield "projection", f"sample {row['uid'][:16]} ({status}) is in the queue of others than it waits for"
    lost = connection.execute(
        """SELECT s.uid FROM verdicts v JOIN samples s ON s.id = v.sample_id
        WHERE NOT EXISTS (SELECT 1 FROM states WHERE sample_id = v.sample_id)"""
    )
    for (uid,) in lost:
        yield "projection", f"sample {uid[:16]} has a verdict but no status"


def _tallies(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    actual = connection.execute(
        """SELECT s.source_id, coalesce(st.status, 'pending'), count(*), sum(s.tokens) FROM samples s
        LEFT JOIN states st ON st.sample_id = s.id WHERE s.ingest_id IS NOT coalesce((SELECT id FROM ingests WHERE
        closed_at IS NULL), -1)
        GROUP BY 1, 2"""
    ).fetchall()
    stored = connection.execute("SELECT * FROM tallies WHERE samples <> 0 OR tokens <> 0").fetchall()
    if {tuple(row) for row in actual} != {tuple(row) for row in stored}:
        yield "projection", "the counts by source and status are not those of the samples"


def _users(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    expected: dict[str, str] = {}
    for (text,) in connection.execute("SELECT payload FROM events WHERE type = 'user.added' ORDER BY seq"):
        payload = orjson.loads(text)
        expected[payload["name"]] = payload["role"]
    if expected != dict(connection.execute("SELECT name, role FROM users").fetchall()):
        yield "projection", "the users and roles are not those of the log"


def _exports(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    expected: dict[int, tuple[object, ...]] = {}
    for seq, kind, text in connection.execute(
        """SELECT seq, type, payload FROM events
        WHERE type IN ('export.written', 'decision.undone', 'approval.revoked') ORDER BY seq"""
    ):
        payload = orjson.loads(text)
        if kind == "export.written":
            expected[seq] = (payload["path"], payload["head_size"], payload["head_root"], 0)
        else:
            since = payload["decision"] if kind == "decision.undone" else payload["since"]
            for number, (path, size, root, _) in expected.items():
                if size >= since:
                    expected[number] = (path, size, root, 1)
    stored = connection.execute("SELECT seq, path, head_size, head_root, stale FROM exports")
    if expected != {row[0]: tuple(row)[1:] for row in stored}:
        yield "projection", "the exports, or which of them are stale, are not those of the log"


def _gold(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    expected: dict[int, tuple[object, ...]] = {}
    for seq, kind, text in connection.execute(
        "SELECT seq, type, payload FROM events WHERE type IN ('gold.set', 'gold.retired') ORDER BY seq"
    ):
        payload = orjson.loads(text)
        sample_id = _row_id(connection, payload["uid"])
        if kind == "gold.set":
            expected[sample_id] = (payload["verdict"], payload["reason"], payload["note"], seq)
        else:
            expected.pop(sample_id, None)
    stored = connection.execute("SELECT sample_id, verdict, reason, note, seq FROM gold")
    if expected != {row[0]: tuple(row)[1:] for row in stored}:
        yield "projection", "the gold samples, or their answers, are not those of the log"


def _row_id(connection: sqlite3.Connection, uid: object) -> int:
    row = connection.execute("SELECT id FROM samples WHERE uid = ?", (uid,)).fetchone()
    return -1 if row is None else int(row[0])


PARTS = (_decisions, _states, _tallies, _users, _exports, _gold)
"""Each yields kind and detail of what is not what the log and the verdicts make of it."""
