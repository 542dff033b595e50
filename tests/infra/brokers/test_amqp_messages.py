"""What RabbitMQ and MinIO put into messages, and what readers see of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pika
import pytest

from infra.brokers import topology
from infra.brokers.amqp_messages import properties, received
from infra.brokers.management import Management, path
from infra.servers import Vhost
from schemas.errors import Unavailable
from schemas.events import ObjectCreated, dump
from schemas.objects import ObjectRef
from schemas.ports import Broker, Message
from tests.contracts import brokers
from tests.contracts.broker.proxy import Proxy
from tests.contracts.brokers import AT_ONCE, DELAYS, LONG, QUEUES, following, message
from tests.infra.brokers.conftest import Connect

AT = datetime(2026, 10, 6, 12, 34, 56, 812_000, tzinfo=UTC)
EVENT = dump(ObjectCreated(ObjectRef("quarantine", "a b"), occurred_at=AT))


def basic(headers: dict[str, Any] | None = None, **more: Any) -> pika.BasicProperties:
    made: Callable[..., pika.BasicProperties] = pika.BasicProperties
    return made(headers=headers, **more)


def test_headers_that_are_not_text_are_left_out() -> None:
    headers = {
        "minio-bucket": "clean",
        "n": 1,
        "t": {"a": "b"},
        "b": b"\xff",
        "x": None,
    }

    got, _ = received("first", "made", basic(headers), b"")

    assert dict(got.headers) == {"minio-bucket": "clean"}


def test_a_header_whose_name_is_no_text_is_left_out() -> None:
    headers: dict[Any, Any] = {b"\xff": "from pika", "a": "b"}

    got, _ = received("first", "made", basic(headers), b"")

    assert dict(got.headers) == {"a": "b"}


@pytest.mark.parametrize("queue", ["first", "first.dead"])
def test_what_rabbitmq_adds_is_not_seen(queue: str) -> None:
    theirs: dict[str, Any] = {
        "x-death": [{"reason": "expired", "queue": "first.retry.5s", "count": 1}],
        "x-first-death-reason": "expired",
        "x-last-death-queue": "first.retry.5s",
        "x-delivery-count": 3,
        "x-acquired-count": "3",
    }

    got, _ = received(queue, "made", basic(theirs), b"")

    assert dict(got.headers) == {}


def test_what_rabbitmq_would_act_upon_is_not_sent_along() -> None:
    hostile = {"x-death": "a", "x-first-death-queue": "b", "CC": "c", "x-marker": "d"}

    sent = properties({**hostile, "x-replay": "dead"}, "made", None)

    assert sent.headers == {"x-replay": "dead", "x-key": "made"}


def test_a_cause_that_is_no_unicode_can_be_sent() -> None:
    sent = properties({"x-cause": "a\udc80b"}, "made", None)

    assert sent.headers == {"x-cause": "a?b", "x-key": "made"}


@pytest.mark.parametrize("attempt", ["", "-1", "0", "many", "9" * 5000, "²"])
def test_an_attempt_that_is_no_number_is_the_first(attempt: str) -> None:
    _, got = received("first", "made", basic({"x-attempt": attempt}), b"")

    assert got == 1


@pytest.mark.parametrize(
    ("found", "body"),
    [
        (basic({"x-published-at": AT.isoformat()}, timestamp=1), EVENT),
        (basic({"x-published-at": "yesterday"}), EVENT),
        (basic({"x-published-at": "2026-01-01T00:00:00"}), EVENT),  # in which zone?
        (basic({"x-published-at": 7}), EVENT),
        (basic({"x-published-at": "0001-01-01T00:00:00+01:00"}), EVENT),  # before UTC's
        (basic(timestamp=2**63), EVENT),
        (basic(), EVENT),
    ],
)
def test_a_message_is_as_old_as_its_sender_or_else_its_event_says(
    found: pika.BasicProperties, body: bytes
) -> None:
    got, _ = received("first", "made", found, body)

    assert got.published_at == AT


def test_amqps_own_timestamp_is_taken_where_there_is_no_better() -> None:
    got, _ = received("first", "made", basic(timestamp=1), EVENT)

    assert got.published_at == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize("body", [b"", b"\xff", b"[1]", b'{"Event":"s3:TestEvent"}'])
def test_the_age_of_garbage_is_not_known(body: bytes) -> None:
    got, _ = received("first", "made", basic(), body)

    assert got.published_at is None


@pytest.mark.servers
def test_a_retried_message_keeps_key_time_and_headers(amqp: Broker) -> None:
    amqp.publish("made", Message(b"1", headers={"x-replay": "journal"}))

    with amqp.subscribe("first", prefetch=1) as subscription:
        first = following(subscription)
        first.retry(DELAYS[0], "store away")
        again = following(subscription)

    assert again.message == Message(
        b"1",
        "made",
        {"x-replay": "journal", "x-cause": "store away"},
        first.message.published_at,
    )


@pytest.mark.servers
def test_a_message_climbs_the_ladder_again_and_again(amqp: Broker) -> None:
    amqp.publish("made", message(1))

    with amqp.subscribe("first", prefetch=1) as subscription:
        for _ in range(5):  # RabbitMQ drops what it takes for a cycle
            following(subscription).retry(DELAYS[0], "store away")
        last = following(subscription)

    assert last.attempt == 6


def given_up(connect: Connect, through: Proxy) -> Broker:
    """Return a broker whose message 1 RabbitMQ itself has dead-lettered."""
    broker = connect()
    broker.provision(QUEUES)
    broker.publish("made", message(1))
    for _ in range(2):
        with broker.subscribe("first", prefetch=1) as subscription:
            following(subscription)
            through.reset()  # as if its process had died
            with pytest.raises(Unavailable):
                subscription.receive(LONG)
    return broker


@pytest.fixture
def _soon_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topology, "DELIVERY_LIMIT", 1)


@pytest.mark.servers
@pytest.mark.usefixtures("_soon_given_up")
def test_what_rabbitmq_gave_up_tells_reason_attempt_and_time(
    connect: Connect, through: Proxy
) -> None:
    before = brokers.now() - timedelta(seconds=2)  # whole seconds
    broker = given_up(connect, through)

    with broker.subscribe("first.dead", prefetch=1) as subscription:
        told = following(subscription).message.headers

    assert (told["x-reason"], told["x-attempt"]) == ("delivery_limit", "1")
    assert before <= datetime.fromisoformat(told["x-failed-at"]) <= brokers.now()


@pytest.mark.servers
@pytest.mark.usefixtures("_soon_given_up")
def test_what_rabbitmq_gave_up_comes_back_when_it_is_sent_back_and_retried(
    connect: Connect, through: Proxy
) -> None:
    broker = given_up(connect, through)
    with broker.subscribe("first.dead", prefetch=1) as subscription:
        dead = following(subscription)
        broker.send("first", dead.message)
        dead.ack()

    with broker.subscribe("first", prefetch=1) as subscription:
        following(subscription).retry(DELAYS[0], "store away")
        back = following(subscription)

    assert (back.message.body, back.attempt, back.message.key) == (b"1", 2, "made")


@pytest.mark.servers
def test_a_dead_letter_of_a_dead_letter_stays_where_it_is(amqp: Broker) -> None:
    amqp.send("first.dead", message(1))

    with amqp.subscribe("first.dead", prefetch=1) as subscription:
        following(subscription).dead_letter("malformed_event")
        following(subscription).retry(AT_ONCE, "store away")

    assert brokers.rest(amqp, "first.dead") == [b"1"]


@pytest.mark.servers
def test_a_message_of_minios_is_read_from_queue_and_journal(
    amqp: Broker, broker_vhost: Vhost, management: Management
) -> None:
    told = {"minio-bucket": "quarantine", "minio-event": "s3:ObjectCreated:Put"}
    document = {
        "properties": {"delivery_mode": 2, "headers": told},
        "routing_key": "made",
        "payload": EVENT.decode(),
        "payload_encoding": "string",
    }
    where = path("exchanges", broker_vhost.name, topology.EVENTS, "publish")
    management.post(where, document)
    management.close()

    with amqp.subscribe("first", prefetch=1) as subscription:
        queued = following(subscription).message
    (kept,) = amqp.history()

    assert queued == Message(EVENT, "made", told, AT)
    assert kept == Message(EVENT, "made", told, AT, position=1)
