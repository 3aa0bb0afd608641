"""The append-only, hash-chained log that every projection is a fold over."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import rfc8785

from holdfast.db.merkle import merkle_root
from holdfast.db.store import Store

GENESIS = "0" * 64
"""The hash before the first event."""


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the log; `payload` is plain JSON data."""

    seq: int
    at: str
    actor: str
    type: str
    payload: Mapping[str, Any]
    prev_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """The state of the log: number of events and Merkle root (RFC 6962) over their hashes."""

    size: int
    root: str


def append(connection: sqlite3.Connection, *, at: str, actor: str, type: str, payload: Mapping[str, Any]) -> int:
    """Add an event inside the caller's write transaction; returns its sequence number."""
    last = connection.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
    seq, prev_hash = (1, GENESIS) if last is None else (last[0] + 1, last[1])
    text = rfc8785.dumps(dict(payload)).decode()
    digest = event_hash(seq, at, actor, type, text, prev_hash)
    connection.execute(
        "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", (seq, at, actor, type, text, prev_hash, digest)
    )
    connection.execute(
        "INSERT INTO meta VALUES ('log_head', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (f"{seq}:{digest}",),
    )
    return seq


def event_hash(seq: int, at: str, actor: str, type: str, payload: str, prev_hash: str) -> str:
    """SHA-256 of the previous hash and the RFC 8785 JSON of the event; `payload` is canonical text already."""
    strings = [rfc8785.dumps(text).decode() for text in (actor, at, type)]
    body = f'{{"actor":{strings[0]},"at":{strings[1]},"payload":{payload},"seq":{seq},"type":{strings[2]}}}'
    return hashlib.sha256(prev_hash.encode() + body.encode()).hexdigest()


def head(store: Store) -> Head:
    """The log's size and Merkle root."""
    size = 0

    def leaves() -> Iterator[bytes]:
        nonlocal size
        for (digest,) in store.read().execute("SELECT hash FROM events ORDER BY seq"):
            size += 1
            yield bytes.fromhex(digest)

    root = merkle_root(leaves())
    return Head(size, root)


def each(store: Store, *, after: int = 0) -> Iterator[Event]:
    """Events in order, from the one after `after`."""
    rows = store.read().execute(
        "SELECT seq, at, actor, type, payload, prev_hash, hash FROM events WHERE seq > ? ORDER BY seq", (after,)
    )
    for row in rows:
        yield Event(
            row["seq"],
            row["at"],
            row["actor"],
            row["type"],
            orjson.loads(row["payload"]),
            row["prev_hash"],
            row["hash"],
        )
