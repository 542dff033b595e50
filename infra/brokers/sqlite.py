"""The embedded broker: one SQLite file, a log in it and a cursor per queue.

Any number of threads and processes on one machine share the file. A process that is
killed keeps no message: see infra/brokers/wakeup.py.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from sqlite3 import Connection

from infra.brokers import sqlite_journal as journal
from infra.brokers import sqlite_queues as sql
from infra.brokers.sqlite_consumers import Consumers, SqliteSubscription
from infra.brokers.sqlite_file import SqliteFile
from schemas.ports import Clock, Message, QueueDepth

_EVER = 2**62  # microseconds
# Little at a time, twice as much as came since: no publish waits long for it.
_PRUNE_EVERY = 1000  # publishes
_PRUNE_AFTER = timedelta(minutes=1)  # for those who publish seldom


class SqliteBroker:
    """A broker (schemas/ports/broker.py) in one file, for one machine.

    What is due, old or late follows *clock*; how long a receive waits follows real
    time. So after moving an injected clock, what became due comes with the next
    receive, and half a second later to one that waits already.

    Args:
        journal_age: how long the journal keeps what every queue has handed out.
        delivery_limit: after this many consumers died holding a message it becomes
            a dead letter with the reason `delivery_limit`.
        lock_timeout: how long to wait while others write.

    Raises:
        SettingsError: the file cannot be opened, or is not a broker's.
        Unavailable: it was locked for too long, or the disk failed.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        journal_age: timedelta = timedelta(days=7),
        delivery_limit: int = 1000,
        lock_timeout: timedelta = timedelta(seconds=8),
    ) -> None:
        self._file = SqliteFile(path, lock_timeout)
        self._clock = clock
        self._journal_age = journal_age
        self._prune_at = clock()
        self._consumers = Consumers(self._file, clock, delivery_limit)

    def provision(self, queues: Mapping[str, str]) -> None:
        """Declare queues and their dead queues; a new one starts at the log's end."""
        with self._file.writing() as db:
            for queue, key in queues.items():
                sql.declare(db, queue, key)
            self._prune(db)

    def provisioned(self, queue: str, key: str) -> bool:
        """Return whether the queue and its dead letters are there, bound to *key*."""
        with self._file.reading() as db:
            return sql.declared(db, queue, key)

    def publish(self, key: str, message: Message) -> None:
        """Append *message* to the log, synced to disk; its time is the clock's."""
        with self._file.writing() as db:
            position = journal.append(db, key, message, journal.micros(self._clock()))
            if position % _PRUNE_EVERY == 0 or self._clock() >= self._prune_at:
                self._prune(db)
            listening = sql.listeners(db, key)
        self._consumers.ring(listening)

    def send(self, queue: str, message: Message) -> None:
        """Put *message* in one queue, synced to disk; its time is the clock's."""
        with self._file.writing() as db:
            sql.require(db, queue)
            sql.put(db, queue, message, journal.micros(self._clock()))
            listening = sql.consumers(db, queue)
        self._consumers.ring(listening)

    def subscribe(self, queue: str, *, prefetch: int) -> SqliteSubscription:
        """Begin to consume *queue*."""
        return self._consumers.add(queue, prefetch)

    def history(
        self, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[Message]:
        """Return the log between two times, up to the position it has now."""
        with self._file.reading() as db:
            last = journal.end(db)
        first = journal.micros(since) if since else 0
        return self._pages(last, first, journal.micros(until) if until else _EVER)

    def depths(self) -> Mapping[str, QueueDepth]:
        """Return how full every queue is; what dead consumers held is ready."""
        self._consumers.look()
        with self._file.reading() as db:
            return dict(sql.depths(db, journal.micros(self._clock())))

    def ping(self) -> None:
        """Return if the file can be read and is the one that was opened."""
        with self._file.reading() as db:
            journal.end(db)

    def close(self) -> None:
        """Close every subscription and the file. Safe to run twice."""
        self._consumers.close()
        self._file.close()

    def _pages(self, last: int, since: int, until: int) -> Iterator[Message]:
        position = 0
        while True:
            with self._file.reading() as db:
                messages = journal.page(db, position, last, since, until)
            if not messages:
                return
            yield from messages
            position = messages[-1].position

    def _prune(self, db: Connection) -> None:
        now = self._clock()
        self._prune_at = now + _PRUNE_AFTER
        journal.prune(db, journal.micros(now - self._journal_age), 2 * _PRUNE_EVERY)
