"""The sanitizer's handler when workers die, others race, or consent goes meanwhile."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from infra.platform import Platform
from infra.samples import images
from schemas.errors import TransientError
from schemas.facts import Withdrawn
from schemas.functions import Outcome
from schemas.lifecycle import Status
from schemas.objects import ObjectRef
from tests.platforms import (
    PROJECT,
    asset_of,
    clean_info,
    deliver,
    embedded,
    quarantine,
    quarantined,
)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with embedded(tmp_path) as opened:
        yield opened


def test_a_crash_between_the_clean_copy_and_the_record_is_mended(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = quarantined(platform, images.photo())

    def crash(*args: Any) -> None:
        raise TransientError("the worker died here")

    with monkeypatch.context() as patch:
        patch.setattr(platform.records, "note", crash)
        with pytest.raises(TransientError):
            deliver(platform, "sanitizer", info)
    outcome = deliver(platform, "sanitizer", info)

    asset = asset_of(platform, info)
    assert outcome is Outcome.DONE
    assert asset.sha256 == clean_info(platform, asset).metadata["sha256"]


def test_foreign_bytes_under_the_clean_key_are_never_overwritten(
    platform: Platform,
) -> None:
    info = quarantined(platform, images.photo(), filename="a.jpg")
    other = quarantined(platform, b"other bytes", filename="a.jpg")
    deliver(platform, "sanitizer", other)
    taken = asset_of(platform, other)
    blocked = asset_of(platform, info)
    copy = clean_info(platform, taken)
    with platform.store.open(copy.ref) as stream:
        platform.store.put_once(
            ObjectRef("clean", f"{PROJECT}/{blocked.id}/a.jpg"),
            stream,
            size_bytes=copy.size_bytes,
            media_type=copy.media_type,
            metadata=copy.metadata,
        )

    with pytest.raises(TransientError):
        deliver(platform, "sanitizer", info)

    assert asset_of(platform, info).status == Status.PENDING


def test_bytes_of_nobody_knows_whom_under_the_clean_key_are_no_unforeseen_error(
    platform: Platform,
) -> None:
    info = quarantined(platform, b"text", filename="a.bin")
    ref = ObjectRef("clean", f"{PROJECT}/{asset_of(platform, info).id}/a.bin")
    platform.store.put_once(
        ref, BytesIO(b"?"), size_bytes=1, media_type="text/plain", metadata={}
    )

    with pytest.raises(TransientError, match="another source"):
        deliver(platform, "sanitizer", info)


def test_consent_withdrawn_while_the_copy_is_made_leaves_no_byte(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = quarantined(platform, b"text")
    asset_id = asset_of(platform, info).id
    put_once = platform.store.put_once

    def withdrawn_behind(*args: Any, **options: Any) -> Any:
        made = put_once(*args, **options)
        platform.records.note(asset_id, Withdrawn(platform.clock()))
        return made

    monkeypatch.setattr(platform.store, "put_once", withdrawn_behind)
    outcome = deliver(platform, "sanitizer", info)

    assert outcome is Outcome.STALE
    assert quarantine(platform) == []
    assert list(platform.store.list("clean")) == []


def test_a_copy_whose_worker_died_goes_when_its_tombstone_is_met(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = quarantined(platform, b"text")

    def crash(*args: Any) -> None:
        raise TransientError("the worker died here")

    with monkeypatch.context() as patch:
        patch.setattr(platform.records, "note", crash)
        with pytest.raises(TransientError):
            deliver(platform, "sanitizer", info)
    platform.records.note(asset_of(platform, info).id, Withdrawn(platform.clock()))
    deliver(platform, "sanitizer", info)

    assert quarantine(platform) == []
    assert list(platform.store.list("clean")) == []
