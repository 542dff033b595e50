"""What the users that provision makes may do on a real RabbitMQ, and what not."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from infra.brokers import topology
from infra.servers import RabbitAccess, Vhost
from tests.infra.provision import brokers
from tests.infra.provision.brokers import Attempt, Broker

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def broker(
    rabbitmq_server: RabbitAccess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Broker]:
    folder = tmp_path_factory.mktemp("rights")
    store = "s3+http://key:secret@127.0.0.1:9"  # what is not opened
    with (
        rabbitmq_server.vhost() as vhost,
        brokers.broker(vhost, folder, *brokers.USERS, store=store) as made,
    ):
        made.provision_broker()
        yield made


def take(queue: str, channel: BlockingChannel) -> None:
    channel.basic_get(queue)


def give(exchange: str, channel: BlockingChannel) -> None:
    channel.confirm_delivery()
    channel.basic_publish(exchange, "sanitizer.dead", b"x")


def look(queue: str, channel: BlockingChannel) -> None:
    channel.queue_declare(queue, passive=True)


def stream(channel: BlockingChannel) -> None:
    channel.basic_qos(prefetch_count=1)
    consumer = channel.basic_consume(topology.JOURNAL, lambda *_: None)
    channel.basic_cancel(consumer)


def announce(channel: BlockingChannel) -> None:
    channel.exchange_declare(topology.EVENTS, "topic", durable=True)
    give(topology.EVENTS, channel)


ATTEMPTS: dict[str, Attempt] = {
    "look at sanitizer": partial(look, "sanitizer"),
    "take from sanitizer": partial(take, "sanitizer"),
    "take from metadata": partial(take, "metadata"),
    "take dead letters": partial(take, "sanitizer.dead"),
    "take what is unrouted": partial(take, topology.UNROUTED),
    "read the journal": stream,
    "send to a queue": partial(give, ""),
    "publish events": partial(give, topology.EVENTS),
    "announce as MinIO": announce,
    "give dead letters away": partial(give, topology.DEAD),
    "declare a queue": lambda channel: channel.queue_declare("any", durable=True),
    "declare an exchange": lambda channel: channel.exchange_declare("any"),
    "bind a queue": lambda channel: channel.queue_bind("metadata", topology.EVENTS),
    "purge a queue": lambda channel: channel.queue_purge("metadata"),
    "delete a queue": lambda channel: channel.queue_delete("any"),
}
MAY = {
    "minio": {"look at sanitizer", "publish events", "announce as MinIO"},
    "upload": {"look at sanitizer", "send to a queue"},
    "sanitizer": {"look at sanitizer", "take from sanitizer", "send to a queue"},
    "metadata": {
        "look at sanitizer",
        "take from metadata",
        "purge a queue",  # whoever may take may take all
        "send to a queue",
    },
    "janitor": {"look at sanitizer", "send to a queue"},
    "operator": set(ATTEMPTS),
}


@pytest.mark.parametrize("user", brokers.USERS)
def test_a_user_may_do_what_its_work_wants_and_nothing_else(
    broker: Broker, user: str
) -> None:
    done = brokers.done(broker.url(user), ATTEMPTS)

    assert done == MAY[user]


def test_another_vhost_is_closed(broker: Broker, rabbitmq_server: RabbitAccess) -> None:
    with rabbitmq_server.vhost() as other:
        url = broker.url("operator").replace(broker.vhost.name, other.name)

        with pytest.raises(pika.exceptions.ProbableAccessDeniedError):
            brokers.done(url, ATTEMPTS)


def test_functions_publish_where_no_server_announces(
    broker_vhost: Vhost, tmp_path: Path
) -> None:
    with brokers.broker(broker_vhost, tmp_path, "upload") as own:
        own.provision()

        done = brokers.done(own.url("upload"), ATTEMPTS)

    assert done == {*MAY["upload"], "publish events"}
