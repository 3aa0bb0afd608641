"""Verdicts and findings: what a stack run said of each sample, packed into one row, and one row a finding."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson

from holdfast.db import events, samples
from holdfast.db.merkle import merkle_root
from holdfast.db.models import Layer, SampleVerdicts, Verdict, VerifierSpec
from holdfast.db.packing import FINDING_COLUMNS, Recorded, unpacked
from holdfast.db.samples import Stored
from holdfast.db.standing import record_statuses
from holdfast.db.store import Store, text_of
from holdfast.db.users import ensure_user

_INSERT_VERDICT = """INSERT INTO verdicts (id, sample_id, run_id, audit, outcome, outcomes, row_hash)
    VALUES (?, ?, ?, ?, ?, ?, ?)"""
_INSERT_FINDING = f"INSERT INTO findings (verdict_id, {FINDING_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Run:
    """One pass of a stack over samples; an interrupted one is taken up again by the same stack."""

    id: int
    stack_id: int
    stack_hash: str
    currency: str


@dataclass(frozen=True, slots=True)
class Outcomes:
    """One verifier's current verdict on a sample."""

    spec: VerifierSpec
    verdict: Verdict


def currency_of(specs: Sequence[VerifierSpec]) -> str:
    """SHA-256 over names, versions, layers and options; not thresholds, since outcomes are re-derived from scores."""
    plain = [[spec.name, spec.version, spec.layer.value, dict(spec.options)] for spec in specs]
    return hashlib.sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


def begin_run(store: Store, *, specs: Sequence[VerifierSpec], actor: str) -> Run:
    """Start a run of a stack, or take up an interrupted one; runs that another stack left open are completed first."""
    for row in _open_runs(store):
        if row["spec"] != _spec_text(specs):
            complete_run(store, _run(row), actor=row["actor"])
    with store.write() as connection:
        stack_id = _stack_id(connection, specs)
        if (
            connection.execute("SELECT 1 FROM runs WHERE stack_id = ? AND completed_at IS NULL", (stack_id,)).fetchone()
            is None
        ):
            connection.execute(
                "INSERT INTO runs (stack_id, kind, actor, started_at) VALUES (?, 'batch', ?, ?)",
                (stack_id, actor, text_of(store.now())),
            )
    return next(_run(row) for row in _open_runs(store) if row["stack_id"] == stack_id)


def revision_run(connection: sqlite3.Connection, *, specs: Sequence[VerifierSpec], at: str) -> Run:
    """The run that holds a stack's verdicts on edited revisions; their decisions' events cover them one by one."""
    stack_id = _stack_id(connection, specs)
    find = (
        "SELECT r.id, r.stack_id, r.actor, k.spec, k.currency FROM runs r JOIN stacks k ON k.id = r.stack_id "
        "WHERE r.stack_id = ? AND r.kind = 'revision'"
    )
    row = connection.execute(find, (stack_id,)).fetchone()
    if row is None:
        connection.execute(
            "INSERT INTO runs (stack_id, kind, actor, started_at, completed_at) VALUES (?, 'revision', 'review', ?, ?)",
            (stack_id, at, at),
        )
        row = connection.execute(find, (stack_id,)).fetchone()
    return _run(row)


def record(store: Store, run: Run, rows: Sequence[Recorded]) -> None:
    """Store verdicts and findings and bring statuses, counts and queue up to date, in one transaction."""
    with store.write() as connection:
        record_statuses(connection, rows, _insert_verdicts(connection, run, rows))


def insert_verdict(
    connection: sqlite3.Connection, run: Run, sample_id: int, verdicts: SampleVerdicts, *, audit: bool
) -> int:
    """Store one sample's verdicts and findings inside a write transaction; returns the row's id."""
    return _insert_verdicts(connection, run, [Recorded.of(sample_id, verdicts, audit, None)])


def _insert_verdicts(connection: sqlite3.Connection, run: Run, rows: Sequence[Recorded]) -> int:
    """Store samples' verdicts and findings; their row ids follow one another, and the first one is returned."""
    (last_id,) = connection.execute("SELECT coalesce(max(id), 0) FROM verdicts").fetchone()
    verdicts = []
    for verdict_id, row in enumerate(rows, start=last_id + 1):
        digest = verdict_hash(row.uid, run.stack_hash, row.audit, row.outcome.value, row.outcomes, row.findings)
        verdicts.append((verdict_id, row.sample_id, run.id, int(row.audit), row.outcome.value, row.outcomes, digest))
    connection.executemany(_INSERT_VERDICT, verdicts)
    connection.executemany(
        _INSERT_FINDING,
        [(at, *finding) for at, row in enumerate(rows, start=last_id + 1) for finding in row.findings],
    )
    return int(last_id) + 1


