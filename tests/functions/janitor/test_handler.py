"""The janitor on the embedded platform, with a clock that the test moves."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from infra.platform import Platform
from schemas.errors import Conflict, Unavailable
from schemas.facts import Arrived, Promoted
from schemas.lifecycle import Status
from tests.platforms import (
    PROJECT,
    HandClock,
    asset_of,
    deliver,
    dropped,
    embedded,
    quarantine,
    quarantined,
    stored,
)

GRACE = timedelta(seconds=20)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def platform(tmp_path: Path, clock: HandClock) -> Iterator[Platform]:
    # Every notification is lost: what is found, the janitor found.
    with embedded(tmp_path, clock=clock, store_options="?announce=off") as opened:
        yield opened


def tidy(platform: Platform) -> dict[str, int]:
    function: Any = platform.functions["janitor"]
    counts: dict[str, int] = function.run(platform.context(function))
    return counts


def ready(platform: Platform, queue: str) -> int:
    return platform.broker.depths()[queue].ready


def test_an_unknown_drop_is_adopted_row_first(platform: Platform) -> None:
    info = dropped(platform, b"text")

    tidy(platform)

    assert asset_of(platform, info).status == Status.QUARANTINED
    assert ready(platform, "sanitizer") == 0


def test_a_drop_without_consent_is_adopted_and_never_announced(
    platform: Platform, clock: HandClock
) -> None:
    info = dropped(platform, b"text", consent=False)
    tidy(platform)

    clock.advance(GRACE * 100)
    tidy(platform)

    assert asset_of(platform, info).status == Status.AWAITING_CONSENT
    assert ready(platform, "sanitizer") == 0


def test_an_upload_whose_event_was_lost_is_announced_after_the_grace(
    platform: Platform, clock: HandClock
) -> None:
    quarantined(platform, b"text")
    tidy(platform)

    clock.advance(GRACE)
    tidy(platform)

    assert ready(platform, "sanitizer") == 1


def test_a_backlog_is_not_announced_over_and_over(
    platform: Platform, clock: HandClock
) -> None:
    quarantined(platform, b"text")

    for _ in range(60):
        tidy(platform)
        clock.advance(timedelta(seconds=10))

    # Ten minutes: the pauses double, so it is 5 reminders and not 30.
    assert ready(platform, "sanitizer") == 5


def test_a_sanitized_asset_whose_event_was_lost_is_announced_to_metadata(
    platform: Platform, clock: HandClock
) -> None:
    info = quarantined(platform, b"text")
    deliver(platform, "sanitizer", info)

    clock.advance(GRACE)
    tidy(platform)

    assert ready(platform, "metadata") == 1
    assert ready(platform, "sanitizer") == 0


def test_an_upload_whose_bytes_never_came_expires(
    platform: Platform, clock: HandClock
) -> None:
    info = quarantined(platform, b"text")
    platform.store.delete(info.ref)

    clock.advance(timedelta(hours=1))
    tidy(platform)

    assert asset_of(platform, info).status == Status.EXPIRED


def test_bytes_that_come_after_all_revive_an_expired_upload(
    platform: Platform, clock: HandClock
) -> None:
    info = quarantined(platform, b"text")
    platform.store.delete(info.ref)
    clock.advance(timedelta(hours=1))
    tidy(platform)

    stored(platform, info.ref.key, b"late")
    tidy(platform)

    assert asset_of(platform, info).status == Status.QUARANTINED


def test_a_version_left_behind_after_promotion_is_collected(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = quarantined(platform, b"text")
    with monkeypatch.context() as patch:
        patch.setattr(platform.store, "delete", lambda ref: None)
        deliver(platform, "sanitizer", info)

    tidy(platform)

    assert quarantine(platform) == []


def test_an_upload_shaped_object_without_a_row_is_collected(
    platform: Platform,
) -> None:
    stored(platform, f"uploads/{PROJECT}/{uuid4()}", b"nobody agreed to this")

    tidy(platform)

    assert quarantine(platform) == []


def test_a_stray_key_is_left_alone(platform: Platform) -> None:
    stored(platform, "elsewhere/file.bin", b"text")

    counts = tidy(platform)

    assert counts == {"stray": 1}
    assert len(quarantine(platform)) == 1


def test_an_object_that_vanished_leaves_a_reason_and_no_loop(
    platform: Platform, clock: HandClock
) -> None:
    info = quarantined(platform, b"text")
    asset = asset_of(platform, info)
    platform.records.note(asset.id, Arrived(clock(), info.ref.version))
    platform.store.delete(info.ref)

    for _ in range(3):
        clock.advance(GRACE * 10)
        tidy(platform)

    asset = asset_of(platform, info)
    assert asset.fault == "promotion: object_missing"
    assert asset.next_announce_at is None
    assert ready(platform, "sanitizer") == 0


def test_one_record_that_cannot_be_changed_does_not_stop_the_pass(
    platform: Platform, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, other = (quarantined(platform, b"text") for _ in range(2))
    stuck_id = asset_of(platform, stuck).id
    note = platform.records.note

    def contended(asset_id: UUID, *facts: Any) -> Any:
        if asset_id == stuck_id:
            raise Conflict("others changed the record at every try")
        return note(asset_id, *facts)

    monkeypatch.setattr(platform.records, "note", contended)
    counts = tidy(platform)

    assert counts == {"passed_over": 1, "arrived": 1}
    assert asset_of(platform, other).status == Status.QUARANTINED


def test_an_outage_ends_the_pass(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarantined(platform, b"text")

    def down(asset_id: UUID, *facts: Any) -> Any:
        raise Unavailable("the database does not answer")

    monkeypatch.setattr(platform.records, "note", down)

    with pytest.raises(Unavailable):
        tidy(platform)


def test_what_is_due_does_not_wait_for_the_walk(
    platform: Platform, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarantined(platform, b"text")
    tidy(platform)
    clock.advance(GRACE)

    def endless(bucket: str) -> Any:
        raise Unavailable("the walk came to no end")

    monkeypatch.setattr(platform.store, "list", endless)
    with pytest.raises(Unavailable):
        tidy(platform)

    assert ready(platform, "sanitizer") == 1


def test_a_missing_clean_object_is_a_fault_of_the_description(
    platform: Platform, clock: HandClock
) -> None:
    info = quarantined(platform, b"text")
    asset = asset_of(platform, info)
    promoted = Promoted(
        verdict="clean",
        path=f"{PROJECT}/{asset.id}/gone.bin",
        media_type="image/png",
        size_bytes=1,
        sha256="0" * 64,
        source_sha256="0" * 64,
        sanitizer_version="1",
    )
    platform.records.note(asset.id, Arrived(clock(), info.ref.version), promoted)

    clock.advance(GRACE)
    tidy(platform)

    assert asset_of(platform, info).fault == "description: object_missing"
