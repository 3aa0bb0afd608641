"""The store's schema as migrations; a released migration is never edited."""

from __future__ import annotations

import sqlite3

from sqlite_utils import Database, Migrations

from holdfast.db import schema

migrations = Migrations("holdfast")


@migrations()
def m001_lineage_store(db: Database) -> None:
    """Samples, verdicts, votes, events and the projections over them."""
    for statement in (*schema.TABLES, *schema.INDEXES.values(), *schema.TRIGGERS):
        db.execute(statement)


def migrate(connection: sqlite3.Connection) -> None:
    """Apply what the store lacks, all of it or nothing."""
    row_factory, connection.row_factory = connection.row_factory, None
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            migrations.apply(Database(connection))
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
    finally:
        connection.row_factory = row_factory
