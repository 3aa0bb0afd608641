"""Tables, indexes and triggers of the lineage store, as the first release made them."""

from __future__ import annotations

import sqlite3

LATEST = "m001_lineage_store"
"""Name of the newest migration."""

TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    "CREATE TABLE users (name TEXT PRIMARY KEY, role TEXT NOT NULL, added_at TEXT NOT NULL) STRICT",
    """CREATE TABLE sources (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, provenance TEXT NOT NULL,
        model TEXT, family TEXT, generation INTEGER, domain TEXT) STRICT""",
    "CREATE TABLE batches (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT",
    """CREATE TABLE ingests (
        id INTEGER PRIMARY KEY AUTOINCREMENT, batch_id INTEGER NOT NULL REFERENCES batches(id),
        signature TEXT NOT NULL, actor TEXT NOT NULL,
        started_at TEXT NOT NULL, closed_at TEXT, bulk INTEGER NOT NULL,
        first_sample_id INTEGER NOT NULL, first_occurrence_id INTEGER NOT NULL,
        position INTEGER NOT NULL DEFAULT 0, known INTEGER NOT NULL DEFAULT 0) STRICT""",
    """CREATE TABLE quarantine (
        id INTEGER PRIMARY KEY, ingest_id INTEGER NOT NULL REFERENCES ingests(id), file TEXT NOT NULL, line INTEGER,
        reason TEXT NOT NULL, raw BLOB NOT NULL, raw_bytes INTEGER NOT NULL, at TEXT NOT NULL) STRICT""",
    # The long column stands last, so that the others are read without following its overflow pages.
    """CREATE TABLE samples (
        id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL, content_id TEXT NOT NULL,
        source_id INTEGER NOT NULL REFERENCES sources(id), ingest_id INTEGER REFERENCES ingests(id),
        tokens INTEGER NOT NULL, provenance TEXT NOT NULL, model TEXT, generation INTEGER, edit_share REAL,
        parents TEXT, messages TEXT NOT NULL) STRICT""",
    """CREATE TABLE occurrences (
        id INTEGER PRIMARY KEY AUTOINCREMENT, batch_id INTEGER NOT NULL REFERENCES batches(id), external_id TEXT
        NOT NULL,
        sample_id INTEGER NOT NULL REFERENCES samples(id), ingest_id INTEGER REFERENCES ingests(id),
        row_hash BLOB NOT NULL, family TEXT, domain TEXT, task TEXT, licence TEXT, group_key TEXT, label TEXT,
        sampling TEXT, reference TEXT, metadata TEXT) STRICT""",
    """CREATE TABLE lineage (
        parent_uid TEXT NOT NULL, child_id INTEGER NOT NULL REFERENCES samples(id), UNIQUE (parent_uid, child_id))
        STRICT""",
    "CREATE TABLE stacks (id INTEGER PRIMARY KEY, currency TEXT NOT NULL, spec TEXT NOT NULL UNIQUE) STRICT",
    """CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT, stack_id INTEGER NOT NULL REFERENCES stacks(id), kind TEXT NOT NULL,
        actor TEXT NOT NULL, started_at TEXT NOT NULL, completed_at TEXT) STRICT""",
    """CREATE TABLE verdicts (
        id INTEGER PRIMARY KEY AUTOINCREMENT, sample_id INTEGER NOT NULL REFERENCES samples(id),
        run_id INTEGER NOT NULL REFERENCES runs(id), audit INTEGER NOT NULL, outcome TEXT NOT NULL, outcomes TEXT
        NOT NULL,
        row_hash BLOB NOT NULL) STRICT""",
    """CREATE TABLE findings (
        id INTEGER PRIMARY KEY, verdict_id INTEGER NOT NULL REFERENCES verdicts(id), verifier INTEGER NOT NULL,
        code TEXT NOT NULL, severity TEXT NOT NULL, message TEXT NOT NULL, part TEXT NOT NULL,
        span_start INTEGER, span_end INTEGER) STRICT""",
    """CREATE TABLE fits (
        id INTEGER PRIMARY KEY, verifier TEXT NOT NULL, version TEXT NOT NULL, options_hash TEXT NOT NULL,
        state_hash TEXT NOT NULL, state BLOB NOT NULL, made_at TEXT NOT NULL) STRICT""",
    """CREATE TABLE votes (
        id INTEGER PRIMARY KEY AUTOINCREMENT, sample_id INTEGER NOT NULL REFERENCES samples(id), judge TEXT NOT NULL,
        family TEXT, criterion TEXT, score REAL, max REAL, label TEXT, winner TEXT, confidence REAL, reason TEXT,
        position TEXT, row_hash BLOB NOT NULL UNIQUE) STRICT""",
    """CREATE TABLE responses (
        id INTEGER PRIMARY KEY AUTOINCREMENT, request_hash TEXT NOT NULL UNIQUE, model TEXT NOT NULL, served TEXT,
        uids TEXT NOT NULL, status TEXT NOT NULL, finish TEXT, tokens_in INTEGER, tokens_out INTEGER, cost INTEGER,
        at TEXT NOT NULL, reply TEXT NOT NULL) STRICT""",
    # Money in billionths of a US dollar; what a call cost is not known before it has been settled.
    """CREATE TABLE spending (
        id INTEGER PRIMARY KEY AUTOINCREMENT, request_hash TEXT NOT NULL, model TEXT NOT NULL, greatest INTEGER,
        cost INTEGER, at TEXT NOT NULL) STRICT""",
    """CREATE TABLE events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, actor TEXT NOT NULL, type TEXT NOT NULL,
        payload TEXT NOT NULL, prev_hash TEXT NOT NULL, hash TEXT NOT NULL) STRICT""",
    """CREATE TABLE states (
        sample_id INTEGER PRIMARY KEY REFERENCES samples(id), status TEXT NOT NULL, verdict_id INTEGER REFERENCES
        verdicts(id),
        audit INTEGER NOT NULL, stale INTEGER NOT NULL DEFAULT 0) STRICT""",
    """CREATE TABLE queue (
        sample_id INTEGER PRIMARY KEY REFERENCES samples(id), batch_id INTEGER NOT NULL, pool TEXT NOT NULL,
        state TEXT NOT NULL, priority REAL NOT NULL, tie INTEGER NOT NULL, stream TEXT NOT NULL, p_bad REAL NOT NULL,
        why TEXT NOT NULL, reasons TEXT NOT NULL, p_shown REAL, version INTEGER NOT NULL DEFAULT 0,
        reviewer TEXT, token TEXT, pid INTEGER, expires_at TEXT) STRICT""",
    # `log_size` is how much of the log was read; the newest row is the one in use.
    """CREATE TABLE orderings (
        id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, log_size INTEGER NOT NULL, report TEXT NOT NULL,
        state_hash TEXT NOT NULL, state BLOB NOT NULL) STRICT""",
    # `nth` of the reviewer's; shown to its reviewer again from `again_at` on; `opinions` people are to decide it.
    """CREATE TABLE decisions (
        seq INTEGER PRIMARY KEY REFERENCES events(seq), sample_id INTEGER NOT NULL REFERENCES samples(id),
        reviewer TEXT NOT NULL, verdict TEXT NOT NULL, kind TEXT NOT NULL, reason TEXT, note TEXT, override TEXT,
        revision_id INTEGER REFERENCES samples(id), stream TEXT NOT NULL, late INTEGER NOT NULL, at TEXT NOT NULL,
        undone_seq INTEGER REFERENCES events(seq), nth INTEGER NOT NULL, again_at TEXT, opinions INTEGER) STRICT""",
    # Samples with a known answer, of which events say since when; they are no part of the data any more.
    """CREATE TABLE gold (
        sample_id INTEGER PRIMARY KEY REFERENCES samples(id), verdict TEXT NOT NULL, reason TEXT, note TEXT,
        seq INTEGER NOT NULL REFERENCES events(seq)) STRICT""",
    # Samples approved without a look. The events cover them by their roots, as they cover verdicts.
    """CREATE TABLE approvals (
        sample_id INTEGER NOT NULL REFERENCES samples(id), granted_seq INTEGER NOT NULL REFERENCES events(seq),
        revoked_seq INTEGER REFERENCES events(seq), PRIMARY KEY (sample_id, granted_seq)) STRICT, WITHOUT ROWID""",
    # What the queue has given away already and others, or the same person again, are to decide: see db/personal.py.
    """CREATE TABLE rereviews (
        reviewer TEXT NOT NULL, sample_id INTEGER NOT NULL, due_at TEXT NOT NULL, batch_id INTEGER NOT NULL,
        PRIMARY KEY (reviewer, sample_id)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE overlaps (
        sample_id INTEGER PRIMARY KEY, uid TEXT NOT NULL, batch_id INTEGER NOT NULL, people TEXT NOT NULL,
        opinions INTEGER NOT NULL) STRICT""",
    """CREATE TABLE personal (
        sample_id INTEGER NOT NULL REFERENCES samples(id), reviewer TEXT NOT NULL, kind TEXT NOT NULL,
        priority REAL, p_shown REAL, token TEXT NOT NULL, pid INTEGER, expires_at TEXT NOT NULL,
        PRIMARY KEY (sample_id, reviewer)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE skips (
        sample_id INTEGER NOT NULL, reviewer TEXT NOT NULL, until TEXT NOT NULL, PRIMARY KEY (sample_id, reviewer))
        STRICT""",
    """CREATE TABLE drafts (
        sample_id INTEGER NOT NULL, reviewer TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL, at TEXT NOT NULL,
        PRIMARY KEY (sample_id, reviewer, kind)) STRICT""",
    """CREATE TABLE tallies (
        source_id INTEGER NOT NULL REFERENCES sources(id), status TEXT NOT NULL, samples INTEGER NOT NULL,
        tokens INTEGER NOT NULL, PRIMARY KEY (source_id, status)) STRICT""",
    """CREATE TABLE exports (
        seq INTEGER PRIMARY KEY REFERENCES events(seq), path TEXT NOT NULL, head_size INTEGER NOT NULL,
        head_root TEXT NOT NULL, stale INTEGER NOT NULL DEFAULT 0) STRICT""",
    # Most samples are one question and one answer: those are spared the walk over all turns.
    """CREATE VIEW sample_texts AS
        SELECT id, CASE WHEN turn = 1 THEN json_extract(messages, '$[0].content') ELSE
               (SELECT group_concat(json_extract(value, '$.content'), char(10, 10)) FROM json_each(messages)
                WHERE json_each.key < turn) END AS prompt,
               coalesce(json_extract(messages, '$[' || turn || '].content'), '') AS response
        FROM (SELECT id, messages, CASE WHEN json_array_length(messages) = 2
              AND json_extract(messages, '$[1].role') = 'assistant' THEN 1 ELSE
              coalesce((SELECT max(json_each.key) FROM json_each(messages)
              WHERE json_extract(value, '$.role') = 'assistant'), json_array_length(messages)) END AS turn
              FROM samples)""",
    """CREATE VIRTUAL TABLE sample_search USING fts5(
        prompt, response, content='sample_texts', content_rowid='id', tokenize='unicode61 remove_diacritics 2')""",
    # Words gathered in memory before they are written, in bytes: fewer and larger segments, less merging.
    "INSERT INTO sample_search (sample_search, rank) VALUES ('hashsize', 16777216)",
)

