"""Replay: which events are made again, and from what."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from infra.platform import Platform, utcnow
from infra.replay import Selection, dead_letters, events_from, picks_letter
from schemas.errors import QueueNotFound
from schemas.events import created, dump
from schemas.lifecycle import Status
from schemas.objects import ObjectInfo
from schemas.ports import Message
from tests.platforms import asset_of, deliver, embedded, quarantined

HOUR = timedelta(hours=1)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with embedded(tmp_path) as opened:
        yield opened


def keys(platform: Platform, origin: str, selection: Selection) -> list[str]:
    return [event.ref.key for event in events_from(origin, platform, selection)]


def test_what_is_no_event_does_not_keep_the_rest_of_the_journal_from_replay(
    platform: Platform,
) -> None:
    first = quarantined(platform, b"one")
    platform.broker.publish("object.created.quarantine", Message(b"garbage"))
    second = quarantined(platform, b"two")

    replayed = keys(platform, "journal", Selection())

    assert replayed == [first.ref.key, second.ref.key]


@pytest.mark.parametrize("origin", ["bucket", "journal", "records"])
def test_a_status_selects_whatever_the_events_are_made_from(
    platform: Platform, origin: str
) -> None:
    promoted = quarantined(platform, b"one")
    quarantined(platform, b"two")
    deliver(platform, "sanitizer", promoted)

    replayed = keys(platform, origin, Selection(status=Status.SANITIZED))

    asset = asset_of(platform, promoted)
    assert set(replayed) <= {asset.path, promoted.ref.key}
    assert asset.path in replayed


@pytest.mark.parametrize("origin", ["bucket", "journal", "records"])
@pytest.mark.parametrize("field", ["since", "until"])
def test_a_time_selects_whatever_the_events_are_made_from(
    platform: Platform, origin: str, field: str
) -> None:
    info = quarantined(platform, b"one")
    since = utcnow() + HOUR if field == "since" else None
    until = utcnow() - HOUR if field == "until" else None

    replayed = keys(platform, origin, Selection(since, until, info.ref.key))

    assert replayed == []


def test_one_asset_is_replayed_from_its_record_only_if_all_else_matches(
    platform: Platform,
) -> None:
    asset = asset_of(platform, quarantined(platform, b"one"))

    other = Selection(asset_id=asset.id, status=Status.PROCESSED)

    assert keys(platform, "records", Selection(asset_id=asset.id)) == [asset.source_key]
    assert keys(platform, "records", other) == []


def dead(platform: Platform, body: bytes) -> None:
    platform.broker.send("sanitizer", Message(body))
    with platform.broker.subscribe("sanitizer", prefetch=9) as subscription:
        while delivery := subscription.receive(timedelta()):
            delivery.dead_letter("no")


def picked(platform: Platform, selection: Selection) -> int:
    letters = dead_letters(platform.broker, "sanitizer")
    return sum(picks_letter(platform, selection, letter) for letter in letters)


@pytest.fixture
def dead_info(platform: Platform) -> ObjectInfo:
    """A dead letter about an object, beside one about another and one of garbage."""
    info, other = (quarantined(platform, b"text") for _ in range(2))
    for body in (dump(created(info)), dump(created(other)), b"garbage"):
        dead(platform, body)
    return info


def test_dead_letters_are_selected_as_events_are(
    platform: Platform, dead_info: ObjectInfo
) -> None:
    everything = picked(platform, Selection())
    of_one = picked(platform, Selection(prefix=dead_info.ref.key))
    later = picked(platform, Selection(since=utcnow() + HOUR))
    pending = picked(platform, Selection(status=Status.PROCESSED))

    # Both events lie there twice: once sent by hand, once announced by the store.
    assert (everything, of_one, later, pending) == (5, 2, 0, 0)


def test_dead_letters_of_nothing_provisioned_are_a_clear_error(
    platform: Platform,
) -> None:
    with pytest.raises(QueueNotFound, match="scanner"):
        list(dead_letters(platform.broker, "scanner"))
