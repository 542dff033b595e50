"""Provisioning the embedded platform."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.platform import Platform
from infra.provision import ProvisionSettings, changes, provision
from infra.settings import PlatformSettings, load
from schemas.errors import SettingsError

EVERYTHING = [
    "queue metadata",
    "queue sanitizer",
    "bucket quarantine",
    "bucket clean",
    "bucket originals",
    "bucket ledger",
    "tables",
]


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    settings = load(
        PlatformSettings,
        store=f"file:{tmp_path}/objects",
        broker=f"sqlite:{tmp_path}/broker.db",
        database=f"sqlite:///{tmp_path}/assets.db",
        port=0,
    )
    with Platform(settings) as opened:
        yield opened


def test_everything_is_made_queues_first(platform: Platform) -> None:
    done = provision(platform)

    assert [change.what for change in done] == EVERYTHING


def test_a_second_time_nothing_is_changed(platform: Platform) -> None:
    provision(platform)

    assert provision(platform) == []


def test_looking_finds_everything_and_changes_nothing(platform: Platform) -> None:
    list(changes(platform, ProvisionSettings.model_construct()))

    found = changes(platform, ProvisionSettings.model_construct())

    assert [change.what for change in found] == EVERYTHING


def test_drift_is_repaired_and_nothing_else_touched(platform: Platform) -> None:
    provision(platform)
    platform.broker.provision({"metadata": "elsewhere"})

    done = provision(platform)

    assert [str(change) for change in done] == [
        "queue metadata: missing or drifted -> bound to object.created.clean"
    ]


def test_what_would_lose_data_is_refused_in_words(platform: Platform) -> None:
    platform.store.provision("quarantine", versioned=False)

    with pytest.raises(SettingsError, match="quarantine"):
        provision(platform)
