"""Where a private server lives: its account, its directory and its ports."""

import os
import pwd
import random
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

LOOPBACK = "127.0.0.1"
# Below what the kernel gives to outgoing connections: else one of those could hold
# the port of a server that was killed when it is to start again.
_PORTS = range(20_000, 32_768)


def account(preferred: str) -> pwd.struct_passwd | None:
    """Return whom a server runs as that shall not be root; None: as who we are."""
    if os.geteuid() != 0:
        return None
    known = {user.pw_name: user for user in pwd.getpwall()}
    return known.get(preferred) or known["nobody"]


@contextmanager
def directory(name: str, owner: pwd.struct_passwd | None) -> Iterator[Path]:
    """Make a directory for one server that belongs to the account it runs as."""
    # Short, as a socket's path may have 107 bytes at most.
    home = Path(tempfile.mkdtemp(prefix=f"pratique-{name}-"))
    try:
        give(home, owner)
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def give(path: Path, owner: pwd.struct_passwd | None) -> None:
    """Let *owner* have a file or directory."""
    if owner is not None:
        os.chown(path, owner.pw_uid, owner.pw_gid)


def free_ports(count: int) -> list[int]:
    """Return ports on which nothing listens on loopback."""
    with ExitStack() as held:
        return [held.enter_context(_bound()).getsockname()[1] for _ in range(count)]


@contextmanager
def _bound() -> Iterator[socket.socket]:
    with socket.socket() as probe:
        while True:
            try:
                probe.bind((LOOPBACK, random.choice(_PORTS)))  # noqa: S311  (no secret)
                break
            except OSError:
                continue
        yield probe
