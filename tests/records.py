"""Records for tests: a clock set by hand, assets to admit, processes that write."""

from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any
from uuid import UUID, uuid4

from infra.database import open_records
from schemas.assets import Asset
from schemas.facts import Arrived, Checked, Promoted
from schemas.lifecycle import Check, ConsentState
from schemas.ports import AssetRecords

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
GRACE = timedelta(seconds=20)


class Clock:
    """A clock that stands still until a test sets it."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


def new_asset(**given: Any) -> Asset:
    """Return an asset as the upload function admits it, but for what is *given*."""
    values: dict[str, Any] = {
        "id": uuid4(),
        "project_id": "p1",
        "filename": "photo.jpg",
        "door": "form",
        "type": "image/jpeg",
        "source_key": "uploads/p1/1",
        "consent": ConsentState.GIVEN,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Asset(**{**values, **given})


def admit(records: AssetRecords, **given: Any) -> Asset:
    """Store a new asset without a receipt."""
    return records.admit(new_asset(**given), None)


def promoted(**given: Any) -> Promoted:
    """Return the fact that a clean copy stands, but for what is *given*."""
    values: dict[str, Any] = {
        "verdict": "clean",
        "path": "p1/1/photo.jpg",
        "media_type": "image/jpeg",
        "size_bytes": 5_000_000_000,
        "sha256": "ab" * 32,
        "source_sha256": "cd" * 32,
        "sanitizer_version": "1",
        "exif_stripped": True,
        "findings": ("exif", "gps"),
    }
    return Promoted(**{**values, **given})


def arrived(version: str | None = "v1") -> Arrived:
    """Return the fact that the bytes are there."""
    return Arrived(NOW, version)


def opened(url: str, clock: Clock | None = None) -> AssetRecords:
    """Open the records behind *url*."""
    return open_records(url, clock=clock or Clock(), grace=GRACE)


def provision_and_admit(url: str) -> None:
    """Run in a process: start as the platform does and add one asset."""
    records = opened(url)
    records.provision()
    records.admit(new_asset(), None)
    records.close()


def note_checks(
    url: str, asset_id: UUID, writer: int, times: int, tell: Connection | None = None
) -> None:
    """Run in a process: note checks of its own, and tell each once it is noted."""
    records = opened(url)
    for number in range(times):
        name = f"{writer}-{number}"
        records.note(asset_id, Checked(name, Check.PASS))
        if tell is not None:
            tell.send(name)
    records.close()
