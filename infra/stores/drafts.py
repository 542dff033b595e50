"""Files that are being written: seen by nobody until they are renamed."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import Unavailable


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the file system refuses (full, read-only, broken) into Unavailable."""
    try:
        yield
    except OSError as exc:
        raise Unavailable(f"the store's folder: {exc}") from exc


@dataclass(frozen=True)
class Draft:
    """A file that is locked for as long as its writer lives."""

    path: Path
    fd: int

    @translated()
    def write(self, chunk: bytes) -> None:
        """Append *chunk*."""
        left = memoryview(chunk)
        while left:
            left = left[os.write(self.fd, left) :]

    @translated()
    def sync(self) -> None:
        """Return when the bytes are on disk."""
        os.fsync(self.fd)


@contextmanager
def drafting(folder: Path) -> Iterator[Draft]:
    """Give a new file in *folder*; unless it was renamed by then, it is removed."""
    with translated():
        draft = _locked(folder)
    try:
        yield draft
    finally:
        with translated():
            os.close(draft.fd)
            draft.path.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove what writers that died have left in *folder*."""
    for path in folder.iterdir():
        # What can't be opened or locked is in use or foreign: leave it.
        with suppress(OSError):
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
            finally:
                os.close(fd)


def _locked(folder: Path) -> Draft:
    while True:
        path = folder / secrets.token_hex(16)
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        fcntl.flock(fd, fcntl.LOCK_EX)
        if os.fstat(fd).st_nlink:
            return Draft(path, fd)
        os.close(fd)  # a sweep came between creating and locking
