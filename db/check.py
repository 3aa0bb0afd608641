"""Integrity: SQLite itself, the hash chain, every row hash and root, and the projections against the log."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import orjson

from holdfast.db import approvals, check_derived, orderings, replay, rows, verdicts, votes
from holdfast.db.events import GENESIS, Head, event_hash
from holdfast.db.exports import exports
from holdfast.db.merkle import MerkleTree
from holdfast.db.models import canonical_json
from holdfast.db.store import Store

Progress = Callable[[str, int], None]
"""Told the name of the check that is running and how many rows it has read."""

_STEP = 10_000


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it was written; `detail` names the place."""

    kind: str
    detail: str


def check(
    store: Store, *, heads: Iterable[tuple[str, Head]] = (), progress: Progress | None = None
) -> Iterator[Problem]:
    """Every problem found; `heads` are log heads from manifests kept elsewhere, each with its name."""
    report = progress or (lambda _name, _rows: None)
    connection = store.read()
    connection.text_factory = _forgiving
    try:
        # Before the snapshot, which then holds every event that a manifest found here was written after.
        known = [*((f"export {export.path}", export.head) for export in exports(store)), *heads]
        with store.snapshot():
            for what, found in _parts(connection, known, report):
                yield from _to_its_end(what, found)
    finally:
        connection.text_factory = str


def _parts(
    connection: sqlite3.Connection, heads: list[tuple[str, Head]], report: Progress
) -> Iterator[tuple[str, Iterator[Problem]]]:
    yield "sqlite", _sqlite(connection)
    yield "event", _log(connection, heads, report)
    yield "sample", _samples(connection, report)
    yield "row", _occurrences(connection, report)
    yield "verdict", _verdicts(connection, report)
    yield "revision", _revisions(connection)
    yield "vote", _votes(connection)
    yield "approval", (Problem("approval", found) for found in approvals.altered(connection))
    for part in (*check_derived.PARTS, orderings.problems, *replay.PARTS):
        yield "projection", (Problem(kind, detail) for kind, detail in part(connection))


def _to_its_end(what: str, found: Iterator[Problem]) -> Iterator[Problem]:
    """What was found; data so damaged that reading stops there is a problem itself."""
    try:
        yield from found
    except (ValueError, LookupError, TypeError, sqlite3.DatabaseError) as error:
        yield Problem(what, f"too damaged to be checked to the end: {type(error).__name__}: {error}")


def _forgiving(data: bytes) -> str:
    """Stored text; bytes that are none show as \\x.., so that hashes differ and the check goes on."""
    return data.decode("utf-8", "backslashreplace")


