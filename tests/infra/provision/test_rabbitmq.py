"""Exchanges, queues, policy and users on a real RabbitMQ: made, compared, mended."""

import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pika
import pytest

from infra.brokers import topology
from infra.brokers.management import path
from infra.servers import RabbitAccess, Vhost
from schemas.errors import SettingsError
from schemas.ports import Message
from tests.infra.provision import brokers
from tests.infra.provision.brokers import Broker

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def made(
    rabbitmq_server: RabbitAccess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Broker]:
    folder = tmp_path_factory.mktemp("rabbitmq")
    with (
        rabbitmq_server.vhost() as vhost,
        brokers.broker(vhost, folder, "sanitizer", "operator") as opened,
    ):
        yield opened


@pytest.fixture
def broker(made: Broker) -> Broker:
    made.provision()
    return made


def test_everything_is_made_and_a_second_time_nothing_changed(
    broker_vhost: Vhost, tmp_path: Path
) -> None:
    with brokers.broker(broker_vhost, tmp_path, "sanitizer") as fresh:
        done = fresh.provision()

        again = fresh.provision()

    assert [line.partition(":")[0] for line in done] == [
        "exchange pratique.events",
        "broker policy pratique-unrouted",
        "broker user sanitizer",
        "rights of broker user sanitizer",
        "queue metadata",
        "queue sanitizer",
        "bucket quarantine",
        "bucket clean",
        "bucket originals",
        "bucket ledger",
        "tables",
    ]
    assert again == []


def test_looking_changes_nothing(broker_vhost: Vhost, tmp_path: Path) -> None:
    with brokers.broker(broker_vhost, tmp_path, "sanitizer") as fresh:
        first = fresh.looked()

        assert fresh.looked() == first
        assert fresh.management.queues(broker_vhost.name) == []


def test_an_event_that_no_queue_is_bound_to_is_kept(broker: Broker) -> None:
    no_journal(broker)  # which is bound to everything

    broker.platform.broker.publish("nobody.listens", Message(b"to nobody"))

    with pika.BlockingConnection(pika.URLParameters(broker.vhost.amqp_url)) as there:
        kept = there.channel().basic_get(topology.UNROUTED, auto_ack=True)
    assert kept[2] == b"to nobody"


def no_policy(broker: Broker) -> None:
    broker.management.delete(
        path("policies", broker.vhost.name, topology.ALTERNATE_POLICY)
    )


def other_policy(broker: Broker) -> None:
    broker.management.put(
        path("policies", broker.vhost.name, topology.ALTERNATE_POLICY),
        {"pattern": ".*", "apply-to": "all", "definition": {"expires": 10**9}},
    )


def no_queue(broker: Broker) -> None:
    broker.management.delete(path("queues", broker.vhost.name, "sanitizer"))


def no_dead_letters(broker: Broker) -> None:
    broker.management.delete(path("queues", broker.vhost.name, "sanitizer.dead"))


def no_rung(broker: Broker) -> None:
    broker.management.delete(path("queues", broker.vhost.name, "sanitizer.retry.5s"))


def no_journal(broker: Broker) -> None:
    broker.management.delete(path("queues", broker.vhost.name, topology.JOURNAL))


def unbound(broker: Broker, queue: str, exchange: str, key: str) -> None:
    with pika.BlockingConnection(pika.URLParameters(broker.vhost.amqp_url)) as there:
        there.channel().queue_unbind(queue, exchange, key)


def no_exchange(broker: Broker) -> None:
    broker.management.delete(
        path("exchanges", broker.vhost.name, topology.UNROUTED_EXCHANGE)
    )


def no_events(broker: Broker) -> None:
    broker.management.delete(path("exchanges", broker.vhost.name, topology.EVENTS))


def bound_twice(broker: Broker) -> None:
    with pika.BlockingConnection(pika.URLParameters(broker.vhost.amqp_url)) as there:
        there.channel().queue_bind("sanitizer", topology.EVENTS, "other.key")


def no_user(broker: Broker) -> None:
    broker.management.delete(broker.user("sanitizer"))


def other_password(broker: Broker) -> None:
    broker.management.put(
        broker.user("sanitizer"), {"password": "another one", "tags": ""}
    )


def administrator(broker: Broker) -> None:
    document = {"password": "secret-of-sanitizer", "tags": "administrator"}
    broker.management.put(broker.user("sanitizer"), document)


