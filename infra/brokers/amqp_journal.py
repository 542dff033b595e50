"""The journal on RabbitMQ: a stream that is bound to all that is published.

Streams: https://www.rabbitmq.com/docs/streams#consuming
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from infra.brokers.amqp_connection import Link
from infra.brokers.amqp_consumers import Consumer, Raw
from infra.brokers.amqp_messages import MARKER, marker, received
from infra.brokers.amqp_publisher import Publisher
from infra.brokers.topology import JOURNAL
from schemas.errors import Unavailable
from schemas.ports import Message

_AHEAD = 100  # messages in memory
_ACK_EVERY = 20
_SILENCE = timedelta(seconds=15)
# The broker attaches by its own clock; messages tell their senders'.
_SKEW = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def history(
    link: Link, publisher: Publisher, since: datetime | None, until: datetime | None
) -> Iterator[Message]:
    """Return the journal between two times, up to a marker that is written now.

    A message whose time nobody knows counts as within.

    Raises:
        QueueNotFound: there is no journal.
    """
    return _read(link, publisher, _mark(publisher), since, until)


def _mark(publisher: Publisher) -> str:
    name = uuid4().hex
    publisher.to_queue(JOURNAL, b"", marker(name))
    return name


def _read(
    link: Link,
    publisher: Publisher,
    end: str,
    since: datetime | None,
    until: datetime | None,
) -> Iterator[Message]:
    offset = {"x-stream-offset": _offset(since)}
    consumer = Consumer(link.session(), JOURNAL, _AHEAD, offset, returns=False)
    try:
        # A second one: a broker whose clock is behind attaches after the first.
        ends = (end, _mark(publisher))
        for raw in _all(consumer):
            told = raw.properties.headers or {}
            if told.get(MARKER) in ends:
                return
            if MARKER not in told:
                message, _ = received(
                    JOURNAL, raw.routing_key, raw.properties, raw.body
                )
                if _within(message.published_at, since, until):
                    yield message
    finally:
        consumer.close()


def _all(consumer: Consumer) -> Iterator[Raw]:
    count = 0
    while True:
        raw = consumer.take(_SILENCE)
        if raw is None:
            raise Unavailable("the journal fell silent before its end")
        yield raw
        count += 1
        if count % _ACK_EVERY == 0:  # gives credit for as many more
            tag = raw.tag
            consumer.settle(lambda channel, tag=tag: channel.basic_ack(tag, True))  # type: ignore[misc]


def _offset(since: datetime | None) -> Any:
    """Return where to attach: streams find a time by chunk, so somewhat before it."""
    if since is None or since < _EPOCH + _SKEW:
        return "first"
    return since - _SKEW


def _within(
    at: datetime | None, since: datetime | None, until: datetime | None
) -> bool:
    if at is None:
        return True
    return (since is None or at >= since) and (until is None or at < until)
