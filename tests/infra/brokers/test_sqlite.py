"""What the embedded broker promises beyond the contract: clock, retention, limits."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.brokers.sqlite import SqliteBroker
from schemas.errors import Unavailable
from schemas.ports import Message
from tests.contracts import brokers
from tests.contracts.brokers import AT_ONCE, QUEUES, following, message, process

HOUR = timedelta(hours=1)


class HandClock:
    """A clock that somebody moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "broker.db"


@pytest.fixture
def broker(path: Path, clock: HandClock) -> Iterator[SqliteBroker]:
    with closing(
        SqliteBroker(path, clock=clock, journal_age=timedelta(days=1), delivery_limit=2)
    ) as opened:
        opened.provision(QUEUES)
        yield opened


def test_a_retried_message_is_not_due_before_the_clock_says_so(
    broker: SqliteBroker, clock: HandClock
) -> None:
    broker.publish("made", message(1))
    with broker.subscribe("first", prefetch=1) as subscription:
        following(subscription).retry(HOUR, "store away")

        clock.time += HOUR - timedelta(microseconds=1)
        early = subscription.receive(AT_ONCE)

    assert early is None


def test_a_retried_message_is_due_when_the_clock_says_so(
    broker: SqliteBroker, clock: HandClock
) -> None:
    broker.publish("made", message(1))
    with broker.subscribe("first", prefetch=1) as subscription:
        following(subscription).retry(HOUR, "store away")

        clock.time += HOUR
        due = subscription.receive(AT_ONCE)

    assert due is not None


def test_what_is_not_delayed_is_ready_for_those_whose_clock_is_behind(
    broker: SqliteBroker, path: Path, clock: HandClock
) -> None:
    ahead = SqliteBroker(path, clock=lambda: clock.time + HOUR)
    with closing(ahead), ahead.subscribe("first", prefetch=4) as subscription:
        for settle in ("release", "retry", "send"):
            broker.send("first", message(settle))
        held = {d.message.body: d for d in (following(subscription) for _ in range(3))}
        held[b"release"].release()
        held[b"retry"].retry(AT_ONCE, "store away")
        held[b"send"].ack()
        ahead.send("first", message("send"))

    ready = broker.depths()["first"].ready

    assert ready == 3


def test_times_are_the_clocks(broker: SqliteBroker, clock: HandClock) -> None:
    broker.publish("made", Message(b"1", published_at=clock.time - HOUR))

    (kept,) = broker.history()

    assert kept.published_at == clock.time


def test_the_oldest_of_a_queue_is_told(broker: SqliteBroker, clock: HandClock) -> None:
    published_at = clock.time
    broker.publish("made", message(1))
    clock.time += HOUR
    broker.publish("made", message(2))

    oldest_at = broker.depths()["first"].oldest_at

    assert oldest_at == published_at


def test_the_journal_forgets_what_is_old_and_was_handed_out(
    broker: SqliteBroker, clock: HandClock
) -> None:
    broker.publish("unbound", message("old"))

    clock.time += timedelta(days=2)
    broker.publish("unbound", message("new"))

    assert [each.body for each in broker.history()] == [b"new"]


def test_the_journal_keeps_what_is_not_old(
    broker: SqliteBroker, clock: HandClock
) -> None:
    broker.publish("unbound", message("young"))

    clock.time += timedelta(hours=23)
    broker.publish("unbound", message("new"))

    assert [each.body for each in broker.history()] == [b"young", b"new"]


def test_what_a_queue_still_waits_for_is_kept_however_old(
    broker: SqliteBroker, clock: HandClock
) -> None:
    broker.publish("made", message("old"))

    clock.time += timedelta(days=2)
    broker.publish("unbound", message("new"))

    assert brokers.taken(broker, "second", 1) == [b"old"]


