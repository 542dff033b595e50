"""What RabbitMQ has to have: declared, checked, counted, refused in words."""

from datetime import timedelta

import pytest

from infra.brokers.management import Management, path
from infra.servers import Vhost
from schemas.errors import QueueNotFound, SettingsError, Unavailable
from schemas.ports import Broker
from tests.contracts import brokers
from tests.contracts.brokers import QUEUES, following, message
from tests.infra.brokers.conftest import Connect

pytestmark = pytest.mark.servers


def test_nothing_is_provisioned_on_an_empty_vhost(connect: Connect) -> None:
    assert not connect().provisioned("first", "made")


def test_a_queue_without_one_of_its_ladder_is_not_provisioned(
    amqp: Broker, broker_vhost: Vhost, management: Management
) -> None:
    management.delete(path("queues", broker_vhost.name, "first.retry.60m"))
    management.close()

    assert not amqp.provisioned("first", "made")


@pytest.mark.parametrize(("key", "provisioned"), [("made", True), ("lost", False)])
def test_a_queue_is_provisioned_if_it_is_bound_to_its_key(
    amqp: Broker, key: str, provisioned: bool
) -> None:
    assert amqp.provisioned("first", key) is provisioned


def test_who_may_not_see_bindings_is_told_of_the_queues_only(
    amqp: Broker, connect: Connect
) -> None:
    blind = connect(management=None)

    assert blind.provisioned("first", "lost")


def test_a_queue_with_other_arguments_is_refused_in_words(
    connect: Connect, broker_vhost: Vhost, management: Management
) -> None:
    management.put(path("queues", broker_vhost.name, "first"), {"durable": True})
    management.close()

    with pytest.raises(SettingsError, match=r"first: .*inequivalent arg.*delete it"):
        connect().provision(QUEUES)


def test_an_exchange_of_another_type_is_refused_in_words(
    connect: Connect, broker_vhost: Vhost, management: Management
) -> None:
    where = path("exchanges", broker_vhost.name, "pratique.events")
    management.put(where, {"type": "fanout", "durable": True})
    management.close()

    with pytest.raises(SettingsError, match=r"pratique\.events: .*type"):
        connect().provision(QUEUES)


def test_depths_without_management_name_the_setting(connect: Connect) -> None:
    blind = connect(management=None)

    with pytest.raises(SettingsError, match="PRATIQUE_BROKER_MANAGEMENT"):
        blind.depths()


def test_depths_add_up_the_whole_ladder(amqp: Broker) -> None:
    for number in range(2):
        amqp.publish("lost", message(number))
    with amqp.subscribe("third", prefetch=2) as subscription:
        following(subscription).retry(timedelta(hours=1), "store away")
        following(subscription).retry(timedelta(days=9), "store away")

    found = brokers.figures(amqp, "third", (0, 2, 0))

    assert found == (0, 2, 0)


def test_publishing_to_a_broker_that_is_not_provisioned_waits_for_that(
    connect: Connect,
) -> None:
    with pytest.raises(Unavailable, match="pratique provision"):
        connect().publish("made", message(1))


def test_publishing_without_a_journal_waits_for_that(
    amqp: Broker, broker_vhost: Vhost, management: Management
) -> None:
    management.delete(path("queues", broker_vhost.name, "pratique.journal"))
    management.close()

    with pytest.raises(Unavailable, match="pratique provision"):
        amqp.publish("nobody listens", message(1))


def test_a_retry_whose_rung_is_missing_leaves_the_message_with_its_consumer(
    amqp: Broker, broker_vhost: Vhost, management: Management
) -> None:
    management.delete(path("queues", broker_vhost.name, "first.retry.60m"))
    management.close()
    amqp.publish("made", message(1))

    with amqp.subscribe("first", prefetch=1) as subscription:
        delivery = following(subscription)
        with pytest.raises(QueueNotFound, match=r"first\.retry\.60m"):
            delivery.retry(timedelta(hours=1), "store away")
        delivery.dead_letter("malformed_event")

    assert brokers.rest(amqp, "first.dead") == [b"1"]


def test_a_history_without_a_journal_raises_queue_not_found(connect: Connect) -> None:
    with pytest.raises(QueueNotFound, match="journal"):
        connect().history()


def test_a_history_from_a_time_to_come_is_empty(amqp: Broker) -> None:
    amqp.publish("made", message(1))

    kept = list(amqp.history(since=brokers.now() + timedelta(days=30)))

    assert kept == []


def test_a_history_is_as_often_the_same_as_it_is_asked(amqp: Broker) -> None:
    for number in range(150):
        amqp.publish("made", message(number))

    once, again = list(amqp.history()), list(amqp.history())

    assert once == again
    assert len(once) == 150


def test_a_user_without_permission_is_told_so_and_may_wait(
    connect: Connect, broker_vhost: Vhost, management: Management
) -> None:
    (user,) = management.get(path("vhosts", broker_vhost.name, "permissions"))
    where = path("permissions", broker_vhost.name, user["user"])
    management.put(where, {"configure": "", "write": "", "read": ""})
    management.close()

    with pytest.raises(Unavailable, match="lacks a permission"):
        connect().provision(QUEUES)
