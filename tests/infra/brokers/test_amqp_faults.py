"""The RabbitMQ broker when networks and servers fail."""

import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection

import pytest

from infra.brokers import amqp as amqp_module
from infra.brokers import open_broker
from infra.brokers.management import Management, path
from infra.servers import Vhost
from schemas.errors import QueueNotFound, Unavailable
from schemas.ports import Broker, Message
from tests.contracts import brokers
from tests.contracts.broker.proxy import Proxy
from tests.contracts.brokers import (
    BRIEFLY,
    LONG,
    QUEUES,
    Settle,
    following,
    message,
    now,
)
from tests.infra.brokers.conftest import Connect

pytestmark = pytest.mark.servers


def patiently(act: Callable[[], object]) -> None:
    """Do *act* until the broker is there, as the host does."""
    deadline = time.monotonic() + 30
    while True:
        try:
            act()
        except Unavailable:
            assert time.monotonic() < deadline
            threading.Event().wait(0.02)
        else:
            return


def test_heartbeats_go_on_while_a_handler_works(connect: Connect) -> None:
    broker = connect("?heartbeat=1")
    broker.provision(QUEUES)
    broker.publish("made", message(1))

    with broker.subscribe("first", prefetch=1) as subscription:
        delivery = following(subscription)
        # RabbitMQ drops those who are silent for two heartbeats.
        subscription.receive(timedelta(seconds=4))
        delivery.ack()

    assert brokers.rest(broker, "first") == []


def test_resets_under_load_lose_nothing(amqp: Broker, through: Proxy) -> None:
    got: set[bytes] = set()
    numbers = range(300)

    def publish(number: int) -> None:
        patiently(lambda: amqp.publish("made", message(number)))
        if number % 50 == 49:
            through.reset()

    def consume() -> None:
        with amqp.subscribe("first", prefetch=10) as subscription:
            while len(got) < len(numbers):
                delivery = following(subscription)
                delivery.ack()
                got.add(delivery.message.body)

    with ThreadPoolExecutor(5) as threads:
        consuming = threads.submit(patiently, consume)
        list(threads.map(publish, numbers))
        consuming.result(60)

    assert through.accepted > 2  # the resets struck
    assert got == {str(number).encode() for number in numbers}


def test_after_a_lost_connection_every_receive_raises_unavailable(
    amqp: Broker, through: Proxy
) -> None:
    with amqp.subscribe("first", prefetch=1) as subscription:
        through.reset()

        raised = 0
        for _ in range(3):
            with pytest.raises(Unavailable):
                subscription.receive(LONG)
            raised += 1

    assert raised == 3


def test_a_subscription_that_lost_its_connection_closes_to_none(
    amqp: Broker, through: Proxy
) -> None:
    subscription = amqp.subscribe("first", prefetch=1)
    through.reset()
    with pytest.raises(Unavailable):
        subscription.receive(LONG)

    subscription.close()

    assert subscription.receive(LONG) is None


@pytest.fixture(params=brokers.SETTLE)
def settle(request: pytest.FixtureRequest) -> Settle:
    return brokers.SETTLE[request.param]


def test_settling_on_a_lost_connection_is_unavailable_and_moves_nothing(
    amqp: Broker, through: Proxy, settle: Settle
) -> None:
    amqp.publish("made", message(1))
    with amqp.subscribe("first", prefetch=1) as subscription:
        delivery = following(subscription)
        through.reset()
        with pytest.raises(Unavailable):
            subscription.receive(LONG)

        with pytest.raises(Unavailable):
            settle(delivery)

    patiently(amqp.ping)
    with amqp.subscribe("first", prefetch=2) as subscription:
        again, more = following(subscription), subscription.receive(BRIEFLY)
    assert (again.message.body, again.attempt, more) == (b"1", 1, None)
    assert brokers.rest(amqp, "first.dead") == []


def test_the_deletion_of_a_queue_is_noticed_by_who_waits(
    amqp: Broker, broker_vhost: Vhost, management: Management
) -> None:
    with (
        amqp.subscribe("first", prefetch=1) as subscription,
        ThreadPoolExecutor(1) as threads,
    ):
        waiting = threads.submit(subscription.receive, LONG)
        management.delete(path("queues", broker_vhost.name, "first"))

        with pytest.raises(Unavailable, match="cancelled"):
            waiting.result(10)

    management.close()


