"""The demo: the whole pipeline on the embedded default, through all three doors."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from infra.client import Client, name_of
from infra.platform import Platform
from infra.provision import provision
from infra.replay import Selection, events_from
from infra.service import serving
from infra.settings import PlatformSettings, load
from schemas.assets import Asset, Door
from schemas.doors import CONSENT_METADATA, source_of
from schemas.errors import AssetNotFound
from schemas.lifecycle import FINAL, PARKED, Status
from schemas.objects import ObjectRef

PROJECT = "demo"
_SETTLED = FINAL | PARKED
# What a door may say of a file, in contrast to what it says of itself.
_REFUSALS = ("consent_missing", "file_empty", "too_large")
DOORS: tuple[Door, ...] = ("form", "presigned", "drop")


@dataclass
class Case:
    """One file on its way through one door.

    Attributes:
        expected: the statuses that are right for it; `refused` never gets in.
        answer: what the door answered.
    """

    path: Path
    door: Door
    expected: frozenset[str]
    consent: bool = True
    answer: dict[str, Any] = field(default_factory=dict)
    asset: Asset | None = None

    @property
    def status(self) -> str:
        """What became of it, `refused` if the door turned it away."""
        if self.asset is not None:
            return self.asset.status
        return "refused" if self.answer.get("code") in _REFUSALS else "lost"

    @property
    def settled(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.status == "refused" or self.status in _SETTLED

    @property
    def as_expected(self) -> bool:
        """Whether it ended as it should."""
        return self.status in self.expected

    def row(self, clean_copy: str | None) -> dict[str, Any]:
        """Return what the table shows."""
        asset = self.asset
        return {
            "file": self.path.name,
            "door": self.door,
            "consent": self.consent,
            "status": self.status,
            "promotion": asset.promotion if asset else None,
            "reason": asset.reason if asset else self.answer.get("code"),
            "removed": asset.findings if asset else [],
            "metadata": asset.details if asset else {},
            "clean_copy": clean_copy,
            "as_expected": self.as_expected,
        }


def any_outcome(path: Path, door: Door) -> Case:
    """Return a case for a file of which nothing is known beforehand."""
    statuses = {Status.PROCESSED, Status.ERROR_PROCESSING, Status.REJECTED, Status.HELD}
    return Case(path, door, frozenset({"refused", *map(str, statuses)}))


class Demo:
    """A platform in a folder of its own, and the cases that go through it."""

    def __init__(self, folder: Path, platform: Platform, client: Client) -> None:
        self.folder = folder
        self._platform = platform
        self._client = client

    def send(self, case: Case) -> None:
        """Bring the case's file to its door."""
        if case.door == "drop":
            case.answer = {"asset_id": str(self._drop(case))}
            return
        send = self._client.form if case.door == "form" else self._client.presigned
        case.answer = send(case.path, PROJECT, consent=case.consent)

    def look(self, case: Case) -> None:
        """Read the case's record anew."""
        if "asset_id" not in case.answer:
            return
        try:
            case.asset = self._platform.records.get(UUID(case.answer["asset_id"]))
        except AssetNotFound:
            case.asset = None  # a drop that nobody has adopted yet

    def replay(self) -> int:
        """Send every event of the journal once more; return how many."""
        events = list(events_from("journal", self._platform, Selection()))
        for event in events:
            self._platform.announce(event)
        return len(events)

    def idle(self) -> bool:
        """Whether no function has anything left to do."""
        depths = self._platform.broker.depths()
        return not any(
            depth.ready + depth.delayed + depth.unsettled
            for name, depth in depths.items()
            if not name.endswith(".dead")
        )

    def snapshot(self, cases: list[Case]) -> dict[str, Any]:
        """Return every record and every clean object, to be compared."""
        bucket = self._platform.settings.clean_bucket
        for case in cases:
            self.look(case)
        return {
            "records": [case.asset.model_dump() for case in cases if case.asset],
            "clean": list(self._platform.store.list(bucket)),
        }

    def fetch(self, case: Case) -> str | None:
        """Save the clean copy as a client gets it; return where in the demo's folder.

        None where there is no clean copy.
        """
        if case.asset is None or case.asset.path == "pending":
            return None
        content = self._client.content(str(case.asset.id))
        if content is None:
            return None
        copy = Path("clean", case.door, Path(case.asset.path).name)
        (self.folder / copy).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / copy).write_bytes(content)
        return str(copy)

    def _drop(self, case: Case) -> UUID:
        key = f"drops/{PROJECT}/{name_of(case.path)}"
        with case.path.open("rb") as stream:
            info = self._platform.store.put(
                ObjectRef(self._platform.settings.quarantine_bucket, key),
                stream,
                size_bytes=case.path.stat().st_size,
                media_type="application/octet-stream",
                metadata={CONSENT_METADATA: "true"} if case.consent else {},
            )
        source = source_of(info.ref)
        assert source is not None
        return source.asset_id


@contextmanager
def running(folder: Path, **given: Any) -> Iterator[Demo]:
    """Run a platform on the embedded default in *folder* while the block lasts.

    Args:
        given: platform settings other than the demo's own.
    """
    settings = load(
        PlatformSettings,
        **{
            "store": SecretStr(f"file:{folder}/objects"),
            "broker": SecretStr(f"sqlite:{folder}/broker.db"),
            "database": SecretStr(f"sqlite:///{folder}/assets.db"),
            "host": "127.0.0.1",
            "port": 0,
            "public_url": None,
            **given,
        },
    )
    with Platform(settings) as platform:
        provision(platform)
        with serving(platform), Client(platform.public_url) as client:
            yield Demo(folder, platform, client)


def wait_until(
    done: Callable[[], bool], *, timeout_s: float, pause_s: float = 0.05
) -> bool:
    """Ask *done* again and again; return whether it said yes in time."""
    deadline = time.monotonic() + timeout_s
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause_s)
    return True