def _sqlite(connection: sqlite3.Connection) -> Iterator[Problem]:
    for (message,) in connection.execute("PRAGMA integrity_check"):
        if message != "ok":
            yield Problem("sqlite", message)
    for row in connection.execute("PRAGMA foreign_key_check"):
        yield Problem("sqlite", f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is not there")


def _log(connection: sqlite3.Connection, heads: list[tuple[str, Head]], report: Progress) -> Iterator[Problem]:
    wanted: dict[int, list[tuple[str, Head]]] = {}
    for name, head in heads:
        wanted.setdefault(head.size, []).append((name, head))
    tree, previous = MerkleTree(), GENESIS
    for row in connection.execute("SELECT seq, at, actor, type, payload, prev_hash, hash FROM events ORDER BY seq"):
        if row["seq"] != tree.size + 1:
            yield Problem("event", f"event {tree.size + 1} is missing: the log goes on at {row['seq']}")
            return
        digest = event_hash(row["seq"], row["at"], row["actor"], row["type"], row["payload"], row["prev_hash"])
        if row["prev_hash"] != previous or row["hash"] != digest:
            yield Problem("event", f"event {row['seq']} ({row['type']} by {row['actor']}, {row['at']}) was altered")
        previous = row["hash"]
        tree.add(bytes.fromhex(digest))
        for name, head in wanted.pop(tree.size, ()):
            if head.root != tree.root():
                yield Problem("log-head", f"{name} names another history of the first {head.size} events")
        if tree.size % _STEP == 0:
            report("log", tree.size)
    for size, named in wanted.items():
        for name, _ in named if size else ():
            yield Problem("log-head", f"{name} was written after event {size}, but the log ends at event {tree.size}")
    last = connection.execute("SELECT value FROM meta WHERE key = 'log_head'").fetchone()
    if last is not None and last[0] != f"{tree.size}:{previous}":
        yield Problem("log-head", f"the log's end was cut: it had {last[0].partition(':')[0]} events, now {tree.size}")


def _counted(found: Iterable[sqlite3.Row], name: str, report: Progress) -> Iterator[sqlite3.Row]:
    for number, row in enumerate(found, start=1):
        yield row
        if number % _STEP == 0:
            report(name, number)


def _samples(connection: sqlite3.Connection, report: Progress) -> Iterator[Problem]:
    found = connection.execute(
        "SELECT id, uid, content_id, provenance, model, generation, parents, messages FROM samples"
    )
    for row in _counted(found, "samples", report):
        body = b'{"messages":' + row["messages"].encode() + b"}"
        parents = row["parents"] or "[]"
        identity = (
            canonical_json({"generation": row["generation"]})[:-1] + b',"messages":' + row["messages"].encode()
            + b"," + canonical_json({"model": row["model"]})[1:-1] + b',"parents":' + parents.encode()
            + b"," + canonical_json({"provenance": row["provenance"]})[1:]
        )  # fmt: skip
        digests = (hashlib.sha256(identity).hexdigest(), hashlib.sha256(body).hexdigest())
        if digests != (row["uid"], row["content_id"]):
            yield Problem("sample", f"sample {row['uid'][:16]} (row {row['id']}): its text or provenance was altered")


def _occurrences(connection: sqlite3.Connection, report: Progress) -> Iterator[Problem]:
    trees: dict[int, MerkleTree] = {}
    found = connection.execute(
        """SELECT o.ingest_id, o.row_hash, b.name, o.external_id, s.uid, o.family, o.domain, o.task, o.licence,
        o.group_key, o.label, o.sampling, o.reference, o.metadata FROM occurrences o
        JOIN samples s ON s.id = o.sample_id JOIN batches b ON b.id = o.batch_id ORDER BY o.id"""
    )
    for row in _counted(found, "rows", report):
        if rows.row_hash(row[2], row[3], row[4], *tuple(row)[5:]) != row["row_hash"]:
            yield Problem(
                "row", f"{row['name']}/{row['external_id']}: its label, reference, metadata or text was altered"
            )
        if row["ingest_id"] is not None:
            trees.setdefault(row["ingest_id"], MerkleTree()).add(row["row_hash"])
    yield from _roots(connection, trees, "batch.ingested", "ingest", "SELECT id FROM ingests WHERE closed_at IS NULL")


def _verdicts(connection: sqlite3.Connection, report: Progress) -> Iterator[Problem]:
    stacks = {
        row["id"]: hashlib.sha256(row["spec"].encode()).hexdigest()
        for row in connection.execute("SELECT r.id, k.spec FROM runs r JOIN stacks k ON k.id = r.stack_id")
    }
    trees: dict[int, MerkleTree] = {}
    rows_found = connection.execute(
        """SELECT v.id, v.run_id, v.audit, v.outcome, v.outcomes, v.row_hash, s.uid, r.kind FROM verdicts v
        JOIN samples s ON s.id = v.sample_id JOIN runs r ON r.id = v.run_id ORDER BY v.id"""
    )
    for row in _counted(rows_found, "verdicts", report):
        found = [
            tuple(finding)
            for finding in connection.execute(
                """SELECT verifier, code, severity, message, part, span_start, span_end FROM findings
                WHERE verdict_id = ? ORDER BY id""",
                (row["id"],),
            )
        ]
        digest = verdicts.verdict_hash(
            row["uid"], stacks.get(row["run_id"], ""), bool(row["audit"]), row["outcome"], row["outcomes"], found
        )
        if digest != row["row_hash"]:
            yield Problem(
                "verdict", f"sample {row['uid'][:16]}: the verdict or a finding of run {row['run_id']} was altered"
            )
        if row["kind"] == "batch":
            trees.setdefault(row["run_id"], MerkleTree()).add(row["row_hash"])
    yield from _roots(connection, trees, "verify.completed", "run", "SELECT id FROM runs WHERE completed_at IS NULL")


def _roots(
    connection: sqlite3.Connection, trees: dict[int, MerkleTree], event_type: str, key: str, still_open: str
) -> Iterator[Problem]:
    """Compare the roots of row groups with the events that cover them."""
    covered: dict[int, str] = {}
    for (payload,) in connection.execute("SELECT payload FROM events WHERE type = ? ORDER BY seq", (event_type,)):
        plain = orjson.loads(payload)
        covered[plain[key]] = plain["root"]
    unfinished = {row[0] for row in connection.execute(still_open)}
    for number in sorted({*trees, *covered}):
        tree = trees.get(number, MerkleTree())
        if number in unfinished and number not in covered:
            continue
        if number not in covered:
            yield Problem("root", f"{key} {number}: no {event_type} event covers its {tree.size} rows")
        elif covered[number] != tree.root():
            yield Problem("root", f"{key} {number}: its rows are not those that the {event_type} event covers")


def _revisions(connection: sqlite3.Connection) -> Iterator[Problem]:
    """Revisions and their verdicts against the decisions that made them."""
    made: set[str] = set()
    judged: set[str] = set()
    shares: dict[str, set[float]] = {}
    for (payload,) in connection.execute("SELECT payload FROM events WHERE type = 'decision.made' ORDER BY seq"):
        revision = orjson.loads(payload)["revision"]
        if revision is not None:
            made.add(revision["row_hash"])
            judged.add(revision["verdict_hash"])
            shares.setdefault(revision["uid"], set()).add(revision["edit_share"])
    for uid, share in connection.execute(
        "SELECT uid, edit_share FROM samples WHERE ingest_id IS NULL OR edit_share IS NOT NULL"
    ):
        if share not in shares.get(uid, ()):
            yield Problem("revision", f"sample {uid[:16]}: how much of it was edited is not what the log says")
    held = {row[0].hex() for row in connection.execute("SELECT row_hash FROM occurrences WHERE ingest_id IS NULL")}
    verdict_rows = {
        row[0].hex()
        for row in connection.execute(
            "SELECT v.row_hash FROM verdicts v JOIN runs r ON r.id = v.run_id WHERE r.kind = 'revision'"
        )
    }
    stored = {row[0].hex() for row in connection.execute("SELECT row_hash FROM occurrences")} if made - held else held
    for digest in sorted(made - stored):
        yield Problem("revision", f"the revision with row hash {digest[:16]} is in the log but not in the store")
    for digest in sorted(held - made):
        yield Problem("revision", f"the revision with row hash {digest[:16]} is in the store but not in the log")
    for digest in sorted(judged ^ verdict_rows):
        yield Problem("verdict", f"the revision verdict with row hash {digest[:16]} is in one of store and log alone")


def _votes(connection: sqlite3.Connection) -> Iterator[Problem]:
    for place in votes.altered(connection):
        yield Problem("vote", f"the vote of {place} was altered")
    if votes.uncovered(connection):
        yield Problem("vote", "the votes are not those that the votes.imported events cover")
