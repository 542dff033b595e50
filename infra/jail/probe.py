"""A core that tries what a jail should refuse, for `pratique doctor`."""

import fcntl
import os
import socket
from collections.abc import Callable
from pathlib import Path
from resource import RLIMIT_NOFILE, prlimit

from pydantic import BaseModel

from infra.jail import limits

# What each wall is known to refuse wherever it stands.
REFUSED_BY = {
    "landlock": ("open", "create", "listing", "parent"),
    "seccomp": (
        *("socket", "program", "process", "signal", "owner", "limits"),
        *("mode", "memory"),
    ),
    "network_namespace": ("interface",),
}


class Probe(BaseModel):
    """What a core found out about its process.

    Attributes:
        active: the names of what confines it.
        done: what it could do of the things that it tried.
    """

    pid: int
    active: list[str]
    done: list[str]

    @property
    def broken(self) -> list[str]:
        """What could be done although a wall that is active refuses it."""
        refused = {deed for wall in self.active for deed in REFUSED_BY.get(wall, ())}
        return sorted(refused & set(self.done))


def probe() -> Probe:
    """Try the walls from within."""
    deeds: dict[str, Callable[[], object]] = {
        "open": lambda: os.close(os.open(os.__file__, os.O_RDONLY)),
        "create": _create,
        "listing": lambda: list(Path("/").iterdir()),
        "parent": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
        "socket": lambda: socket.socket().close(),
        "interface": _interface,
        # What is not there shows whether it was looked for.
        "program": lambda: os.execv("/no/such/program", ["none"]),  # noqa: S606 it should fail
        "process": _process,
        "signal": lambda: os.kill(os.getppid(), 0),
        "owner": _owner,
        "limits": lambda: prlimit(os.getppid(), RLIMIT_NOFILE),
        "mode": lambda: Path("/no/such/file").chmod(0o600),
        "memory": lambda: os.close(os.memfd_create("pratique-probe")),
    }
    done = [name for name, deed in deeds.items() if _possible(deed)]
    return Probe(pid=os.getpid(), active=list(limits.active), done=done)


def _possible(deed: Callable[[], object]) -> bool:
    """Say whether no wall stood in the way: what failed otherwise was let through."""
    try:
        deed()
    except PermissionError:
        return False
    except OSError:
        return True
    return True


def _create() -> None:
    path = Path(f"/tmp/pratique-probe-{os.getpid()}")  # noqa: S108 it should fail
    path.touch(exist_ok=False)
    path.unlink()


def _owner() -> None:
    reading, writing = os.pipe()
    try:
        fcntl.fcntl(reading, fcntl.F_SETOWN, os.getppid())
    finally:
        os.close(reading)
        os.close(writing)


def _interface() -> None:
    if all(name == "lo" for _, name in socket.if_nameindex()):
        raise PermissionError("nothing but itself to speak to")


def _process() -> None:
    if (child := os.fork()) == 0:
        os._exit(0)
    os.waitpid(child, 0)
