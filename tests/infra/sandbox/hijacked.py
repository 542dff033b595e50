"""What a core would do that was taken over: speak to the parent itself."""

import os
import pickle
import signal
import socket
from typing import BinaryIO

from infra.jail.wire import Channel, Kind


class _Charge:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.path,)


def forge_pickle(path: str) -> str:
    """Send a result that would make a folder if it were unpickled."""
    _parent().send(Kind.RESULT, pickle.dumps(_Charge(path)))
    signal.pause()
    return ""


def forge(kind: int, payload: bytes) -> None:
    """Send a frame of one's own."""
    _parent().send(Kind(kind), payload)
    signal.pause()


def forge_asks(source: BinaryIO, ask: str, count: int) -> None:
    """Ask again and again, past the file that was given."""
    parent = _parent()
    for _ in range(count):
        parent.send(Kind.ASK, ask.encode())
        parent.receive(1 << 20)


def babble(data: bytes) -> None:
    """Send what is no frame."""
    _parent_socket().sendall(data)
    signal.pause()


def hang_up() -> None:
    """Close the socket, and live on."""
    _parent_socket().shutdown(socket.SHUT_RDWR)
    signal.pause()


def _parent() -> Channel:
    return Channel(_parent_socket())


def _parent_socket() -> socket.socket:
    for number in range(3, 64):
        try:
            return socket.fromfd(number, socket.AF_UNIX, socket.SOCK_STREAM)
        except OSError:
            continue
    raise LookupError("no socket")