INDEXES = {
    "samples_uid": "CREATE UNIQUE INDEX samples_uid ON samples (uid)",
    "occurrences_sample": "CREATE INDEX occurrences_sample ON occurrences (sample_id)",
    "occurrences_external": "CREATE UNIQUE INDEX occurrences_external ON occurrences (batch_id, external_id)",
    "quarantine_ingest": "CREATE INDEX quarantine_ingest ON quarantine (ingest_id)",
    "ingests_open": "CREATE UNIQUE INDEX ingests_open ON ingests (ifnull(closed_at, 'open')) WHERE closed_at IS NULL",
    "verdicts_sample": "CREATE INDEX verdicts_sample ON verdicts (sample_id)",
    "verdicts_run": "CREATE INDEX verdicts_run ON verdicts (run_id)",
    "findings_verdict": "CREATE INDEX findings_verdict ON findings (verdict_id)",
    "fits_key": "CREATE INDEX fits_key ON fits (verifier, version, options_hash)",
    "votes_sample": "CREATE INDEX votes_sample ON votes (sample_id)",
    "states_status": "CREATE INDEX states_status ON states (status)",
    "states_audit": "CREATE INDEX states_audit ON states (status) WHERE audit",
    "queue_open": "CREATE INDEX queue_open ON queue (pool, priority DESC, tie) WHERE state = 'open'",
    "queue_batch": "CREATE INDEX queue_batch ON queue (batch_id, pool, priority DESC, tie) WHERE state = 'open'",
    "queue_claimed": "CREATE INDEX queue_claimed ON queue (expires_at) WHERE state = 'claimed'",
    "queue_reviewer": "CREATE INDEX queue_reviewer ON queue (reviewer) WHERE state = 'claimed'",
    "decisions_sample": "CREATE INDEX decisions_sample ON decisions (sample_id)",
    "decisions_revision": "CREATE INDEX decisions_revision ON decisions (revision_id) WHERE revision_id IS NOT NULL",
    "decisions_reviewer": "CREATE INDEX decisions_reviewer ON decisions (reviewer, seq)",
    "approvals_live": "CREATE UNIQUE INDEX approvals_live ON approvals (sample_id) WHERE revoked_seq IS NULL",
    "decisions_gold": "CREATE INDEX decisions_gold ON decisions (reviewer, sample_id, at) WHERE kind = 'gold'",
    "rereviews_sample": "CREATE INDEX rereviews_sample ON rereviews (sample_id)",
    "rereviews_due": "CREATE INDEX rereviews_due ON rereviews (reviewer, due_at)",
    "overlaps_people": "CREATE INDEX overlaps_people ON overlaps (people, uid)",
    "overlaps_batch": "CREATE INDEX overlaps_batch ON overlaps (batch_id, people, uid)",
    "personal_reviewer": "CREATE INDEX personal_reviewer ON personal (reviewer)",
    "personal_expires": "CREATE INDEX personal_expires ON personal (expires_at)",
    "lineage_child": "CREATE INDEX lineage_child ON lineage (child_id)",
}

