"""What an attacker has in hand, and how to see what came of it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from infra.demo import wait_until
from infra.platform import Platform
from infra.samples import images
from schemas.assets import Asset
from schemas.errors import AssetNotFound
from schemas.lifecycle import FINAL, PARKED, Status
from schemas.objects import ObjectRef, PresignedUpload

PATIENCE_S = 60
PHOTO = images.photo()
OTHER = images.photo(orientation=3)[: len(PHOTO)].ljust(len(PHOTO), b"\0")


@dataclass(frozen=True)
class Granted:
    """A presigned PUT for one photo."""

    asset_id: UUID
    upload: PresignedUpload

    def send(self, data: bytes = PHOTO, **headers: str) -> int:
        """Send *data* with more headers; return the answer's status."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = self.upload.headers | more
        return httpx.put(self.upload.url, content=data, headers=sent).status_code


def settled(platform: Platform, asset_id: UUID) -> Asset:
    """Return an asset when nothing more will happen by itself."""
    found: list[Asset] = []

    def done() -> bool:
        try:
            found.append(platform.records.get(asset_id))
        except AssetNotFound:
            return False
        return Status(found[-1].status) in FINAL | PARKED

    assert wait_until(done, timeout_s=PATIENCE_S), found[-1:]
    return found[-1]


def in_quarantine(platform: Platform, key: str) -> list[Any]:
    """Return the versions of a key."""
    bucket = platform.settings.quarantine_bucket
    return list(platform.store.list(bucket, key))


def gone(platform: Platform, key: str) -> bool:
    """Whether every version of a key is deleted in time."""
    return wait_until(lambda: not in_quarantine(platform, key), timeout_s=PATIENCE_S)


def clean_copy(platform: Platform, asset: Asset) -> bytes:
    """Return the clean bytes of an asset."""
    with platform.store.open(
        ObjectRef(platform.settings.clean_bucket, asset.path)
    ) as stream:
        return stream.read()
