"""Which store a URL opens, and which URLs are refused."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.stores import open_store
from schemas.errors import SettingsError
from schemas.events import ObjectCreated
from schemas.objects import ObjectRef
from schemas.ports import ObjectStore
from tests.contracts.stores import PLAIN, put

REF = ObjectRef(PLAIN, "key")


def opened(url: str, announced: list[ObjectCreated] | None = None) -> ObjectStore:
    return open_store(
        url,
        public_url="http://127.0.0.1:1",
        announce=(announced if announced is not None else []).append,
        clock=lambda: datetime.now(UTC),
    )


def test_an_unknown_scheme_is_refused_with_the_known_ones_and_without_the_url() -> None:
    with pytest.raises(SettingsError, match="known: file:") as caught:
        opened("ftp://user:password@host/objects")

    assert "password" not in str(caught.value)


@pytest.mark.parametrize("url", ["file:", "file://host/x", "file:?announce=off", ""])
def test_a_url_without_folder_is_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        opened(url)


@pytest.mark.parametrize(
    "query", ["announce=on", "announce", "sync=off", "announce=off&x=1"]
)
def test_an_unknown_option_is_refused(tmp_path: Path, query: str) -> None:
    with pytest.raises(SettingsError, match="announce=off"):
        opened(f"file:{tmp_path}?{query}")


@pytest.mark.parametrize("prefix", ["file:", "file://"])
def test_the_folder_is_made_where_the_url_says(tmp_path: Path, prefix: str) -> None:
    store = opened(f"{prefix}{tmp_path}/a b%20/objects")

    store.provision(PLAIN, versioned=False)

    assert (tmp_path / "a b%20" / "objects" / PLAIN).is_dir()


def test_a_relative_folder_stays_where_it_was_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = opened("file:./objects")
    monkeypatch.chdir("/")

    store.provision(PLAIN, versioned=False)

    assert (tmp_path / "objects" / PLAIN).is_dir()


def test_opening_a_store_makes_nothing(tmp_path: Path) -> None:
    opened(f"file:{tmp_path}/objects")

    assert list(tmp_path.iterdir()) == []


def test_announcements_can_be_turned_off(tmp_path: Path) -> None:
    announced: list[ObjectCreated] = []
    store = opened(f"file:{tmp_path}?announce=off", announced)
    store.provision(PLAIN, versioned=False)

    put(store, REF)

    assert announced == []
