"""What is left of servers whose directories are below one place."""

import os
import select
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

_END = timedelta(seconds=30)


def running_in(place: Path) -> dict[int, str]:
    """Return the names of the processes that work below *place*, by their ids.

    By directory, since no parent tells of a process that was orphaned, and since
    PostgreSQL overwrites its environment.
    """
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(place):
                found[int(process.name)] = (process / "comm").read_text().strip()
    return found


def left_in(place: Path) -> dict[int, str]:
    """Wait until no process works below *place*; return those that do not end."""
    deadline = time.monotonic() + _END.total_seconds()
    while (found := running_in(place)) and time.monotonic() < deadline:
        for process in found:
            _await_end(process, deadline - time.monotonic())
    return found


def listening(processes: dict[int, str]) -> set[str]:
    """Return the addresses that *processes* listen on, in the kernel's notation."""
    inodes = {inode for process in processes for inode in _sockets(process)}
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    # Columns: number, local address, remote address, state (0A: listen), …, inode.
    return {
        row[1].partition(":")[0] for row in rows if row[3] == "0A" and row[9] in inodes
    }


def _sockets(process: int) -> set[str]:
    found = set()
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):
            kind, _, inode = str(descriptor.readlink()).partition(":")
            if kind == "socket":
                found.add(inode.strip("[]"))
    return found


def _await_end(process: int, seconds: float) -> None:
    with suppress(ProcessLookupError):
        watch = os.pidfd_open(process)
        select.select([watch], [], [], max(0, seconds))
        os.close(watch)
