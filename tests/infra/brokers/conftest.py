"""A RabbitMQ broker behind a proxy."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta

import pytest

from infra.brokers import open_broker
from infra.brokers.management import Management
from infra.brokers.options import AmqpOptions
from infra.servers import Vhost
from schemas.ports import Broker
from tests.contracts.broker.proxy import Proxy, proxy
from tests.contracts.brokers import DELAYS, QUEUES, now

Connect = Callable[..., Broker]


@pytest.fixture
def management(broker_vhost: Vhost) -> Iterator[Management]:
    """The management API of the test's virtual host."""
    with closing(Management(broker_vhost.management_url)) as opened:
        yield opened


@pytest.fixture
def through(broker_vhost: Vhost) -> Iterator[Proxy]:
    """The proxy in front of the test's virtual host."""
    with proxy(broker_vhost.amqp_url) as running:
        yield running


@pytest.fixture
def connect(broker_vhost: Vhost, through: Proxy) -> Iterator[Connect]:
    """Open brokers through the proxy; the URL may get a query."""
    with ExitStack() as opened:

        def make(
            query: str = "",
            management: str | None = broker_vhost.management_url,
            delays: tuple[timedelta, ...] = DELAYS,
        ) -> Broker:
            url = through.url(broker_vhost.amqp_url) + query
            options = AmqpOptions(management=management, delays=delays)
            broker = open_broker(url, clock=now, amqp=options)
            opened.callback(broker.close)
            return broker

        yield make


@pytest.fixture
def amqp(connect: Connect) -> Broker:
    """A broker with the contract's queues."""
    broker = connect()
    broker.provision(QUEUES)
    return broker