def all_rights(broker: Broker) -> None:
    rights = {"configure": ".*", "write": ".*", "read": ".*"}
    broker.management.put(broker.permissions("sanitizer"), rights)


QUEUE = "queue sanitizer: missing or drifted"


@pytest.mark.parametrize(
    ("drift", "found"),
    [
        (no_policy, ["broker policy pratique-unrouted: missing"]),
        (other_policy, ["broker policy pratique-unrouted: {'expires': 1000000000}"]),
        (no_queue, [QUEUE]),
        (no_dead_letters, [QUEUE]),
        (no_rung, [QUEUE]),
        (no_journal, ["queue pratique.journal: missing"]),
        (
            partial(unbound, queue=topology.JOURNAL, exchange=topology.EVENTS, key="#"),
            ["binding of queue pratique.journal: missing"],
        ),
        (
            partial(
                unbound,
                queue="sanitizer.dead",
                exchange=topology.DEAD,
                key="sanitizer",
            ),
            ["binding of queue sanitizer.dead: missing"],
        ),
        (no_exchange, ["exchange pratique.unrouted: missing"]),
        (
            no_events,
            [
                "exchange pratique.events: missing",
                "queue metadata: missing or drifted",
                QUEUE,
            ],
        ),
        (
            bound_twice,
            ["bindings of queue sanitizer: object.created.quarantine, other.key"],
        ),
        (
            no_user,
            [
                "broker user sanitizer: missing",
                "rights of broker user sanitizer: none",
            ],
        ),
        (other_password, ["broker user sanitizer: another password"]),
        (administrator, ["broker user sanitizer: tags: administrator"]),
        (
            all_rights,
            [
                "rights of broker user sanitizer: configure .*, write .*, read .*",
            ],
        ),
    ],
)
def test_what_drifted_is_mended(
    broker: Broker, drift: Callable[[Broker], None], found: list[str]
) -> None:
    drift(broker)

    done = broker.provision()

    assert [line.partition(" -> ")[0] for line in done] == found
    assert broker.looked() == []


@pytest.mark.parametrize("queue", ["sanitizer", "sanitizer.retry.5s", topology.JOURNAL])
def test_a_queue_with_other_arguments_is_refused_and_kept(
    broker_vhost: Vhost, tmp_path: Path, queue: str
) -> None:
    with pika.BlockingConnection(pika.URLParameters(broker_vhost.amqp_url)) as there:
        there.channel().queue_declare(queue, durable=True)
        there.channel().basic_publish("", queue, b"precious")

    with (
        brokers.broker(broker_vhost, tmp_path) as fresh,
        pytest.raises(SettingsError, match=f"{queue}.*delete"),
    ):
        fresh.provision()

    with pika.BlockingConnection(pika.URLParameters(broker_vhost.amqp_url)) as there:
        found = there.channel().basic_get(queue, auto_ack=True)
    assert found[2] == b"precious"


def test_an_exchange_that_minio_could_not_declare_is_refused(
    broker_vhost: Vhost, tmp_path: Path
) -> None:
    with pika.BlockingConnection(pika.URLParameters(broker_vhost.amqp_url)) as there:
        there.channel().exchange_declare(
            topology.EVENTS,
            "topic",
            durable=True,
            arguments={"alternate-exchange": "x"},
        )

    with (
        brokers.broker(broker_vhost, tmp_path) as fresh,
        pytest.raises(SettingsError, match=r"pratique\.events.*alternate-exchange"),
    ):
        fresh.looked()


def test_without_management_all_else_is_made_and_that_is_said(
    broker_vhost: Vhost, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        brokers.broker(
            broker_vhost, tmp_path, "sanitizer", broker_management=None
        ) as fresh,
        caplog.at_level(logging.WARNING),
    ):
        done = fresh.provision()

    assert done[0].startswith("queue metadata")
    assert not any("user" in line for line in done)
    assert "policy_and_users_left_out" in caplog.messages


def test_the_operator_may_ask_the_management(broker: Broker) -> None:
    auth = (broker.secrets.broker_user("operator"), "secret-of-operator")
    url = broker.vhost.management_url.rpartition("@")[2]

    answer = httpx.get(f"http://{url}{path('queues', broker.vhost.name)}", auth=auth)

    assert "sanitizer" in [queue["name"] for queue in answer.json()]
