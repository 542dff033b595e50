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


def open_ports(folder: Path) -> tuple[ObjectStore, AssetRecords]:
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


@pytest.fixture(scope="package")
def provisioned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder to copy: faster than a new one for each test."""
    folder = tmp_path_factory.mktemp("provisioned")
    store, records = open_ports(folder)
    store.provision("quarantine", versioned=True)
    store.provision("clean", versioned=False)
    records.provision()
    records.close()
    store.close()
    return folder


@pytest.fixture(scope="package")
def shared(
    provisioned: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Give the house that most tests share."""
    # Never the template itself: copying an open SQLite file drops its locks.
    folder = tmp_path_factory.mktemp("shared") / "house"
    shutil.copytree(provisioned, folder)
    house = House(folder, *open_ports(folder))
    yield house
    house.records.close()
    house.store.close()


@pytest.fixture
def house(shared: House) -> Iterator[House]:
    """Give an empty house; it is swept afterwards, as new folders take time."""
    house = House(shared.folder, shared.store, shared.records, apps=shared.apps)
    yield house
    house.stop()
    for info in [*house.objects, *house.store.list("clean")]:
        house.store.delete(info.ref)
    with closing(sqlite3.connect(house.folder / "assets.db")) as database:
        for table in ("asset_events", "consents", "assets", "projects"):
            database.execute(f"DELETE FROM {table}")
        database.commit()


@pytest.fixture
def fragile(provisioned: Path, tmp_path: Path) -> Iterator[House]:
    """Give a house of the test's own, to be broken."""
    folder = tmp_path / "house"
    shutil.copytree(provisioned, folder)
    house = House(folder, *open_ports(folder))
    yield house
    house.stop()
    house.records.close()
    house.store.close()


@pytest.fixture
def refusal() -> Callable[[httpx.Response], tuple[int, str]]:
    """Give status and code of an error answer, whose shape is checked."""

    def read(response: httpx.Response) -> tuple[int, str]:
        assert response.json().keys() == {"detail"}
        return response.status_code, response.headers["x-pratique-error"]

    return read
