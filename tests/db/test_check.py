"""What the integrity check finds, and what repair can mend."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from filling import decide, flagged_store, ingest, judge, make_sample, revise

from holdfast.db import decisions, events, exports, queue, replay, samples, users, verdicts
from holdfast.db.check import check
from holdfast.db.errors import NotFound, StoreError
from holdfast.db.models import Outcome, Role
from holdfast.db.store import Store


@pytest.fixture
def used(store: Store) -> Store:
    users.add_user(store, name="lead-1", role=Role.LEAD, actor="lead-1")
    flagged_store(store)
    decide(store, 1, "accept")
    decide(store, 2, "reject")
    decide(store, 3, "edit", revision=revise(store, 3, "better"))
    exports.record_export(
        store, actor="lead-1", path="out", head=events.head(store), root="", counts={}, format="jsonl"
    )
    decisions.undo(store, reviewer="annotator-1")
    decisions.redo(store, reviewer="annotator-1")
    verdicts.save_fit(store, verifier="length", version="1", options_hash="", state=b"{}")
    assert list(check(store)) == []
    return store


def tamper(store: Store, statement: str) -> None:
    """Change the file as somebody with SQLite's own shell would, past the triggers."""
    connection = sqlite3.connect(store.path)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("statement", "kind", "place"),
    [
        ("UPDATE samples SET messages = replace(messages, 'answer 1', 'answer 7') WHERE id = 2", "sample", "row 2"),
        ("UPDATE samples SET provenance = 'human' WHERE id = 1", "sample", "row 1"),
        ("UPDATE occurrences SET label = 'good' WHERE id = 2", "row", "b/1"),
        ("UPDATE occurrences SET reference = '5' WHERE id = 1", "row", "b/0"),
        ("DELETE FROM occurrences WHERE id = 5", "root", "ingest 1"),
        ("UPDATE verdicts SET outcomes = '[\"p\"]' WHERE sample_id = 4", "verdict", "run 1"),
        ("UPDATE findings SET message = 'fine' WHERE verdict_id = 4", "verdict", "run 1"),
        ("UPDATE events SET payload = replace(payload, 'accept', 'reject') WHERE seq = 5", "event", "event 5"),
        ("UPDATE events SET actor = 'annotator-2' WHERE seq = 5", "event", "event 5"),
        ("DELETE FROM events WHERE seq = 3", "event", "event 3"),
        ("DELETE FROM events WHERE seq > 7", "log-head", "end was cut"),
        ("UPDATE decisions SET verdict = 'reject' WHERE seq = 5", "decision", "decision 5"),
        ("UPDATE states SET status = 'approved' WHERE sample_id = 5", "projection", "status is approved"),
        ("UPDATE tallies SET samples = samples + 1", "projection", "counts"),
        ("UPDATE users SET role = 'lead'", "projection", "roles"),
        ("DELETE FROM queue WHERE sample_id = 5", "projection", "not in the queue"),
        ("UPDATE queue SET pool = 'lead' WHERE sample_id = 5", "projection", "queue of others"),
        ("UPDATE sources SET provenance = 'human'", "source", "source 1"),
        ("UPDATE samples SET ingest_id = NULL WHERE id = 2", "sample", "row 2"),
        ("UPDATE samples SET edit_share = 0.01 WHERE id = 6", "revision", "edited"),
        ("UPDATE lineage SET child_id = 1", "projection", "lineage"),
        ("UPDATE stacks SET currency = 'other'", "verdict", "stack 1"),
        ("UPDATE fits SET state = x'00'", "fit", "length"),
        ("UPDATE exports SET stale = 0", "projection", "exports"),
        ("UPDATE samples SET messages = CAST(replace(messages, 'a', x'ff') AS TEXT) WHERE id = 2", "sample", "row 2"),
        ("UPDATE samples SET provenance = 'humbn' WHERE id = 2", "sample", "row 2"),
        ("UPDATE occurrences SET reference = CAST(x'80' AS TEXT) WHERE id = 2", "row", "b/1"),
        ("UPDATE verdicts SET outcome = 'pbss' WHERE sample_id = 4", "verdict", "run 1"),
        ("UPDATE verdicts SET outcomes = CAST(x'ff' AS TEXT) WHERE sample_id = 4", "verdict", "run 1"),
        ("UPDATE findings SET message = CAST(x'ff' AS TEXT) WHERE verdict_id = 4", "verdict", "run 1"),
        ("UPDATE runs SET stack_id = 9", "verdict", "run 1"),
        ("UPDATE events SET payload = CAST(x'7bff' AS TEXT) WHERE seq = 5", "event", "event 5"),
        ("UPDATE events SET hash = 'x' || substr(hash, 2) WHERE seq = 5", "event", "event 5"),
        ("UPDATE decisions SET verdict = 'bccept' WHERE seq = 5", "decision", "decision 5"),
    ],
)
def test_what_was_altered_is_found_and_named(used: Store, statement: str, kind: str, place: str) -> None:
    tamper(used, statement)
    assert any(problem.kind == kind and place in problem.detail for problem in check(used)), list(check(used))


