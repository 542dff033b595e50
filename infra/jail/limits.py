"""What a jailed process may use, and how the kernel is told. Linux only."""

import contextlib
import ctypes
import fcntl
import os
import resource
import signal
from dataclasses import dataclass
from pathlib import Path

from infra.jail import landlock, seccomp

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_F_SETSIG = 10
_CAPABILITY_VERSION = 0x20080522
# Enough for the threads of any decoder, too few for a fork bomb.
_MOST_TASKS = 256


# The names of what confines this process, once something does.
# Whatever may confine a core; some need a newer kernel or more rights than there are.
WALLS = ("rlimits", "network_namespace", "landlock", "no_capabilities", "seccomp")
active: tuple[str, ...] = ()


@dataclass(frozen=True)
class Limits:
    """What one job may use.

    Attributes:
        memory_bytes: address space beyond what the process holds before the job.
        cpu_s: processor time of all threads together.
        file_size_bytes: no file grows beyond this.
        open_files: descriptors, the job's own and the process's handful.
    """

    memory_bytes: int
    cpu_s: float
    file_size_bytes: int
    open_files: int


def die_with_parent(pipe: int) -> None:
    """Have the kernel kill this process group when the write end of *pipe* closes.

    PR_SET_PDEATHSIG would not do: it fires when the *thread* that started us ends.
    A thread that waits for end of file would not do: a hung decoder holds the GIL.
    """
    fcntl.fcntl(pipe, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(pipe, _F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(pipe, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)


def forget_inheritance() -> None:
    """Drop signal settings and environment that came from the parent."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in (signal.SIGINT, signal.SIGPROF, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    os.environ.clear()
    # When memory runs out, lose us rather than the worker or a database.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def leave_network() -> list[str]:
    """Move into an empty network namespace if allowed; return what was gained.

    To be called while there is one thread: a user namespace takes no more.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() != 0 and libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0:
        # Counted per user namespace, so other processes of the user don't matter.
        resource.setrlimit(resource.RLIMIT_NPROC, (_MOST_TASKS, _MOST_TASKS))
        return ["user_namespace", "network_namespace"]
    if libc.unshare(_CLONE_NEWNET) == 0:
        return ["network_namespace"]
    return []


class Meter:
    """Holds each job to its share of memory and processor time."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        self._base_bytes = self._mapped_bytes()
        # What a process may keep of earlier jobs, and the ceiling that follows.
        self._slack_bytes = limits.memory_bytes // 4
        self._ceiling_bytes = self._base_bytes + limits.memory_bytes + self._slack_bytes

    @property
    def overgrown(self) -> bool:
        """Whether so much memory was kept that the next job would lack it."""
        return self._mapped_bytes() > self._base_bytes + self._slack_bytes

    def start(self) -> None:
        """Give a job its share, whatever earlier jobs left behind."""
        allowed = min(
            self._mapped_bytes() + self._limits.memory_bytes, self._ceiling_bytes
        )
        resource.setrlimit(resource.RLIMIT_AS, (allowed, self._ceiling_bytes))
        # RLIMIT_CPU counts whole seconds since the process began; this timer counts
        # the job's own, and its default action ends the process just the same.
        signal.setitimer(signal.ITIMER_PROF, self._limits.cpu_s)

    def stop(self) -> None:
        """Stop counting, with room for a message about memory that ran out."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        ceiling = (self._ceiling_bytes, self._ceiling_bytes)
        resource.setrlimit(resource.RLIMIT_AS, ceiling)

    def _mapped_bytes(self) -> int:
        pages = os.pread(self._statm, 64, 0).split()[0]
        return int(pages) * resource.getpagesize()


def confine(limits: Limits) -> list[str]:
    """Give up for good what no core needs; return the names of what is active.

    To be called once everything is imported that a core will ever need.
    """
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, limits.file_size_bytes),
        (resource.RLIMIT_NOFILE, limits.open_files),
    ):
        resource.setrlimit(what, (most, most))
    walls = {
        "landlock": landlock.refuse_files,
        "no_capabilities": _drop_capabilities,
        "seccomp": seccomp.refuse_calls,  # last: it may refuse what the others call
    }
    return ["rlimits", *(name for name, build in walls.items() if build())]


def _drop_capabilities() -> bool:
    """Be nobody special, also as root; return whether that is so.

    Format: capset(2), version 3.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    nothing = (ctypes.c_uint32 * 6)()
    return bool(libc.capset(header, nothing) == 0)
