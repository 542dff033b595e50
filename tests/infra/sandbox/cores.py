"""Cores for the sandbox's tests. Imports little: each process imports this."""

import contextlib
import ctypes
import io
import os
import resource
import select
import signal
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from schemas.errors import Rejected


@dataclass(frozen=True)
class Point:
    """A result with structure."""

    x: int
    y: int = 0


@dataclass(frozen=True)
class Shift:
    """An argument of a class of its own."""

    by: int


def nothing() -> None:
    """Do nothing."""


def pid() -> int:
    """Return the process's id."""
    return os.getpid()


def shifted(point: Point, shift: Shift) -> Point:
    """Use arguments that had to be pickled."""
    return Point(x=point.x + shift.by, y=point.y)


def untyped():  # type: ignore[no-untyped-def]  # that is the point
    """Do not say what is returned."""


# Files and ranges


def read(file: BinaryIO) -> str:
    """Return what is left of a file."""
    return file.read().decode()


def mode(file: io.BufferedReader) -> str:
    """Return how a file was opened."""
    return file.mode


def write(file: BinaryIO, text: str) -> None:
    """Write without flushing."""
    file.write(text.encode())


def write_and_close(file: BinaryIO, text: str) -> None:
    """Write and close, as some encoders do."""
    file.write(text.encode())
    file.close()


def bytewise(source: BinaryIO, count: int) -> int:
    """Read *count* bytes all over a file, one call and one seek for each."""
    size = source.seek(0, os.SEEK_END)
    for at in range(count):
        source.seek(at * 7919 % size)
        source.read(1)
    return count


def ends(source: BinaryIO) -> list[str]:
    """Read the last four bytes, then the first four, then past the end."""
    source.seek(-4, os.SEEK_END)
    tail = source.read()
    source.seek(0)
    head = source.read(4)
    source.seek(10, os.SEEK_END)
    return [tail.decode(), head.decode(), source.read().decode()]


def before_start(source: BinaryIO) -> None:
    """Seek where nothing can be."""
    source.seek(-1)


def stubborn(source: BinaryIO) -> str:
    """Swallow every Exception, as some parsers do."""
    try:
        return source.read().decode()
    except Exception:  # noqa: BLE001 that is the point
        return "swallowed"


def mulish(source: BinaryIO) -> str:
    """Swallow everything, and go on."""
    while True:
        try:
            return source.read().decode()
        except BaseException:  # noqa: BLE001 that is the point
            continue


# Outcomes


def reject(reason: str, detail: str) -> None:
    """Refuse the content."""
    raise Rejected(reason, detail)


def fail(message: str) -> None:
    """Raise something unexpected."""
    raise LookupError(message)


def leave() -> None:
    """Raise what is no Exception."""
    sys.exit(3)


def lie() -> int:
    """Return something else than was said."""
    return "5"  # type: ignore[return-value]  # that is the point


def shout(length: int) -> str:
    """Return a long string."""
    return "x" * length


# Limits


def hoard(size_bytes: int) -> int:
    """Ask for memory."""
    return len(bytearray(size_bytes))


def hoard_wrapped(size_bytes: int) -> int:
    """Ask for memory in a library that hides the cause."""
    try:
        return len(bytearray(size_bytes))
    except MemoryError as exc:
        raise ValueError("decoder error") from exc


_kept: list[bytearray] = []


def leak(size_bytes: int) -> int:
    """Keep memory after the job; return the process's id."""
    _kept.append(bytearray(size_bytes))
    return os.getpid()


def spin() -> None:
    """Burn processor time."""
    while True:
        pass


def burn(cpu_s: float) -> None:
    """Burn that much processor time."""
    until = time.process_time() + cpu_s
    while time.process_time() < until:
        pass


def write_zeros(file: BinaryIO, size_bytes: int) -> None:
    """Write a file of that size."""
    file.write(bytes(size_bytes))


def open_many() -> None:
    """Open files until there are no more."""
    files = []
    while True:
        files.append(os.fdopen(os.dup(0)))


def core_size() -> int:
    """Return how large a core dump may grow."""
    return resource.getrlimit(resource.RLIMIT_CORE)[0]


# Time


def hang() -> None:
    """Wait for ever."""
    signal.pause()


def nap(duration_s: float) -> None:
    """Wait for a while."""
    select.select([], [], [], duration_s)


def hang_with_lock(out: BinaryIO) -> None:
    """Say the process's id, then hang in native code that holds Python's lock."""
    out.write(b"%d\n" % os.getpid())
    out.flush()
    ctypes.PyDLL(None).pause()


def meet(mine: BinaryIO, theirs: BinaryIO) -> str:
    """Say hello to another core, and wait for its hello."""
    mine.write(b"hello")
    mine.flush()
    return theirs.read(5).decode()


# Ends


def die(number: int) -> None:
    """Die of a signal."""
    os.kill(os.getpid(), number)
    signal.pause()


def vanish() -> None:
    """End the process without a word."""
    os._exit(7)


def chatter(length: int) -> str:
    """Write to both standard streams, below Python; return standard input."""
    for descriptor in (1, 2):
        try:
            os.write(descriptor, b"." * length)
            os.write(descriptor, b"." * length)
        except BlockingIOError:
            continue
    return sys.stdin.read()


# Walls


def connect(port: int) -> str:
    """Try to reach a server on this machine."""
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return "connected"


def environment() -> str:
    """Return all that the environment tells, and the process's id."""
    return f"{os.getpid()} {dict(os.environ)}"


def open_descriptors() -> list[str]:
    """Return the kinds of what is open beyond the standard streams."""
    kept = []
    for number in range(3, 64):
        with contextlib.suppress(FileNotFoundError):
            link = Path(f"/proc/self/fd/{number}").readlink()
            kept.append(str(link).split(":")[0])
    return sorted(kept)


def session() -> list[int]:
    """Return session, process group and process id."""
    return [os.getsid(0), os.getpgid(0), os.getpid()]


def blocked_signals() -> list[int]:
    """Return which signals are blocked."""
    return sorted(signal.pthread_sigmask(signal.SIG_BLOCK, []))


def threads(count: int) -> int:
    """Run as many threads at once."""
    barrier = threading.Barrier(count, timeout=10)
    with ThreadPoolExecutor(count) as pool:
        return len(list(pool.map(lambda _: barrier.wait(), range(count))))


def plugins() -> list[str]:
    """Return which of Pillow's decoders are there."""
    return sorted(name for name in sys.modules if name.endswith("ImagePlugin"))
