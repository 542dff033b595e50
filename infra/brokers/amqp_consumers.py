"""RabbitMQ's consumers: receiving and settling."""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pika
from pika import exceptions as pika_errors
from pika.adapters.blocking_connection import BlockingChannel

from infra.brokers import headers
from infra.brokers.amqp_connection import Session
from infra.brokers.amqp_errors import is_missing, missing, unavailable
from infra.brokers.amqp_messages import properties, received
from infra.brokers.amqp_publisher import Publisher
from infra.brokers.topology import retry_name, rung
from schemas.errors import Unavailable
from schemas.ports import Clock, Message

_MOST_PREFETCH = 65_535  # a 16-bit field of basic.qos
# A stop must not wait for a broker that is silent; it hands out again by itself.
_LEAVE_S = 3.0


@dataclass(frozen=True)
class Raw:
    """A delivery as pika has it."""

    tag: int
    routing_key: str
    properties: pika.BasicProperties
    body: bytes


class Consumer:
    """A consumer on a channel of its own, and what it was handed but nobody took.

    Args:
        arguments: of basic.consume; streams take an offset there.
        returns: whether what is unsettled at the end goes back; streams keep all.

    Raises:
        QueueNotFound: the broker has no such queue.
    """

    def __init__(
        self,
        session: Session,
        queue: str,
        prefetch: int,
        arguments: dict[str, Any] | None = None,
        *,
        returns: bool = True,
    ) -> None:
        self.queue = queue
        self._session = session
        self._prefetch = min(max(1, prefetch), _MOST_PREFETCH)
        self._arguments = arguments
        self._returns = returns
        self._news = threading.Condition()
        self._arrived: deque[Raw] = deque()
        self._closed = False
        self._lost: BaseException | None = None
        self._channel: BlockingChannel = session.call(self._begin)

    def take(self, timeout: timedelta) -> Raw | None:
        """Return the next one; None after *timeout*, or if this was closed.

        Raises:
            Unavailable: the connection or the channel is lost, or the broker
                cancelled the consumer.
        """
        with self._news:
            self._news.wait_for(
                lambda: self._arrived or self._closed or self._lost,
                timeout.total_seconds(),
            )
            if self._closed:
                return None
            self._check()
            return self._arrived.popleft() if self._arrived else None

    def standing(self) -> bool:
        """Return whether what was taken may still be settled: not once it is closed.

        Raises:
            Unavailable: the broker hands it out again without being told.
        """
        with self._news:
            if not self._closed:
                self._check()
            return not self._closed

    def settle(self, act: Callable[[BlockingChannel], None]) -> None:
        """Tell the broker; nothing once this is closed."""
        if not self.standing():
            return
        try:
            self._session.call(lambda _: act(self._channel))
        except Unavailable:
            if not self._closed:  # meanwhile
                raise

    def close(self) -> None:
        """Wake all who wait, and give back what is unsettled."""
        with self._news:
            if self._closed:
                return
            self._closed = True
            self._arrived.clear()
            self._news.notify_all()
        with contextlib.suppress(Unavailable):
            self._session.call(self._leave, _LEAVE_S)

    def look(self) -> None:
        """See Watcher: a channel that the broker closed tells nobody else."""
        if self._channel.is_closed:
            closed = pika_errors.ChannelWrongStateError("RabbitMQ closed the channel")
            # Why, pika tells only those who wait for an answer on the channel.
            self.lose(getattr(self._channel, "_closing_reason", None) or closed)

    def lose(self, cause: BaseException) -> None:
        """See Watcher."""
        with self._news:
            self._lost = self._lost or cause
            self._arrived.clear()
            self._news.notify_all()

    def _check(self) -> None:
        if self._lost:
            raise unavailable(self._lost, f"{self.queue}: consuming ended")

    def _begin(self, connection: pika.BlockingConnection) -> BlockingChannel:
        channel = connection.channel()
        channel.add_on_cancel_callback(self._cancelled)
        try:
            channel.basic_qos(prefetch_count=self._prefetch)
            channel.basic_consume(self.queue, self._deliver, arguments=self._arguments)
        except pika_errors.ChannelClosedByBroker as exc:
            if is_missing(exc):
                raise missing(self.queue) from exc
            raise
        self._channel = channel
        self._session.watch(self)
        return channel

    def _deliver(
        self,
        _: BlockingChannel,
        method: pika.spec.Basic.Deliver,
        found: pika.BasicProperties,
        body: bytes,
    ) -> None:
        raw = Raw(int(method.delivery_tag), str(method.routing_key), found, body)
        with self._news:
            self._arrived.append(raw)
            self._news.notify()

    def _cancelled(self, _: object) -> None:
        self.lose(
            pika_errors.AMQPChannelError(
                "RabbitMQ cancelled the consumer: the queue was deleted or lost its"
                " leader, or a delivery was held for too long"
            )
        )

    def _leave(self, _: pika.BlockingConnection) -> None:
        self._session.unwatch(self)
        if not self._channel.is_open:
            return
        for tag in self._channel.consumer_tags:
            self._channel.basic_cancel(tag)
        if self._returns:
            # Else the broker takes them for failed, which RabbitMQ 4.3 counts.
            self._channel.basic_nack(0, multiple=True, requeue=True)
        self._channel.close()


