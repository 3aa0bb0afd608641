"""The one place that opens SQLite: connections, pragmas, write transactions."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from holdfast.db.errors import StoreBusy, StoreError, StoreFull, StoreMissing, StoreReadOnly

WAIT_CAP_SECONDS = 5.0
"""How long a writer keeps trying for the write lock before it gives up."""

_PRAGMAS = (
    f"PRAGMA busy_timeout = {int(WAIT_CAP_SECONDS * 1000)}",
    "PRAGMA foreign_keys = ON",
    "PRAGMA synchronous = FULL",
    "PRAGMA cache_size = -65536",
    "PRAGMA journal_size_limit = 67108864",
)


def utc_now() -> datetime:
    """The current instant, in UTC."""
    return datetime.now(UTC)


def text_of(instant: datetime) -> str:
    """An instant as RFC 3339 text in UTC with microseconds, which sorts by time."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def instant_of(text: str) -> datetime:
    """The instant that `text_of` wrote."""
    return datetime.fromisoformat(text)


class Store:
    """A project's lineage store: one SQLite file, read and written from any thread of any local process."""

    def __init__(self, path: Path, *, now: Callable[[], datetime] = utc_now) -> None:
        self.path = path
        self.now = now
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    @classmethod
    def create(cls, path: Path, *, shared: bool = False, now: Callable[[], datetime] = utc_now) -> Store:
        """Make an empty store (mode 0600; 0660 when `shared`); StoreError where the file exists already."""
        from holdfast.db.migrations import migrate

        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            raise StoreError(f"{path}: exists already; open it, or choose another folder") from None
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror}; choose a folder you can write to") from None
        if shared:
            path.chmod(0o660)
        store = cls(path, now=now)
        try:
            with _translated(path):
                store.read().execute("PRAGMA journal_mode = WAL")
                migrate(store.read())
        except BaseException:
            store.close()
            path.unlink(missing_ok=True)
            raise
        return store

    @classmethod
    def open(cls, path: Path, *, now: Callable[[], datetime] = utc_now) -> Store:
        """Open an existing store, migrating it (after a backup) where it is older than this release."""
        from holdfast.db.schema import is_current

        if not path.exists():
            raise StoreMissing(f"{path}: no store here; run `holdfast init` first")
        store = cls(path, now=now)
        try:
            with _translated(path):
                if not is_current(store.read()):
                    from holdfast.db.migrations import migrate

                    store._backup_before_migration()
                    # A store whose creation was interrupted may lack it.
                    store.read().execute("PRAGMA journal_mode = WAL")
                    migrate(store.read())
        except BaseException:
            store.close()
            raise
        return store

    def read(self) -> sqlite3.Connection:
        """This thread's connection, in autocommit; rows can be read by name."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            with _translated(self.path):
                connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
                try:
                    for pragma in _PRAGMAS:
                        connection.execute(pragma)
                except BaseException:
                    connection.close()
                    raise
            connection.row_factory = sqlite3.Row
            self._local.connection = connection
            with self._lock:
                self._connections.append(connection)
        return connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One write transaction: BEGIN IMMEDIATE … COMMIT, or ROLLBACK when the block raises.

        Waits for the lock in short jittered steps (SQLite's own waiting starves processes); StoreBusy after the cap.
        """
        connection = self.read()
        with _translated(self.path):
            _begin_immediate(connection)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """One read transaction: every statement in the block sees the same state; joins one that is open."""
        connection = self.read()
        if connection.in_transaction:
            yield connection
            return
        with _translated(self.path):
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close every thread's connection."""
        with self._lock:
            connections, self._connections = self._connections, []
        for connection in connections:
            connection.close()
        self._local = threading.local()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _backup_before_migration(self) -> None:
        stamp = self.now().strftime("%Y%m%dT%H%M%SZ")
        target = self.path.with_name(f"{self.path.name}.before-migration-{stamp}")
        back_up(self.read(), target)


def back_up(connection: sqlite3.Connection, target: Path) -> None:
    """Copy the whole store to `target` (0600), through SQLite's online backup; StoreError where `target` exists.

    The copy gets its name once it is whole and checked.
    """
    _refuse_existing(target)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(f"{target}: {error.strerror}") from None
    try:
        with _translated(target), closing(sqlite3.connect(part)) as copy:
            connection.backup(copy)
            (state,) = copy.execute("PRAGMA integrity_check").fetchone()
            copy.execute("PRAGMA journal_mode = WAL")
        if state != "ok":
            raise StoreError(f"{target}: the copy failed SQLite's integrity check: {state}")
        _refuse_existing(target)
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _refuse_existing(target: Path) -> None:
    if target.exists():
        raise StoreError(f"{target}: exists already; backups are never overwritten, name another file")


def _begin_immediate(connection: sqlite3.Connection) -> None:
    # SQLite's own waiting backs off and starves processes; reads keep it for the rare lock of a WAL recovery.
    deadline = time.monotonic() + WAIT_CAP_SECONDS
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() > deadline:
                    raise
                time.sleep(random.uniform(0.0005, 0.003))
            else:
                return
    finally:
        connection.execute(_PRAGMAS[0])


def _is_busy(error: sqlite3.Error) -> bool:
    # The low byte is the primary result code: extended codes such as BUSY_SNAPSHOT count too.
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn SQLite's operational errors into errors that name the store and the remedy."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if _is_busy(error):
            raise StoreBusy(
                f"{path}: another process has been writing for over {WAIT_CAP_SECONDS:.0f} s; try again"
            ) from error
        if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _disk_is_full(path)):
            raise StoreFull(f"{path}: the disk is full; nothing was written; free some space and try again") from error
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            raise StoreReadOnly(
                f"{path}: cannot be written; check the permissions of the file and its folder"
            ) from error
        if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise StoreError(f"{path}: not a readable SQLite file ({error}); restore a backup") from error
        raise


def _disk_is_full(path: Path) -> bool:
    return shutil.disk_usage(path.parent).free < 1 << 20
