"""Declaring what RabbitMQ has to have, and counting what is in it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import pika
from pika import exceptions as pika_errors
from pika.adapters.blocking_connection import BlockingChannel

from infra.brokers import topology
from infra.brokers.amqp_connection import Link
from infra.brokers.amqp_errors import is_missing, mismatch
from infra.brokers.headers import dead_queue
from infra.brokers.management import Management
from schemas.errors import SettingsError
from schemas.ports import QueueDepth

T = TypeVar("T")
_OURS = "pratique."  # journal and unrouted: no function's queues
_RETRY = ".retry."


class Topology:
    """The exchanges, queues and bindings of one vhost.

    Args:
        management: None where nobody asks for depths; then old bindings are not
            known, and stay.
    """

    def __init__(
        self,
        link: Link,
        vhost: str,
        delays: Iterable[timedelta],
        management: Management | None,
    ) -> None:
        self._link = link
        self._vhost = vhost
        self._delays = tuple(delays)
        self._management = management

    def provision(self, queues: Mapping[str, str]) -> None:
        """Declare everything; nothing is ever deleted but bindings.

        Raises:
            SettingsError: something is there with other arguments.
        """
        for exchange, kind in topology.EXCHANGES.items():
            self._exchange(exchange, kind)
        for name, arguments in topology.shared_queues().items():
            self._queue(name, arguments)
        self._bind(topology.UNROUTED, topology.UNROUTED_EXCHANGE, "")
        self._bind(topology.JOURNAL, topology.EVENTS, topology.JOURNAL_KEY)
        for queue, key in queues.items():
            self._function(queue, key)

    def provisioned(self, queue: str, key: str) -> bool:
        """Return whether *queue* has its ladder, dead letters and, if known, *key*."""
        if not self._is_there(
            lambda channel: channel.exchange_declare(topology.EVENTS, passive=True)
        ):
            return False
        if not all(map(self._has_queue, topology.queues_of(queue, self._delays))):
            return False
        return self._management is None or key in self._bindings(queue)

    def depths(self) -> dict[str, QueueDepth]:
        """Return how full every queue is.

        What is ready or delayed is asked of each queue; what is unsettled only the
        management API knows, as of its last tick.

        Raises:
            SettingsError: no management API was given.
        """
        if self._management is None:
            raise SettingsError(
                "PRATIQUE_BROKER_MANAGEMENT: needed to list queues, as"
                " http://USER:PASSWORD@HOST:PORT"
            )
        listed = {
            str(found["name"]): int(found.get("messages_unacknowledged") or 0)
            for found in self._management.queues(self._vhost)
            # An exclusive queue is somebody's connection's, and answers nobody else.
            if not (str(found["name"]).startswith(_OURS) or found.get("exclusive"))
        }
        return _depths(listed, self._link.call(lambda c: dict(_ready(c, listed))))

    def _function(self, queue: str, key: str) -> None:
        for name, arguments in topology.queues_of(queue, self._delays).items():
            self._queue(name, arguments)
        self._bind(dead_queue(queue), topology.DEAD, queue)
        self._bind(queue, topology.EVENTS, key)
        for old in set(self._bindings(queue)) - {key}:
            self._unbind(queue, old)

    def _bindings(self, queue: str) -> list[str]:
        if self._management is None:
            return []
        return self._management.bindings(self._vhost, topology.EVENTS, queue)

    def _has_queue(self, name: str) -> bool:
        return self._is_there(lambda channel: channel.queue_declare(name, passive=True))

    def _exchange(self, name: str, kind: str) -> None:
        self._declare(name, lambda c: c.exchange_declare(name, kind, durable=True))

    def _queue(self, name: str, arguments: dict[str, Any]) -> None:
        self._declare(
            name, lambda c: c.queue_declare(name, durable=True, arguments=arguments)
        )

    def _bind(self, queue: str, exchange: str, key: str) -> None:
        self._use(lambda channel: channel.queue_bind(queue, exchange, key))

    def _unbind(self, queue: str, key: str) -> None:
        self._use(lambda channel: channel.queue_unbind(queue, topology.EVENTS, key))

    def _declare(self, name: str, act: Callable[[BlockingChannel], object]) -> None:
        def declare(channel: BlockingChannel) -> None:
            try:
                act(channel)
            except pika_errors.ChannelClosedByBroker as exc:
                raise (mismatch(exc, name) or exc) from exc

        self._use(declare)

    def _is_there(self, act: Callable[[BlockingChannel], object]) -> bool:
        def look(channel: BlockingChannel) -> bool:
            try:
                act(channel)
            except pika_errors.ChannelClosedByBroker as exc:
                if not is_missing(exc):
                    raise
                return False
            return True

        return self._use(look)

    def _use(self, act: Callable[[BlockingChannel], T]) -> T:
        """Return what *act* returns on a channel for it alone: an error closes it."""

        def run(connection: pika.BlockingConnection) -> T:
            channel = connection.channel()
            try:
                return act(channel)
            finally:
                if channel.is_open:
                    channel.close()

        return self._link.call(run)


def _ready(
    connection: pika.BlockingConnection, queues: Iterable[str]
) -> Iterator[tuple[str, int]]:
    channel = connection.channel()
    for queue in queues:
        try:
            found = channel.queue_declare(queue, passive=True)
            yield queue, int(found.method.message_count)
        except pika_errors.ChannelClosedByBroker as exc:
            if not is_missing(exc):
                raise
            channel = connection.channel()  # deleted since it was listed
    channel.close()


def _depths(
    unsettled: Mapping[str, int], ready: Mapping[str, int]
) -> dict[str, QueueDepth]:
    delayed: dict[str, int] = {}
    for name, count in ready.items():
        queue, retry, _ = name.rpartition(_RETRY)
        if retry:
            delayed[queue] = delayed.get(queue, 0) + count
    return {
        name: QueueDepth(count, delayed.get(name, 0), unsettled[name])
        for name, count in ready.items()
        if _RETRY not in name
    }
