"""The embedded store: its folder, its versions, and what fails under it."""

import fcntl
import io
import logging
import os
import resource
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.stores import open_store
from schemas.errors import InvalidKey, ObjectNotFound, SettingsError, Unavailable
from schemas.events import ObjectCreated
from schemas.objects import ObjectInfo, ObjectRef
from schemas.ports import ObjectStore
from tests.contracts.stores import PLAIN, VERSIONED, FileRig, content, put

REF = ObjectRef(PLAIN, "p1/photo.png")
VREF = ObjectRef(VERSIONED, "p1/photo.png")


def recorded(call: Callable[..., Any], calls: list[str]) -> Callable[..., Any]:
    def recording(*args: Any, **kwargs: Any) -> Any:
        calls.append(call.__name__)
        return call(*args, **kwargs)

    return recording


def test_no_key_leaves_the_folder(store: ObjectStore, root: Path) -> None:
    for key in ("...", "~", "$HOME", "a" * 1024, "%2e%2e/%2e%2e/x", "..\u2215x", "C:x"):
        put(store, ObjectRef(PLAIN, key))

    assert len(list((root / PLAIN).glob("?/*.null"))) == 7
    assert [path.name for path in root.parent.iterdir()] == [root.name]


@pytest.mark.parametrize(
    "bucket", ["", "ab", "..", "../x", "a/b", ".drafts", "Ab-c", "a..b"]
)
def test_what_is_no_bucket_name_is_refused(store: ObjectStore, bucket: str) -> None:
    with pytest.raises(InvalidKey):
        store.provision(bucket, versioned=False)


@pytest.mark.parametrize("version", ["null", "../../x", "", "0" * 24, "0" * 23 + "\n"])
def test_a_version_that_never_was_is_not_found(
    store: ObjectStore, version: str
) -> None:
    put(store, VREF)

    with pytest.raises(ObjectNotFound):
        store.head(ObjectRef(VERSIONED, VREF.key, version))


@pytest.mark.parametrize("version", ["null", "0" * 24, "/../../x"])
def test_deleting_a_version_that_never_was_deletes_nothing(
    store: ObjectStore, version: str
) -> None:
    put(store, REF)

    store.delete(ObjectRef(PLAIN, REF.key, version))

    assert content(store, REF) == b"data"


def test_what_others_store_on_the_machine_can_not_be_read(
    store: ObjectStore, root: Path
) -> None:
    put(store, REF)
    store.presign_get(REF, expires=timedelta(1), filename="f")

    modes = {path.stat().st_mode & 0o077 for path in [root, *root.rglob("*")]}
    assert modes == {0}


def test_a_damaged_secret_signs_nothing(store: ObjectStore, root: Path) -> None:
    (root / ".secret").write_bytes(b"")

    with pytest.raises(SettingsError, match="damaged"):
        store.presign_get(REF, expires=timedelta(1), filename="f")


@pytest.mark.parametrize(
    ("media_type", "metadata"),
    [
        ("", {}),
        ("image/png\r\nX: y", {}),
        ("bild/ü", {}),
        ("image/png", {"Upper": "x"}),
        ("image/png", {"": "x"}),
        ("image/png", {"key": "ü"}),
        ("image/png", {"key": "a\nb"}),
        ("image/png", {"key": " padded "}),
        ("image/png", {"key": "x" * 2048}),
    ],
)
def test_what_no_header_carries_unchanged_is_refused(
    store: ObjectStore, media_type: str, metadata: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match=r"media type|metadata"):
        store.put(
            REF,
            io.BytesIO(),
            size_bytes=0,
            media_type=media_type,
            metadata=metadata,
        )


def test_a_bucket_keeps_being_versioned_or_not(store: ObjectStore) -> None:
    with pytest.raises(SettingsError, match=f"{PLAIN}.*without versions"):
        store.provision(PLAIN, versioned=True)


@pytest.mark.parametrize(
    "act",
    [
        put,
        lambda store, ref: store.head(ref),
        lambda store, ref: store.head(ObjectRef(ref.bucket, ref.key, "0" * 24)),
        lambda store, ref: store.delete(ref),
        lambda store, ref: list(store.list(ref.bucket)),
    ],
)
def test_of_a_missing_bucket_nothing_is_concluded(
    store: ObjectStore, act: Callable[[ObjectStore, ObjectRef], object]
) -> None:
    with pytest.raises(Unavailable, match="pratique provision"):
        act(store, ObjectRef("missing-bucket", "key"))


def test_bytes_that_are_being_read_stay_readable(store: ObjectStore) -> None:
    put(store, REF, bytes(2 << 20))

    with store.open(REF) as stream:
        store.delete(REF)
        read = stream.read()

    assert len(read) == 2 << 20


def test_an_object_is_there_when_it_is_announced(rig: FileRig) -> None:
    seen: list[ObjectInfo] = []
    store = open_store(
        rig.url,
        public_url=rig.public_url,
        announce=lambda event: seen.append(rig.store.head(event.ref)),
        clock=lambda: rig.now,
    )

    info = put(store, VREF)

    assert seen == [info]


def test_an_object_that_can_not_be_announced_stays(
    rig: FileRig, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(event: ObjectCreated) -> None:
        raise Unavailable("no broker")

    store = open_store(
        rig.url, public_url=rig.public_url, announce=fail, clock=lambda: rig.now
    )

    info = put(store, VREF)

    logged = [(record.levelno, record.message) for record in caplog.records]
    assert (store.head(VREF), logged) == (info, [(logging.WARNING, "not_announced")])


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Let files grow to 100 kB only, which fails as a full disk does."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_unavailable_and_keeps_no_half(
    store: ObjectStore, root: Path
) -> None:
    put(store, REF, b"old")

    with pytest.raises(Unavailable):
        put(store, REF, bytes(1_000_000))

    assert content(store, REF) == b"old"
    assert list((root / ".drafts").iterdir()) == []


def test_provisioning_spares_what_is_being_written(store: ObjectStore) -> None:
    class Provisioning(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            store.provision(PLAIN, versioned=False)
            return super().read(size)

    store.put(REF, Provisioning(b"data"), size_bytes=4, media_type="a/b", metadata={})

    assert content(store, REF) == b"data"


def test_a_file_swept_before_its_writer_could_lock_it_is_made_anew(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock
    sweeps = [lambda: store.provision(PLAIN, versioned=False)]

    def sweep_then_lock(fd: int, how: int) -> None:
        while sweeps:
            sweeps.pop()()
        lock(fd, how)

    monkeypatch.setattr(fcntl, "flock", sweep_then_lock)
    put(store, REF)

    assert (sweeps, content(store, REF)) == ([], b"data")


def test_bytes_are_on_disk_before_their_name_is_and_then_the_name(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    for name in ("write", "fsync", "replace"):
        monkeypatch.setattr(os, name, recorded(getattr(os, name), calls))

    put(store, REF)

    assert calls == ["write", "write", "fsync", "replace", "fsync"]


def test_a_stream_that_is_too_long_is_not_read_to_its_end(store: ObjectStore) -> None:
    stream = io.BytesIO(bytes(8 << 20))

    with pytest.raises(ValueError, match="more than 10 bytes"):
        store.put(REF, stream, size_bytes=10, media_type="a/b", metadata={})

    assert stream.tell() <= 1 << 20
