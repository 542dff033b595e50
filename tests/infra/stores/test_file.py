"""The embedded store: its folder, its versions, and what fails under it."""

import io
import logging
import resource
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from infra.stores import open_store
from schemas.errors import InvalidKey, ObjectNotFound, SettingsError, Unavailable
from schemas.events import ObjectCreated
from schemas.objects import ObjectInfo, ObjectRef
from schemas.ports import ObjectStore
from tests.contracts.stores import PLAIN, VERSIONED, FileRig, content, put

REF = ObjectRef(PLAIN, "p1/photo.png")
VREF = ObjectRef(VERSIONED, "p1/photo.png")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def rig(root: Path) -> FileRig:
    return FileRig(f"file:{root}")


@pytest.fixture
def store(rig: FileRig) -> ObjectStore:
    return rig.store


def test_no_key_leaves_the_folder(store: ObjectStore, root: Path) -> None:
    for key in ("...", "~", "$HOME", "a" * 1024, "%2e%2e/%2e%2e/x", "..\u2215x", "C:x"):
        put(store, ObjectRef(PLAIN, key))

    assert len(list((root / PLAIN).glob("?/*.null"))) == 7
    assert [path.name for path in root.parent.iterdir()] == [root.name]


@pytest.mark.parametrize("bucket", ["", "ab", "..", "../x", "a/b", ".drafts", "Ab-c"])
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


def test_deleting_a_version_that_never_was_deletes_nothing(
    store: ObjectStore, root: Path
) -> None:
    put(store, REF)
    victim = root / "victim"
    victim.write_bytes(b"kept")

    store.delete(ObjectRef(VERSIONED, REF.key, "x/../../../victim"))
    store.delete(ObjectRef(PLAIN, REF.key, "0" * 24))

    assert (victim.read_bytes(), content(store, REF)) == (b"kept", b"data")


def test_what_others_store_on_the_machine_can_not_be_read(
    store: ObjectStore, root: Path
) -> None:
    put(store, REF)
    store.presign_get(REF, expires=timedelta(1), filename="f")

    modes = {path.stat().st_mode & 0o077 for path in [root, *root.rglob("*")]}
    assert modes == {0}


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


def test_a_delete_without_version_leaves_a_marker(store: ObjectStore) -> None:
    info = put(store, VREF)

    store.delete(VREF)
    store.delete(VREF)

    listed = list(store.list(VERSIONED))
    assert [i.marker for i in listed] == [False, True]
    assert content(store, info.ref) == b"data"


def test_a_marker_hides_what_is_below_it(store: ObjectStore) -> None:
    put(store, VREF)
    store.delete(VREF)

    with pytest.raises(ObjectNotFound):
        store.head(VREF)


def test_without_its_marker_an_object_is_back(store: ObjectStore) -> None:
    put(store, VREF)
    store.delete(VREF)
    marker = list(store.list(VERSIONED))[-1]

    store.delete(marker.ref)

    assert content(store, VREF) == b"data"


def test_the_newest_version_is_the_last_even_if_the_clock_goes_back(
    rig: FileRig,
) -> None:
    put(rig.store, VREF, b"first")
    rig.pass_time(timedelta(hours=-1))

    put(rig.store, VREF, b"second")

    bytes_in_order = [content(rig.store, i.ref) for i in rig.store.list(VERSIONED)]
    assert (content(rig.store, VREF), bytes_in_order) == (
        b"second",
        [b"first", b"second"],
    )


def test_ranges_never_mix_two_writes(store: ObjectStore) -> None:
    put(store, REF, b"old")
    reader = store.ranges(REF)
    put(store, REF, b"new")

    with pytest.raises(ObjectNotFound):
        reader.read_at(0, 3)


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
