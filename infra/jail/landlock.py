"""No new files, by Landlock: not one that can be named. Works unprivileged.

What is open already stays usable, and so does what the parent sends later. Reading,
writing, listing, making, removing and running files by path are refused, TCP and the
signals and abstract sockets of others too where the kernel is new enough.

Formats: linux/landlock.h, landlock(7). The numbers of the calls are the same on every
machine.
"""

import ctypes
import os
from pathlib import Path

_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_ASK_VERSION = 1
_PR_SET_NO_NEW_PRIVS = 38
# How many rights over files each version knows: REFER, TRUNCATE and IOCTL_DEV came
# later, and a kernel refuses rights that it does not know.
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_MOST_RIGHTS = 16
_TCP = 3  # bind, connect; version 4
_SCOPES = 3  # abstract sockets, signals; version 6


class _Ruleset(ctypes.Structure):
    """struct landlock_ruleset_attr; older kernels know a shorter one."""

    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scopes", ctypes.c_uint64),
    )


def refuse_files() -> bool:
    """Refuse to open or make files by path to this process, for good.

    Returns whether it holds: not on kernels before 5.13 or built or started without
    Landlock, nor where other threads run already, which it would not bind.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION)
    alone = len(list(Path("/proc/self/task").iterdir())) == 1
    if version < 1 or not alone:
        return False
    rules, size = _ruleset(version)
    handle = libc.syscall(
        _CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), 0
    )
    if handle < 0:
        return False
    try:
        # Without new privileges, or only root may restrict itself.
        zeros = [ctypes.c_ulong(0)] * 3
        libc.prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), *zeros)
        return bool(libc.syscall(_RESTRICT_SELF, handle, 0) == 0)
    finally:
        os.close(handle)


def _ruleset(version: int) -> tuple[_Ruleset, int]:
    """Return everything that *version* can refuse, without a single exception."""
    files = (1 << _RIGHTS.get(version, _MOST_RIGHTS)) - 1
    network = _TCP if version >= 4 else 0
    scopes = _SCOPES if version >= 6 else 0
    size = 8 * (3 if version >= 6 else 2 if version >= 4 else 1)
    return _Ruleset(files, network, scopes), size
