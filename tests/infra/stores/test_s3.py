"""What only a real MinIO shows: hostile writers, pages, parts and connections."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from minio.versioningconfig import SUSPENDED

from infra.stores.s3_address import read_address
from infra.stores.s3_answers import scan
from infra.stores.s3_requests import Requests
from schemas.errors import InvalidKey, ObjectExists, Unavailable
from schemas.objects import ObjectInfo, ObjectRef
from schemas.ports import ObjectStore
from tests.contracts.minio_world import MinioRig, minio_rig
from tests.contracts.stores import PLAIN, VERSIONED, content, put
from tests.infra.stores.wire import Proxy

pytestmark = pytest.mark.servers

REF = ObjectRef(PLAIN, "p1/photo.png")
VREF = ObjectRef(VERSIONED, "p1/photo.png")
PARTS = 13 << 20  # three of them


@pytest.fixture
def rig(request: pytest.FixtureRequest) -> Iterator[MinioRig]:
    with minio_rig(request, PLAIN, VERSIONED) as opened:
        yield opened


@pytest.fixture
def store(rig: MinioRig) -> ObjectStore:
    return rig.store


@pytest.fixture
def requests(rig: MinioRig) -> Iterator[Requests]:
    opened = Requests(read_address(rig.url), connections=2)
    yield opened
    opened.close()


@pytest.fixture
def proxy(rig: MinioRig) -> Iterator[Proxy]:
    with Proxy(rig.world.address) as running:
        yield running


@pytest.fixture
def proxied(rig: MinioRig, proxy: Proxy) -> Iterator[ObjectStore]:
    store = rig.opened(rig.url.replace(rig.world.address, proxy.address))
    yield store
    store.close()


def raw_put(
    requests: Requests, ref: ObjectRef, query: str = "", **headers: str
) -> None:
    """Put four bytes as somebody with other software may."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    requests.send(
        "PUT",
        ref.bucket,
        ref.key,
        query={query: "1"} if query else {},
        headers={"Content-Length": "4", **more},
        body=[b"data"],
    )


def put_parts(store: ObjectStore, size: int | None, data: bytes) -> ObjectInfo:
    return store.put(
        REF, BytesIO(data), size_bytes=size, media_type="a/b", metadata={"a": "1"}
    )


@pytest.mark.parametrize(
    "name",
    [
        "x-minio-meta-e&vil",
        "x-amz-meta-<!--",
        "x-amz-meta-</UserMetadata><Size>99</Size>",
        "x-amz-meta-></X></UserMetadata></Version><Version><Key>forged</Key>",
    ],
)
def test_no_metadata_breaks_or_forges_a_listing(
    store: ObjectStore, requests: Requests, name: str
) -> None:
    raw_put(requests, VREF, query=name)
    neighbour = put(store, ObjectRef(VERSIONED, "p2/photo.png")).ref

    listed = list(store.list(VERSIONED))

    assert [info.ref for info in listed] == [store.head(VREF).ref, neighbour]
    assert [info.size_bytes for info in listed] == [4, 4]


def test_bytes_are_never_decoded(store: ObjectStore, requests: Requests) -> None:
    raw_put(requests, REF, Content_Encoding="gzip")

    assert content(store, REF) == b"data"
    assert store.ranges(REF).read_at(0, 4) == b"data"


def test_a_listing_goes_on_page_after_page(
    store: ObjectStore, requests: Requests
) -> None:
    names = ["a", "a", "a", "a", "a-b", "a.b", "a0/1", "a0/1", "b c+d%2Fü&é", "b"]
    refs = {put(store, ObjectRef(VERSIONED, name)).ref for name in names}
    store.delete(ObjectRef(VERSIONED, "a"))

    listed = list(scan(requests, VERSIONED, "", page=2))

    found = [info.ref.key for info in listed]
    assert found == sorted([*names, "a"], key=str.encode)
    assert refs < {info.ref for info in listed}


def test_a_listing_asks_once_a_page(
    store: ObjectStore, proxied: ObjectStore, proxy: Proxy
) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: put(store, ObjectRef(PLAIN, f"{n}")), range(20)))

    listed = list(proxied.list(PLAIN))

    assert (len(listed), proxy.requests) == (20, 1)


def test_what_lies_below_another_object_is_listed_when_that_is_gone(
    store: ObjectStore,
) -> None:
    above = put(store, ObjectRef(VERSIONED, "a")).ref
    below = put(store, ObjectRef(VERSIONED, "a/1")).ref
    hidden = [info.ref for info in store.list(VERSIONED)]

    store.delete(above)

    assert (hidden, [i.ref for i in store.list(VERSIONED)]) == ([above], [below])


