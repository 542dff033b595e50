"""A connection to RabbitMQ with a thread of its own, made anew when it was lost.

pika's connections belong to one thread. Here that thread does nothing but I/O: it
sleeps until bytes or jobs come, so heartbeats go on however long handlers work.
"""

import contextlib
import os
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, Protocol, TypeVar

import pika
from pika import exceptions as pika_errors

from infra.brokers.amqp_errors import PIKA, unavailable
from schemas.errors import Unavailable

T = TypeVar("T")
# Longer than pika's own time limits, which say better what is wrong.
ANSWER_S = 15.0
_CLOSE_S = 3.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 5.0


class Watcher(Protocol):
    """Whoever has a channel; both methods are called in the I/O thread."""

    def look(self) -> None:
        """See whether the channel is still open."""

    def lose(self, cause: BaseException) -> None:
        """Learn that the connection is gone."""


class Backoff:
    """After failed attempts, how long nobody should try: exponential, full jitter."""

    def __init__(self) -> None:
        self._failures = 0
        self._until = 0.0
        self._cause: BaseException | None = None

    def failed(self, cause: BaseException) -> None:
        """Begin a pause, longer the more attempts failed in a row."""
        longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**self._failures)
        self._failures = min(self._failures + 1, 16)
        # Jitter: many processes lose the same broker at once.
        pause = random.uniform(0, longest)  # noqa: S311  (no secret)
        self._until, self._cause = time.monotonic() + pause, cause

    def succeeded(self) -> None:
        """Forget all failures."""
        self._failures = 0

    def check(self) -> None:
        """Raise Unavailable during a pause."""
        if self._failures and time.monotonic() < self._until:
            raise unavailable(self._cause)


class Session:
    """One connection, from its opening to its end."""

    def __init__(self, parameters: pika.URLParameters, backoff: Backoff) -> None:
        self._parameters = parameters
        self._backoff = backoff
        self._guard = threading.RLock()
        self._jobs: deque[tuple[Future[Any], Callable[[pika.BlockingConnection], Any]]]
        self._jobs = deque()
        self._connection: pika.BlockingConnection | None = None
        self._watchers: set[Watcher] = set()
        self._end: BaseException | None = None
        self._closing = False
        self._process = os.getpid()
        name = (parameters.client_properties or {}).get("connection_name")
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def usable(self) -> bool:
        """Whether it is not over; a forked child has its file but not its thread."""
        return self._end is None and self._process == os.getpid()

    def call(
        self, act: Callable[[pika.BlockingConnection], T], limit_s: float = ANSWER_S
    ) -> T:
        """Return what *act* returns in the I/O thread.

        Raises:
            Unavailable: the connection failed, or took too long and was given up.
        """
        future: Future[T] = Future()
        with self._guard:
            if self._end is not None:
                raise unavailable(self._end)
            self._jobs.append((future, act))
            self._wake()
        if threading.current_thread() is self._thread:
            # Garbage collection ends an abandoned reader in whatever thread it runs.
            raise Unavailable("asked in the I/O thread, which can't wait for itself")
        if not wait([future], limit_s).done:
            if not future.cancel():
                self._abort()
            raise Unavailable(f"RabbitMQ did not answer within {limit_s:g} s")
        try:
            return future.result()
        except PIKA as exc:
            raise unavailable(exc) from exc

    def watch(self, watcher: Watcher) -> None:
        """Tell *watcher* of losses; only in the I/O thread."""
        self._watchers.add(watcher)

    def unwatch(self, watcher: Watcher) -> None:
        """Tell *watcher* no more; only in the I/O thread."""
        self._watchers.discard(watcher)

    def close(self) -> None:
        """Close the connection and wait for its thread, some seconds at most."""
        self._closing = True  # also where nobody waits until it is open
        with contextlib.suppress(Unavailable):
            self.call(lambda connection: connection.close(), _CLOSE_S)
        self._thread.join(_CLOSE_S)

    def _run(self) -> None:
        cause: BaseException = pika_errors.ConnectionWrongStateError("closed")
        try:
            self._open()
            self._serve()
        except PIKA as exc:
            cause = exc
            if self._connection is None:
                self._backoff.failed(exc)
        finally:
            self._finish(cause)

    def _open(self) -> None:
        connection = pika.BlockingConnection(self._parameters)
        self._backoff.succeeded()
        with self._guard:
            self._connection = connection

    def _serve(self) -> None:
        assert self._connection
        while True:
            self._work(self._connection)
            if self._closing and self._connection.is_open:
                self._connection.close()
            if not self._connection.is_open:
                return
            # Nothing that was done is held by a local variable here.
            self._connection.process_data_events(time_limit=None)  # sleeps
            self._look()

    def _look(self) -> None:
        for watcher in tuple(self._watchers):
            watcher.look()

    def _work(self, connection: pika.BlockingConnection) -> None:
        # Not those that come meanwhile: deliveries have to get through, too.
        for _ in range(len(self._jobs)):
            future, act = self._jobs.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(act(connection))
            except BaseException as exc:
                future.set_exception(exc)  # it is the caller's
                if connection.is_closed and isinstance(exc, PIKA):
                    raise

    def _finish(self, cause: BaseException) -> None:
        with self._guard:
            self._end = cause
            jobs, self._jobs = self._jobs, deque()
        for future, _ in jobs:
            if future.set_running_or_notify_cancel():
                future.set_exception(unavailable(cause))
        for watcher in tuple(self._watchers):
            watcher.lose(cause)

    def _wake(self) -> None:
        if self._connection is not None:
            # Over already, and _finish has yet to see the job.
            with contextlib.suppress(pika_errors.ConnectionWrongStateError):
                self._connection.add_callback_threadsafe(lambda: None)

    def _abort(self) -> None:
        """End a connection whose thread waits for an answer that does not come."""
        connection = self._connection
        if connection is None:
            return  # it is being opened, and that has a limit of its own
        impl = connection._impl  # pika has no public way
        gone = pika_errors.StreamLostError("gave up waiting for an answer")
        with contextlib.suppress(RuntimeError, ValueError, OSError):
            impl.ioloop.add_callback_threadsafe(lambda: impl._terminate_stream(gone))


class Link:
    """The way to RabbitMQ: a session, a new one after the last was lost."""

    def __init__(self, parameters: pika.URLParameters) -> None:
        self._parameters = parameters
        self._guard = threading.Lock()
        self._session: Session | None = None
        self._backoff = Backoff()
        self._closed = False

    def session(self) -> Session:
        """Return the session, a new one if there is none that lives.

        Raises:
            Unavailable: the last attempt failed a moment ago, or this is closed.
        """
        with self._guard:
            if self._closed:
                raise Unavailable("the broker is closed")
            if self._session is None or not self._session.usable:
                self._backoff.check()
                self._session = Session(self._parameters, self._backoff)
            return self._session

    def call(self, act: Callable[[pika.BlockingConnection], T]) -> T:
        """Return what *act* returns in the I/O thread."""
        return self.session().call(act)

    def close(self) -> None:
        """Close for good."""
        with self._guard:
            self._closed = True
            session, self._session = self._session, None
        if session is not None:
            session.close()
