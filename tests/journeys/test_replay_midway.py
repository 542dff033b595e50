"""A replay of everything while one step of a file is held open changes nothing."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread, current_thread
from typing import Any

import pytest

from infra.platform import Platform
from infra.replay import Selection, events_from
from infra.samples import images
from schemas.assets import Asset
from schemas.errors import TransientError
from schemas.objects import ObjectInfo
from tests.platforms import asset_of, deliver, embedded, quarantined

# What differs between two runs of one file: names and moments.
_OWN = {
    "id",
    "source_key",
    "source_version",
    "consent_hash",
    "path",
    "arrived_at",
    "created_at",
    "updated_at",
    "expires_at",
}


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with embedded(tmp_path) as opened:
        yield opened


class Pause:
    """Holds the first call that the named thread makes of one method."""

    def __init__(
        self, owner: Any, method: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.reached = Event()
        self.go_on = Event()
        self._method: Callable[..., Any] = getattr(owner, method)
        monkeypatch.setattr(owner, method, self)

    def __call__(self, *args: Any, **options: Any) -> Any:
        if current_thread().name == "held" and not self.reached.is_set():
            self.reached.set()
            assert self.go_on.wait(20)
        return self._method(*args, **options)


def replay_everything(platform: Platform) -> None:
    """Deliver the journal's events, and the clean ones again to metadata."""
    for _ in range(2):
        for event in list(events_from("journal", platform, Selection())):
            role = platform.role_of(event.ref.bucket)
            name = "sanitizer" if role == "quarantine" else "metadata"
            # A host would come back to it later; here the next round does.
            with suppress(TransientError):
                deliver(platform, name, event)


def outcome(platform: Platform, info: ObjectInfo) -> dict[str, Any]:
    return asset_of(platform, info).model_dump(exclude=_OWN | {"revision"})


def undisturbed(platform: Platform) -> dict[str, Any]:
    info = quarantined(platform, images.photo(), filename="a.jpg")
    replay_everything(platform)
    return outcome(platform, info)


def clean_keys(platform: Platform, asset: Asset) -> list[str]:
    bucket = platform.settings.clean_bucket
    prefix = f"{asset.project_id}/{asset.id}/"
    return [info.ref.key for info in platform.store.list(bucket, prefix)]


@pytest.mark.parametrize(
    ("port", "method"),
    [
        ("store", "head"),
        ("records", "get"),
        ("store", "open"),
        ("sandbox", "run"),
        ("store", "put_once"),
        ("records", "note"),
        ("store", "delete"),
    ],
)
def test_the_sanitizer_held_at_a_step_and_overtaken_by_a_replay(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, port: str, method: str
) -> None:
    expected = undisturbed(platform)
    info = quarantined(platform, images.photo(), filename="a.jpg")
    pause = Pause(getattr(platform, port), method, monkeypatch)
    worker = Thread(target=deliver, args=(platform, "sanitizer", info), name="held")

    worker.start()
    assert pause.reached.wait(20)
    replay_everything(platform)
    pause.go_on.set()
    worker.join(20)
    replay_everything(platform)

    assert outcome(platform, info) == expected
    assert clean_keys(platform, asset_of(platform, info)) == [
        asset_of(platform, info).path
    ]


@pytest.mark.parametrize(
    ("port", "method"),
    [
        ("records", "get"),
        ("store", "head"),
        ("sandbox", "run"),
        ("records", "note"),
    ],
)
def test_the_metadata_function_held_at_a_step_and_overtaken_by_a_replay(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, port: str, method: str
) -> None:
    expected = undisturbed(platform)
    info = quarantined(platform, images.photo(), filename="a.jpg")
    deliver(platform, "sanitizer", info)
    event = list(events_from("journal", platform, Selection()))[-1]
    pause = Pause(getattr(platform, port), method, monkeypatch)
    worker = Thread(target=deliver, args=(platform, "metadata", event), name="held")

    worker.start()
    assert pause.reached.wait(20)
    replay_everything(platform)
    pause.go_on.set()
    worker.join(20)

    assert outcome(platform, info) == expected


def test_after_all_is_done_a_replay_changes_no_record_at_all(
    platform: Platform,
) -> None:
    info = quarantined(platform, images.photo())
    replay_everything(platform)
    before = asset_of(platform, info)

    replay_everything(platform)

    assert asset_of(platform, info) == before