def test_truth_refuses_changes(used: Store) -> None:
    for table in ("samples", "occurrences", "verdicts", "findings", "events"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"), used.write() as connection:
            connection.execute(f"DELETE FROM {table}")
    for table in ("samples", "occurrences", "verdicts", "findings", "events"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"), used.write() as connection:
            connection.execute(f"UPDATE {table} SET rowid = rowid + 1000")


def test_a_cut_tail_is_found_by_an_earlier_head(used: Store) -> None:
    head = events.head(used)
    tamper(used, "DELETE FROM events WHERE seq > 6")
    tamper(used, "DELETE FROM meta WHERE key = 'log_head'")
    found = [problem.detail for problem in check(used, heads=[("out.manifest.json", head)])]
    assert any("out.manifest.json" in detail and "event 6" in detail for detail in found)


def test_another_history_is_found_by_an_earlier_head(used: Store) -> None:
    head = events.Head(3, "0" * 64)
    found = [problem for problem in check(used, heads=[("m", head)])]
    assert [problem.kind for problem in found] == ["log-head"]


def test_repair_rebuilds_every_projection(used: Store) -> None:
    before = {stored.uid: stored.status for stored in samples.each(used)}
    listed = [row.sample_id for row in queue.listing(used)]
    for statement in (
        "DELETE FROM decisions",
        "UPDATE states SET status = 'approved'",
        "DELETE FROM tallies",
        "UPDATE users SET role = 'lead'",
        "UPDATE queue SET state = 'done'",
        "UPDATE exports SET stale = 0",
        "DELETE FROM lineage",
        "INSERT INTO sample_search (sample_search) VALUES ('delete-all')",
    ):
        with used.write() as connection:
            connection.execute(statement)
    assert list(check(used)) != []
    replay.repair(used, lambda _sample_id: None)
    assert list(check(used)) == []
    assert {stored.uid: stored.status for stored in samples.each(used)} == before
    assert [row.sample_id for row in queue.listing(used)] == listed
    assert decisions.undo(used, reviewer="annotator-1")[0].sample_id == 3


def test_repair_ranks_what_lost_its_place(used: Store) -> None:
    with used.write() as connection:
        connection.execute("DELETE FROM queue WHERE sample_id = 5")
    replay.repair(used, lambda _sample_id: None)
    assert [row.sample_id for row in queue.listing(used)] == [4, 5]


def test_a_new_ingest_and_run_keep_the_store_sound(used: Store) -> None:
    ingest(used, [make_sample(n) for n in range(3, 9)], batch="c")
    judge(used, {6: Outcome.PASS, 7: Outcome.PASS})
    assert list(check(used)) == []


def test_references_that_name_nothing_say_so(used: Store) -> None:
    for ref in ("b/none", "none/0", "zz", "0000000000"):
        with pytest.raises(NotFound):
            samples.resolve(used, ref)


def test_a_log_that_names_what_is_not_there_is_not_replayed(used: Store) -> None:
    tamper(used, 'UPDATE events SET payload = replace(payload, \'"uid":"\', \'"uid":"no\') WHERE seq = 5')
    before = decisions.decisions_of(used, 1)
    with pytest.raises(StoreError, match="restore a backup"):
        replay.repair(used, lambda _sample_id: None)
    assert decisions.decisions_of(used, 1) == before


def test_a_manifest_written_while_the_check_runs_is_no_alarm(used: Store) -> None:
    def heads() -> Iterator[tuple[str, events.Head]]:
        decide(used, 4, "accept")
        yield "out.manifest.json", events.head(used)

    assert list(check(used, heads=heads())) == []
