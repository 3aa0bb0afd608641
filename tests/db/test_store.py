"""Opening, failing and copying a store."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, cast

import pytest
from filling import decide, flagged_store, ingest, make_sample

from holdfast.db import queue, samples, users
from holdfast.db.check import check
from holdfast.db.errors import NotPermitted, StoreBusy, StoreError, StoreFull, StoreMissing
from holdfast.db.models import Role, Status
from holdfast.db.store import Store, back_up


def test_only_its_owner_can_read_a_store_unless_it_is_shared(tmp_path: Path) -> None:
    with Store.create(tmp_path / "own.db") as own, Store.create(tmp_path / "shared.db", shared=True) as shared:
        assert stat.S_IMODE(own.path.stat().st_mode) == 0o600
        assert stat.S_IMODE(shared.path.stat().st_mode) == 0o660


def test_opening_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing, match="holdfast init"):
        Store.open(tmp_path / "none.db")
    Store.create(tmp_path / "a.db").close()
    with pytest.raises(StoreError, match="exists already"):
        Store.create(tmp_path / "a.db")
    (tmp_path / "junk.db").write_bytes(b"this is no database at all, whatever its name may say" * 30)
    with pytest.raises(StoreError, match="not a readable SQLite file"):
        Store.open(tmp_path / "junk.db")


def test_an_older_store_is_backed_up_and_migrated(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    sqlite3.connect(path).close()
    path.touch()
    with Store.open(path) as store:
        assert samples.tallies(store) == []
    assert len(list(tmp_path.glob("old.db.before-migration-*"))) == 1


def test_a_full_disk_is_named_and_nothing_is_half_written(store: Store) -> None:
    flagged_store(store)
    (pages,) = store.read().execute("PRAGMA page_count").fetchone()
    store.read().execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreFull, match="disk is full"):
        ingest(store, [make_sample(number) for number in range(5_000)], batch="c")
    store.read().execute("PRAGMA max_page_count = 1000000")
    assert sum(1 for _ in samples.each(store)) == 5
    assert list(check(store)) == []
    store.close()


READ_ONLY = """
import os, sys
from pathlib import Path
from holdfast.db import queue, schema
from holdfast.db.errors import StoreReadOnly
from holdfast.db.store import Store
if os.getuid() == 0:
    os.setgid(65534), os.setuid(65534)
try:
    with Store.open(Path(sys.argv[1])) as store:
        queue.claim(store, reviewer="annotator-1")
except StoreReadOnly as error:
    print(error)
"""


def test_a_store_that_cannot_be_written_is_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("locked")
    with Store.create(folder / "holdfast.db") as store:
        flagged_store(store)
    for path in (*folder.iterdir(), folder, *list(folder.parents)[:-2]):
        path.chmod(0o755 if path.is_dir() else 0o444)
    folder.chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-c", READ_ONLY, str(folder / "holdfast.db")], capture_output=True, text=True, check=False
    )
    folder.chmod(0o755)
    assert "cannot be written; check the permissions" in done.stdout, done.stderr


def test_a_writer_that_never_ends_gives_a_clear_error(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    flagged_store(store)
    monkeypatch.setattr("holdfast.db.store.WAIT_CAP_SECONDS", 0.05)
    with Store.open(store.path) as other, other.write(), pytest.raises(StoreBusy, match="try again"):
        queue.claim(store, reviewer="annotator-1")
    assert queue.claim(store, reviewer="annotator-1") is not None


def test_threads_have_connections_of_their_own(store: Store) -> None:
    flagged_store(store, 60)
    given: list[int] = []

    def work(name: str) -> None:
        while (claim := queue.claim(store, reviewer=name)) is not None:
            given.append(claim.sample_id)

    threads = [threading.Thread(target=work, args=(f"annotator-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == list(range(1, 61))


def test_a_backup_is_a_whole_private_copy_and_never_overwrites(store: Store, tmp_path: Path) -> None:
    flagged_store(store)
    decide(store, 1, "accept")
    back_up(store.read(), tmp_path / "copy.db")
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    with Store.open(tmp_path / "copy.db") as copy:
        assert samples.load(copy, 1).status is Status.APPROVED
        assert list(check(copy)) == []
    with pytest.raises(StoreError, match="never overwritten"):
        back_up(store.read(), tmp_path / "copy.db")


def test_leads_alone_add_users(store: Store) -> None:
    users.add_user(store, name="lead-1", role=Role.LEAD, actor="lead-1")
    users.add_user(store, name="annotator-1", role=Role.ANNOTATOR, actor="lead-1")
    with pytest.raises(NotPermitted, match="only leads"):
        users.add_user(store, name="annotator-1", role=Role.LEAD, actor="annotator-1")
    assert [(user.name, user.role) for user in users.users(store)] == [("annotator-1", "annotator"), ("lead-1", "lead")]


def test_claims_of_a_dead_session_come_back_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    flagged_store(store)
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: 2**22 + 1)
        lost = queue.claim(store, reviewer="annotator-1", session=True)
    assert lost is not None
    other = queue.claim(store, reviewer="annotator-2", session=True)
    mine = queue.claim(store, reviewer="annotator-1", session=True)
    assert other is not None
    assert mine is not None
    assert (mine.sample_id, other.sample_id) == (lost.sample_id, 2)
    assert mine.token != lost.token
    assert queue.heartbeat(store, [lost.token, mine.token]) == {mine.token}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="tells a killed process from a live one by /proc")
def test_claims_of_a_killed_session_come_back_though_nobody_reaped_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    flagged_store(store)
    killed = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert killed.stdin is not None
    assert killed.stdout is not None
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: killed.pid)
        lost = queue.claim(store, reviewer="annotator-1", session=True)
    other = queue.claim(store, reviewer="annotator-1", session=True)
    killed.kill()
    killed.stdout.read()
    os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)
    mine = queue.claim(store, reviewer="annotator-1", session=True)
    killed.communicate()
    assert lost is not None
    assert other is not None
    assert mine is not None
    assert (other.sample_id, mine.sample_id) == (2, lost.sample_id)


def test_an_expired_lease_returns_to_the_queue(store: Store, clock: Any) -> None:
    flagged_store(store, 1)
    claim = queue.claim(store, reviewer="annotator-1", lease_seconds=60)
    assert claim is not None
    clock.step(50)
    assert queue.heartbeat(store, [claim.token], lease_seconds=60) == {claim.token}
    clock.step(50)
    assert queue.claim(store, reviewer="annotator-2") is None
    clock.step(11)
    assert queue.heartbeat(store, [claim.token]) == set()
    assert queue.claim(store, reviewer="annotator-2") is not None


def test_a_backup_that_was_interrupted_leaves_nothing_that_looks_like_one(store: Store, tmp_path: Path) -> None:
    class Interrupted:
        def backup(self, _copy: sqlite3.Connection) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(cast("sqlite3.Connection", Interrupted()), tmp_path / "copy.db")
    assert list(tmp_path.glob("*copy.db*")) == []


def test_a_store_whose_creation_was_interrupted_is_made_whole(tmp_path: Path) -> None:
    (tmp_path / "holdfast.db").touch()
    with Store.open(tmp_path / "holdfast.db") as store:
        assert store.read().execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert list(check(store)) == []
