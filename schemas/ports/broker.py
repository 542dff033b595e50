"""The broker port."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True)
class Message:
    """One message of the broker.

    Attributes:
        key: the routing key it was published with.
        position: its place in the journal; 0 for what is not in it.
    """

    body: bytes
    key: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    published_at: datetime | None = None
    position: int = 0


class Delivery(Protocol):
    """One message handed out; settled once, by one of its four methods.

    A delivery that nobody settled is handed out again once its consumer is closed or
    its process died, by whatever signal. Settling after that changes nothing.
    """

    message: Message
    attempt: int  # 1 for the first
    queue: str

    def ack(self) -> None:
        """Finish: the message is gone from this queue, and from no other."""

    def retry(self, delay: timedelta, cause: str) -> None:
        """Hand the message out again after *delay*, with *attempt* one higher."""

    def dead_letter(self, reason: str) -> None:
        """Move the message to the queue `<queue>.dead`, with its reason.

        Headers there: `x-reason`, `x-attempt`, `x-failed-at` (ISO 8601).
        """

    def release(self) -> None:
        """Hand the message back at once, with *attempt* unchanged."""


class Subscription(Protocol):
    """Hands out a queue's messages, several threads at once; a context manager."""

    def receive(self, timeout: timedelta) -> Delivery | None:
        """Return the next delivery, or None if none came in time.

        It waits without busy polling and returns as soon as a message is there, also
        if another process published it. No more than *prefetch* are out unsettled.
        """

    def close(self) -> None:
        """Wake every receive, which then returns None; give back what is unsettled."""

    def __enter__(self) -> "Subscription": ...

    def __exit__(self, *exc: object) -> None: ...


@dataclass(frozen=True)
class QueueDepth:
    """How full a queue is.

    Attributes:
        ready: messages to be handed out now; delayed: waiting for a retry;
        unsettled: handed out, as the broker last counted, some seconds ago at most;
        oldest_at: when the oldest of them was published, where the broker knows.
    """

    ready: int
    delayed: int = 0
    unsettled: int = 0
    oldest_at: datetime | None = None


class Broker(Protocol):
    """Queues bound to routing keys, and a journal of what was published.

    Messages get to a queue at least once and in no promised order. Two subscriptions
    to one queue share its messages. All that returned from publish or send survives
    kill -9.
    """

    def provision(self, queues: Mapping[str, str]) -> None:
        """Declare *queues* (name to routing key) and `<name>.dead` for each.

        Safe to run twice, and by several processes at once; bindings are replaced,
        messages kept.
        """

    def provisioned(self, queue: str, key: str) -> bool:
        """Return whether *queue* is there, with its dead letters, and bound to *key*.

        A user who may not see bindings is told of the queues only.
        """

    def publish(self, key: str, message: Message) -> None:
        """Hand *message* to every queue that is bound to *key*, and to the journal.

        Returns when the broker has it safe.
        """

    def send(self, queue: str, message: Message) -> None:
        """Hand *message* to one queue and to nothing else, not to the journal.

        What an earlier death left in its headers is not sent along.

        Raises:
            QueueNotFound: the broker has no such queue.
        """

    def subscribe(self, queue: str, *, prefetch: int) -> Subscription:
        """Begin to consume *queue*.

        Raises:
            QueueNotFound: the broker has no such queue.
        """

    def history(
        self, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[Message]:
        """Return what was published from *since* to before *until*, oldest first.

        It ends with what was there when it began.
        """

    def depths(self) -> Mapping[str, QueueDepth]:
        """Return how full every queue is, dead letters included."""

    def ping(self) -> None:
        """Return if the broker answers.

        Raises:
            Unavailable: it does not.
        """

    def close(self) -> None:
        """Close every subscription and connection. Safe to run twice."""
