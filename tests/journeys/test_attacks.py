"""What clients may try with a presigned URL or a dropper's key, on real servers.

The users are the ones that provision makes. Whatever is tried, what was vetted stays,
and nothing comes out of quarantine but by the sanitizer.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import pytest
from minio import Minio
from minio.commonconfig import CopySource
from minio.error import S3Error

from infra.demo import any_outcome, wait_until
from infra.platform import Platform
from schemas.assets import Asset
from schemas.doors import CONSENT_METADATA, source_of, upload_key
from schemas.lifecycle import Status
from schemas.objects import ObjectRef, PresignedUpload
from tests.journeys.attacks import (
    OTHER,
    PATIENCE_S,
    PHOTO,
    Granted,
    clean_copy,
    gone,
    in_quarantine,
    settled,
)
from tests.worlds import Servers, World, world

pytestmark = pytest.mark.servers
_PROJECT = "attacked"
# The janitor in a hurry: what no event tells is found soon.
_HURRY = {
    "PRATIQUE_GRACE_S": "1",
    "JANITOR_EVERY_S": "0.5",
    "JANITOR_MIN_BACKOFF_S": "1",
}


@pytest.fixture(scope="module")
def scene(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    with world(
        servers, tmp_path_factory.mktemp("scene"), environment=_HURRY, grace_s=1
    ) as built:
        yield built


@pytest.fixture
def granted(scene: World) -> Granted:
    wish = {
        "project_id": _PROJECT,
        "user_consent": True,
        "filename": "photo.jpg",
        "content_type": "image/jpeg",
        "size_bytes": len(PHOTO),
        "method": "put",
    }
    answer = httpx.post(f"{scene.platform.public_url}/uploads", json=wish).json()
    upload = PresignedUpload.model_validate(answer["upload"])
    return Granted(UUID(answer["asset_id"]), upload)


@pytest.fixture
def vetted(scene: World, tmp_path: Path) -> Asset:
    """A photo that is through."""
    path = tmp_path / "vetted.jpg"
    path.write_bytes(PHOTO)
    case = any_outcome(path, "form")
    scene.demo.send(case)
    return settled(scene.platform, UUID(case.answer["asset_id"]))


@pytest.fixture(scope="module")
def dropper(scene: World) -> Minio:
    """The store as a dropper reaches it."""
    servers = scene.servers
    address = urlsplit(servers.store.removeprefix("s3+")).netloc.rpartition("@")[2]
    name = servers.users.store_user("dropper")
    return Minio(address, name, servers.secret, secure=False, region="us-east-1")


@pytest.mark.parametrize("data", [b"", PHOTO])
def test_an_upload_url_copies_nobodys_file(
    scene: World, granted: Granted, vetted: Asset, data: bytes
) -> None:
    source = f"/{scene.platform.settings.clean_bucket}/{vetted.path}"

    status = granted.send(data, x_amz_copy_source=source)

    key = upload_key(_PROJECT, granted.asset_id)
    assert status == 403
    assert in_quarantine(scene.platform, key) == []


def test_a_suppressed_event_with_a_forged_time_is_found_by_the_janitor(
    scene: World, granted: Granted
) -> None:
    before = datetime.now(UTC)

    status = granted.send(
        X_Minio_Source_Replication_Request="true",
        x_minio_source_mtime="2040-01-01T00:00:00Z",
    )
    asset = settled(scene.platform, granted.asset_id)

    assert status == 200
    assert asset.status == Status.PROCESSED
    assert asset.arrived_at is not None
    assert before - timedelta(seconds=1) <= asset.arrived_at <= datetime.now(UTC)


def test_metadata_that_was_not_signed_is_refused(
    scene: World, granted: Granted
) -> None:
    status = granted.send(x_amz_meta_user_consent="true")

    key = upload_key(_PROJECT, granted.asset_id)
    assert 400 <= status < 500
    assert in_quarantine(scene.platform, key) == []


def test_an_upload_url_fits_no_other_key(scene: World, granted: Granted) -> None:
    other = upload_key(_PROJECT, uuid4())
    moved = granted.upload.url.replace(upload_key(_PROJECT, granted.asset_id), other)

    status = httpx.put(moved, content=PHOTO, headers=granted.upload.headers).status_code

    assert moved != granted.upload.url
    assert status == 403
    assert in_quarantine(scene.platform, other) == []


@pytest.mark.parametrize("data", [b"", PHOTO[:-1], PHOTO + b"x"])
def test_an_upload_url_takes_no_other_size(
    scene: World, granted: Granted, data: bytes
) -> None:
    status = granted.send(data)

    key = upload_key(_PROJECT, granted.asset_id)
    assert 400 <= status < 500
    assert in_quarantine(scene.platform, key) == []


def test_an_expired_url_stores_nothing(scene: World) -> None:
    key = upload_key(_PROJECT, uuid4())
    hour = timedelta(hours=1)
    late = Platform(scene.platform.settings, clock=lambda: datetime.now(UTC) - hour)
    with late:
        upload = late.store.presign_put(
            ObjectRef("quarantine", key),
            size_bytes=len(PHOTO),
            media_type="image/jpeg",
            metadata={},
            expires=timedelta(minutes=59),
        )

    status = httpx.put(upload.url, content=PHOTO, headers=upload.headers).status_code

    assert status == 403
    assert in_quarantine(scene.platform, key) == []


def test_a_url_used_again_after_promotion_changes_nothing(
    scene: World, granted: Granted
) -> None:
    granted.send()
    before = settled(scene.platform, granted.asset_id)
    clean = clean_copy(scene.platform, before)

    again = granted.send(OTHER)
    collected = gone(scene.platform, before.source_key)

    after = scene.platform.records.get(granted.asset_id)
    assert again == 200
    assert collected
    assert after == before
    assert clean_copy(scene.platform, after) == clean


def test_a_url_used_twice_at_once_gives_one_asset_of_one_of_them(
    scene: World, granted: Granted
) -> None:
    for data in (PHOTO, OTHER):
        granted.send(data)
    asset = settled(scene.platform, granted.asset_id)
    collected = gone(scene.platform, asset.source_key)

    assert collected
    assert asset.status in (Status.PROCESSED, Status.REJECTED)
    assert scene.platform.records.get(granted.asset_id) == asset


def test_a_dropper_can_not_write_over_a_version(
    scene: World, dropper: Minio, tmp_path: Path
) -> None:
    key = f"drops/{_PROJECT}/{uuid4()}.jpg"
    path = tmp_path / "photo.jpg"
    path.write_bytes(PHOTO)
    version = dropper.fput_object("quarantine", key, str(path)).version_id
    url = dropper.get_presigned_url(
        "PUT",
        "quarantine",
        key,
        expires=timedelta(minutes=1),
        extra_query_params={"versionId": str(version)},
    )

    status = httpx.put(url, content=OTHER).status_code

    with scene.platform.store.open(ObjectRef("quarantine", key, version)) as stream:
        assert stream.read() == PHOTO
    assert status == 403


def test_minios_own_metadata_is_no_consent(scene: World, dropper: Minio) -> None:
    key = f"drops/{_PROJECT}/{uuid4()}.jpg"
    url = dropper.presigned_put_object("quarantine", key, expires=timedelta(minutes=1))

    httpx.put(url, content=PHOTO, headers={f"x-minio-meta-{CONSENT_METADATA}": "true"})
    (info,) = in_quarantine(scene.platform, key)
    source = source_of(info.ref)
    assert source is not None

    asset = settled(scene.platform, source.asset_id)
    assert asset.status == Status.AWAITING_CONSENT


def test_a_dropper_can_not_copy_what_others_agreed_to(
    scene: World, dropper: Minio, vetted: Asset
) -> None:
    key = f"drops/{_PROJECT}/{uuid4()}.jpg"

    with pytest.raises(S3Error, match="AccessDenied"):
        dropper.copy_object("quarantine", key, CopySource("clean", vetted.path))

    assert in_quarantine(scene.platform, key) == []


def test_a_dropper_can_not_put_an_upload(scene: World, dropper: Minio) -> None:
    key = upload_key(_PROJECT, uuid4())
    url = dropper.presigned_put_object("quarantine", key, expires=timedelta(minutes=1))

    status = httpx.put(url, content=PHOTO).status_code

    assert status == 403
    assert in_quarantine(scene.platform, key) == []


def test_an_upload_without_a_record_is_deleted(scene: World) -> None:
    key = upload_key(_PROJECT, uuid4())
    with (scene.demo.folder / "stray.jpg").open("w+b") as stream:
        stream.write(PHOTO)
        stream.seek(0)
        scene.platform.store.put(
            ObjectRef("quarantine", key),
            stream,
            size_bytes=len(PHOTO),
            media_type="image/jpeg",
            metadata={CONSENT_METADATA: "true"},
        )

    assert gone(scene.platform, key)


def test_none_of_it_made_a_dead_letter(scene: World) -> None:
    assert wait_until(scene.demo.idle, timeout_s=PATIENCE_S, pause_s=0.5)

    depths = scene.platform.broker.depths()
    assert {name: d.ready for name, d in depths.items() if name.endswith(".dead")} == {
        "sanitizer.dead": 0,
        "metadata.dead": 0,
    }
