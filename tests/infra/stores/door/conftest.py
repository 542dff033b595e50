"""An embedded store behind its own door."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.contracts.stores import DoorServer, FileRig


@pytest.fixture(scope="module")
def server() -> Iterator[DoorServer]:
    with DoorServer() as running:
        yield running


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client() as opened:
        yield opened


@pytest.fixture
def rig(tmp_path: Path, server: DoorServer) -> FileRig:
    rig = FileRig(f"file:{tmp_path}/objects", server.url)
    server.door = rig.door
    return rig
