"""The embedded broker's consumers: receiving, settling, and seeing who died."""

import contextlib
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from sqlite3 import Connection

from infra.brokers import sqlite_queues as sql
from infra.brokers import wakeup
from infra.brokers.headers import dead_queue
from infra.brokers.sqlite_file import SqliteFile
from infra.brokers.sqlite_journal import micros
from schemas.errors import Unavailable
from schemas.ports import Clock

# How often consumers look for others that died: nobody can ring for those.
_LOOK_EVERY_S = 0.5


class SqliteDelivery:
    """One message handed out (schemas/ports/broker.py)."""

    def __init__(self, claim: sql.Claim, subscription: "SqliteSubscription") -> None:
        self.message = claim.message
        self.attempt = claim.attempt
        self.queue = claim.queue
        self._claim = claim
        self._subscription = subscription

    def ack(self) -> None:
        """Delete the message from this queue."""
        self._subscription.settle(lambda db: sql.ack(db, self._claim))

    def retry(self, delay: timedelta, cause: str) -> None:
        """Let the message wait; *cause* stays with it as header `x-cause`."""
        due = self._subscription.clock() + delay
        ready_at = micros(due) if delay > timedelta() else sql.AT_ONCE
        self._subscription.settle(
            lambda db: sql.retry(db, self._claim, cause, ready_at), self.queue
        )

    def dead_letter(self, reason: str) -> None:
        """Move the message to the dead queue; from a dead queue, to its end."""
        at = self._subscription.clock()
        self._subscription.settle(
            lambda db: sql.dead_letter(db, self._claim, reason, at),
            dead_queue(self.queue),
        )

    def release(self) -> None:
        """Hand the message back, behind those that were handed out less often."""
        self._subscription.settle(lambda db: sql.release(db, self._claim), self.queue)


class SqliteSubscription:
    """One consumer of a queue; Consumers.add makes it."""

    def __init__(
        self, consumers: "Consumers", bell: wakeup.Bell, queue: str, prefetch: int
    ) -> None:
        self.clock = consumers.clock
        self._consumers = consumers
        self._file = consumers.file
        self._bell = bell
        self._id = bell.path.name
        self._queue = queue
        self._prefetch = prefetch
        self._guard = threading.Lock()
        self._inside = 0  # threads that use the bell
        self._closed = False

    def receive(self, timeout: timedelta) -> SqliteDelivery | None:
        """Return the next delivery, or None after *timeout* of real time."""
        deadline = time.monotonic() + timeout.total_seconds()
        if not self._enter():
            return None
        try:
            return self._receive(deadline)
        except Unavailable:
            if self._closed:
                return None
            raise
        finally:
            self._leave()

    def settle(
        self, change: Callable[[Connection], None], refilled: str | None = None
    ) -> None:
        """Commit what becomes of one claim; *refilled* names the queue it goes to."""
        try:
            with self._file.settling() as db:
                change(db)
                awake = sql.consumers(db, refilled) if refilled else []
        except Unavailable:
            if self._closed:
                return  # given back already: there is nothing to settle
            raise
        # This consumer, too: it may have waited for room under its prefetch.
        self._consumers.ring([*awake, self._id])

    def close(self) -> None:
        """Wake every receive and give back what is unsettled. Safe to run twice."""
        if not self._enter(closing=True):
            return
        try:
            with self._file.settling() as db:
                sql.give_back(db, self._id)
                awake = sql.consumers(db, self._queue)
            self._consumers.ring(awake)
        except Unavailable:
            pass  # others find the bell abandoned and give back for us
        finally:
            self._consumers.forget(self)
            self._leave()

    def __enter__(self) -> "SqliteSubscription":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _receive(self, deadline: float) -> SqliteDelivery | None:
        while not self._closed:
            self._consumers.look(_LOOK_EVERY_S)
            claim, wait_s = self._try()
            if claim is not None:
                self._pass_on()
                return SqliteDelivery(claim, self)
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return None
            self._bell.wait(min(left_s, wait_s))
        return None

    def _try(self) -> tuple[sql.Claim | None, float]:
        """Return a claim, or for how many seconds waiting for a ring is enough."""
        now = micros(self.clock())
        # Looking first takes no write lock: most who are woken come too late.
        with self._file.reading() as db:
            wait_s = self._wait_s(db, now)
        if wait_s > 0:
            return None, wait_s
        with self._file.settling() as db:
            if self._wait_s(db, now) > 0:
                return None, 0
            return sql.claim(db, self._queue, self._id, now), 0

    def _wait_s(self, db: Connection, now: int) -> float:
        seen = sql.outlook(db, self._queue, self._id)
        if not seen.enlisted:
            raise Unavailable(f"{self._queue}: this consumer's bell was removed")
        if seen.unsettled >= self._prefetch:
            return _LOOK_EVERY_S
        if seen.waiting:
            return 0
        if seen.ready_at is None:
            return _LOOK_EVERY_S
        return min(_LOOK_EVERY_S, max(0, seen.ready_at - now) / 1e6)

    def _pass_on(self) -> None:
        # One wait swallows all rings so far; the other threads must hear of the rest.
        if self._inside > 1:
            self._consumers.ring([self._id])

    def _enter(self, *, closing: bool = False) -> bool:
        with self._guard:
            if self._closed:
                return False
            self._closed = closing
            self._inside += 1
            return True

    def _leave(self) -> None:
        with self._guard:
            self._inside -= 1
            last = self._closed and not self._inside
        if last:
            self._bell.close()
        elif self._closed:
            self._consumers.ring([self._id])


