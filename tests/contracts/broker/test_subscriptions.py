"""The broker's contract: schemas/ports/broker.py, Subscription."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from schemas.ports import Broker
from tests.contracts import brokers
from tests.contracts.brokers import (
    BRIEFLY,
    LONG,
    Rig,
    Settle,
    following,
    message,
)


def test_receive_returns_none_if_nothing_came_in_time(broker: Broker) -> None:
    with broker.subscribe("first", prefetch=1) as subscription:
        delivery = subscription.receive(BRIEFLY)

    assert delivery is None


def test_receive_waits_without_busy_polling(broker: Broker) -> None:
    with broker.subscribe("first", prefetch=1) as subscription:
        before = time.process_time()
        subscription.receive(timedelta(milliseconds=300))
        used_s = time.process_time() - before

    assert used_s < 0.06


def test_receive_returns_when_another_process_published(
    rig: Rig, broker: Broker
) -> None:
    with (
        broker.subscribe("third", prefetch=1) as answers,
        brokers.process(brokers.answer, rig.url) as (_, pipe),
    ):
        pipe.recv()
        got = []
        for number in range(20):
            broker.publish("made", message(number))
            delivery = following(answers)
            got.append(int(delivery.message.body))
            delivery.ack()

    assert got == list(range(20))


def test_no_more_than_prefetch_are_out_unsettled(broker: Broker) -> None:
    for number in range(3):
        broker.publish("made", message(number))

    with broker.subscribe("first", prefetch=2) as subscription:
        held = [following(subscription), following(subscription)]
        third = subscription.receive(BRIEFLY)

    assert (len(held), third) == (2, None)


def test_many_threads_get_no_more_than_prefetch_together(broker: Broker) -> None:
    for number in range(40):
        broker.publish("made", message(number))

    with (
        broker.subscribe("first", prefetch=2) as subscription,
        ThreadPoolExecutor(8) as threads,
    ):
        held = following(subscription)
        got = list(threads.map(lambda _: subscription.receive(BRIEFLY), range(16)))

    assert held.message.body
    assert sum(delivery is not None for delivery in got) == 1


def test_settling_makes_room_for_a_receive_that_waits(
    broker: Broker, settle: Settle
) -> None:
    broker.publish("made", message(1))
    broker.publish("made", message(2))

    with (
        broker.subscribe("first", prefetch=1) as subscription,
        ThreadPoolExecutor(1) as threads,
    ):
        delivery = following(subscription)
        waiting = threads.submit(subscription.receive, LONG)
        settle(delivery)
        another = waiting.result()

    assert another is not None


def test_a_subscription_hands_out_to_several_threads_at_once(broker: Broker) -> None:
    for number in range(4):
        broker.publish("made", message(number))
    together = threading.Barrier(4)

    def receive(_: int) -> bytes:
        delivery = following(subscription)
        together.wait(LONG.total_seconds())
        return delivery.message.body

    with (
        broker.subscribe("first", prefetch=4) as subscription,
        ThreadPoolExecutor(4) as threads,
    ):
        got = list(threads.map(receive, range(4)))

    assert sorted(got) == [b"0", b"1", b"2", b"3"]


def test_close_wakes_every_receive_which_returns_none(broker: Broker) -> None:
    subscription = broker.subscribe("first", prefetch=1)

    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(subscription.receive, LONG) for _ in range(4)]
        subscription.close()
        woken = [future.result(timeout=10) for future in waiting]

    assert woken == [None] * 4
