"""The sanitizer's handler on the embedded platform."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from infra.platform import Platform
from infra.samples import images
from schemas.assets import Project
from schemas.errors import Rejected, SandboxFailure
from schemas.events import created
from schemas.functions import Outcome
from schemas.lifecycle import ConsentState, Status
from tests.platforms import (
    PROJECT,
    asset_of,
    clean_bytes,
    clean_info,
    deliver,
    dropped,
    embedded,
    quarantine,
    quarantined,
    stored,
)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with embedded(tmp_path) as opened:
        yield opened


def test_a_photo_is_promoted_and_its_quarantined_version_is_deleted(
    platform: Platform,
) -> None:
    info = quarantined(platform, images.photo(), filename="holiday.jpg")

    outcome = deliver(platform, "sanitizer", info)

    asset = asset_of(platform, info)
    assert outcome is Outcome.DONE
    assert asset.status == Status.SANITIZED
    assert asset.exif_stripped
    assert "gps_position" in asset.findings
    assert b"Exif" not in clean_bytes(platform, asset)
    assert quarantine(platform) == []


def test_a_redelivered_event_finds_nothing_left_to_do(platform: Platform) -> None:
    info = quarantined(platform, images.photo())
    deliver(platform, "sanitizer", info)
    before = asset_of(platform, info)

    outcome = deliver(platform, "sanitizer", info)

    assert outcome is Outcome.STALE
    assert asset_of(platform, info) == before


def test_a_file_without_consent_is_never_opened(platform: Platform) -> None:
    info = dropped(platform, images.photo(), consent=False)

    outcome = deliver(platform, "sanitizer", info)

    assert outcome is Outcome.PARKED
    assert asset_of(platform, info).status == Status.AWAITING_CONSENT
    assert asset_of(platform, info).source_sha256 is None
    assert len(quarantine(platform)) == 1


def test_a_drop_with_consent_is_adopted_and_promoted(platform: Platform) -> None:
    info = dropped(platform, images.photo(), "my photo.jpg")

    deliver(platform, "sanitizer", info)

    asset = asset_of(platform, info)
    assert (asset.door, asset.status) == ("drop", Status.SANITIZED)
    assert asset.path.endswith("my_photo.jpg")
    assert platform.records.consent(asset.id) is not None


def test_a_copied_drop_carries_no_consent(platform: Platform) -> None:
    info = dropped(platform, images.photo())

    outcome = deliver(platform, "sanitizer", created(info, "Copy"))

    assert outcome is Outcome.PARKED
    assert asset_of(platform, info).consent == ConsentState.MISSING


def test_a_second_drop_under_the_same_key_is_a_second_asset(
    platform: Platform,
) -> None:
    first = dropped(platform, images.photo())
    second = dropped(platform, b"plain text")

    outcomes = {deliver(platform, "sanitizer", info) for info in (first, second)}

    assert outcomes == {Outcome.DONE}
    assert asset_of(platform, first).id != asset_of(platform, second).id


def test_an_upload_shaped_object_without_a_row_is_deleted(platform: Platform) -> None:
    info = stored(platform, f"uploads/{PROJECT}/{uuid4()}", images.photo())

    outcome = deliver(platform, "sanitizer", info)

    assert outcome is Outcome.STALE
    assert quarantine(platform) == []


def test_a_presigned_url_used_again_changes_nothing_and_leaves_nothing(
    platform: Platform,
) -> None:
    info = quarantined(platform, images.photo())
    deliver(platform, "sanitizer", info)
    before = clean_bytes(platform, asset_of(platform, info))
    again = stored(platform, info.ref.key, b"something else")

    outcome = deliver(platform, "sanitizer", again)

    assert outcome is Outcome.STALE
    assert clean_bytes(platform, asset_of(platform, info)) == before
    assert quarantine(platform) == []


@pytest.mark.parametrize("bucket", ["clean", "elsewhere"])
def test_a_forged_event_of_another_bucket_is_stale(
    platform: Platform, bucket: str
) -> None:
    info = quarantined(platform, images.photo())
    forged = replace(created(info), ref=replace(info.ref, bucket=bucket))

    outcome = deliver(platform, "sanitizer", forged)

    assert outcome is Outcome.STALE
    assert asset_of(platform, info).status == Status.PENDING


def test_an_event_about_nothing_is_stale(platform: Platform) -> None:
    info = quarantined(platform, images.photo())
    platform.store.delete(info.ref)

    outcome = deliver(platform, "sanitizer", info)

    assert outcome is Outcome.STALE


def test_half_an_image_is_refused_with_a_reason(platform: Platform) -> None:
    info = quarantined(platform, images.halved(images.photo()))

    outcome = deliver(platform, "sanitizer", info)

    asset = asset_of(platform, info)
    assert outcome is Outcome.REJECTED
    assert (asset.status, asset.reason) == (Status.REJECTED, "unreadable_image")
    assert quarantine(platform) == []


@pytest.mark.parametrize(
    ("other", "status"),
    [
        ("promote", Status.SANITIZED),
        ("hold", Status.HELD),
        ("reject", Status.REJECTED),
    ],
)
def test_other_types_follow_the_projects_policy(
    platform: Platform, other: str, status: Status
) -> None:
    platform.records.save_project(Project(id=PROJECT, other=other))
    info = quarantined(platform, b"just text\n", filename="notes.txt")

    deliver(platform, "sanitizer", info)

    asset = asset_of(platform, info)
    assert asset.status == status
    assert not asset.exif_stripped


def test_what_passed_untouched_is_served_as_a_download_without_a_type(
    platform: Platform,
) -> None:
    info = quarantined(platform, b"<html>hello</html>", filename="page.html")

    deliver(platform, "sanitizer", info)

    asset = asset_of(platform, info)
    assert asset.promotion == "passed"
    assert clean_info(platform, asset).media_type == "application/octet-stream"


def test_a_core_that_crashes_is_retried_and_judged_at_the_last_attempt(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = quarantined(platform, images.photo())
    function = next(f for f in platform.event_functions if f.name == "sanitizer")
    ctx = platform.context(function)

    def crash(*args: Any) -> None:
        raise SandboxFailure("core_crashed", "signal 11")

    monkeypatch.setattr(platform.sandbox, "run", crash)
    with pytest.raises(SandboxFailure):
        function.handle(created(info), ctx)
    outcome = function.handle(created(info), replace(ctx, last_attempt=True))

    assert outcome is Outcome.REJECTED
    assert asset_of(platform, info).reason == "core_crashed"


def test_a_result_that_fails_verification_raises_an_alarm(
    platform: Platform,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    info = quarantined(platform, images.photo())

    def careless(*_: object) -> Any:
        raise Rejected("verification_failed", "segment FFE1")

    monkeypatch.setattr(platform.sandbox, "run", careless)
    deliver(platform, "sanitizer", info)

    alarms = [r for r in caplog.records if r.message == "verification_failed"]
    assert [record.levelname for record in alarms] == ["ERROR"]
    assert platform.records.reasons() == {"verification_failed": 1}
    assert asset_of(platform, info).status == Status.REJECTED
