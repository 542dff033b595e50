"""What parent and jail say to each other: frames over a socket pair.

A frame is one byte of kind, four bytes of length, and a payload. From the parent the
payload is a pickle or raw bytes. From the jail it is JSON, and never longer than the
parent is ready to take.
"""

import math
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from infra.jail.limits import Limits

# A range is asked for in blocks of this size; also the most that one ask may get.
BLOCK_BYTES = 64 * 1024
_HEADER = struct.Struct("!BI")
_MOST_FILES = 253  # the kernel's SCM_MAX_FD


class Kind(IntEnum):
    """What a frame is."""

    HELLO = 1  # parent: a pickled Hello
    JOB = 2  # parent: a pickled Job, with its open files
    DATA = 3  # parent: the range that was asked for
    NO_DATA = 4  # parent: fetching it failed; end the core
    READY = 5  # jail: the names of what confines it
    ASK = 6  # jail: {reader, offset, length}
    LAST = 7  # jail: the outcome that follows is my last one
    RESULT = 8  # jail: what the core returned
    REJECTED = 9  # jail: {reason, detail}
    FAILED = 10  # jail: {error}


@dataclass(frozen=True)
class Hello:
    """How a process is set up. *preload* are names of modules."""

    limits: Limits
    preload: tuple[str, ...]


@dataclass(frozen=True)
class OpenFile:
    """Stands among the arguments for the frame's file number *index*."""

    index: int


@dataclass(frozen=True)
class Ranges:
    """Stands among the arguments for the job's ranged reader number *index*."""

    index: int
    size_bytes: int


@dataclass(frozen=True)
class Job:
    """A core by its module and qualified name, and its arguments."""

    module: str
    name: str
    arguments: tuple[object, ...]


@dataclass(frozen=True)
class Frame:
    """What was received; whoever receives *files* closes them."""

    kind: Kind
    payload: bytes
    files: Sequence[int] = ()


class Late(Exception):
    """The deadline passed."""


class HungUp(Exception):
    """The other side is gone."""


class Garbled(Exception):
    """The other side does not keep to the protocol."""


class Channel:
    """One end of the socket pair; deadlines are in time.monotonic()."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(
        self,
        kind: Kind,
        payload: bytes = b"",
        *,
        files: Sequence[int] = (),
        deadline: float = math.inf,
    ) -> None:
        """Send a frame whole, or raise Late or HungUp."""
        data = memoryview(_HEADER.pack(kind, len(payload)) + payload)
        try:
            self._allow_until(deadline)
            sent = socket.send_fds(self._end, [data], files) if files else 0
            self._end.sendall(data[sent:])
        except TimeoutError as exc:
            raise Late from exc
        except OSError as exc:
            raise HungUp from exc

    def receive(self, most_bytes: int, deadline: float = math.inf) -> Frame:
        """Return the next frame, or raise Late, HungUp or Garbled.

        Descriptors that come along are closed by the kernel.
        """
        return self._frame(self._exactly(_HEADER.size, deadline), most_bytes, deadline)

    def receive_with_files(self) -> Frame:
        """Return the next frame of a trusted peer, with the files it sent."""
        header, files, _, _ = socket.recv_fds(
            self._end, _HEADER.size, _MOST_FILES, socket.MSG_CMSG_CLOEXEC
        )
        if len(header) < _HEADER.size:
            raise HungUp
        frame = self._frame(header, 2**32, math.inf)
        return Frame(frame.kind, frame.payload, files)

    def close(self) -> None:
        """Let go of the socket. Safe to run twice."""
        self._end.close()

    def _frame(self, header: bytes, most_bytes: int, deadline: float) -> Frame:
        number, length_bytes = _HEADER.unpack(header)
        if length_bytes > most_bytes:
            raise Garbled(f"{length_bytes} bytes where {most_bytes} are the limit")
        try:
            kind = Kind(number)
        except ValueError as exc:
            raise Garbled(f"a frame of kind {number}") from exc
        return Frame(kind, self._exactly(length_bytes, deadline))

    def _exactly(self, length_bytes: int, deadline: float) -> bytes:
        received = bytearray()
        while len(received) < length_bytes:
            received += self._some(length_bytes - len(received), deadline)
        return bytes(received)

    def _some(self, most_bytes: int, deadline: float) -> bytes:
        try:
            self._allow_until(deadline)
            data = self._end.recv(most_bytes)
        except TimeoutError as exc:
            raise Late from exc
        except OSError as exc:
            raise HungUp from exc
        if not data:
            raise HungUp
        return data

    def _allow_until(self, deadline: float) -> None:
        if deadline == math.inf:
            self._end.settimeout(None)
            return
        remaining_s = deadline - time.monotonic()
        if remaining_s <= 0:
            raise TimeoutError
        self._end.settimeout(remaining_s)
