"""Every adapter of the broker, in turn."""

from collections.abc import Iterator

import pytest

from schemas.ports import Broker
from tests.contracts import brokers
from tests.contracts.brokers import SETTLE, MakeRig, Rig, Settle


@pytest.fixture(params=brokers.RIGS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    make: MakeRig = request.param
    with make(request) as made:
        yield made


@pytest.fixture
def broker(rig: Rig) -> Iterator[Broker]:
    with rig.provisioned() as opened:
        yield opened


@pytest.fixture(params=SETTLE)
def settle(request: pytest.FixtureRequest) -> Settle:
    return SETTLE[request.param]
