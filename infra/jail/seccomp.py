"""A filter of system calls: no sockets, for good. Works unprivileged.

Formats: linux/filter.h (classic BPF), linux/seccomp.h, seccomp(2).
"""

import ctypes
import os
import struct
import sys
from typing import Any

_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_MODE_FILTER = 2
_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000 | 13  # the call answers EACCES
_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_IF_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_IF_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K
_NUMBER_OFFSET, _ARCH_OFFSET = 0, 4  # in struct seccomp_data
_X32 = 0x40000000  # a second set of numbers on x86_64
_IO_URING_SETUP = 425  # it opens sockets without socket()
# Machine: AUDIT_ARCH, number of socket().
_MACHINES = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def refuse_sockets() -> bool:
    """Refuse socket() and io_uring to this process and its children, for good.

    Returns whether the filter is in place: not on machines without a number above,
    nor on kernels built without seccomp.
    """
    machine = _MACHINES.get(os.uname().machine)
    if machine is None or sys.maxsize < 2**32:
        return False
    code = _filter(*machine)
    program = _Program(len(code) // 8, code)
    # Without new privileges, or only root may install filters.
    return _prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1)) and _prctl(
        _PR_SET_SECCOMP, ctypes.c_ulong(_MODE_FILTER), ctypes.byref(program)
    )


def _prctl(option: int, *arguments: Any) -> bool:
    zeros = [ctypes.c_ulong(0)] * (4 - len(arguments))
    answer: int = ctypes.CDLL(None).prctl(option, *arguments, *zeros)
    return answer == 0


def _filter(arch: int, socket_number: int) -> bytes:
    # Each row: code, rows to skip if true, if false, operand.
    rows = (
        (_LOAD, 0, 0, _ARCH_OFFSET),
        (_IF_EQUAL, 0, 5, arch),  # 32-bit calls have numbers of their own
        (_LOAD, 0, 0, _NUMBER_OFFSET),
        (_IF_AT_LEAST, 3, 0, _X32),
        (_IF_EQUAL, 2, 0, socket_number),
        (_IF_EQUAL, 1, 0, _IO_URING_SETUP),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    )
    return b"".join(struct.pack("=HBBI", *row) for row in rows)
