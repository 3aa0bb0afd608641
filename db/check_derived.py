"""The part of the check that is about what is kept beside the truth for speed: each must follow from it."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator

from holdfast.db import personal, verdicts
from holdfast.db.models import Provenance, Source
from holdfast.db.rows import source_key

Found = Iterator[tuple[str, str]]
"""Kind and detail of problems."""

PARENTS = "SELECT p.value AS uid, s.id AS child FROM samples s, json_each(s.parents) p WHERE s.parents IS NOT NULL"
"""Every sample's parents, as the sample itself names them."""


def sources(connection: sqlite3.Connection) -> Found:
    """Sources against their keys, and samples against their sources and ingests."""
    for row in connection.execute("SELECT id, key, provenance, model, family, generation, domain FROM sources"):
        found = Source(Provenance(row["provenance"]), *tuple(row)[3:])
        if source_key(found) != row["key"]:
            yield "source", f"source {row['id']} ({row['key'][:80]}) was altered"
    strangers = connection.execute(
        """SELECT s.id, s.uid FROM samples s JOIN sources k ON k.id = s.source_id
        JOIN occurrences o ON o.id = (SELECT min(id) FROM occurrences WHERE sample_id = s.id)
        WHERE (s.provenance, s.model, s.generation, o.family, o.domain, o.ingest_id)
        IS NOT (k.provenance, k.model, k.generation, k.family, k.domain, s.ingest_id)"""
    )
    for row in strangers:
        yield "sample", f"sample {row['uid'][:16]} (row {row['id']}): its source or its ingest was altered"


def lineage(connection: sqlite3.Connection) -> Found:
    """The table of parents and children against the parents that samples name."""
    kept = "SELECT parent_uid AS uid, child_id AS child FROM lineage"
    for one, other in ((PARENTS, kept), (kept, PARENTS)):
        for row in connection.execute(f"{one} EXCEPT {other}"):
            yield (
                "projection",
                f"row {row['child']} and its parent {row['uid'][:16]}: the lineage is not that of the samples",
            )


def stacks(connection: sqlite3.Connection) -> Found:
    """The currency of each stack against its verifiers."""
    for row in connection.execute("SELECT id, currency, spec FROM stacks"):
        if verdicts.currency_of(verdicts.specs_of(row["spec"])) != row["currency"]:
            yield "verdict", f"stack {row['id']}: its verifiers or its currency were altered"


def fits(connection: sqlite3.Connection) -> Found:
    """What verifiers learned against its hash."""
    for row in connection.execute("SELECT id, verifier, state_hash, state FROM fits"):
        if hashlib.sha256(row["state"]).hexdigest() != row["state_hash"]:
            yield "fit", f"what {row['verifier']} learned (fit {row['id']}) was altered"


def asked_of_people(connection: sqlite3.Connection) -> Found:
    """What decisions ask of people against what stands open."""
    for made, kept, what in (
        (
            personal.REREVIEWS,
            "SELECT reviewer, sample_id, due_at, batch_id FROM rereviews",
            "decisions to be made again",
        ),
        (
            personal.OVERLAPS.format(""),
            "SELECT sample_id, uid, batch_id, people, opinions FROM overlaps",
            "samples that others are to decide",
        ),
    ):
        for one, other in ((made, kept), (kept, made)):
            if connection.execute(f"{one} EXCEPT {other} LIMIT 1").fetchone() is not None:
                yield "projection", f"the {what} are not those of the decisions"
                break


PARTS = (asked_of_people, sources, lineage, stacks, fits)