class Consumers:
    """All consumers of one file, those of this process and the others'."""

    def __init__(self, file: SqliteFile, clock: Clock, delivery_limit: int) -> None:
        self.file = file
        self.clock = clock
        self._delivery_limit = delivery_limit
        self._guard = threading.Lock()
        self._looked_at = float("-inf")
        self._own: set[SqliteSubscription] = set()

    def add(self, queue: str, prefetch: int) -> SqliteSubscription:
        """Return a new subscription; raises QueueNotFound for an unknown queue."""
        if prefetch < 1:
            raise ValueError("prefetch: at least 1")
        self.look()
        with contextlib.ExitStack() as undo:
            with self.file.settling() as db:
                sql.require(db, queue)
                # New bells appear in a write transaction only, so this one sees
                # none that is not yet listed: what is not, is a dead one's.
                self._sweep(sql.everyone(db))
                bell = self._new_bell()
                undo.callback(bell.close)
                sql.enlist(db, bell.path.name, queue)
            undo.pop_all()
        subscription = SqliteSubscription(self, bell, queue, prefetch)
        with self._guard:
            self._own.add(subscription)
        return subscription

    def look(self, every_s: float = 0) -> None:
        """Give back what dead consumers hold, unless somebody just looked."""
        now_s = time.monotonic()
        with self._guard:
            if now_s - self._looked_at < every_s:
                return
            self._looked_at = now_s
        with self.file.reading() as db:
            listed = sql.everyone(db)
        dead = [name for name in listed if wakeup.abandoned(self._path(name))]
        if not dead:
            return
        with self.file.settling() as db:
            for name in dead:
                sql.bury(db, name, self._delivery_limit, self.clock())
            self._sweep(sql.everyone(db))
        self.ring(set(listed).difference(dead))

    def ring(self, names: Iterable[str]) -> None:
        """Wake consumers, in whatever process."""
        wakeup.ring(self._path(name) for name in names)

    def forget(self, subscription: SqliteSubscription) -> None:
        """Let go of a closed subscription."""
        with self._guard:
            self._own.discard(subscription)

    def close(self) -> None:
        """Close every subscription of this process."""
        with self._guard:
            own = list(self._own)
        for subscription in own:
            subscription.close()

    def _sweep(self, listed: Iterable[str]) -> None:
        for path in set(self.file.bells.iterdir()).difference(map(self._path, listed)):
            if path.is_fifo() and wakeup.abandoned(path):
                path.unlink(missing_ok=True)

    def _new_bell(self) -> wakeup.Bell:
        try:
            return wakeup.Bell(self._path(uuid.uuid4().hex))
        except OSError as exc:
            raise Unavailable(f"{self.file.bells}: {exc.strerror}") from exc

    def _path(self, name: str) -> Path:
        return self.file.bells / name