def carry(store: Store, run: Run, rows: Sequence[tuple[str, int]]) -> None:
    """Let verdict rows (sample uid, row id) that are current stand in another run just as they are, in one transaction.

    Neither statuses nor the queue change; the rows are copied, since verdicts are append-only. Those that are no longer
    current, since a decision brought newer ones, are left out.
    """
    ids = orjson.dumps([verdict_id for _, verdict_id in rows]).decode()
    with store.write() as connection:
        findings: dict[int, list[tuple[object, ...]]] = {}
        for verdict_id, *finding in connection.execute(
            f"SELECT verdict_id, {FINDING_COLUMNS} FROM findings WHERE verdict_id IN (SELECT value FROM json_each(?))"
            " ORDER BY id",
            (ids,),
        ):
            findings.setdefault(verdict_id, []).append(tuple(finding))
        stored = {
            row[0]: row[1:]
            for row in connection.execute(
                """SELECT v.id, v.sample_id, v.audit, v.outcome, v.outcomes FROM json_each(?) j
                CROSS JOIN verdicts v ON v.id = j.value
                JOIN states st ON st.sample_id = v.sample_id AND st.verdict_id = v.id""",
                (ids,),
            )
        }
        rows = [row for row in rows if row[1] in stored]
        (last_id,) = connection.execute("SELECT max(id) FROM verdicts").fetchone()
        copies = []
        for copy_id, (uid, verdict_id) in enumerate(rows, start=last_id + 1):
            sample_id, audit, outcome, outcomes = stored[verdict_id]
            found = findings.get(verdict_id, [])
            digest = verdict_hash(uid, run.stack_hash, bool(audit), outcome, outcomes, found)
            copies.append((copy_id, sample_id, run.id, audit, outcome, outcomes, digest))
        connection.executemany(_INSERT_VERDICT, copies)
        copied = ((copy[0], *one) for copy, (_, old) in zip(copies, rows, strict=True) for one in findings.get(old, ()))
        connection.executemany(_INSERT_FINDING, copied)
        connection.executemany(
            "UPDATE states SET verdict_id = ? WHERE sample_id = ?", [(copy[0], copy[1]) for copy in copies]
        )


def verdict_hash(
    uid: str, stack_hash: str, audit: bool, outcome: str, outcomes: str, findings: Sequence[tuple[object, ...]]
) -> bytes:
    """SHA-256 over everything a verdict row and its findings say."""
    return hashlib.sha256(orjson.dumps((uid, stack_hash, audit, outcome, outcomes, findings))).digest()


def complete_run(store: Store, run: Run, *, actor: str) -> None:
    """Close a run with a `verify.completed` event, whose Merkle root covers its rows; an empty run leaves no event."""
    connection = store.read()
    (count,) = connection.execute("SELECT count(*) FROM verdicts WHERE run_id = ?", (run.id,)).fetchone()
    root = run_root(connection, run.id)
    with store.write() as connection:
        at = text_of(store.now())
        if count:
            ensure_user(connection, actor, at=at)
            payload = {"run": run.id, "stack": run.stack_hash, "verdicts": count, "root": root}
            events.append(connection, at=at, actor=actor, type="verify.completed", payload=payload)
        connection.execute("UPDATE runs SET completed_at = ? WHERE id = ? AND completed_at IS NULL", (at, run.id))


def run_root(connection: sqlite3.Connection, run_id: int) -> str:
    """Merkle root over the row hashes of a run, in the order in which they were stored."""
    return merkle_root(
        row[0] for row in connection.execute("SELECT row_hash FROM verdicts WHERE run_id = ? ORDER BY id", (run_id,))
    )


def current(store: Store, sample_id: int) -> list[Outcomes]:
    """Each verifier's current verdict on a sample, in stack order; empty before the first run."""
    row = (
        store.read()
        .execute(
            """SELECT v.id, v.outcomes, k.spec FROM states st JOIN verdicts v ON v.id = st.verdict_id
        JOIN runs r ON r.id = v.run_id JOIN stacks k ON k.id = r.stack_id WHERE st.sample_id = ?""",
            (sample_id,),
        )
        .fetchone()
    )
    return [] if row is None else _outcomes(store.read(), row)


