"""What is written down of servers that run in the background."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from pydantic import BaseModel


class Running(BaseModel):
    """A server that answers.

    Args:
        url: as in PRATIQUE_STORE, PRATIQUE_BROKER or PRATIQUE_DATABASE.
        source: `binary`, `Docker`, or the variable that named it.
        pid: None in a container and for a server that is not ours.
    """

    url: str
    version: str
    source: str
    pid: int | None = None
    management_url: str | None = None


class State(BaseModel):
    """Servers of one holder, by name; or why there are none.

    Args:
        home: where their data is.
        variables: what a shell sets to use them.
    """

    holder: int | None = None
    home: Path | None = None
    error: str | None = None
    servers: dict[str, Running] = {}
    variables: dict[str, str] = {}


def write(path: Path, state: State) -> None:
    """Write it whole or not at all, for its owner only: it has passwords."""
    with NamedTemporaryFile(
        "w", dir=path.parent, prefix=".state-", delete=False
    ) as draft:  # its mode is 0600
        draft.write(state.model_dump_json())
    os.replace(draft.name, path)  # noqa: PTH105  (its name is a str)


def read(path: Path) -> State | None:
    """Return what is written there; None for nothing."""
    try:
        return State.model_validate_json(path.read_text())
    except FileNotFoundError:
        return None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes out that want the same."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
