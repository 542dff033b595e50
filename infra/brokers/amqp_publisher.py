"""Publishing to RabbitMQ: every message confirmed, none silently unroutable."""

import pika
from pika import exceptions as pika_errors
from pika.adapters.blocking_connection import BlockingChannel

from infra.brokers.amqp_connection import Link
from infra.brokers.amqp_errors import MENDS, is_missing, missing
from schemas.errors import Unavailable


class Publisher:
    """Publishes over a connection of its own.

    A memory or disk alarm blocks connections that publish, and whatever else goes
    over them.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._channel: BlockingChannel | None = None  # the I/O thread's

    def to_exchange(
        self, exchange: str, key: str, body: bytes, properties: pika.BasicProperties
    ) -> None:
        """Publish to *exchange*; return when every queue there has it safe."""

        def act(connection: pika.BlockingConnection) -> None:
            try:
                self._publish(connection, exchange, key, body, properties)
            except pika_errors.UnroutableError as exc:
                raise Unavailable(f"{exchange}: no journal is bound; {MENDS}") from exc
            except pika_errors.ChannelClosedByBroker as exc:
                if not is_missing(exc):
                    raise
                raise Unavailable(f"{exchange}: no such exchange; {MENDS}") from exc

        self._link.call(act)

    def to_queue(
        self, queue: str, body: bytes, properties: pika.BasicProperties
    ) -> None:
        """Publish to one queue; return when it has the message safe.

        Raises:
            QueueNotFound: the broker has no such queue.
        """

        def act(connection: pika.BlockingConnection) -> None:
            try:
                self._publish(connection, "", queue, body, properties)
            except pika_errors.UnroutableError as exc:
                raise missing(queue) from exc

        self._link.call(act)

    def _publish(
        self,
        connection: pika.BlockingConnection,
        exchange: str,
        key: str,
        body: bytes,
        properties: pika.BasicProperties,
    ) -> None:
        channel = self._channel
        if channel is None or channel.connection is not connection or channel.is_closed:
            channel = self._channel = connection.channel()
            channel.confirm_delivery()
        channel.basic_publish(exchange, key, body, properties, mandatory=True)
