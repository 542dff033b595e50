"""The RabbitMQ broker under load: nothing is lost, and nothing grows."""

import gc
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pika
import pytest

from infra.brokers import amqp_connection, amqp_consumers
from infra.brokers.management import Management, path
from infra.servers import Vhost
from schemas.ports import Broker
from tests.contracts import brokers
from tests.contracts.broker.proxy import Proxy
from tests.contracts.brokers import following, message
from tests.infra.brokers.conftest import Connect

pytestmark = pytest.mark.servers


def appeared(before: set[threading.Thread], name: str) -> list[threading.Thread]:
    """Return the new threads called *name*, as soon as there are some."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        new = set(threading.enumerate()) - before
        if found := [thread for thread in new if thread.name == name]:
            return found
    return []


def test_fifty_threads_publish_at_once(amqp: Broker) -> None:
    with ThreadPoolExecutor(50) as threads:
        list(threads.map(lambda n: amqp.publish("lost", message(n)), range(1000)))

    ready = amqp.depths()["third"].ready
    assert ready == 1000


def test_ten_thousand_messages_are_received_and_acked(
    amqp: Broker, broker_vhost: Vhost
) -> None:
    fill(broker_vhost.amqp_url, "third", 10_000)

    with (
        amqp.subscribe("third", prefetch=50) as subscription,
        ThreadPoolExecutor(4) as threads,
    ):

        def work(_: int) -> bytes:
            delivery = following(subscription)
            delivery.ack()
            return delivery.message.body

        bodies = list(threads.map(work, range(10_000)))

    assert sorted(map(int, bodies)) == list(range(10_000))
    assert brokers.figures(amqp, "third", (0, 0, 0)) == (0, 0, 0)


def test_nothing_grows_with_subscriptions_that_come_and_go(
    amqp: Broker, broker_vhost: Vhost
) -> None:
    amqp.publish("made", message(1))
    with amqp.subscribe("first", prefetch=1):
        before = (threading.active_count(), files())

    for _ in range(200):
        with amqp.subscribe("first", prefetch=1) as subscription:
            following(subscription)
    with amqp.subscribe("first", prefetch=1):
        after = (threading.active_count(), files())

    # What publishes keeps its channel.
    assert (after, channels(broker_vhost, expected=1)) == (before, 1)


def test_a_closed_subscription_is_forgotten(amqp: Broker) -> None:
    subscription = amqp.subscribe("first", prefetch=1)
    forgotten = weakref.ref(subscription)
    consumer = weakref.ref(subscription.consumer)  # type: ignore[attr-defined]

    subscription.close()
    del subscription
    gc.collect()

    assert (forgotten(), consumer()) == (None, None)


def test_a_broker_that_stalls_holds_up_no_stop(
    amqp: Broker, through: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amqp_consumers, "_LEAVE_S", 0.3)
    subscription = amqp.subscribe("first", prefetch=1)
    through.stall()

    started = time.monotonic()
    subscription.close()
    amqp.close()
    taken = time.monotonic() - started

    assert taken < 3


def test_what_is_closed_while_it_connects_does_not_stay_open(
    connect: Connect, through: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amqp_connection, "_CLOSE_S", 0.1)
    before = set(threading.enumerate())
    through.stall()
    broker = connect()
    with ThreadPoolExecutor(1) as threads:
        asking = threads.submit(broker.ping)
        (connecting,) = appeared(before, "pratique publishing")

        broker.close()
        through.flowing.set()
        asking.exception()
    connecting.join(10)

    assert not connecting.is_alive()


def test_nothing_is_left_of_a_closed_broker(amqp: Broker) -> None:
    amqp.subscribe("first", prefetch=1)
    amqp.publish("made", message(1))
    list(amqp.history())

    amqp.close()

    names = [thread.name for thread in threading.enumerate()]
    assert [name for name in names if name.startswith("pratique ")] == []


def files() -> int:
    """Return how many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def channels(vhost: Vhost, expected: int) -> int:
    """Return how many channels are open, once they are *expected*: figures lag."""
    deadline = time.monotonic() + 10
    with closing(Management(vhost.management_url)) as management:
        while True:
            found = len(management.get(path("vhosts", vhost.name, "channels")))
            if found == expected or time.monotonic() > deadline:
                return found


def fill(url: str, queue: str, count: int) -> None:
    """Publish numbers without waiting for each to be safe."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    for number in range(count):
        channel.basic_publish("", queue, str(number).encode())
    connection.close()
