"""What the broker's contract needs of an adapter, and what other processes do in it."""

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from infra.brokers import open_broker
from infra.brokers.options import AmqpOptions
from schemas.ports import Broker, Clock, Delivery, Message, Subscription
from tests.contracts.broker.proxy import proxy

LONG = timedelta(seconds=30)  # for what must come
BRIEFLY = timedelta(milliseconds=30)  # for what must not
AT_ONCE = timedelta(0)
# RabbitMQ has a queue for each.
DELAYS = (timedelta(milliseconds=200), timedelta(hours=1))
QUEUES = {"first": "made", "second": "made", "third": "lost"}

Settle = Callable[[Delivery], None]
SETTLE: dict[str, Settle] = {
    "ack": lambda delivery: delivery.ack(),
    "retry": lambda delivery: delivery.retry(AT_ONCE, "store away"),
    "dead_letter": lambda delivery: delivery.dead_letter("malformed_event"),
    "release": lambda delivery: delivery.release(),
}


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Rig:
    """One adapter with a server of its own; *cut* makes it unreachable."""

    url: str
    cut: Callable[[], None]
    management: str | None = None

    def open(self, clock: Clock = now) -> Broker:
        return _opened(self.url, clock, self.management)

    @contextmanager
    def provisioned(self) -> Iterator[Broker]:
        broker = self.open()
        broker.provision(QUEUES)
        try:
            yield broker
        finally:
            broker.close()


@contextmanager
def _sqlite(request: pytest.FixtureRequest) -> Iterator[Rig]:
    folder: Path = request.getfixturevalue("tmp_path")
    path = folder / "broker.db"
    yield Rig(f"sqlite:{path}", path.unlink)


@contextmanager
def _amqp(request: pytest.FixtureRequest) -> Iterator[Rig]:
    vhost = request.getfixturevalue("broker_vhost")
    with proxy(vhost.amqp_url) as through:
        url = through.url(vhost.amqp_url)
        yield Rig(url, through.cut, vhost.management_url)


MakeRig = Callable[[pytest.FixtureRequest], AbstractContextManager[Rig]]
RIGS = [
    pytest.param(_sqlite, id="sqlite"),
    pytest.param(_amqp, id="amqp", marks=pytest.mark.servers),
]


def _opened(url: str, clock: Clock = now, management: str | None = None) -> Broker:
    options = AmqpOptions(management=management, delays=DELAYS)
    return open_broker(url, clock=clock, amqp=options)


def message(body: object) -> Message:
    return Message(str(body).encode())


def following(subscription: Subscription) -> Delivery:
    """Return the next delivery; there must be one."""
    delivery = subscription.receive(LONG)
    assert delivery is not None
    return delivery


def taken(broker: Broker, queue: str, count: int) -> list[bytes]:
    """Receive and ack *count* messages; return their bodies in order."""
    bodies = []
    with broker.subscribe(queue, prefetch=10) as subscription:
        for _ in range(count):
            delivery = following(subscription)
            bodies.append(delivery.message.body)
            delivery.ack()
    return sorted(bodies)


def rest(broker: Broker, queue: str) -> list[bytes]:
    """Receive what is left without settling it; return the bodies."""
    there = broker.depths()[queue].ready
    with broker.subscribe(queue, prefetch=100) as subscription:
        counted = [following(subscription) for _ in range(there)]
        more = iter(lambda: subscription.receive(BRIEFLY), None)
        return [each.message.body for each in (*counted, *more) if each]


Figures = tuple[int, int, int]


def figures(broker: Broker, queue: str, expected: Figures) -> Figures:
    """Return ready, delayed and unsettled, once they are *expected*: they may lag."""
    deadline = time.monotonic() + 10
    while True:
        depth = broker.depths()[queue]
        found = (depth.ready, depth.delayed, depth.unsettled)
        if found == expected or time.monotonic() > deadline:
            return found


@contextmanager
def process(
    act: Callable[[Connection, str], None], url: str
) -> Iterator[tuple[int, Connection]]:
    """Run *act* in a process of its own; give its id and its end of a pipe."""
    # Forked from a server that has imported all: no second of start-up for each.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["infra.brokers.amqp", __name__])
    ours, theirs = context.Pipe()
    child = context.Process(target=act, args=(theirs, url))
    child.start()
    theirs.close()
    try:
        assert child.pid
        yield child.pid, ours
    finally:
        child.kill()
        child.join()
        child.close()
        ours.close()


def everything(pipe: Connection) -> Iterator[int]:
    """Yield what a process has sent, until its end."""
    try:
        while True:
            yield pipe.recv()
    except EOFError:
        return


def hold_one(pipe: Connection, url: str) -> None:
    """Receive a message and keep it for ever."""
    subscription = _opened(url).subscribe("first", prefetch=1)
    pipe.send(following(subscription).message.body)
    threading.Event().wait()


def publish_on_and_on(pipe: Connection, url: str) -> None:
    """Publish numbers and tell each when publish has returned."""
    broker = _opened(url)
    for number in range(1_000_000):
        broker.publish("made", message(number))
        pipe.send(number)


def send_on_and_on(pipe: Connection, url: str) -> None:
    """Send numbers and tell each when send has returned."""
    broker = _opened(url)
    for number in range(1_000_000):
        broker.send("first", message(number))
        pipe.send(number)


def answer(pipe: Connection, url: str) -> None:
    """Publish what comes in the first queue to the third."""
    broker = _opened(url)
    with broker.subscribe("first", prefetch=1) as subscription:
        pipe.send("listening")
        while True:
            delivery = following(subscription)
            broker.publish("lost", delivery.message)
            delivery.ack()


def provision(pipe: Connection, url: str) -> None:
    """Declare the queues when told to."""
    broker = _opened(url)
    pipe.send("ready")
    pipe.recv()
    broker.provision(QUEUES)
    broker.close()
    pipe.send("done")


def work(pipe: Connection, url: str) -> None:
    """Settle messages with two threads and tell each one's body."""
    subscription = _opened(url).subscribe("first", prefetch=4)
    turn = threading.Lock()

    def settle() -> None:
        while True:
            delivery = following(subscription)
            delivery.ack()
            with turn:
                pipe.send(delivery.message.body)

    threading.Thread(target=settle).start()
    settle()
