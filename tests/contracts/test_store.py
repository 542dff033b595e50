"""The contract of schemas/ports/store.py: what an ObjectStore keeps and gives back."""

import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from io import RawIOBase
from typing import Any, BinaryIO, cast

import pytest

from schemas.errors import InvalidKey
from schemas.objects import ObjectInfo, ObjectRef
from schemas.ports import ObjectStore
from tests.contracts.stores import (
    PLAIN,
    VERSIONED,
    Rig,
    content,
    put,
    put_once,
    undated,
)

REF = ObjectRef(PLAIN, "p1/photo.png")
VREF = ObjectRef(VERSIONED, "p1/photo.png")
BAD_KEYS = ["", "/a", "a//b", "a/", "./a", "a/../b", "..", "a\\b", "a\0b"]
BAD_KEYS += ["ü" * 512 + "x", "\ud800"]
# Segments of 200 bytes: some stores keep each as the name of a folder.
LONGEST = "/".join(["ü" * 100] * 5) + "/" + "k" * 19


def keys(store: ObjectStore, bucket: str, prefix: str = "") -> list[str]:
    return [info.ref.key for info in store.list(bucket, prefix)]


class Source(RawIOBase):
    """A stream of *left* zero bytes that calls *watch* before each read."""

    def __init__(self, left: int, watch: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self.left = left
        self.watch = watch

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.watch()
        count = min(len(buffer), self.left)
        buffer[:count] = bytes(count)
        self.left -= count
        return count


def put_stream(store: ObjectStore, source: RawIOBase, size: int | None) -> ObjectInfo:
    stream = cast("BinaryIO", source)
    return store.put(REF, stream, size_bytes=size, media_type="image/png", metadata={})


@pytest.mark.parametrize("ref", [REF, VREF])
def test_a_created_object_is_announced(rig: Rig, ref: ObjectRef) -> None:
    info = put(rig.store, ref, b"four", {"user-consent": "true"})

    event = rig.announced()[0]
    assert (event.ref, event.way, event.size_bytes) == (info.ref, "Put", 4)
    assert (event.media_type, event.metadata) == ("image/png", info.metadata)


def test_a_versioned_bucket_keeps_every_put(store: ObjectStore) -> None:
    refs = [put(store, VREF, data).ref for data in (b"one", b"two", b"three")]

    assert [content(store, ref) for ref in refs] == [b"one", b"two", b"three"]


def test_another_bucket_keeps_the_newest_bytes_only(store: ObjectStore) -> None:
    put(store, REF, b"old")
    put(store, REF, b"new")

    assert [content(store, i.ref) for i in store.list(PLAIN)] == [b"new"]


@pytest.mark.parametrize("key", ["k", LONGEST, "a b+c%2Fd?e#f&ü.png", "..a/b..", "~"])
def test_a_key_has_1_to_1024_bytes_of_utf8(store: ObjectStore, key: str) -> None:
    put(store, ObjectRef(PLAIN, key))

    assert keys(store, PLAIN) == [key]


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_bad_key_is_refused(store: ObjectStore, key: str) -> None:
    with pytest.raises(InvalidKey):
        put(store, ObjectRef(PLAIN, key))


@pytest.mark.parametrize(
    "act",
    [
        lambda store, ref: put_once(store, ref, b""),
        content,
        lambda store, ref: store.ranges(ref),
        lambda store, ref: store.head(ref),
        lambda store, ref: store.delete(ref),
    ],
)
def test_a_bad_key_is_refused_wherever_one_is_given(
    store: ObjectStore, act: Callable[[ObjectStore, ObjectRef], object]
) -> None:
    with pytest.raises(InvalidKey):
        act(store, ObjectRef(PLAIN, "../photo.png"))


def test_an_object_appears_whole_or_not_at_all(store: ObjectStore) -> None:
    seen_meanwhile: list[str] = []
    source = Source(3 << 20, lambda: seen_meanwhile.extend(keys(store, PLAIN)))

    put_stream(store, source, 3 << 20)

    assert (seen_meanwhile, keys(store, PLAIN)) == ([], [REF.key])


def test_a_replaced_object_is_whole_all_the_while(store: ObjectStore) -> None:
    put(store, REF, b"old")
    seen: list[bytes] = []

    put_stream(store, Source(10, lambda: seen.append(content(store, REF))), 10)

    assert (set(seen), content(store, REF)) == ({b"old"}, bytes(10))


KILLED = """
import io, os, signal, sys
from datetime import UTC, datetime
from infra.stores import open_store
from schemas.objects import ObjectRef

class Source(io.BytesIO):
    def read(self, size):
        if self.tell() > 8 << 20:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().read(size)

url, bucket = sys.argv[1:]
store = open_store(
    url,
    public_url="http://127.0.0.1:1",
    announce=print,
    clock=lambda: datetime.now(UTC),
)
ref = ObjectRef(bucket, "p1/photo.png")
source = Source(bytes(9 << 20))
store.put(ref, source, size_bytes=None, media_type="image/png", metadata={})
"""


def test_nothing_appears_of_a_put_whose_process_is_killed(rig: Rig) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, rig.url, PLAIN], check=False)

    assert (killed.returncode, keys(rig.store, PLAIN)) == (-9, [])


@pytest.mark.parametrize("error", [OSError("disk"), ValueError("odd"), EOFError()])
def test_an_error_while_reading_comes_through(
    store: ObjectStore, error: Exception
) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        put_stream(store, Source(10, fail), 10)

    assert (caught.value, keys(store, PLAIN)) == (error, [])


@pytest.mark.parametrize("claimed", [0, 9, 11])
def test_a_stream_of_another_length_stores_nothing(
    store: ObjectStore, claimed: int
) -> None:
    with pytest.raises(ValueError, match="bytes"):
        put_stream(store, Source(10), claimed)

    assert keys(store, PLAIN) == []


@pytest.mark.parametrize("size", [0, 10, 6 << 20])
def test_without_a_length_any_is_taken(store: ObjectStore, size: int) -> None:
    info = put_stream(store, Source(size), None)

    assert (info.size_bytes, content(store, REF)) == (size, bytes(size))


def test_memory_does_not_grow_with_the_object(store: ObjectStore) -> None:
    tracemalloc.start()
    put_stream(store, Source(64 << 20), None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 16 << 20


@pytest.mark.parametrize("ref", [REF, VREF])
def test_put_returns_what_was_stored(store: ObjectStore, ref: ObjectRef) -> None:
    metadata = {"asset-id": "7", "empty": "", "note": 'a b; c="d"'}

    info = put(store, ref, b"four", metadata)

    assert undated(info) == undated(store.head(ref))
    assert (info.size_bytes, info.media_type) == (4, "image/png")
    assert (info.metadata, info.marker) == (metadata, False)
    assert (info.ref.key, info.ref.version is None) == (ref.key, ref is REF)
