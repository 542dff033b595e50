"""Connections to SQLite and PostgreSQL that keep the same promises."""

import json
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url

from schemas.errors import (
    Conflict,
    InvalidRecord,
    PratiqueError,
    SettingsError,
    Unavailable,
)

_POOL_WAIT_S = 5
_SQLITE_BUSY_S = 30
# Seconds, but for tcp_user_timeout in milliseconds: a vanished server is noticed.
_POSTGRESQL_PATIENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
# A stalled process must not hold its row lock, nor a query its connection, for ever.
# Who waited for a row has to see it as it is then, whatever the server's default.
_POSTGRESQL_OPTIONS = (
    "-c statement_timeout=10s -c lock_timeout=5s "
    "-c idle_in_transaction_session_timeout=10s "
    r"-c default_transaction_isolation=read\ committed"
)


@dataclass(frozen=True)
class Database:
    """One database, and how to write to it.

    Attributes:
        read: for single statements; each sees what is committed.
        write: for transactions.
        turn: held around a transaction by its thread.
        insert: makes an INSERT that knows ON CONFLICT.
        alone: SQL that keeps others from migrating, where a transaction does not.
    """

    read: sa.Engine
    write: sa.Engine
    turn: AbstractContextManager[Any]
    insert: Callable[[sa.Table], Any]
    alone: tuple[str, ...] = ()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection for single statements."""
        with translated(), self.read.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Give a transaction; it commits unless the block raises."""
        with translated(), self.turn, self.write.begin() as connection:
            yield connection

    @contextmanager
    def migrating(self) -> Iterator[sa.Connection]:
        """Give a transaction that no other one of its kind overlaps."""
        with self.writing() as connection:
            for statement in self.alone:
                connection.exec_driver_sql(statement)
            yield connection


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the database raises into what the host understands.

    Raises:
        Conflict: another transaction was in the way.
        InvalidRecord: a value that the database does not take.
        Unavailable: anything else; nothing but the server can mend it.
    """
    try:
        yield
    except sa.exc.SQLAlchemyError as exc:
        raise _translation(exc) from exc


def _translation(exc: sa.exc.SQLAlchemyError) -> PratiqueError:
    origin = getattr(exc, "orig", None) or exc
    # The first line only: PostgreSQL's DETAIL repeats the row.
    cause = str(origin).partition("\n")[0]
    if _is_contention(origin):
        return Conflict(f"others held the database at every try: {cause}")
    refused = isinstance(exc, sa.exc.DataError | sa.exc.IntegrityError)
    unbindable = not isinstance(exc, sa.exc.DBAPIError | sa.exc.TimeoutError)
    if refused or unbindable:
        return InvalidRecord(f"the database takes no such value: {cause}")
    mend = "; `pratique provision` makes the tables" if _lacks_a_table(origin) else ""
    return Unavailable(f"the database can't be worked with: {cause}{mend}")


def rolled_back(conflict: Conflict) -> bool:
    """Whether the server undid a transaction for others' sake: it may be repeated.

    Serialisation failures and deadlocks (PostgreSQL, "Appendix A", class 40).
    """
    origin = getattr(conflict.__cause__, "orig", None)
    return (getattr(origin, "pgcode", None) or "").startswith("40")


def _lacks_a_table(origin: BaseException) -> bool:
    undefined = getattr(origin, "pgcode", None) == "42P01"
    return undefined or str(origin).startswith("no such table")


def _is_contention(origin: BaseException) -> bool:
    state = getattr(origin, "pgcode", None) or ""
    if state.startswith("40") or state == "55P03":  # rolled back; lock timeout
        return True
    code = getattr(origin, "sqlite_errorcode", 0) & 0xFF  # without its extension
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def open_database(url: str) -> Database:
    """Open the database that a SQLAlchemy URL names; PostgreSQL connects later.

    Raises:
        SettingsError: the URL can't be used; the message doesn't repeat it, as it may
            hold a password.
    """
    try:
        parsed = make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise SettingsError("PRATIQUE_DATABASE: not a SQLAlchemy URL") from None
    if parsed.drivername not in _KINDS:
        known = ", ".join(f"{name}:" for name in _KINDS)
        raise SettingsError(
            f"PRATIQUE_DATABASE: {parsed.drivername}: is not of {known}"
        )
    return _KINDS[parsed.drivername](parsed)


def _engine(url: URL, **options: Any) -> sa.Engine:
    return sa.create_engine(
        url,
        pool_timeout=_POOL_WAIT_S,
        pool_size=5,
        max_overflow=15,
        hide_parameters=True,  # file names and references stay out of logs
        # NaN is no JSON: SQLite would store what PostgreSQL refuses.
        json_serializer=partial(json.dumps, allow_nan=False),
        **options,
    )


def _sqlite(url: URL) -> Database:
    if url.database in (None, "", ":memory:"):
        raise SettingsError("PRATIQUE_DATABASE: sqlite:///PATH has to name a file")
    try:
        _create(Path(url.database))
    except OSError as exc:
        message = f"PRATIQUE_DATABASE: {url.database}: {exc.strerror}"
        raise SettingsError(message) from exc
    patience = {} if "timeout" in url.query else {"timeout": _SQLITE_BUSY_S}
    engine = _engine(url, connect_args=patience)
    sa.event.listen(engine, "connect", _set_up_sqlite)
    write = engine.execution_options()
    sa.event.listen(write, "begin", _begin_immediate)
    # SQLite polls for its lock; threads of one process are quicker to take turns.
    return Database(engine, write, Lock(), sqlite.insert)


def _create(path: Path) -> None:
    """Create an empty database in WAL mode, whole or not at all.

    Processes that switch the same new file to WAL at once get `database is locked`,
    whatever their busy timeout; so nobody sees the file before it is switched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    os.close(handle)
    try:
        connection = sqlite3.connect(draft)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()


def _set_up_sqlite(connection: Any, _record: object) -> None:
    # The driver would begin transactions of its own, and too late for DDL.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # a commit survives power loss


def _begin_immediate(connection: sa.Connection) -> None:
    # A transaction that reads and then writes fails if another wrote in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgresql(url: URL) -> Database:
    given = url.normalized_query
    options = " ".join((_POSTGRESQL_OPTIONS, *given.get("options", ())))
    patience = {k: v for k, v in _POSTGRESQL_PATIENCE.items() if k not in given}
    engine = _engine(
        # Plain `postgresql:` would name psycopg 3 from SQLAlchemy 2.1 on.
        url.set(drivername="postgresql+psycopg2").difference_update_query(["options"]),
        pool_pre_ping=True,
        connect_args={**patience, "options": options},
    )
    read = engine.execution_options(isolation_level="AUTOCOMMIT")
    alone = (
        "SET LOCAL statement_timeout = 0",
        "SET LOCAL lock_timeout = '60s'",
        "SELECT pg_advisory_xact_lock(hashtext('pratique:migrations'))",
    )
    return Database(read, engine, nullcontext(), postgresql.insert, alone)


_KINDS: Mapping[str, Callable[[URL], Database]] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "postgresql+psycopg2": _postgresql,
}
