"""What RabbitMQ has to have: names, arguments and the ladder of retry queues.

Everything is declared as RabbitMQ 3.10 and 4.x both take it; to declare a queue with
other arguments is an error there, so they are written down once, here.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from infra.brokers.headers import dead_queue

EVENTS = "pratique.events"  # topic exchange: what stores publish
DEAD = "pratique.dead"  # direct exchange: what the broker itself gives up
UNROUTED_EXCHANGE = "pratique.unrouted"  # fanout: what no queue was bound to
# While the journal is bound to everything, nothing comes here: it is the second net.
UNROUTED = "pratique.unrouted"
JOURNAL = "pratique.journal"
JOURNAL_KEY = "#"
JOURNAL_AGE = "7D"
ALTERNATE_POLICY = "pratique-unrouted"

EXCHANGES = {
    # No arguments: MinIO declares it too, and RabbitMQ refuses it with others.
    EVENTS: "topic",
    DEAD: "direct",
    UNROUTED_EXCHANGE: "fanout",
}

# A backstop only: every prefetched message is counted at each death of its consumer,
# so a low limit makes dead letters of bystanders.
DELIVERY_LIMIT = 1000

_QUORUM: dict[str, Any] = {
    "x-queue-type": "quorum",
    "x-overflow": "reject-publish",  # at-least-once dead lettering wants it
    "x-dead-letter-strategy": "at-least-once",
}


def work_queue(function: str) -> dict[str, Any]:
    """Return the arguments of a function's queue."""
    return {
        **_QUORUM,
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": DEAD,
        "x-dead-letter-routing-key": function,
    }


def retry_queue(function: str, delay: timedelta) -> dict[str, Any]:
    """Return the arguments of the queue in which messages wait for *delay*.

    One queue a delay: RabbitMQ expires messages only at the head.
    """
    return {
        **_QUORUM,
        "x-message-ttl": round(delay.total_seconds() * 1000),
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": function,
    }


def plain_queue() -> dict[str, Any]:
    """Return the arguments of queues that only people take from."""
    # Looking at dead letters counts as a delivery; nothing may vanish by that.
    return {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000}


def journal_queue() -> dict[str, Any]:
    """Return the arguments of the stream that keeps what was published."""
    return {"x-queue-type": "stream", "x-max-age": JOURNAL_AGE}


def shared_queues() -> dict[str, dict[str, Any]]:
    """Return the arguments of each queue that is no function's."""
    return {UNROUTED: plain_queue(), JOURNAL: journal_queue()}


def queues_of(function: str, delays: Iterable[timedelta]) -> dict[str, dict[str, Any]]:
    """Return the arguments of each of a function's queues, the one it reads last."""
    waiting = {
        retry_name(function, delay): retry_queue(function, delay)
        for delay in delays
        if delay > timedelta()
    }
    return {
        dead_queue(function): plain_queue(),
        **waiting,
        function: work_queue(function),
    }


def retry_name(function: str, delay: timedelta) -> str:
    """Return the name of a retry queue, such as `sanitizer.retry.2m`."""
    milliseconds = round(delay.total_seconds() * 1000)
    for unit, size in (("m", 60_000), ("s", 1000)):
        if milliseconds % size == 0:
            return f"{function}.retry.{milliseconds // size}{unit}"
    return f"{function}.retry.{milliseconds}ms"


def rung(delays: Sequence[timedelta], delay: timedelta) -> timedelta | None:
    """Return the shortest of *delays* that is not below *delay*, or the longest.

    None where there is nothing to wait for.
    """
    if delay <= timedelta() or not delays:
        return None
    longer = [each for each in delays if each >= delay]
    return min(longer) if longer else max(delays)
