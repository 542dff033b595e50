"""The broker on a RabbitMQ, 3.10 or newer (docs/DESIGN.md, section 7)."""

import threading
from collections.abc import Iterator, Mapping
from datetime import datetime

from infra.brokers import headers
from infra.brokers.amqp_connection import Link
from infra.brokers.amqp_consumers import AmqpSubscription, Consumer
from infra.brokers.amqp_journal import history
from infra.brokers.amqp_messages import properties
from infra.brokers.amqp_publisher import Publisher
from infra.brokers.amqp_topology import Topology
from infra.brokers.amqp_url import parameters
from infra.brokers.management import Management
from infra.brokers.options import AmqpOptions
from infra.brokers.topology import EVENTS
from schemas.ports import Clock, Message, QueueDepth

_PING_S = 5.0


class AmqpBroker:
    """A broker (schemas/ports/broker.py) over two connections, opened on first use.

    No operation is tried twice. After a connection that failed, calls fail at once
    for up to five seconds; then the next one connects.

    Args:
        url: amqp(s)://USER:PASSWORD@HOST:PORT/VHOST; its query may set `heartbeat`,
            `socket_timeout`, `stack_timeout` and `blocked_connection_timeout`.
    """

    def __init__(self, url: str, *, clock: Clock, options: AmqpOptions) -> None:
        publishing = parameters(url, "publishing")
        self._clock = clock
        self._delays = options.delays
        self._management = (
            Management(options.management) if options.management else None
        )
        self._publishing = Link(publishing)
        self._consuming = Link(parameters(url, "consuming"))
        self._publisher = Publisher(self._publishing)
        self._topology = Topology(
            self._consuming, publishing.virtual_host, options.delays, self._management
        )
        self._guard = threading.Lock()
        self._subscriptions: set[AmqpSubscription] = set()

    def provision(self, queues: Mapping[str, str]) -> None:
        """Declare exchanges, queues, their ladders and dead letters, and the journal.

        Raises:
            SettingsError: something is there with other arguments.
        """
        self._topology.provision(queues)

    def provisioned(self, queue: str, key: str) -> bool:
        """Return whether *queue* is there with its ladder and, if known, bound."""
        return self._topology.provisioned(queue, key)

    def publish(self, key: str, message: Message) -> None:
        """Publish to the events exchange, confirmed; its time is the clock's."""
        told = properties(headers.fresh(message.headers), key, self._clock())
        self._publisher.to_exchange(EVENTS, key, message.body, told)

    def send(self, queue: str, message: Message) -> None:
        """Publish to one queue, confirmed; its time is the clock's."""
        told = properties(headers.fresh(message.headers), message.key, self._clock())
        self._publisher.to_queue(queue, message.body, told)

    def subscribe(self, queue: str, *, prefetch: int) -> AmqpSubscription:
        """Begin to consume *queue* on a channel of its own."""
        subscription = AmqpSubscription(
            Consumer(self._consuming.session(), queue, prefetch),
            self._publisher,
            self._delays,
            self._clock,
            self._forget,
        )
        with self._guard:
            self._subscriptions.add(subscription)
        return subscription

    def history(
        self, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[Message]:
        """Return the journal between two times, up to what is in it now."""
        return history(self._consuming, self._publisher, since, until)

    def depths(self) -> Mapping[str, QueueDepth]:
        """Return how full every queue is; the management API lists them."""
        return self._topology.depths()

    def ping(self) -> None:
        """Return if the broker opens a channel."""
        # Where nobody consumes: giving up waiting ends the connection.
        self._publishing.session().call(lambda c: c.channel().close(), _PING_S)

    def close(self) -> None:
        """Close every subscription and connection. Safe to run twice."""
        with self._guard:
            subscriptions = tuple(self._subscriptions)
        for subscription in subscriptions:
            subscription.close()
        self._consuming.close()
        self._publishing.close()
        if self._management is not None:
            self._management.close()

    def _forget(self, subscription: AmqpSubscription) -> None:
        with self._guard:
            self._subscriptions.discard(subscription)
