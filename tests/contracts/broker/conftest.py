"""Every adapter of the broker, in turn."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.ports import Broker
from tests.contracts import brokers
from tests.contracts.brokers import SETTLE, Rig, Settle


@pytest.fixture(params=brokers.RIGS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    return brokers.RIGS[request.param](tmp_path)


@pytest.fixture
def broker(rig: Rig) -> Iterator[Broker]:
    with rig.provisioned() as opened:
        yield opened


@pytest.fixture(params=SETTLE)
def settle(request: pytest.FixtureRequest) -> Settle:
    return SETTLE[request.param]
