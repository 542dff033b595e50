"""Provisioning the embedded platform."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from infra.platform import Platform
from infra.provision import ProvisionSettings, changes, provision
from infra.provision.check import lacking
from infra.settings import PlatformSettings, load
from schemas.errors import SettingsError, Unavailable

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


def test_a_provisioned_platform_lacks_nothing(platform: Platform) -> None:
    provision(platform)

    assert lacking(platform, platform.select(())) == []


def test_what_a_function_lacks_is_said_once_with_how_to_mend_it(
    platform: Platform,
) -> None:
    found = lacking(platform, platform.select(("sanitizer", "metadata")))

    assert found == [
        "the database lacks tables of the newest schema: `pratique provision` mends it",
        "bucket quarantine is missing, or has no versions: `pratique provision` mends"
        " it",
        "bucket clean is missing, or has versions: `pratique provision` mends it",
        "queue sanitizer is missing, incomplete or not bound: `pratique provision`"
        " mends it",
        "queue metadata is missing, incomplete or not bound: `pratique provision`"
        " mends it",
    ]


def test_a_server_that_is_away_is_no_lack(platform: Platform) -> None:
    provision(platform)
    away = {"store": SecretStr("s3+http://key:secret@127.0.0.1:9")}
    settings = platform.settings.model_copy(update=away)

    with Platform(settings) as cut_off, pytest.raises(Unavailable):
        lacking(cut_off, cut_off.select(("upload",)))


@pytest.mark.parametrize("which", ["STORE", "BROKER"])
def test_a_secret_for_nobody_is_refused_with_the_known_names(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    secrets = '{"sanitiser": "not to be shown"}'
    monkeypatch.setenv(f"PROVISION_{which}_SECRETS", secrets)

    with pytest.raises(SettingsError) as error:
        provision(platform, load(ProvisionSettings))

    assert f"PROVISION_{which}_SECRETS" in str(error.value)
    assert "janitor, metadata," in str(error.value)
    assert "shown" not in str(error.value)


def test_a_short_secret_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PROVISION_STORE_SECRETS", '{"upload": "short!"}')

    with pytest.raises(SettingsError) as error:
        load(ProvisionSettings)

    assert str(error.value) == (
        "PROVISION_STORE_SECRETS: upload: at least 8 characters"
    )
