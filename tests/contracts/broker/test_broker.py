"""The broker's contract: schemas/ports/broker.py, Broker and QueueDepth."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import islice
from multiprocessing.connection import Connection, wait

import pytest

from schemas.errors import QueueNotFound, Unavailable
from schemas.ports import Broker, Message
from tests.contracts import brokers
from tests.contracts.brokers import AT_ONCE, LONG, QUEUES, Rig, following, message, now


def test_a_message_arrives_with_its_body_key_and_headers(broker: Broker) -> None:
    broker.publish("made", Message(b"\x00\xff", headers={"x-replay": "journal ü"}))

    with broker.subscribe("first", prefetch=1) as subscription:
        got = following(subscription).message

    assert (got.body, got.key, dict(got.headers)) == (
        b"\x00\xff",
        "made",
        {"x-replay": "journal ü"},
    )


def test_every_queue_bound_to_the_key_gets_the_message_and_no_other(
    broker: Broker,
) -> None:
    broker.publish("made", message(1))

    got = {queue: brokers.rest(broker, queue) for queue in QUEUES}

    assert got == {"first": [b"1"], "second": [b"1"], "third": []}


def test_two_subscriptions_to_one_queue_share_its_messages(broker: Broker) -> None:
    broker.publish("made", message(1))
    broker.publish("made", message(2))

    with (
        broker.subscribe("first", prefetch=1) as one,
        broker.subscribe("first", prefetch=1) as other,
    ):
        got = {following(one).message.body, following(other).message.body}

    assert got == {b"1", b"2"}


def test_threads_of_several_processes_settle_each_message_once(
    rig: Rig, broker: Broker
) -> None:
    bodies = [str(number).encode() for number in range(500)]

    with (
        brokers.process(brokers.work, rig.url) as (_, one),
        brokers.process(brokers.work, rig.url) as (_, other),
        ThreadPoolExecutor(4) as threads,
    ):
        list(threads.map(lambda body: broker.publish("made", Message(body)), bodies))
        settled: list[bytes] = []
        while len(settled) < 500 and (ready := wait([one, other], 30)):
            settled += [pipe.recv() for pipe in ready if isinstance(pipe, Connection)]

    assert sorted(settled) == sorted(bodies)


@pytest.mark.parametrize("act", [brokers.publish_on_and_on, brokers.send_on_and_on])
def test_what_returned_from_publish_or_send_survives_kill_9(
    rig: Rig, broker: Broker, act: Callable[[Connection, str], None]
) -> None:
    with brokers.process(act, rig.url) as (pid, pipe):
        told = list(islice(brokers.everything(pipe), 30))
        os.kill(pid, signal.SIGKILL)
        told += brokers.everything(pipe)

    got = brokers.taken(broker, "first", broker.depths()["first"].ready)
    assert {str(number).encode() for number in told} <= set(got)


def test_provision_declares_a_dead_queue_for_each(broker: Broker) -> None:
    declared = set(broker.depths())

    assert declared == {*QUEUES, *(f"{queue}.dead" for queue in QUEUES)}


def test_provision_keeps_messages_when_run_twice(broker: Broker) -> None:
    broker.publish("made", message(1))
    broker.send("first", message(2))

    broker.provision(QUEUES)

    assert brokers.taken(broker, "first", 2) == [b"1", b"2"]


def test_several_processes_provision_at_once(rig: Rig) -> None:
    with (
        brokers.process(brokers.provision, rig.url) as (_, one),
        brokers.process(brokers.provision, rig.url) as (_, other),
    ):
        started = [one.recv(), other.recv()]
        one.send("go")
        other.send("go")
        done = [one.recv(), other.recv()]

    assert (started, done) == (["ready"] * 2, ["done"] * 2)


def test_provision_replaces_bindings(broker: Broker) -> None:
    broker.provision({"first": "remade"})

    broker.publish("made", message("old key"))
    broker.publish("remade", message("new key"))

    assert brokers.rest(broker, "first") == [b"new key"]


def test_a_queue_keeps_its_messages_when_it_is_bound_anew(broker: Broker) -> None:
    broker.publish("made", message(1))
    broker.publish("made", message(2))

    broker.provision({"first": "remade"})

    assert brokers.taken(broker, "first", 2) == [b"1", b"2"]


def test_publish_hands_the_message_to_the_journal_also_when_no_queue_is_bound(
    broker: Broker,
) -> None:
    broker.publish("nobody listens", message(1))

    (kept,) = broker.history()

    assert (kept.key, kept.body) == ("nobody listens", b"1")


def test_send_hands_the_message_to_one_queue_and_to_nothing_else(
    broker: Broker,
) -> None:
    broker.send("first", Message(b"1", key="made"))

    got = {queue: brokers.rest(broker, queue) for queue in QUEUES}

    assert got == {"first": [b"1"], "second": [], "third": []}


def test_send_leaves_the_journal_alone(broker: Broker) -> None:
    broker.send("first", Message(b"1", key="made"))

    kept = list(broker.history())

    assert kept == []


@pytest.mark.parametrize("how", ["send", "publish"])
def test_a_dead_letter_that_is_sent_back_starts_anew(broker: Broker, how: str) -> None:
    broker.publish("made", Message(b"1", headers={"x-replay": "dead"}))
    with broker.subscribe("first", prefetch=1) as subscription:
        following(subscription).retry(AT_ONCE, "store away")
        following(subscription).dead_letter("malformed_event")
    with broker.subscribe("first.dead", prefetch=1) as subscription:
        dead = following(subscription)

        if how == "send":
            broker.send("first", dead.message)
        else:
            broker.publish("made", dead.message)

    with broker.subscribe("first", prefetch=1) as subscription:
        again = following(subscription)
    assert (again.attempt, dict(again.message.headers)) == (1, {"x-replay": "dead"})


def test_send_to_an_unknown_queue_raises_queue_not_found(broker: Broker) -> None:
    with pytest.raises(QueueNotFound, match="fourth"):
        broker.send("fourth", message(1))


def test_subscribe_to_an_unknown_queue_raises_queue_not_found(broker: Broker) -> None:
    with pytest.raises(QueueNotFound, match="fourth"):
        broker.subscribe("fourth", prefetch=1)


def test_history_returns_what_was_published_oldest_first(broker: Broker) -> None:
    for number in range(250):
        broker.publish("made", message(number))

    kept = list(broker.history())

    assert [int(each.body) for each in kept] == list(range(250))


def test_positions_in_the_history_rise(broker: Broker) -> None:
    for number in range(5):
        broker.publish("made", message(number))

    positions = [each.position for each in broker.history()]

    assert positions == sorted({*positions} - {0})


def test_history_begins_with_since_and_ends_before_until(broker: Broker) -> None:
    broker.publish("made", message("before"))
    since = now()
    broker.publish("made", message("within"))
    until = now()
    broker.publish("made", message("after"))

    kept = [each.body for each in broker.history(since, until)]

    assert kept == [b"within"]


def test_history_ends_with_what_was_there_when_it_began(broker: Broker) -> None:
    broker.publish("made", message("before"))

    kept = []
    for each in broker.history():
        kept.append(each.body)
        broker.publish("made", message("while it is read"))

    assert kept == [b"before"]


def test_depths_count_what_is_ready_delayed_and_unsettled(broker: Broker) -> None:
    for number in range(4):
        broker.publish("made", message(number))

    with broker.subscribe("first", prefetch=1) as subscription:
        following(subscription).retry(timedelta(hours=1), "store away")
        held = following(subscription)
        found = brokers.figures(broker, "first", (2, 1, 1))

    assert held.attempt == 1
    assert found == (2, 1, 1)


def test_depths_count_dead_letters(broker: Broker) -> None:
    broker.publish("made", message(1))
    with broker.subscribe("first", prefetch=1) as subscription:
        following(subscription).dead_letter("malformed_event")

    depths = broker.depths()

    assert (depths["first"].ready, depths["first.dead"].ready) == (0, 1)


def test_a_known_oldest_at_is_when_the_oldest_was_published(broker: Broker) -> None:
    before = now()
    broker.publish("made", message(1))
    after = now()
    broker.publish("made", message(2))

    oldest_at = broker.depths()["first"].oldest_at

    assert oldest_at is None or before <= oldest_at <= after


def test_ping_returns_if_the_broker_answers(broker: Broker) -> None:
    broker.ping()


def test_ping_raises_unavailable_if_it_does_not(rig: Rig, broker: Broker) -> None:
    rig.cut()

    with pytest.raises(Unavailable):
        broker.ping()


def test_close_closes_every_subscription(rig: Rig, broker: Broker) -> None:
    subscription = broker.subscribe("first", prefetch=1)

    broker.close()

    assert subscription.receive(LONG) is None


def test_close_is_safe_to_run_twice(broker: Broker) -> None:
    broker.close()

    broker.close()
