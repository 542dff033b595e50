"""An embedded store in a folder of the test's own."""

from pathlib import Path

import pytest

from schemas.ports import ObjectStore
from tests.contracts.stores import FileRig


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def rig(root: Path) -> FileRig:
    return FileRig(f"file:{root}")


@pytest.fixture
def store(rig: FileRig) -> ObjectStore:
    return rig.store
