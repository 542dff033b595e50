"""What is foreign or broken in the folder of the embedded store is no object."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.errors import ObjectNotFound
from schemas.objects import ObjectRef
from schemas.ports import ObjectStore
from tests.contracts.stores import PLAIN, VERSIONED, put

REF = ObjectRef(PLAIN, "p1/photo.png")
VREF = ObjectRef(VERSIONED, "p1/photo.png")


def file_of(root: Path, bucket: str) -> Path:
    """Return the one file that a bucket's one object lies in."""
    [path] = (root / bucket).glob("?/*")
    return path


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _socket(path: Path) -> None:
    path.unlink()
    # By a short relative name: the address of a socket has 108 bytes at most.
    with socket.socket(socket.AF_UNIX) as listening:
        folder = os.open(path.parent, os.O_RDONLY)
        listening.bind(f"/proc/self/fd/{folder}/{path.name[:20]}")
        os.close(folder)
    (path.parent / path.name[:20]).rename(path)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _link(path: Path) -> None:
    elsewhere = path.parents[2] / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def _other_name(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data.replace(b"photo.png", b"other.png"))


def cut(size: int) -> Callable[[Path], None]:
    return lambda path: os.truncate(path, size)


def flipped(offset: int) -> Callable[[Path], None]:
    def flip(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[offset] ^= 0xFF
        path.write_bytes(data)

    return flip


GARBAGE = {
    "empty": cut(0),
    "one byte": cut(1),
    "bytes without label": cut(1000),
    "half a label": cut(1100),
    "foreign": lambda path: path.write_bytes(os.urandom(5000)),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\n"),
    "bytes lost": lambda path: path.write_bytes(path.read_bytes()[1:]),
    "odd label length": flipped(-12),
    "another format": flipped(-1),
    "label not JSON": flipped(1000),
    "another object's": _other_name,
    "folder": _folder,
    "symbolic link": _link,
    "pipe": _pipe,
    "socket": _socket,
}


@pytest.mark.parametrize("spoil", GARBAGE.values(), ids=GARBAGE)
@pytest.mark.parametrize("ref", [REF, VREF], ids=["plain", "versioned"])
def test_garbage_in_an_objects_place_is_no_object(
    store: ObjectStore, root: Path, spoil: Callable[[Path], object], ref: ObjectRef
) -> None:
    put(store, ref, bytes(1000))
    spoil(file_of(root, ref.bucket))

    with pytest.raises(ObjectNotFound):
        store.head(ref)
    assert list(store.list(ref.bucket)) == []


def test_foreign_files_beside_objects_are_ignored(
    store: ObjectStore, root: Path
) -> None:
    info = put(store, VREF)
    path = file_of(root, VERSIONED)
    for name in ("notes.txt", f"{path.stem}.null", f"{path.stem}.zz", path.stem):
        (path.parent / name).write_bytes(b"foreign")
    (root / VERSIONED / "folder").mkdir()
    (root / ".drafts" / "folder").mkdir()

    assert [found.ref for found in store.list(VERSIONED)] == [info.ref]
    assert store.head(VREF) == info
