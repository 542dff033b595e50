"""The broker's contract: schemas/ports/broker.py, Delivery."""

import os
import signal
import time
from datetime import datetime, timedelta

import pytest

from schemas.ports import Broker, Message
from tests.contracts import brokers
from tests.contracts.brokers import AT_ONCE, BRIEFLY, Rig, Settle, following, message


def test_the_first_attempt_is_1(broker: Broker) -> None:
    broker.publish("made", message(1))

    with broker.subscribe("first", prefetch=1) as subscription:
        delivery = following(subscription)

    assert (delivery.attempt, delivery.queue) == (1, "first")


def test_ack_takes_the_message_from_this_queue_and_from_no_other(
    broker: Broker,
) -> None:
    broker.publish("made", message(1))

    with broker.subscribe("first", prefetch=1) as subscription:
        following(subscription).ack()

    assert (brokers.rest(broker, "first"), brokers.rest(broker, "second")) == (
        [],
        [b"1"],
    )


def test_retry_hands_the_message_out_again_with_attempt_one_higher(
    broker: Broker,
) -> None:
    broker.publish("made", Message(b"1"))

    with broker.subscribe("first", prefetch=1) as subscription:
        following(subscription).retry(AT_ONCE, "store away")
        again = following(subscription)

    assert (again.message.body, again.attempt) == (b"1", 2)


def test_retry_does_so_only_after_the_delay(broker: Broker) -> None:
    broker.publish("made", message(1))

    with broker.subscribe("first", prefetch=1) as subscription:
        first = following(subscription)
        asked_at = time.monotonic()
        first.retry(timedelta(milliseconds=200), "store away")
        following(subscription)

    assert time.monotonic() - asked_at >= 0.2


def test_a_delayed_message_holds_up_no_other(broker: Broker) -> None:
    broker.publish("made", message(1))
    broker.publish("made", message(2))

    with broker.subscribe("first", prefetch=1) as subscription:
        delayed = following(subscription)
        delayed.retry(timedelta(hours=1), "store away")
        other = following(subscription)

    assert {delayed.message.body, other.message.body} == {b"1", b"2"}


def test_dead_letter_moves_the_message_to_the_dead_queue(broker: Broker) -> None:
    broker.publish("made", Message(b"1"))

    with broker.subscribe("first", prefetch=1) as subscription:
        following(subscription).dead_letter("malformed_event")

    assert (brokers.rest(broker, "first"), brokers.rest(broker, "first.dead")) == (
        [],
        [b"1"],
    )


def test_a_dead_letter_tells_reason_attempt_and_time(broker: Broker) -> None:
    broker.publish("made", Message(b"1", headers={"x-replay": "journal"}))
    with broker.subscribe("first", prefetch=1) as subscription:
        following(subscription).retry(AT_ONCE, "store away")
        before = brokers.now()
        following(subscription).dead_letter("malformed_event")
        after = brokers.now()

    with broker.subscribe("first.dead", prefetch=1) as subscription:
        told = following(subscription).message.headers

    assert before <= datetime.fromisoformat(told["x-failed-at"]) <= after
    assert (told["x-reason"], told["x-attempt"]) == ("malformed_event", "2")
    assert told["x-replay"] == "journal"


def test_release_hands_the_message_back_at_once_with_attempt_unchanged(
    broker: Broker,
) -> None:
    broker.publish("made", message(1))

    with broker.subscribe("first", prefetch=1) as subscription:
        following(subscription).retry(AT_ONCE, "store away")
        following(subscription).release()
        again = following(subscription)

    assert (again.message.body, again.attempt) == (b"1", 2)


def test_a_delivery_is_settled_once(broker: Broker, settle: Settle) -> None:
    broker.publish("made", message(1))

    with broker.subscribe("first", prefetch=1) as subscription:
        delivery = following(subscription)
        delivery.ack()
        settle(delivery)

    assert brokers.rest(broker, "first") + brokers.rest(broker, "first.dead") == []


def test_a_settled_delivery_has_no_say_when_the_message_is_out_again(
    broker: Broker, settle: Settle
) -> None:
    broker.publish("made", message(1))

    with broker.subscribe("first", prefetch=2) as subscription:
        delivery = following(subscription)
        delivery.release()
        again = following(subscription)
        settle(delivery)
        third = subscription.receive(BRIEFLY)

    assert (again.message.body, third) == (b"1", None)
    assert brokers.taken(broker, "first", 1) == [b"1"]
    assert brokers.rest(broker, "first.dead") == []


def test_what_a_closed_consumer_did_not_settle_is_handed_out_again(
    broker: Broker,
) -> None:
    broker.publish("made", message(1))
    closed = broker.subscribe("first", prefetch=1)
    following(closed)

    closed.close()

    assert brokers.taken(broker, "first", 1) == [b"1"]


def test_settling_after_that_changes_nothing(broker: Broker, settle: Settle) -> None:
    broker.publish("made", message(1))
    with broker.subscribe("first", prefetch=1) as subscription:
        delivery = following(subscription)

    settle(delivery)

    with broker.subscribe("first", prefetch=1) as subscription:
        again = following(subscription)
    assert (again.attempt, brokers.rest(broker, "first.dead")) == (1, [])


def test_settling_after_the_broker_was_closed_changes_nothing(
    rig: Rig, broker: Broker, settle: Settle
) -> None:
    broker.publish("made", message(1))
    delivery = following(broker.subscribe("first", prefetch=1))
    broker.close()

    settle(delivery)

    with rig.provisioned() as reopened:
        assert brokers.taken(reopened, "first", 1) == [b"1"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_what_a_dead_process_did_not_settle_is_handed_out_again(
    rig: Rig, broker: Broker, how: signal.Signals
) -> None:
    broker.publish("made", message(1))

    with brokers.process(brokers.hold_one, rig.url) as (pid, pipe):
        held = pipe.recv()
        with broker.subscribe("first", prefetch=1) as subscription:
            os.kill(pid, how)
            again = following(subscription)

    assert (held, again.message.body, again.attempt) == (b"1", b"1", 1)
