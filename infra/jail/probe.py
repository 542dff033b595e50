"""A core that tries what a jail should refuse, for `pratique doctor`."""

import os
import socket
from pathlib import Path

from pydantic import BaseModel


class Probe(BaseModel):
    """What a core found out about its process.

    Attributes:
        network: whether it could open a socket and has an interface to use it on.
        parent_readable: whether it could read the worker's environment.
    """

    pid: int
    network: bool
    parent_readable: bool


def probe() -> Probe:
    """Try the walls from within."""
    return Probe(
        pid=os.getpid(), network=_network(), parent_readable=_parent_readable()
    )


def _network() -> bool:
    try:
        socket.socket().close()
    except OSError:
        return False
    return any(name != "lo" for _, name in socket.if_nameindex())


def _parent_readable() -> bool:
    try:
        with Path(f"/proc/{os.getppid()}/environ").open("rb") as environment:
            environment.read(1)
    except OSError:
        return False
    return True
