"""Embedded platforms for tests: real adapters in a folder of the test's own."""

import atexit
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from shutil import copytree, rmtree
from tempfile import mkdtemp
from typing import Any
from uuid import UUID, uuid4

from infra.platform import Platform, cores, discover, utcnow
from infra.provision import provision
from infra.sandbox import SandboxSettings, open_sandbox
from infra.settings import PlatformSettings, load
from schemas.assets import Asset, receipt
from schemas.doors import CONSENT_METADATA, source_of, upload_key
from schemas.events import ObjectCreated, created
from schemas.lifecycle import ConsentState
from schemas.objects import ObjectInfo, ObjectRef
from schemas.ports import Clock, Sandbox

PROJECT = "p1"


class HandClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        """Move the clock on."""
        self.now += by


def embedded(
    folder: Path, *, clock: Clock = utcnow, store_options: str = "", **given: Any
) -> Platform:
    """Return a provisioned platform on the embedded default in *folder*."""
    copytree(_provisioned(), folder, dirs_exist_ok=True)
    platform = Platform(_settings(folder, store_options, given), clock=clock)
    provision(platform)  # what *given* names otherwise
    vars(platform)["sandbox"] = _sandbox()  # where cached_property keeps it
    return platform


def _settings(
    folder: Path, store_options: str, given: dict[str, Any]
) -> PlatformSettings:
    return load(
        PlatformSettings,
        **{
            "store": f"file:{folder}/objects{store_options}",
            "broker": f"sqlite:{folder}/broker.db",
            "database": f"sqlite:///{folder}/assets.db",
            "port": 0,
            "retry_delays_s": [0, 0],
            "outage_pause_s": 0.05,
            "workers": 2,
            **given,
        },
    )


@cache
def _provisioned() -> Path:
    """Provision what each test gets a copy of: migrations and syncs take their time."""
    folder = Path(mkdtemp())
    atexit.register(rmtree, folder)
    with Platform(_settings(folder, "", {})) as platform:
        provision(platform)
    return folder


@cache
def _sandbox() -> Sandbox:
    """Open the one sandbox that all tests of a process share: it starts slowly."""
    sandbox = open_sandbox(SandboxSettings(), cores(discover()))
    atexit.register(sandbox.close)
    return sandbox


def quarantined(
    platform: Platform,
    data: bytes,
    *,
    filename: str = "file.bin",
    consent: ConsentState = ConsentState.GIVEN,
    asset_id: UUID | None = None,
) -> ObjectInfo:
    """Put *data* into quarantine as the upload function does: row first."""
    asset_id = asset_id or uuid4()
    now = platform.clock()
    asset = Asset(
        id=asset_id,
        project_id=PROJECT,
        filename=filename,
        door="form",
        type="application/octet-stream",
        source_key=upload_key(PROJECT, asset_id),
        consent=consent,
        expires_at=now + timedelta(hours=1),
        created_at=now,
        updated_at=now,
    )
    platform.records.admit(asset, receipt(asset, None, now))
    return stored(platform, asset.source_key, data)


def dropped(
    platform: Platform, data: bytes, name: str = "file.bin", *, consent: bool = True
) -> ObjectInfo:
    """Put *data* into quarantine as a dropper does: no row."""
    metadata = {CONSENT_METADATA: "true"} if consent else {}
    return stored(platform, f"drops/{PROJECT}/{name}", data, metadata)


def stored(
    platform: Platform, key: str, data: bytes, metadata: dict[str, str] | None = None
) -> ObjectInfo:
    """Put *data* into the quarantine bucket under *key*."""
    ref = ObjectRef(platform.settings.quarantine_bucket, key)
    return platform.store.put(
        ref,
        BytesIO(data),
        size_bytes=len(data),
        media_type="application/octet-stream",
        metadata=metadata or {},
    )


def asset_of(platform: Platform, info: ObjectInfo) -> Asset:
    """Return the record of a quarantined object."""
    source = source_of(info.ref)
    assert source is not None
    return platform.records.get(source.asset_id)


def deliver(platform: Platform, name: str, event: ObjectCreated | ObjectInfo) -> Any:
    """Call a function's handler with an event, as its host would."""
    function = next(f for f in platform.event_functions if f.name == name)
    event = created(event) if isinstance(event, ObjectInfo) else event
    return function.handle(event, platform.context(function))


def clean_info(platform: Platform, asset: Asset) -> ObjectInfo:
    """Return the clean object of an asset."""
    return platform.store.head(ObjectRef(platform.settings.clean_bucket, asset.path))


def clean_bytes(platform: Platform, asset: Asset) -> bytes:
    """Return the clean bytes of an asset."""
    ref = ObjectRef(platform.settings.clean_bucket, asset.path)
    with platform.store.open(ref) as stream:
        return stream.read()


def quarantine(platform: Platform) -> list[ObjectInfo]:
    """Return what is left in quarantine."""
    return list(platform.store.list(platform.settings.quarantine_bucket))
