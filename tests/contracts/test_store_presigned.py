"""The contract of schemas/ports/store.py: presigned URLs, over real HTTP."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from schemas.errors import InvalidKey
from schemas.objects import ObjectRef, PresignedUpload
from schemas.ports import ObjectStore
from tests.contracts.stores import (
    ADAPTERS,
    PLAIN,
    VERSIONED,
    DoorServer,
    Rig,
    content,
    open_rig,
    put,
)

REF = ObjectRef(PLAIN, "p1/a b+c%2Fü.png")
VREF = ObjectRef(VERSIONED, REF.key)
MINUTE = timedelta(minutes=1)
METADATA = {"asset-id": "7", "user-consent": "true"}


@pytest.fixture(scope="module")
def server() -> Iterator[DoorServer]:
    with DoorServer() as running:
        yield running


@pytest.fixture(params=ADAPTERS)
def rig(
    request: pytest.FixtureRequest, tmp_path: Path, server: DoorServer
) -> Iterator[Rig]:
    with open_rig(request, tmp_path, server.url) as opened:
        server.door = opened.door
        yield opened


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client() as opened:
        yield opened


def presigned_get(store: ObjectStore, filename: str = "photo.png") -> str:
    return store.presign_get(REF, expires=MINUTE, filename=filename)


def presigned_put(store: ObjectStore, ref: ObjectRef = REF) -> PresignedUpload:
    return store.presign_put(
        ref, size_bytes=4, media_type="image/png", metadata=METADATA, expires=MINUTE
    )


def presigned_post(store: ObjectStore, ref: ObjectRef = REF) -> PresignedUpload:
    return store.presign_post(
        ref, max_bytes=4, media_type="image/png", metadata=METADATA, expires=MINUTE
    )


def send_put(
    client: httpx.Client, upload: PresignedUpload, data: bytes, **headers: str
) -> int:
    headers = upload.headers | {k.replace("_", "-"): v for k, v in headers.items()}
    return client.put(upload.url, content=data, headers=headers).status_code


def send_post(
    client: httpx.Client, upload: PresignedUpload, data: bytes, **fields: str
) -> int:
    fields = upload.fields | {k.replace("_", "-"): v for k, v in fields.items()}
    file = ("name.png", data, "text/html")
    return client.post(upload.url, data=fields, files={"file": file}).status_code


def test_a_get_url_answers_with_the_object_as_download(
    store: ObjectStore, client: httpx.Client
) -> None:
    put(store, REF, b"data")

    answer = client.get(presigned_get(store))

    disposition = answer.headers["content-disposition"]
    assert (answer.status_code, answer.content) == (200, b"data")
    assert answer.headers["content-type"] == "image/png"
    assert disposition.startswith("attachment;")
    assert "photo.png" in disposition


def test_a_get_url_of_a_version_answers_with_that_version(
    store: ObjectStore, client: httpx.Client
) -> None:
    old = put(store, VREF, b"old").ref
    put(store, VREF, b"new")

    answer = client.get(store.presign_get(old, expires=MINUTE, filename="photo.png"))

    assert answer.content == b"old"


def test_after_its_time_a_get_url_answers_403(rig: Rig, client: httpx.Client) -> None:
    put(rig.store, REF, b"data")

    with rig.earlier(MINUTE):
        url = presigned_get(rig.store)

    assert client.get(url).status_code == 403


@pytest.mark.parametrize("ref", [REF, VREF])
def test_a_put_url_stores_one_object_with_its_metadata(
    store: ObjectStore, client: httpx.Client, ref: ObjectRef
) -> None:
    status = send_put(client, presigned_put(store, ref), b"data")

    info = store.head(ref)
    assert (status, content(store, info.ref)) == (200, b"data")
    assert (info.media_type, info.metadata) == ("image/png", METADATA)


def test_a_put_url_announces_what_it_stored(rig: Rig, client: httpx.Client) -> None:
    send_put(client, presigned_put(rig.store, VREF), b"data")

    event = rig.announced()[0]
    assert (event.ref, event.way) == (rig.store.head(VREF).ref, "Put")
    assert (event.size_bytes, event.metadata) == (4, METADATA)


@pytest.mark.parametrize("size", [0, 3, 5])
def test_a_put_url_refuses_another_size(
    store: ObjectStore, client: httpx.Client, size: int
) -> None:
    status = send_put(client, presigned_put(store), b"x" * size)

    assert (400 <= status < 500, list(store.list(PLAIN))) == (True, [])


def test_a_put_url_refuses_another_type(
    store: ObjectStore, client: httpx.Client
) -> None:
    upload = presigned_put(store)

    status = send_put(client, upload, b"data", Content_Type="text/html")

    assert (400 <= status < 500, list(store.list(PLAIN))) == (True, [])


def test_a_put_url_refuses_another_key(
    store: ObjectStore, client: httpx.Client
) -> None:
    upload = presigned_put(store)
    other = upload.model_copy(update={"url": upload.url.replace("p1", "p2")})

    status = send_put(client, other, b"data")

    assert (400 <= status < 500, list(store.list(PLAIN))) == (True, [])


@pytest.mark.parametrize(
    "headers",
    [{"x_amz_meta_asset_id": "8"}, {"x_amz_meta_more": "1"}],
    ids=["changed", "added"],
)
def test_a_put_url_stores_no_other_metadata(
    store: ObjectStore, client: httpx.Client, headers: dict[str, str]
) -> None:
    status = send_put(client, presigned_put(store), b"data", **headers)

    assert (400 <= status < 500, list(store.list(PLAIN))) == (True, [])


def test_after_its_time_a_put_url_stores_nothing(
    rig: Rig, client: httpx.Client
) -> None:
    with rig.earlier(MINUTE):
        upload = presigned_put(rig.store)

    status = send_put(client, upload, b"data")

    assert (status, list(rig.store.list(PLAIN))) == (403, [])


@pytest.mark.parametrize("ref", [REF, VREF])
@pytest.mark.parametrize("data", [b"1", b"1234"])
def test_a_form_stores_one_object(
    store: ObjectStore, client: httpx.Client, data: bytes, ref: ObjectRef
) -> None:
    status = send_post(client, presigned_post(store, ref), data)

    info = store.head(ref)
    assert (status, content(store, info.ref)) == (204, data)
    assert (info.media_type, info.metadata) == ("image/png", METADATA)


def test_a_form_announces_what_it_stored(rig: Rig, client: httpx.Client) -> None:
    send_post(client, presigned_post(rig.store, VREF), b"data")

    event = rig.announced()[0]
    assert (event.ref, event.way) == (rig.store.head(VREF).ref, "Post")
    assert (event.size_bytes, event.metadata) == (4, METADATA)


@pytest.mark.parametrize("size", [0, 5, 100_000])
def test_a_form_refuses_another_size(
    store: ObjectStore, client: httpx.Client, size: int
) -> None:
    status = send_post(client, presigned_post(store), b"x" * size)

    assert (400 <= status < 500, list(store.list(PLAIN))) == (True, [])


@pytest.mark.parametrize(
    "fields",
    [
        {"key": "p2/other.png"},
        {"Content_Type": "text/html"},
        {"x_amz_meta_asset_id": "8"},
        {"x_amz_meta_more": "1"},
    ],
    ids=["key", "type", "metadata changed", "metadata added"],
)
def test_a_form_refuses_what_was_not_signed(
    store: ObjectStore, client: httpx.Client, fields: dict[str, str]
) -> None:
    status = send_post(client, presigned_post(store), b"data", **fields)

    assert (400 <= status < 500, list(store.list(PLAIN))) == (True, [])


def test_after_its_time_a_form_stores_nothing(rig: Rig, client: httpx.Client) -> None:
    with rig.earlier(MINUTE):
        upload = presigned_post(rig.store)

    status = send_post(client, upload, b"data")

    assert (status, list(rig.store.list(PLAIN))) == (403, [])


@pytest.mark.parametrize("presign", [presigned_put, presigned_post])
def test_nothing_is_signed_for_a_bad_key(store: ObjectStore, presign: object) -> None:
    assert callable(presign)

    with pytest.raises(InvalidKey):
        presign(store, ObjectRef(PLAIN, "p1/../photo.png"))
