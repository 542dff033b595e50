"""Who wakes whom. Looking around is switched off here, so that only rings wake."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from infra.brokers import open_broker, sqlite_consumers, wakeup
from schemas.ports import Broker
from tests.contracts import brokers
from tests.contracts.brokers import AT_ONCE, LONG, QUEUES, following, message, process


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sqlite_consumers, "_LOOK_EVERY_S", 3600)
    return f"sqlite:{tmp_path / 'broker.db'}"


@pytest.fixture
def broker(url: str) -> Iterator[Broker]:
    opened = open_broker(url, clock=brokers.now)
    opened.provision(QUEUES)
    yield opened
    opened.close()


def bells(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "broker.db.d").iterdir())


def descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_another_processs_publish_wakes_a_consumer(url: str, broker: Broker) -> None:
    with (
        broker.subscribe("third", prefetch=1) as answers,
        process(brokers.answer, url) as (_, pipe),
    ):
        pipe.recv()
        for number in range(20):
            broker.publish("made", message(number))
            following(answers).ack()

    assert broker.depths()["third"].ready == 0


def test_every_waiting_thread_wakes_when_there_is_enough_for_all(
    broker: Broker,
) -> None:
    with (
        broker.subscribe("first", prefetch=4) as subscription,
        ThreadPoolExecutor(4) as threads,
    ):
        for turn in range(10):
            waiting = [threads.submit(following, subscription) for _ in range(4)]
            for number in range(4):
                broker.publish("made", message(f"{turn} {number}"))
            for future in waiting:
                future.result().ack()

    assert broker.depths()["first"].unsettled == 0


def test_a_waiting_thread_wakes_when_a_delayed_message_is_due(broker: Broker) -> None:
    broker.publish("made", message(1))

    with (
        broker.subscribe("first", prefetch=2) as subscription,
        ThreadPoolExecutor(1) as threads,
    ):
        held = following(subscription)
        waiting = threads.submit(subscription.receive, LONG)
        held.retry(timedelta(milliseconds=100), "store away")
        again = waiting.result()

    assert again is not None


@pytest.mark.parametrize("how", ["release", "close"])
def test_a_consumer_wakes_when_another_gives_back(broker: Broker, how: str) -> None:
    broker.publish("made", message(1))
    giver = broker.subscribe("first", prefetch=1)
    held = following(giver)

    with (
        broker.subscribe("first", prefetch=1) as subscription,
        ThreadPoolExecutor(1) as threads,
    ):
        waiting = threads.submit(subscription.receive, LONG)
        # The giver does not receive again, so the message is for the other one.
        held.release() if how == "release" else giver.close()
        got = waiting.result()

    assert got is not None


def test_a_receive_without_room_wakes_when_another_thread_settles(
    broker: Broker,
) -> None:
    broker.publish("made", message(1))
    broker.publish("made", message(2))

    with (
        broker.subscribe("first", prefetch=1) as subscription,
        ThreadPoolExecutor(1) as threads,
    ):
        held = following(subscription)
        waiting = threads.submit(subscription.receive, LONG)
        held.ack()
        got = waiting.result()

    assert got is not None


def test_consumers_wake_when_somebody_saw_that_another_has_died(
    url: str, broker: Broker
) -> None:
    broker.publish("made", message(1))
    with process(brokers.hold_one, url) as (_, pipe):
        pipe.recv()
        waiting = broker.subscribe("first", prefetch=1)

    with ThreadPoolExecutor(1) as threads:
        receiving = threads.submit(waiting.receive, LONG)
        broker.depths()  # looks
        got = receiving.result()

    assert got is not None


def test_a_consumer_of_dead_letters_wakes_when_one_comes(broker: Broker) -> None:
    broker.publish("made", message(1))

    with (
        broker.subscribe("first", prefetch=1) as first,
        broker.subscribe("first.dead", prefetch=1) as dead,
        ThreadPoolExecutor(1) as threads,
    ):
        waiting = threads.submit(dead.receive, LONG)
        following(first).dead_letter("malformed_event")
        got = waiting.result()

    assert got is not None


def test_unheard_rings_never_hold_up_a_publisher(
    tmp_path: Path, broker: Broker
) -> None:
    with broker.subscribe("first", prefetch=1) as subscription:
        (bell,) = bells(tmp_path)
        pipe = os.open(bell, os.O_WRONLY | os.O_NONBLOCK)
        os.write(pipe, b"!" * 100_000)  # more than it takes
        os.close(pipe)

        broker.publish("made", message(1))

        assert subscription.receive(AT_ONCE) is not None


def test_closing_leaves_no_bell_behind(tmp_path: Path, broker: Broker) -> None:
    with ThreadPoolExecutor(3) as threads:
        subscription = broker.subscribe("first", prefetch=1)
        for _ in range(3):
            threads.submit(subscription.receive, LONG)
        broker.close()

    assert bells(tmp_path) == []


def test_closing_leaves_no_file_descriptor_behind(url: str) -> None:
    before = descriptors()

    broker = open_broker(url, clock=brokers.now)
    broker.provision(QUEUES)
    with broker.subscribe("first", prefetch=1) as subscription:
        subscription.receive(AT_ONCE)
    broker.close()

    assert descriptors() == before


def test_a_dead_processs_bell_is_removed(
    tmp_path: Path, url: str, broker: Broker
) -> None:
    broker.publish("made", message(1))
    with process(brokers.hold_one, url) as (_, pipe):
        pipe.recv()

    broker.depths()

    assert bells(tmp_path) == []


def test_a_bell_that_was_never_listed_is_removed(
    tmp_path: Path, broker: Broker
) -> None:
    os.mkfifo(tmp_path / "broker.db.d" / "killed between two steps")

    with broker.subscribe("first", prefetch=1):
        left = bells(tmp_path)

    assert len(left) == 1


def test_what_else_lies_beside_the_bells_is_left_alone(
    tmp_path: Path, broker: Broker
) -> None:
    (tmp_path / "broker.db.d" / "notes").write_bytes(b"mine")

    broker.subscribe("first", prefetch=1).close()

    assert [path.name for path in bells(tmp_path)] == ["notes"]


def test_a_bell_is_abandoned_only_after_its_consumer_is_gone(tmp_path: Path) -> None:
    bell = wakeup.Bell(tmp_path / "bell")

    held = wakeup.abandoned(bell.path)
    bell.close()

    assert (held, wakeup.abandoned(bell.path)) == (False, True)