def test_where_versions_are_suspended_an_object_has_none(
    rig: MinioRig, request: pytest.FixtureRequest
) -> None:
    rig.world.versions(VERSIONED, SUSPENDED)
    request.addfinalizer(lambda: rig.store.provision(VERSIONED, versioned=True))

    stored = put(rig.store, VREF)

    assert stored.ref == VREF
    assert [info.ref for info in rig.store.list(VERSIONED)] == [VREF]


def test_versions_that_were_switched_off_are_switched_on_again(
    rig: MinioRig,
) -> None:
    rig.world.versions(VERSIONED, SUSPENDED)

    rig.store.provision(VERSIONED, versioned=True)

    assert rig.store.provisioned(VERSIONED, versioned=True)


@pytest.mark.parametrize("size", [6 << 20, (6 << 20) + 1, PARTS, 12 << 20])
def test_a_long_stream_is_stored_in_parts(store: ObjectStore, size: int) -> None:
    data = b"0123456789abcdef" * (size // 16) + b"x" * (size % 16)

    stored = put_parts(store, None, data)

    assert (stored.size_bytes, content(store, REF)) == (size, data)
    assert store.head(REF).metadata == {"a": "1"}


class Broken(BytesIO):
    """A stream that fails after so many bytes that parts have been sent."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > PARTS - (1 << 20):
            raise BrokenPipeError("the sender has gone")
        return super().read(size)


def test_parts_of_a_stream_that_failed_are_removed(
    rig: MinioRig, requests: Requests
) -> None:
    ref = ObjectRef(PLAIN, "p1/broken.png")

    with pytest.raises(BrokenPipeError, match="gone"):
        rig.store.put(
            ref,
            Broken(bytes(PARTS)),
            size_bytes=None,
            media_type="a/b",
            metadata={},
        )

    # MinIO lists them by their exact key only.
    query = {"uploads": "", "prefix": ref.key}
    pending = requests.send("GET", PLAIN, query=query)
    assert b"<Upload>" not in pending.data


def test_a_broken_pipe_of_the_source_is_not_the_stores(store: ObjectStore) -> None:
    with pytest.raises(BrokenPipeError, match="gone"):
        store.put(
            REF, Broken(bytes(PARTS)), size_bytes=PARTS, media_type="a/b", metadata={}
        )

    assert list(store.list(PLAIN)) == []


def test_a_server_that_is_cut_off_while_sending_is_noticed(
    store: ObjectStore, proxied: ObjectStore, proxy: Proxy
) -> None:
    put(store, REF, bytes(4 << 20))
    proxy.cut_after(1 << 20)

    with pytest.raises(Unavailable, match="broke off"):
        content(proxied, REF)


def test_connections_do_not_grow_with_use(proxied: ObjectStore, proxy: Proxy) -> None:
    def use(number: int) -> None:
        stored = put(proxied, ObjectRef(VERSIONED, f"{number}")).ref
        assert content(proxied, stored) == b"data"
        assert proxied.ranges(stored).read_at(1, 2) == b"at"
        proxied.delete(stored)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(use, range(100)))

    assert proxy.requests == 500
    assert proxy.accepted <= 4


def test_readers_that_stop_early_keep_no_connection(
    store: ObjectStore, proxied: ObjectStore, proxy: Proxy
) -> None:
    put(store, REF, bytes(4 << 20))

    for _ in range(20):
        with proxied.open(REF) as stream:
            stream.read(1)

    assert proxy.open_connections() == 0


def test_a_long_upload_to_a_taken_key_is_told_so(store: ObjectStore) -> None:
    put(store, REF)

    with pytest.raises(ObjectExists):
        store.put_once(
            REF,
            BytesIO(bytes(50 << 20)),
            size_bytes=50 << 20,
            media_type="a/b",
            metadata={},
        )


@pytest.mark.parametrize("key", ["k" * 256, "a/" + "ü" * 128])
def test_a_segment_that_is_no_file_name_is_an_invalid_key(
    store: ObjectStore, key: str
) -> None:
    with pytest.raises(InvalidKey):
        put(store, ObjectRef(PLAIN, key))


def test_nothing_is_logged_about_more_threads_than_connections(
    store: ObjectStore, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), ThreadPoolExecutor(30) as pool:
        list(pool.map(lambda _: store.ping(), range(120)))

    assert caplog.messages == []
