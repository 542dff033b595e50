"""Fixtures of the contract suites: records and stores on every adapter."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.assets import Asset
from schemas.ports import AssetRecords, ObjectStore
from tests.contracts.stores import ADAPTERS, Rig, open_rig
from tests.records import Clock, new_asset, opened

SERVERS = pytest.param("postgresql", marks=pytest.mark.servers)


@pytest.fixture(params=["sqlite", SERVERS])
def records_url(request: pytest.FixtureRequest) -> str:
    """A database with tables and without rows."""
    found: str = request.getfixturevalue(f"{request.param}_records")
    return found


@pytest.fixture(params=["sqlite", SERVERS])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/empty.db"
    found: str = request.getfixturevalue("postgresql_url")
    return found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def records(records_url: str, clock: Clock) -> Iterator[AssetRecords]:
    records = opened(records_url, clock)
    yield records
    records.close()


@pytest.fixture
def asset(records: AssetRecords) -> Asset:
    """An asset whose bytes have not come yet."""
    return records.admit(new_asset(), None)


@pytest.fixture(params=ADAPTERS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """Every adapter of the store, in turn."""
    with open_rig(request, tmp_path, "http://127.0.0.1:1") as opened:
        yield opened


@pytest.fixture
def store(rig: Rig) -> ObjectStore:
    return rig.store