BULK_INDEXES = ("samples_uid", "occurrences_sample")
"""Built after the load when the first ingest fills an empty store."""

_STAGED = "(SELECT closed_at FROM ingests WHERE id = OLD.ingest_id) IS NULL AND OLD.ingest_id IS NOT NULL"


def _append_only(table: str, *, deletable_when: str = "FALSE") -> tuple[str, str]:
    message = f"{table} are append-only"
    return (
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, '{message}'); END",
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN NOT ({deletable_when}) "
        f"BEGIN SELECT RAISE(ABORT, '{message}'); END",
    )


TRIGGERS = (
    *_append_only("samples", deletable_when=_STAGED),
    # Repointing a staged row at the first copy of its sample is how a bulk load merges duplicates.
    f"CREATE TRIGGER occurrences_no_update BEFORE UPDATE ON occurrences WHEN NOT ({_STAGED}) "
    "BEGIN SELECT RAISE(ABORT, 'occurrences are append-only'); END",
    _append_only("occurrences", deletable_when=_STAGED)[1],
    *_append_only("quarantine", deletable_when=_STAGED),
    *_append_only("verdicts"),
    *_append_only("findings"),
    *_append_only("votes"),
    *_append_only("responses"),
    *_append_only("events"),
    *_append_only("stacks"),
    *_append_only("fits"),
    *_append_only("orderings"),
    """CREATE TRIGGER approvals_no_update BEFORE UPDATE ON approvals WHEN OLD.revoked_seq IS NOT NULL
    OR NEW.revoked_seq IS NULL OR NEW.sample_id <> OLD.sample_id OR NEW.granted_seq <> OLD.granted_seq
    BEGIN SELECT RAISE(ABORT, 'approvals are append-only'); END""",
    _append_only("approvals")[1],
)


def is_current(connection: sqlite3.Connection) -> bool:
    """Whether the newest migration has been applied."""
    try:
        found = connection.execute(
            "SELECT 1 FROM _sqlite_migrations WHERE migration_set = 'holdfast' AND name = ?", (LATEST,)
        ).fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return False
        raise
    return found is not None
