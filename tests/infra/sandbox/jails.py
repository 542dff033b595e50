"""What the sandbox's tests share."""

import os
import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from infra.sandbox import SandboxSettings, open_sandbox
from schemas.ports import Sandbox

MIB = 1024 * 1024
PRELOAD = ["tests.infra.sandbox.cores"]


class Ranges:
    """A RangedReader that remembers what it was asked for, and can break."""

    def __init__(self, data: bytes, error: Exception | None = None) -> None:
        self.data = data
        self.size_bytes = len(data)
        self.error = error
        self.asked: list[int] = []
        self.asked_bytes = 0

    def read_at(self, offset: int, length: int) -> bytes:
        self.asked.append(offset)
        self.asked_bytes += length
        if self.error is not None:
            raise self.error
        return self.data[offset : offset + length]


@contextmanager
def opened(**given: Any) -> Iterator[Sandbox]:
    settings = SandboxSettings(**{"processes": 1, **given})
    sandbox = open_sandbox(settings, PRELOAD)
    try:
        yield sandbox
    finally:
        sandbox.close()


@contextmanager
def pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "wb") as end:
        yield source, end


@contextmanager
def watched(pid: int) -> Iterator[Callable[[], bool]]:
    """Yield what waits for any process's end, 5 seconds at most."""
    handle = os.pidfd_open(pid)
    try:
        yield lambda: bool(select.select([handle], [], [], 5)[0])
    finally:
        os.close(handle)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
