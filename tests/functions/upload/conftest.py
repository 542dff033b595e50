"""Fixtures of the upload function's tests."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from infra.database import open_records
from infra.stores import open_store
from schemas.ports import AssetRecords, ObjectStore
from tests.functions.upload.house import NOW, House, nothing


def _open(folder: Path) -> tuple[ObjectStore, AssetRecords]:
    store = open_store(
        f"file:{folder}/objects?announce=off",
        public_url="http://pratique.test",
        announce=nothing,
        clock=lambda: NOW,
    )
    records = open_records(
        f"sqlite:///{folder}/assets.db",
        clock=lambda: NOW,
        grace=timedelta(seconds=20),
    )
    return store, records


@pytest.fixture(scope="session")
def provisioned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder to copy: faster than a new one for each test."""
    folder = tmp_path_factory.mktemp("provisioned")
    store, records = _open(folder)
    store.provision("quarantine", versioned=True)
    store.provision("clean", versioned=False)
    records.provision()
    records.close()
    store.close()
    return folder


@pytest.fixture(scope="session")
def ports(provisioned: Path) -> Iterator[tuple[ObjectStore, AssetRecords]]:
    """Give the ports that most tests share."""
    store, records = _open(provisioned)
    yield store, records
    records.close()
    store.close()


@pytest.fixture
def house(
    provisioned: Path, ports: tuple[ObjectStore, AssetRecords]
) -> Iterator[House]:
    """Give an empty house; it is swept afterwards, as new folders take time."""
    house = House(provisioned, *ports)
    yield house
    house.opened.close()
    for info in [*house.objects, *house.store.list("clean")]:
        house.store.delete(info.ref)
    with closing(sqlite3.connect(provisioned / "assets.db")) as database:
        for table in ("asset_events", "consents", "assets", "projects"):
            database.execute(f"DELETE FROM {table}")
        database.commit()


@pytest.fixture
def fragile(provisioned: Path, tmp_path: Path) -> Iterator[House]:
    """Give a house of the test's own, to be broken."""
    folder = tmp_path / "house"
    shutil.copytree(provisioned, folder)
    house = House(folder, *_open(folder))
    yield house
    house.opened.close()
    house.records.close()
    house.store.close()


@pytest.fixture
def refusal() -> Callable[[httpx.Response], tuple[int, str]]:
    """Give status and code of an error answer, whose shape is checked."""

    def read(response: httpx.Response) -> tuple[int, str]:
        assert response.json().keys() == {"detail"}
        return response.status_code, response.headers["x-pratique-error"]

    return read
