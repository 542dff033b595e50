"""A filter of system calls: what no core needs is refused, for good, also to root.

No sockets, no other programs, no other processes, no sight of them, nothing of the
machine; no change to files that are only named, no memory that limits don't count.
Threads stay possible. Works unprivileged.

Formats: linux/filter.h (classic BPF), linux/seccomp.h, seccomp(2).
"""

import ctypes
import os
import struct
import sys
from typing import Any, NamedTuple

_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_MODE_FILTER = 2
_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000 | 13  # the call answers EACCES
_UNKNOWN = 0x00050000 | 38  # ENOSYS: the C library tries the older call
_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_IF_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_IF_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_IF_ANY = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K
# In struct seccomp_data; of the arguments the lower halves.
_NUMBER_OFFSET, _ARCH_OFFSET, _ARGUMENT_OFFSET, _SECOND_OFFSET = 0, 4, 16, 24
_X32 = 0x40000000  # a second set of numbers on x86_64
_CLONE_THREAD = 0x10000
_CLONE3 = 435  # takes its flags by pointer, where no filter sees them

# What has the kernel send signals to whoever is named, when a descriptor is ready.
_OWNING = (8, 15, 0x8901, 0x8902)  # F_SETOWN, F_SETOWN_EX, FIOSETOWN, SIOCSPGRP

# From 424 on, numbers are the same everywhere.
_REFUSED_EVERYWHERE = (
    *(424, 425, 434, 438),  # pidfd_send_signal, io_uring_setup, pidfd_open, pidfd_getfd
    *(428, 429, 430, 432, 442),  # open_tree, move_mount, fsopen, fsmount, mount_setattr
    *(433, 467, 457, 458),  # fspick, open_tree_attr, statmount, listmount
    *(452, 463, 466, 469),  # fchmodat2, setxattrat, removexattrat, file_setattr
    447,  # memfd_secret
)


class _Machine(NamedTuple):
    """AUDIT_ARCH and the numbers of calls.

    Attributes:
        clone: allowed for threads.
        kill: kill and tgkill, allowed for oneself: that is how abort() ends.
        tuning: prlimit64, sched_set(affinity, param, scheduler, attr): for oneself too.
        owning: fcntl and ioctl, allowed but for what is named above.
        refused: by group as commented below.
    """

    arch: int
    clone: int
    kill: tuple[int, ...]
    tuning: tuple[int, ...]
    owning: tuple[int, ...]
    refused: tuple[int, ...]


_MACHINES = {
    "x86_64": _Machine(
        0xC000003E,
        56,
        (62, 234),
        (302, 203, 142, 144, 314),
        (72, 16),
        (
            *(41, 53),  # socket, socketpair
            *(59, 322, 57, 58),  # execve, execveat, fork, vfork
            *(101, 310, 311),  # ptrace, process_vm_readv, process_vm_writev
            *(200, 129, 297),  # tkill, rt_sigqueueinfo, rt_tgsigqueueinfo
            *(272, 308, 161, 155),  # unshare, setns, chroot, pivot_root
            *(165, 166),  # mount, umount2
            *(321, 298, 323),  # bpf, perf_event_open, userfaultfd
            *(248, 249, 250),  # add_key, request_key, keyctl
            *(175, 313, 176, 246, 320, 304),  # modules, kexec, open_by_handle_at
            *(90, 91, 268, 92, 93, 94, 260),  # the families of chmod, chown
            *(132, 235, 261, 280),  # utime, utimes, futimesat, utimensat
            *(188, 189, 190, 197, 198, 199),  # the families of setxattr, removexattr
            *(253, 294, 300),  # inotify_init, inotify_init1, fanotify_init
            *(319, 29, 68, 64, 240),  # memfd_create, shmget, msgget, semget, mq_open
            *(141, 251, 256, 279, 135),  # setpriority to move_pages, personality
        ),
    ),
    "aarch64": _Machine(
        0xC00000B7,
        220,
        (129, 131),
        (261, 122, 118, 119, 274),
        (25, 29),
        (
            *(198, 199),
            *(221, 281),
            *(117, 270, 271),
            *(130, 138, 240),
            *(97, 268, 51, 41),
            *(40, 39),
            *(280, 241, 282),
            *(217, 218, 219),
            *(105, 273, 106, 104, 294, 265),
            *(52, 53, 55, 54),
            88,
            *(5, 6, 7, 14, 15, 16),
            *(26, 262),
            *(279, 194, 186, 190, 180),
            *(140, 30, 238, 239, 92),
        ),
    ),
}


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def refuse_calls() -> bool:
    """Refuse to this process and its threads what no core needs, for good.

    Returns whether the filter is in place: not on machines without numbers above, nor
    on kernels built without seccomp.
    """
    machine = _MACHINES.get(os.uname().machine)
    if machine is None or sys.maxsize < 2**32:
        return False
    code = _filter(machine, os.getpid())
    program = _Program(len(code) // 8, code)
    # Without new privileges, or only root may install filters.
    return _prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1)) and _prctl(
        _PR_SET_SECCOMP, ctypes.c_ulong(_MODE_FILTER), ctypes.byref(program)
    )