class AmqpDelivery:
    """One message handed out (schemas/ports/broker.py)."""

    def __init__(self, raw: Raw, subscription: "AmqpSubscription") -> None:
        self.queue = subscription.consumer.queue
        self.message, self.attempt = received(
            self.queue, raw.routing_key, raw.properties, raw.body
        )
        self._tag = raw.tag
        self._subscription = subscription
        self._turn = threading.Lock()
        self._settled = False

    def ack(self) -> None:
        """Tell RabbitMQ to forget it."""
        self._settle(self._ack)

    def retry(self, delay: timedelta, cause: str) -> None:
        """Put a copy where it waits, on the shortest rung that is long enough."""
        told = headers.retried(self.message.headers, cause)
        told[headers.ATTEMPT] = str(self.attempt + 1)
        queue = self._subscription.waiting(delay)
        self._settle(lambda: self._move(queue, told))

    def dead_letter(self, reason: str) -> None:
        """Put a copy among the dead letters; those of a dead queue stay there."""
        at = self._subscription.clock()
        told = headers.dead(self.message.headers, reason, self.attempt, at)
        self._settle(lambda: self._move(headers.dead_queue(self.queue), told))

    def release(self) -> None:
        """Hand it back; RabbitMQ puts it behind the others."""
        self._settle(
            lambda: self._subscription.consumer.settle(
                lambda channel: channel.basic_nack(self._tag, requeue=True)
            )
        )

    def _ack(self) -> None:
        self._subscription.consumer.settle(lambda channel: channel.basic_ack(self._tag))

    def _move(self, queue: str, told: dict[str, str]) -> None:
        # The copy first: a crash in between leaves the message twice, never lost.
        self._subscription.publish(queue, self.message, told)
        self._ack()

    def _settle(self, act: Callable[[], None]) -> None:
        with self._turn:
            if self._settled or not self._subscription.consumer.standing():
                return
            act()
            self._settled = True


class AmqpSubscription:
    """One consumer of a queue (schemas/ports/broker.py)."""

    def __init__(
        self,
        consumer: Consumer,
        publisher: Publisher,
        delays: Sequence[timedelta],
        clock: Clock,
        forget: Callable[["AmqpSubscription"], None],
    ) -> None:
        self.consumer = consumer
        self.clock = clock
        self._publisher = publisher
        self._delays = delays
        self._forget = forget

    def receive(self, timeout: timedelta) -> AmqpDelivery | None:
        """Return the next delivery."""
        raw = self.consumer.take(timeout)
        return None if raw is None else AmqpDelivery(raw, self)

    def close(self) -> None:
        """Give back what is unsettled. Safe to run twice."""
        self.consumer.close()
        self._forget(self)

    def __enter__(self) -> "AmqpSubscription":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def waiting(self, delay: timedelta) -> str:
        """Return the queue in which a message waits for *delay*."""
        queue = self.consumer.queue
        step = rung(self._delays, delay)
        # Dead letters have no ladder: nobody handles them.
        if step is None or queue.endswith(".dead"):
            return queue
        return retry_name(queue, step)

    def publish(self, queue: str, message: Message, told: dict[str, str]) -> None:
        """Put a copy of *message* in *queue*."""
        self._publisher.to_queue(
            queue, message.body, properties(told, message.key, message.published_at)
        )
