"""The host: what becomes of a delivery."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.outages import outage
from infra.platform import Platform
from infra.runtime import Outage, settle
from schemas.errors import Conflict, PermanentError, TransientError, Unavailable
from schemas.events import ObjectCreated, created, dump
from schemas.functions import Context, EventFunction, FunctionSettings, Outcome
from schemas.objects import ObjectRef
from schemas.ports import Delivery, Message
from tests.platforms import asset_of, embedded, quarantined

Handle = Callable[[ObjectCreated, Context[Any]], Outcome]
LADDER = (timedelta(0), timedelta(0))
SOON = timedelta(seconds=5)
EVENT = Message(dump(ObjectCreated(ObjectRef("quarantine", "drops/p1/a", "v1"))))


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with embedded(tmp_path) as opened:
        yield opened


def fails_with(error: Exception) -> Handle:
    def handle(event: ObjectCreated, ctx: Context[Any]) -> Outcome:
        raise error

    return handle


def function_of(handle: Handle) -> EventFunction[Any]:
    return EventFunction(
        "sanitizer", "quarantine", "promotion", FunctionSettings, handle
    )


def settle_next(platform: Platform, handle: Handle) -> Delivery:
    function = function_of(handle)
    with platform.broker.subscribe("sanitizer", prefetch=1) as subscription:
        delivery = subscription.receive(SOON)
        assert delivery is not None
        settle(delivery, function, platform.context(function), LADDER)
    return delivery


def depth(platform: Platform, queue: str) -> int:
    depths = platform.broker.depths()[queue]
    return depths.ready + depths.delayed + depths.unsettled


def test_a_handled_event_is_gone(platform: Platform) -> None:
    platform.broker.send("sanitizer", EVENT)

    settle_next(platform, lambda event, ctx: Outcome.DONE)

    assert depth(platform, "sanitizer") == 0


def test_a_refused_file_is_an_outcome_and_no_failure(platform: Platform) -> None:
    platform.broker.send("sanitizer", EVENT)

    settle_next(platform, lambda event, ctx: Outcome.REJECTED)

    assert depth(platform, "sanitizer") == 0
    assert depth(platform, "sanitizer.dead") == 0


@pytest.mark.parametrize("error", [TransientError("not yet"), KeyError("a bug")])
def test_a_failure_that_may_pass_climbs_the_ladder_and_ends_as_dead_letter(
    platform: Platform, error: Exception
) -> None:
    platform.broker.send("sanitizer", EVENT)

    attempts = [settle_next(platform, fails_with(error)).attempt for _ in range(3)]

    assert attempts == [1, 2, 3]
    assert depth(platform, "sanitizer") == 0
    assert depth(platform, "sanitizer.dead") == 1


def test_a_permanent_error_is_dead_lettered_at_once_with_its_reason(
    platform: Platform,
) -> None:
    platform.broker.send("sanitizer", EVENT)

    settle_next(platform, fails_with(PermanentError("no way")))

    with platform.broker.subscribe("sanitizer.dead", prefetch=1) as subscription:
        letter = subscription.receive(SOON)
        assert letter is not None
        assert letter.message.headers["x-reason"] == "permanent: no way"


@pytest.mark.parametrize("body", [b"", b"\xff\x00", b"[]", b'{"Records": [1]}'])
def test_garbage_is_dead_lettered_and_its_neighbour_is_handled(
    platform: Platform, body: bytes
) -> None:
    platform.broker.send("sanitizer", Message(body))
    platform.broker.send("sanitizer", EVENT)

    for _ in range(2):
        settle_next(platform, lambda event, ctx: Outcome.DONE)

    assert depth(platform, "sanitizer") == 0
    assert depth(platform, "sanitizer.dead") == 1


def test_a_dead_lettered_event_leaves_its_fault_on_the_record(
    platform: Platform,
) -> None:
    info = quarantined(platform, b"text")

    settle_next(platform, fails_with(PermanentError("no way")))

    assert asset_of(platform, info).fault == "promotion: permanent: no way"


def test_a_hostile_error_text_still_ends_in_a_dead_letter_and_a_fault(
    platform: Platform,
) -> None:
    info = quarantined(platform, b"text")

    settle_next(platform, fails_with(PermanentError("a\0b\nc " + "x" * 9000)))

    fault = asset_of(platform, info).fault
    assert fault is not None
    assert fault.startswith("promotion: permanent: ab c xxx")
    assert len(fault) < 600
    assert depth(platform, "sanitizer.dead") == 1


def test_only_the_event_that_failed_leaves_a_fault(platform: Platform) -> None:
    innocent, guilty = (quarantined(platform, b"text") for _ in range(2))
    for _ in range(2):
        settle_next(platform, lambda event, ctx: Outcome.DONE)
    records = [json.loads(dump(created(i)))["Records"][0] for i in (innocent, guilty)]
    platform.broker.send(
        "sanitizer", Message(json.dumps({"Records": records}).encode())
    )

    def handle(event: ObjectCreated, ctx: Context[Any]) -> Outcome:
        if event.ref == guilty.ref:
            raise PermanentError("no way")
        return Outcome.DONE

    settle_next(platform, handle)

    assert asset_of(platform, guilty).fault == "promotion: permanent: no way"
    assert asset_of(platform, innocent).fault is None


def test_an_outage_releases_the_delivery_and_burns_no_attempt(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.broker.send("sanitizer", EVENT)
    down = Unavailable("the database does not answer")

    def ping() -> None:
        raise down

    with monkeypatch.context() as patch:
        patch.setattr(platform.records, "ping", ping)
        with pytest.raises(Outage):
            settle_next(platform, fails_with(down))

    assert settle_next(platform, lambda event, ctx: Outcome.DONE).attempt == 1


def test_a_call_that_fails_while_the_servers_answer_burns_an_attempt(
    platform: Platform,
) -> None:
    platform.broker.send("sanitizer", EVENT)

    settle_next(platform, fails_with(Unavailable("one call timed out")))

    assert settle_next(platform, lambda event, ctx: Outcome.DONE).attempt == 2


def test_what_a_server_can_not_do_now_is_tried_for_as_long_as_that_lasts(
    platform: Platform,
) -> None:
    platform.broker.send("sanitizer", EVENT)
    full = fails_with(Unavailable("the store's disk is full"))

    attempts = [settle_next(platform, full).attempt for _ in range(5)]

    assert attempts == [1, 2, 3, 4, 5]
    assert settle_next(platform, lambda event, ctx: Outcome.DONE).attempt == 6
    assert depth(platform, "sanitizer.dead") == 0


def test_a_locked_database_is_an_outage_too(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ping() -> None:
        raise Conflict("others held the database at every try")

    monkeypatch.setattr(platform.records, "ping", ping)

    assert outage(platform.context(function_of(fails_with(KeyError())))) is not None


def test_what_is_interrupted_by_closing_burns_no_attempt_and_leaves_no_fault(
    platform: Platform,
) -> None:
    info = quarantined(platform, b"text")
    function = function_of(fails_with(Unavailable("the sandbox was closed")))

    with platform.broker.subscribe("sanitizer", prefetch=1) as subscription:
        delivery = subscription.receive(SOON)
        assert delivery is not None
        context = platform.context(function)
        settle(delivery, function, context, (), stopping=lambda: True)

    assert asset_of(platform, info).fault is None
    assert settle_next(platform, lambda event, ctx: Outcome.DONE).attempt == 1


def test_the_last_attempt_is_announced_to_the_handler(platform: Platform) -> None:
    seen: list[bool] = []

    def handle(event: ObjectCreated, ctx: Context[Any]) -> Outcome:
        seen.append(ctx.last_attempt)
        raise TransientError("not yet")

    platform.broker.send("sanitizer", EVENT)
    for _ in range(3):
        settle_next(platform, handle)

    assert seen == [False, False, True]
