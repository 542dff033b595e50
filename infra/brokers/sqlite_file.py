"""The embedded broker's file: opened, checked, and shared by threads and processes."""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

from schemas.errors import SettingsError, Unavailable

APPLICATION_ID = 0x50524251  # marks the file as ours: "PRBQ"
VERSION = 1
_SETTINGS = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOTADB)

# Times are microseconds since 1970 in UTC. A queue is a cursor into the log; what was
# handed out, sent to one queue, retried or dead-lettered lives in message.
_SCHEMA = """
CREATE TABLE log (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    published_at INTEGER NOT NULL,
    key TEXT NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX log_by_key ON log (key, position, published_at);
CREATE TABLE queue (
    name TEXT PRIMARY KEY,
    key TEXT,  -- NULL: nothing is published to it
    cursor INTEGER NOT NULL
) WITHOUT ROWID;
CREATE VIEW waiting AS  -- what a queue's cursor has not passed yet
    SELECT queue.name AS queue, log.*
    FROM queue JOIN log ON log.key = queue.key AND log.position > queue.cursor;
CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    consumer TEXT,  -- NULL: not handed out
    ready_at INTEGER NOT NULL DEFAULT 0,  -- 0: at once
    attempt INTEGER NOT NULL DEFAULT 1,
    handouts INTEGER NOT NULL DEFAULT 0,  -- tells one hand-out from the next
    lost INTEGER NOT NULL DEFAULT 0,  -- hand-outs to consumers that died
    position INTEGER NOT NULL DEFAULT 0,
    published_at INTEGER NOT NULL,
    key TEXT NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX message_by_queue ON message (queue, consumer, ready_at, handouts);
CREATE INDEX message_by_consumer ON message (consumer) WHERE consumer IS NOT NULL;
CREATE TABLE consumer (
    id TEXT PRIMARY KEY,
    queue TEXT NOT NULL
) WITHOUT ROWID;
"""


class SqliteFile:
    """One connection per process; threads take turns on it.

    SQLite has one writer at a time anyway, so more connections would only wait in
    its busy handler instead of on a lock.

    Raises:
        SettingsError: the file cannot be opened, or is not a broker's.
        Unavailable: it was locked for too long, or the disk failed.
    """

    def __init__(self, path: Path, lock_timeout: timedelta) -> None:
        self.path = path.absolute()
        self.bells = self.path.with_name(f"{self.path.name}.d")
        self._turn = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        try:
            self.bells.mkdir(parents=True, exist_ok=True)
            with _alone(self.bells):
                self._connection = _open(self.path, lock_timeout.total_seconds())
                self._inode = self.path.stat().st_ino
        except OSError as exc:
            raise SettingsError(f"broker file {path}: {exc.strerror}") from exc

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """Give the connection for a consistent look; others may write meanwhile."""
        return self._transaction("BEGIN", "NORMAL")

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """Give the connection for changes: all or none, and on disk on return."""
        return self._transaction("BEGIN IMMEDIATE", "FULL")

    def settling(self) -> AbstractContextManager[sqlite3.Connection]:
        """Give the connection for changes that a power cut, but no kill, may undo.

        Undone is the newest part of what happened since the last writing, so a message
        is handed out once more, and none is lost. That saves two syncs of three.
        """
        return self._transaction("BEGIN IMMEDIATE", "NORMAL")

    def close(self) -> None:
        """Close the connection; everything after that raises Unavailable."""
        with self._turn:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    @contextmanager
    def _transaction(self, begin: str, sync: str) -> Iterator[sqlite3.Connection]:
        with self._turn:
            db = self._opened()
            try:
                # https://sqlite.org/pragma.html#pragma_synchronous, as for WAL
                db.execute(f"PRAGMA synchronous = {sync}")
                yield from _all_or_none(db, begin)
            except sqlite3.Error as exc:
                raise Unavailable(f"broker file {self.path}: {exc}") from exc

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise Unavailable("the broker is closed")
        try:
            inode = self.path.stat().st_ino
        except OSError:
            inode = 0
        if inode != self._inode:
            # Else we would go on in a file that nobody else sees and nobody keeps.
            raise Unavailable(f"broker file {self.path} was removed or replaced")
        return self._connection


def _all_or_none(db: sqlite3.Connection, begin: str) -> Iterator[sqlite3.Connection]:
    try:
        db.execute(begin)
        yield db
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.rollback()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    # The switch to WAL fails at once, not after a wait, if others open the file too.
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _open(path: Path, timeout_s: float) -> sqlite3.Connection:
    try:
        db = sqlite3.connect(
            path, timeout=timeout_s, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(db, path)
        except BaseException:
            db.close()
            raise
    except sqlite3.Error as exc:
        # The low byte is the primary code: https://sqlite.org/rescode.html
        code = getattr(exc, "sqlite_errorcode", 0) & 0xFF
        kind = SettingsError if code in _SETTINGS else Unavailable
        raise kind(f"broker file {path}: {exc}") from exc
    return db


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    tables = _number(db, "SELECT count(*) FROM sqlite_master")
    ours = _number(db, "PRAGMA application_id") == APPLICATION_ID
    if tables and not ours:
        raise SettingsError(f"broker file {path}: another program's database")
    version = _number(db, "PRAGMA user_version")
    if tables and version != VERSION:
        raise SettingsError(
            f"broker file {path}: schema {version}; this release reads {VERSION}"
        )
    if db.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise SettingsError(f"broker file {path}: its file system cannot do WAL")
    if not tables:
        stamp = f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={VERSION}"
        db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} {stamp}; COMMIT;")


def _number(db: sqlite3.Connection, query: str) -> int:
    return int(db.execute(query).fetchone()[0])
