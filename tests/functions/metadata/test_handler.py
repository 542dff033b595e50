"""The metadata function's handler on the embedded platform."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infra.platform import Platform
from infra.samples import audio, images
from schemas.assets import Asset
from schemas.events import ObjectCreated, created
from schemas.facts import Withdrawn
from schemas.functions import Outcome
from schemas.lifecycle import Status
from schemas.objects import ObjectRef
from tests.platforms import asset_of, clean_info, deliver, embedded, quarantined


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with embedded(tmp_path) as opened:
        yield opened


def sanitized(platform: Platform, data: bytes) -> Asset:
    info = quarantined(platform, data)
    deliver(platform, "sanitizer", info)
    return asset_of(platform, info)


def described(platform: Platform, asset: Asset) -> Asset:
    deliver(platform, "metadata", clean_info(platform, asset))
    return platform.records.get(asset.id)


def test_audio_yields_its_three_figures(platform: Platform) -> None:
    asset = sanitized(platform, audio.wav(seconds=2.0, rate=8000))

    asset = described(platform, asset)

    assert asset.status == Status.PROCESSED
    assert asset.details["duration_seconds"] == pytest.approx(2.0)
    assert asset.details["samplerate"] == 8000
    assert asset.details["bitrate"] > 0


def test_an_image_yields_its_size(platform: Platform) -> None:
    asset = sanitized(platform, images.photo())

    asset = described(platform, asset)

    assert asset.status == Status.PROCESSED
    assert asset.details["width"] > 0
    assert asset.details["height"] > 0


def test_truncated_audio_ends_as_error_processing_with_a_sentence(
    platform: Platform,
) -> None:
    asset = sanitized(platform, audio.truncated(audio.wav(seconds=2.0)))

    asset = described(platform, asset)

    assert asset.status == Status.ERROR_PROCESSING
    assert set(asset.details) == {"error"}
    assert "Traceback" not in asset.details["error"]


def test_a_redelivered_event_finds_nothing_left_to_do(platform: Platform) -> None:
    asset = described(platform, sanitized(platform, images.photo()))

    outcome = deliver(platform, "metadata", clean_info(platform, asset))

    assert outcome is Outcome.STALE
    assert platform.records.get(asset.id) == asset


def test_an_event_that_overtakes_the_sanitizers_note_is_not_lost(
    platform: Platform,
) -> None:
    info = quarantined(platform, images.photo())
    asset_id = asset_of(platform, info).id
    donor = sanitized(platform, images.photo())
    copy = clean_info(platform, donor)
    ref = ObjectRef("clean", f"{donor.project_id}/{asset_id}/file.bin")
    with platform.store.open(copy.ref) as stream:
        early = platform.store.put_once(
            ref,
            stream,
            size_bytes=copy.size_bytes,
            media_type=copy.media_type,
            metadata={**copy.metadata, "source-sha256": donor.source_sha256 or ""},
        )

    deliver(platform, "metadata", early)
    deliver(platform, "sanitizer", info)

    assert platform.records.get(asset_id).status == Status.PROCESSED


def test_a_withdrawn_asset_is_not_described(platform: Platform) -> None:
    asset = sanitized(platform, images.photo())
    platform.records.note(asset.id, Withdrawn(platform.clock()))

    outcome = deliver(platform, "metadata", clean_info(platform, asset))

    assert outcome is Outcome.STALE


@pytest.mark.parametrize("name", ["x\0y", "..", "x" * 2_000, "other.jpg"])
def test_a_forged_key_of_an_asset_that_is_still_to_come_touches_nothing(
    platform: Platform, name: str
) -> None:
    asset = asset_of(platform, quarantined(platform, images.photo()))
    forged = ObjectCreated(ObjectRef("clean", f"{asset.project_id}/{asset.id}/{name}"))

    outcome = deliver(platform, "metadata", forged)

    assert outcome is Outcome.STALE


def test_events_of_other_buckets_and_foreign_keys_are_stale(
    platform: Platform,
) -> None:
    asset = sanitized(platform, images.photo())
    event = created(clean_info(platform, asset))
    elsewhere = replace(event, ref=replace(event.ref, bucket="quarantine"))
    foreign = ObjectCreated(ObjectRef("clean", "readme.txt"))

    outcomes = [deliver(platform, "metadata", e) for e in (elsewhere, foreign)]

    assert outcomes == [Outcome.STALE, Outcome.STALE]