def test_a_deleted_queue_is_back_after_provision(
    amqp: Broker, broker_vhost: Vhost, management: Management
) -> None:
    management.delete(path("queues", broker_vhost.name, "first"))
    management.close()
    with pytest.raises(QueueNotFound, match="pratique provision"):
        amqp.subscribe("first", prefetch=1)

    amqp.provision(QUEUES)

    amqp.publish("made", message(1))
    assert brokers.taken(amqp, "first", 1) == [b"1"]


def test_a_missing_queue_harms_no_other_subscription(amqp: Broker) -> None:
    with amqp.subscribe("first", prefetch=1) as subscription:
        with pytest.raises(QueueNotFound):
            amqp.subscribe("fourth", prefetch=1)
        amqp.publish("made", message(1))

        delivery = following(subscription)

    assert delivery.message.body == b"1"


def test_a_blocked_connection_is_unavailable_in_time(
    connect: Connect, through: Proxy
) -> None:
    broker = connect("?blocked_connection_timeout=0.3")
    broker.provision(QUEUES)
    broker.publish("made", message(1))

    # connection.blocked (AMQP class 10, method 60), as a memory alarm sends it.
    payload = struct.pack(">HHB3s", 10, 60, 3, b"low")
    through.say(struct.pack(">BHL", 1, 0, len(payload)) + payload + b"\xce")
    through.stall()

    with pytest.raises(Unavailable, match="alarm"):
        broker.publish("made", message(2))


def test_a_broker_that_stalls_is_unavailable_in_time(
    amqp: Broker, through: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amqp_module, "_PING_S", 0.3)
    amqp.ping()

    through.stall()

    with pytest.raises(Unavailable, match=r"within 0\.3 s"):
        amqp.ping()

    through.flowing.set()


def test_a_broker_that_stalled_is_connected_to_anew(
    amqp: Broker, through: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amqp_module, "_PING_S", 0.3)
    amqp.ping()
    before = through.accepted
    through.stall()
    with pytest.raises(Unavailable):
        amqp.ping()

    through.flowing.set()
    monkeypatch.undo()
    patiently(amqp.ping)

    assert through.accepted == before + 1


def test_the_next_call_after_a_cool_down_connects(
    connect: Connect, through: Proxy
) -> None:
    broker = connect()
    address, through.address = through.address, ("127.0.0.1", 1)  # nobody is there
    with pytest.raises(Unavailable):
        broker.ping()

    through.address = address
    patiently(broker.ping)

    broker.ping()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (":", ":wrong", "refuses the user or the password"),
        ("/test-", "/nowhere-", "no such vhost"),
    ],
)
def test_refused_access_is_unavailable_in_words(
    broker_vhost: Vhost, old: str, new: str, words: str
) -> None:
    start, _, rest = broker_vhost.amqp_url.partition("://")
    url = f"{start}://{rest.replace(old, new, 1)}"
    broker = open_broker(url, clock=now)

    with pytest.raises(Unavailable, match=words) as refused:
        broker.ping()

    broker.close()
    assert "wrong" not in str(refused.value)


def test_a_closed_broker_is_unavailable(amqp: Broker) -> None:
    amqp.close()

    with pytest.raises(Unavailable, match="closed"):
        amqp.publish("made", Message(b"1"))


def test_a_forked_child_connects_for_itself(amqp: Broker) -> None:
    amqp.publish("made", message("parent"))
    ours, theirs = get_context("fork").Pipe()

    def publish(pipe: Connection) -> None:
        amqp.publish("made", message("child"))
        pipe.send("done")

    child = get_context("fork").Process(target=publish, args=(theirs,))
    child.start()
    done = ours.poll(10) and ours.recv()
    child.kill()
    child.join()

    amqp.publish("made", message("parent again"))
    assert done == "done"
    assert brokers.taken(amqp, "first", 3) == [b"child", b"parent", b"parent again"]
