"""One small sandbox for the tests of a module."""

from collections.abc import Iterator

import pytest

from schemas.ports import Sandbox
from tests.infra.sandbox.jails import MIB, opened


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with opened(memory_bytes=64 * MIB, result_bytes=8192, wall_clock_s=10) as sandbox:
        yield sandbox