def each_current(
    store: Store, *, batch: str | None = None, verifier: str | None = None
) -> Iterator[tuple[Stored, Outcomes]]:
    """Every current verdict of visible samples, sample by sample."""
    for stored in samples.each(store, batch=batch):
        for found in current(store, stored.id):
            if verifier is None or found.spec.name == verifier:
                yield stored, found


def save_fit(store: Store, *, verifier: str, version: str, options_hash: str, state: bytes) -> None:
    """Freeze a corpus-level state; states are kept, the newest of a key is the one in use."""
    with store.write() as connection:
        connection.execute(
            "INSERT INTO fits (verifier, version, options_hash, state_hash, state, made_at) VALUES (?, ?, ?, ?, ?, ?)",
            (verifier, version, options_hash, hashlib.sha256(state).hexdigest(), state, text_of(store.now())),
        )


def load_fit(store: Store, *, verifier: str, version: str, options_hash: str) -> bytes | None:
    """The newest frozen state of a verifier with these options; None before the first fit."""
    row = (
        store.read()
        .execute(
            "SELECT state FROM fits WHERE verifier = ? AND version = ? AND options_hash = ? ORDER BY id DESC LIMIT 1",
            (verifier, version, options_hash),
        )
        .fetchone()
    )
    return None if row is None else bytes(row[0])


def has_open_run(store: Store, specs: Sequence[VerifierSpec]) -> bool:
    """Whether a run of exactly this stack was interrupted."""
    return any(row["spec"] == _spec_text(specs) for row in _open_runs(store))


def _stack_id(connection: sqlite3.Connection, specs: Sequence[VerifierSpec]) -> int:
    text = _spec_text(specs)
    connection.execute(
        "INSERT INTO stacks (currency, spec) VALUES (?, ?) ON CONFLICT (spec) DO NOTHING", (currency_of(specs), text)
    )
    return int(connection.execute("SELECT id FROM stacks WHERE spec = ?", (text,)).fetchone()[0])


def _outcomes(connection: sqlite3.Connection, row: sqlite3.Row) -> list[Outcomes]:
    (verdicts,) = unpacked(connection, [(row["id"], row["outcomes"])])
    pairs = zip(specs_of(row["spec"]), verdicts, strict=True)
    return [Outcomes(spec, verdict) for spec, verdict in pairs if verdict is not None]


def _spec_text(specs: Sequence[VerifierSpec]) -> str:
    plain = [
        {"name": spec.name, "version": spec.version, "layer": spec.layer.value, "options": dict(spec.options),
         "thresholds": dict(spec.thresholds), **({"votes": True} if spec.votes else {}),
         **({"others": True} if spec.others else {})}
        for spec in specs
    ]  # fmt: skip
    return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS).decode()


def specs_of(text: str) -> list[VerifierSpec]:
    """The verifiers of a stored stack, in order."""
    return [
        VerifierSpec(plain["name"], plain["version"], Layer(plain["layer"]), plain["options"], plain["thresholds"],
                     plain.get("votes", False), plain.get("others", False))
        for plain in orjson.loads(text)
    ]  # fmt: skip


def vote_readers(store: Store) -> frozenset[str]:
    """The names of the verifiers that read votes, of every stack that ran."""
    rows = store.read().execute(
        """SELECT DISTINCT json_extract(one.value, '$.name') FROM stacks k, json_each(k.spec) one
        WHERE json_extract(one.value, '$.votes')"""
    )
    return frozenset(row[0] for row in rows)


def _open_runs(store: Store) -> list[sqlite3.Row]:
    return (
        store.read()
        .execute(
            """SELECT r.id, r.stack_id, r.actor, k.spec, k.currency FROM runs r JOIN stacks k ON k.id = r.stack_id
            WHERE r.completed_at IS NULL ORDER BY r.id"""
        )
        .fetchall()
    )


def _run(row: sqlite3.Row) -> Run:
    return Run(row["id"], row["stack_id"], hashlib.sha256(row["spec"].encode()).hexdigest(), row["currency"])


__all__ = [
    "Outcomes", "Run", "begin_run", "carry", "complete_run", "currency_of", "current",
    "each_current", "has_open_run", "insert_verdict", "load_fit", "record", "revision_run", "run_root", "save_fit",
    "specs_of", "verdict_hash", "vote_readers",
]  # fmt: skip
