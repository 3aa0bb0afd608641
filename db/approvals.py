"""Approvals without a look: granted and revoked by events, which cover the samples by their root, as for verdicts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from holdfast.db import events, exports
from holdfast.db.merkle import MerkleTree, merkle_root
from holdfast.db.models import Status
from holdfast.db.states import refresh
from holdfast.db.store import Store, text_of
from holdfast.db.users import ensure_user

AT_A_TIME = 250
"""Samples of one transaction and its event; whatever is killed in between, each of them stands for itself."""

_STANDING = "approval_test"

# What a person wrote is no matter of approval, nor what one edited; what was decided is decided. Bad samples of the
# audit that became gold are evidence still: to leave them out would choose the evidence by what was found.
_UNFLAGGED = """SELECT s.id, s.uid, s.source_id, s.ingest_id, st.audit, st.status,
    st.status = 'gold' OR EXISTS (SELECT 1 FROM decisions d
        WHERE d.sample_id = s.id AND d.undone_seq IS NULL AND d.kind <> 'gold') AS seen
    FROM states st JOIN samples s ON s.id = st.sample_id JOIN verdicts v ON v.id = st.verdict_id
    WHERE st.sample_id > ? AND s.provenance <> 'human' AND s.ingest_id IS NOT NULL
    AND (st.status <> 'gold' OR st.audit AND EXISTS (SELECT 1 FROM gold WHERE sample_id = s.id AND verdict <> 'accept'))
    AND v.outcome NOT IN ('fail', 'flag', 'error')
    AND NOT EXISTS (SELECT 1 FROM decisions WHERE revision_id = s.id) ORDER BY st.sample_id LIMIT ?"""


@dataclass(frozen=True, slots=True)
class Unflagged:
    """An ingested sample that no check flags and no person wrote.

    `bad` is None where the audit drew it and nobody has looked yet; one that was escalated or skipped counts as bad.
    Gold samples are not among them, but for bad ones that the audit drew.
    """

    sample_id: int
    uid: str
    stratum: tuple[int, int]
    drawn: bool
    seen: bool
    bad: bool | None


def unflagged(store: Store, *, after_id: int = 0, limit: int = 500) -> list[Unflagged]:
    """The next such samples by id, their source and (first) ingest as their stratum."""
    return [
        Unflagged(
            row[0], row[1], (row[2], row[3]), bool(row[4]), bool(row[6]),
            row[5] != Status.APPROVED if row[6] else None,
        )
        for row in store.read().execute(_UNFLAGGED, (after_id, limit))
    ]  # fmt: skip


def granted(store: Store, *, decided: bool = False) -> list[int]:
    """Row ids of the samples for which an approval stands, in order: of those that nobody has decided, or of all."""
    rows = store.read().execute(
        """SELECT sample_id FROM approvals a WHERE revoked_seq IS NULL AND (? OR NOT EXISTS (SELECT 1 FROM decisions d
        WHERE d.sample_id = a.sample_id AND d.undone_seq IS NULL AND d.kind <> 'gold')) ORDER BY sample_id""",
        (decided,),
    )
    return [row[0] for row in rows]


def approved(store: Store) -> int:
    """How many samples are approved without a look."""
    (count,) = (
        store.read()
        .execute(
            """SELECT count(*) FROM approvals a JOIN states st ON st.sample_id = a.sample_id
            WHERE a.revoked_seq IS NULL AND st.status = 'approved' AND NOT EXISTS (SELECT 1 FROM decisions d
            WHERE d.sample_id = a.sample_id AND d.undone_seq IS NULL AND d.kind <> 'gold' AND d.verdict <> 'skip')"""
        )
        .fetchone()
    )
    return int(count)


def any_granted(store: Store) -> bool:
    """Whether an approval stands."""
    return store.read().execute("SELECT 1 FROM approvals WHERE revoked_seq IS NULL LIMIT 1").fetchone() is not None


def grant(store: Store, sample_ids: Sequence[int], *, actor: str, proof: Mapping[str, Any]) -> Iterator[int]:
    """Approve samples, some at a time, each time with an event `approval.granted`; yields how many were approved.

    `proof` is what the approval rests on. Those for which one stands already are left out.
    """
    for chosen in _chunks(sample_ids):
        with store.write() as connection:
            rows = _rows(connection, chosen, standing=False)
            if rows:
                at = text_of(store.now())
                ensure_user(connection, actor, at=at)
                payload = {**proof, **_covered(rows)}
                seq = events.append(connection, at=at, actor=actor, type="approval.granted", payload=payload)
                connection.executemany("INSERT INTO approvals VALUES (?, ?, NULL)", [(row[0], seq) for row in rows])
                for row in rows:
                    refresh(connection, row[0])
        yield len(rows)


def revoke(store: Store, sample_ids: Sequence[int], *, actor: str, why: str) -> Iterator[int]:
    """Take approvals back, some at a time, each time with an event `approval.revoked`; yields how many were.

    Exports that may hold such samples are stale.
    """
    for chosen in _chunks(sample_ids):
        with store.write() as connection:
            rows = _rows(connection, chosen, standing=True)
            if rows:
                at = text_of(store.now())
                ensure_user(connection, actor, at=at)
                since = min(row[2] for row in rows)
                payload = {"why": why, "since": since, **_covered(rows)}
                seq = events.append(connection, at=at, actor=actor, type="approval.revoked", payload=payload)
                connection.executemany(
                    "UPDATE approvals SET revoked_seq = ? WHERE sample_id = ? AND revoked_seq IS NULL",
                    [(seq, row[0]) for row in rows],
                )
                exports.apply_taken_back(connection, since)
                for row in rows:
                    refresh(connection, row[0])
        yield len(rows)


def ill_news(store: Store, size: int) -> bool:
    """Whether a decision after the first `size` events tells against what the audit drew and no check flagged.

    That is one which is not an accept, or was taken back.
    """
    rows = store.read().execute(
        """SELECT json_extract(payload, '$.uid') FROM events WHERE seq > ? AND type IN ('decision.made',
        'decision.undone', 'decision.redone') AND json_extract(payload, '$.verdict') IS NOT 'accept'""",
        (size,),
    )
    return (
        store.read()
        .execute(
            """SELECT 1 FROM json_each(?) j JOIN samples s ON s.uid = j.value JOIN states st ON st.sample_id = s.id
            JOIN verdicts v ON v.id = st.verdict_id WHERE st.audit AND v.outcome NOT IN ('fail', 'flag', 'error')
            LIMIT 1""",
            (_json([row[0] for row in rows]),),
        )
        .fetchone()
        is not None
    )


def approved_by(store: Store, sample_ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    """What the approval of samples rests on, by row id, where one stands; `seq` is its event."""
    rows = store.read().execute(
        """SELECT a.sample_id, e.seq, e.payload FROM json_each(?) j CROSS JOIN approvals a
        ON a.sample_id = j.value AND a.revoked_seq IS NULL JOIN events e ON e.seq = a.granted_seq""",
        (_json(sample_ids),),
    )
    proofs: dict[int, Mapping[str, Any]] = {}
    found = {}
    for sample_id, seq, payload in rows:
        if seq not in proofs:
            proof = orjson.loads(payload)
            proofs[seq] = {**{key: proof[key] for key in proof if key not in ("samples", "root")}, "seq": seq}
        found[sample_id] = proofs[seq]
    return found


def save_standing(store: Store, standing: Mapping[str, Any]) -> None:
    """Keep how the last test went, for whoever asks; nothing rests on it."""
    with store.write() as connection:
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_STANDING, _json(dict(standing))))


def standing(store: Store) -> Mapping[str, Any] | None:
    """How the last test went; None before the first."""
    row = store.read().execute("SELECT value FROM meta WHERE key = ?", (_STANDING,)).fetchone()
    found: Mapping[str, Any] | None = None if row is None else orjson.loads(row[0])
    return found


def altered(connection: sqlite3.Connection) -> Iterator[str]:
    """In words, each event whose samples are not those that the table of approvals has for it."""
    for column, kind in (("granted_seq", "approval.granted"), ("revoked_seq", "approval.revoked")):
        trees: dict[int, MerkleTree] = {}
        for seq, uid in connection.execute(
            f"""SELECT a.{column}, s.uid FROM approvals a JOIN samples s ON s.id = a.sample_id
            WHERE a.{column} IS NOT NULL ORDER BY a.sample_id"""
        ):
            trees.setdefault(seq, MerkleTree()).add(bytes.fromhex(uid))
        for seq, payload in connection.execute("SELECT seq, payload FROM events WHERE type = ? ORDER BY seq", (kind,)):
            if trees.pop(seq, MerkleTree()).root() != orjson.loads(payload)["root"]:
                yield f"the samples of event {seq} ({kind}) are not those that it covers"
        for seq, tree in sorted(trees.items()):
            yield f"{tree.size} approvals name event {seq}, which is no {kind}"


def _rows(connection: sqlite3.Connection, sample_ids: Sequence[int], *, standing: bool) -> list[sqlite3.Row]:
    """Row id, uid and grant of those samples for which an approval stands, or of those for which none does."""
    return connection.execute(
        f"""SELECT s.id, s.uid, a.granted_seq FROM samples s
        LEFT JOIN approvals a ON a.sample_id = s.id AND a.revoked_seq IS NULL
        WHERE s.id IN (SELECT value FROM json_each(?)) AND a.granted_seq IS {"NOT" if standing else ""} NULL
        ORDER BY s.id""",
        (_json(sample_ids),),
    ).fetchall()


def _covered(rows: Sequence[sqlite3.Row]) -> dict[str, Any]:
    return {"samples": len(rows), "root": merkle_root(bytes.fromhex(row[1]) for row in rows)}


def _chunks(sample_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(sample_ids), AT_A_TIME):
        yield sample_ids[start : start + AT_A_TIME]


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