def test_a_queue_that_is_declared_on_an_emptied_journal_gets_what_comes(
    broker: SqliteBroker, clock: HandClock
) -> None:
    broker.publish("unbound", message("old"))
    clock.time += timedelta(days=2)
    broker.provision({})  # forgets all

    broker.provision({"late": "made"})
    broker.publish("made", message("new"))

    assert brokers.rest(broker, "late") == [b"new"]


def test_a_message_that_outlives_too_many_consumers_becomes_a_dead_letter(
    broker: SqliteBroker, path: Path
) -> None:
    broker.send("first", message("poison"))

    for _ in range(2):
        with process(brokers.hold_one, f"sqlite:{path}") as (pid, pipe):
            pipe.recv()
            os.kill(pid, signal.SIGKILL)

    with broker.subscribe("first.dead", prefetch=1) as subscription:
        dead = following(subscription).message
    assert (dead.body, dead.headers["x-reason"]) == (b"poison", "delivery_limit")


def test_clean_stops_do_not_count_as_lost(broker: SqliteBroker) -> None:
    broker.send("first", message("innocent"))

    for _ in range(5):
        with broker.subscribe("first", prefetch=1) as subscription:
            following(subscription)

    assert brokers.taken(broker, "first", 1) == [b"innocent"]


def test_depths_count_what_a_dead_process_held_as_ready(
    broker: SqliteBroker, path: Path
) -> None:
    broker.send("first", message(1))
    with process(brokers.hold_one, f"sqlite:{path}") as (_, pipe):
        pipe.recv()
        held = broker.depths()["first"]

    left = broker.depths()["first"]

    assert [(held.ready, held.unsettled), (left.ready, left.unsettled)] == [
        (0, 1),
        (1, 0),
    ]


def test_the_last_cause_of_a_retry_is_told_in_the_dead_letter(
    broker: SqliteBroker,
) -> None:
    broker.publish("made", message(1))
    with broker.subscribe("first", prefetch=1) as subscription:
        following(subscription).retry(AT_ONCE, "store away")
        following(subscription).dead_letter("attempts_spent")

    with broker.subscribe("first.dead", prefetch=1) as subscription:
        told = following(subscription).message.headers

    assert told["x-cause"] == "store away"


def test_a_dead_letter_begins_with_its_own_first_attempt(
    broker: SqliteBroker,
) -> None:
    broker.publish("made", message(1))
    with broker.subscribe("first", prefetch=1) as subscription:
        following(subscription).retry(AT_ONCE, "store away")
        following(subscription).dead_letter("attempts_spent")

    with broker.subscribe("first.dead", prefetch=1) as subscription:
        dead = following(subscription)

    assert dead.attempt == 1


def test_a_dead_letter_that_is_dead_lettered_stays_in_its_queue(
    broker: SqliteBroker,
) -> None:
    broker.send("first.dead", message(1))
    with broker.subscribe("first.dead", prefetch=1) as subscription:
        following(subscription).dead_letter("malformed_event")

    depths = broker.depths()

    assert (depths["first.dead"].ready, "first.dead.dead" in depths) == (1, False)


def test_released_messages_let_others_pass(broker: SqliteBroker) -> None:
    broker.send("first", message(1))
    broker.send("first", message(2))

    with broker.subscribe("first", prefetch=1) as subscription:
        got = []
        for _ in range(4):
            delivery = following(subscription)
            got.append(delivery.message.body)
            delivery.release()

    assert got == [b"1", b"2", b"1", b"2"]


def test_a_consumer_without_its_bell_is_told(broker: SqliteBroker, path: Path) -> None:
    with broker.subscribe("first", prefetch=1) as subscription:
        for bell in path.with_name("broker.db.d").iterdir():
            bell.unlink()
        broker.depths()

        with pytest.raises(Unavailable, match="bell was removed"):
            subscription.receive(AT_ONCE)


def test_prefetch_is_at_least_1(broker: SqliteBroker) -> None:
    with pytest.raises(ValueError, match="prefetch"):
        broker.subscribe("first", prefetch=0)
