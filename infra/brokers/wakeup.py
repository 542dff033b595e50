"""Bells: how processes wake each other's consumers, and see that one has died.

A bell is a FIFO that its consumer keeps open and locked. Whoever has news writes one
byte; the consumer polls. The kernel drops the lock (flock(2)) when the process ends,
by whatever signal, so a bell whose lock is free belongs to a dead consumer. A forked
child shares the lock while it lives: start children with exec, or before subscribing.
"""

import contextlib
import fcntl
import math
import os
import select
from collections.abc import Iterable
from pathlib import Path

_DRAIN_BYTES = 65536  # what a pipe holds


class Bell:
    """The bell of one consumer; its file is gone after close."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path, 0o600)
        # Read and write: without a writer of its own, poll would report a hang-up.
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def wait(self, timeout_s: float) -> None:
        """Return when somebody rang since the last wait, or after *timeout_s*."""
        poll = select.poll()  # one each: several threads may wait at once
        poll.register(self._fd, select.POLLIN)
        if poll.poll(math.ceil(max(timeout_s, 0) * 1000)):
            # Another thread that waits here may have been quicker.
            with contextlib.suppress(BlockingIOError):
                os.read(self._fd, _DRAIN_BYTES)

    def close(self) -> None:
        """Remove the bell; nobody may wait on it any more."""
        self.path.unlink(missing_ok=True)
        os.close(self._fd)


def ring(paths: Iterable[Path]) -> None:
    """Wake the consumers; those that are gone, or have news already, are left out."""
    for path in paths:
        # ENXIO, ENOENT: gone. EAGAIN: the pipe is full of unheard rings.
        with contextlib.suppress(OSError):
            fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                os.write(fd, b"!")
            finally:
                os.close(fd)


def abandoned(path: Path) -> bool:
    """Whether the consumer that made this bell is gone, in this or any process."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    except OSError:
        return False  # too many open files, say: nobody can tell now
    try:
        # Shared: two who look at once must not take each other for the consumer.
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(fd)
    return True