def _prctl(option: int, *arguments: Any) -> bool:
    zeros = [ctypes.c_ulong(0)] * (4 - len(arguments))
    answer: int = ctypes.CDLL(None).prctl(option, *arguments, *zeros)
    return answer == 0


def _filter(machine: _Machine, pid: int) -> bytes:
    """Return a program; 32-bit calls and x32 have numbers of their own: refused."""
    # Code, operand, where to go on if true, if false; None is the next row.
    rows: list[tuple[int | str, int, str | None, str | None]] = [
        (_LOAD, _ARCH_OFFSET, None, None),
        (_IF_EQUAL, machine.arch, None, "refuse"),
        (_LOAD, _NUMBER_OFFSET, None, None),
        (_IF_AT_LEAST, _X32, "refuse", None),
    ]
    refused = (*machine.refused, *_REFUSED_EVERYWHERE)
    rows += [(_IF_EQUAL, number, "refuse", None) for number in refused]
    for label in ("kill", "tuning", "owning"):
        numbers = getattr(machine, label)
        rows += [(_IF_EQUAL, number, label, None) for number in numbers]
    rows += [
        (_IF_EQUAL, _CLONE3, "unknown", None),
        (_IF_EQUAL, machine.clone, None, "allow"),
        (_LOAD, _ARGUMENT_OFFSET, None, None),
        (_IF_ANY, _CLONE_THREAD, "allow", "refuse"),
        ("owning", 0, None, None),
        (_LOAD, _SECOND_OFFSET, None, None),
        *((_IF_EQUAL, what, "refuse", None) for what in _OWNING),
        (_RETURN, _ALLOW, None, None),
        ("tuning", 0, None, None),
        (_LOAD, _ARGUMENT_OFFSET, None, None),
        (_IF_EQUAL, 0, "allow", None),
        ("kill", 0, None, None),
        (_LOAD, _ARGUMENT_OFFSET, None, None),
        (_IF_EQUAL, pid, "allow", "refuse"),
        ("allow", 0, None, None),
        (_RETURN, _ALLOW, None, None),
        ("unknown", 0, None, None),
        (_RETURN, _UNKNOWN, None, None),
        ("refuse", 0, None, None),
        (_RETURN, _REFUSE, None, None),
    ]
    return _assembled(rows)


def _assembled(rows: list[tuple[int | str, int, str | None, str | None]]) -> bytes:
    """Return the rows in which labels have become numbers of rows to skip."""
    places: dict[str | None, int] = {}
    count = 0
    for code, _, _, _ in rows:
        if isinstance(code, str):
            places[code] = count
        else:
            count += 1
    packed: list[bytes] = []
    for code, operand, yes, no in rows:
        if isinstance(code, int):
            here = len(packed) + 1
            skips = (places[to] - here if to else 0 for to in (yes, no))
            packed.append(struct.pack("=HBBI", code, *skips, operand))
    return b"".join(packed)
