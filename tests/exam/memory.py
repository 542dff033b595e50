"""How much memory a jailed process takes for one job."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from schemas.ports import Sandbox

_EVERY_S = 0.02
_RESET_PEAK = "5"  # proc(5), /proc/pid/clear_refs


class Peak:
    """The most resident memory, in MB; None as long as nothing could be read."""

    def __init__(self) -> None:
        self.mb: float | None = None

    def read(self, pid: int) -> None:
        """Look at the kernel's own high-water mark: nothing between looks is lost."""
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    self.mb = max(self.mb or 0.0, int(line.split()[1]) / 1024)


def own_pid() -> int:
    """Return the process's id; a core, to learn which process runs the next one."""
    return os.getpid()


def used_s() -> float:
    """Return the CPU seconds that this process has used; a core."""
    return time.process_time()


@contextmanager
def measured(sandbox: Sandbox) -> Iterator[Peak]:
    """Measure the next job of a *sandbox* that has one process.

    Of a process that dies with its job, what it had some milliseconds before.
    """
    pid, peak, over = sandbox.run(own_pid), Peak(), Event()
    with suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK)

    def watch() -> None:
        while not over.wait(_EVERY_S):
            peak.read(pid)

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        peak.read(pid)
        over.set()
        watcher.join()
