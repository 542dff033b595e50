"""The host: how it consumes, what it survives, and how it stops."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from infra.brokers.sqlite_consumers import SqliteDelivery, SqliteSubscription
from infra.demo import wait_until
from infra.platform import Platform
from infra.provision import provision
from infra.runtime import Host
from schemas.errors import Unavailable
from schemas.events import ObjectCreated, dump
from schemas.functions import Context, EventFunction, FunctionSettings, Outcome
from schemas.objects import ObjectRef
from schemas.ports import Message
from tests.platforms import embedded

Handle = Callable[[ObjectCreated, Context[Any]], Outcome]
SOON = timedelta(seconds=5)
EVENT = Message(dump(ObjectCreated(ObjectRef("quarantine", "drops/p1/a", "v1"))))


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with embedded(tmp_path) as opened:
        yield opened


def function_of(handle: Handle) -> EventFunction[Any]:
    return EventFunction(
        "sanitizer", "quarantine", "promotion", FunctionSettings, handle
    )


def depth(platform: Platform, queue: str) -> int:
    depths = platform.broker.depths()[queue]
    return depths.ready + depths.delayed + depths.unsettled


def test_a_host_finishes_the_work_at_hand_and_takes_no_more(
    platform: Platform,
) -> None:
    begun, go_on = Event(), Event()

    def handle(event: ObjectCreated, ctx: Context[Any]) -> Outcome:
        begun.set()
        go_on.wait(5)
        return Outcome.DONE

    platform.settings.workers = 1
    host = Host(platform, function_of(handle))
    for _ in range(2):
        platform.broker.send("sanitizer", EVENT)
    host.start()
    begun.wait(5)
    host.stop()
    go_on.set()

    assert host.join(SOON)
    assert depth(platform, "sanitizer") == 1


def test_a_host_pauses_through_an_outage_and_goes_on(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    handled, probed = Event(), Event()
    healthy = platform.records.ping

    def ping() -> None:
        if not probed.is_set():
            probed.set()
            raise Unavailable("the database does not answer")
        healthy()

    def handle(event: ObjectCreated, ctx: Context[Any]) -> Outcome:
        if not probed.is_set():
            raise Unavailable("the database does not answer")
        handled.set()
        return Outcome.DONE

    monkeypatch.setattr(platform.records, "ping", ping)
    host = Host(platform, function_of(handle))
    host.start()
    platform.broker.send("sanitizer", EVENT)
    recovered = handled.wait(10)
    host.stop()

    assert recovered
    assert host.join(SOON)
    assert depth(platform, "sanitizer.dead") == 0


def lose_consumers(folder: Path) -> None:
    """Make the broker take every consumer for dead."""
    for bell in (folder / "broker.db.d").iterdir():
        bell.unlink()


def handling(platform: Platform) -> tuple[Host, Event]:
    handled = Event()

    def handle(event: ObjectCreated, ctx: Context[Any]) -> Outcome:
        handled.set()
        return Outcome.DONE

    host = Host(platform, function_of(handle))
    host.start()
    return host, handled


def test_a_host_whose_subscription_was_lost_subscribes_again(
    platform: Platform, tmp_path: Path
) -> None:
    host, handled = handling(platform)

    lose_consumers(tmp_path)
    platform.broker.send("sanitizer", EVENT)
    recovered = handled.wait(10)
    host.stop()

    assert recovered
    assert host.join(SOON)


def test_a_host_whose_queue_vanished_waits_until_it_is_provisioned_again(
    platform: Platform, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    host, handled = handling(platform)

    with closing(sqlite3.connect(tmp_path / "broker.db", isolation_level=None)) as db:
        db.execute("DELETE FROM queue")
    lose_consumers(tmp_path)
    missed = wait_until(lambda: "QueueNotFound" in str(causes(caplog)), timeout_s=10)
    provision(platform)
    platform.broker.send("sanitizer", EVENT)
    recovered = handled.wait(10)
    host.stop()

    assert missed
    assert recovered
    assert host.join(SOON)


def causes(caplog: pytest.LogCaptureFixture) -> list[Any]:
    return [getattr(record, "cause", None) for record in caplog.records]


def test_acknowledgements_that_fail_take_no_place_under_the_prefetch(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.settings.workers = 1
    failures = iter([True, True, False])
    acknowledge = SqliteDelivery.ack

    def ack(delivery: SqliteDelivery) -> None:
        if next(failures, False):
            raise Unavailable("the broker does not answer")
        acknowledge(delivery)

    monkeypatch.setattr(SqliteDelivery, "ack", ack)
    platform.broker.send("sanitizer", EVENT)
    host, _ = handling(platform)
    settled = wait_until(lambda: depth(platform, "sanitizer") == 0, timeout_s=10)
    host.stop()

    assert settled
    assert host.join(SOON)


def test_a_worker_survives_what_nobody_foresaw(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([True] * 4)
    receive = SqliteSubscription.receive

    def broken(subscription: SqliteSubscription, timeout: timedelta) -> Any:
        if next(failures, False):
            raise KeyError("a bug")
        return receive(subscription, timeout)

    monkeypatch.setattr(SqliteSubscription, "receive", broken)
    host, handled = handling(platform)
    platform.broker.send("sanitizer", EVENT)
    recovered = handled.wait(10)
    alive = host.alive()
    host.stop()

    assert recovered
    assert alive
    assert host.join(SOON)
