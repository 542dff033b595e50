"""What whoever holds a presigned URL, or may only put, can't do on a real MinIO."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from urllib.parse import urlsplit

import httpx
import pytest

from infra.stores.options import S3Options
from infra.stores.s3_address import read_address
from infra.stores.s3_presigned import presigned_url
from schemas.errors import SettingsError, Unavailable
from schemas.objects import ObjectRef, PresignedUpload
from schemas.ports import ObjectStore
from tests.contracts.minio_world import PUT, MinioRig, minio_rig
from tests.contracts.stores import PLAIN, VERSIONED, content, put

pytestmark = pytest.mark.servers

REF = ObjectRef(PLAIN, "p1/photo.png")
VREF = ObjectRef(VERSIONED, "p1/photo.png")
SECRET = ObjectRef(VERSIONED, "clean/secret.png")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def rig(request: pytest.FixtureRequest) -> Iterator[MinioRig]:
    with minio_rig(request, PLAIN, VERSIONED) as opened:
        yield opened


@pytest.fixture
def store(rig: MinioRig) -> ObjectStore:
    return rig.store


def presigned_put(store: ObjectStore) -> PresignedUpload:
    return store.presign_put(
        REF, size_bytes=4, media_type="image/png", metadata={}, expires=MINUTE
    )


def presigned_post(store: ObjectStore) -> PresignedUpload:
    return store.presign_post(
        REF, max_bytes=4, media_type="a/b", metadata={}, expires=MINUTE
    )


def presigned_get(store: ObjectStore) -> str:
    return store.presign_get(REF, expires=MINUTE, filename="photo.png")


def sent(upload: PresignedUpload, **headers: str) -> httpx.Response:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.put(upload.url, content=b"data", headers=upload.headers | more)


def by_user(rig: MinioRig, pair: str) -> ObjectStore:
    return rig.opened(f"s3+http://{pair}@{rig.world.address}")


def test_a_put_url_copies_no_other_object(store: ObjectStore) -> None:
    put(store, SECRET, b"secret")
    upload = presigned_put(store)

    answer = sent(upload, x_amz_copy_source=f"/{VERSIONED}/{SECRET.key}")

    assert (answer.status_code, list(store.list(PLAIN))) == (403, [])
    assert "AccessDenied" in answer.text


def test_a_put_url_for_a_size_copies_nothing_with_a_body_of_that_size(
    store: ObjectStore,
) -> None:
    put(store, REF, b"old")
    upload = presigned_put(store)

    answer = sent(
        upload,
        x_amz_copy_source=f"/{PLAIN}/{REF.key}",
        x_amz_metadata_directive="REPLACE",
    )

    assert (answer.status_code, content(store, REF)) == (403, b"old")


def test_unsigned_metadata_is_refused(store: ObjectStore) -> None:
    answer = sent(presigned_put(store), x_amz_meta_user_consent="true")

    assert (answer.status_code, list(store.list(PLAIN))) == (400, [])


def test_minios_own_metadata_is_never_read(store: ObjectStore) -> None:
    answer = sent(presigned_put(store), x_minio_meta_user_consent="true")

    assert (answer.status_code, store.head(REF).metadata) == (200, {})


def test_a_version_is_not_overwritten_by_who_is_denied_it(rig: MinioRig) -> None:
    vetted = put(rig.store, VREF, b"vetted").ref
    url = version_overwrite(rig, vetted)

    answer = httpx.put(url, content=b"other")

    assert (answer.status_code, content(rig.store, vetted)) == (403, b"vetted")
    assert "AccessDenied" in answer.text


def version_overwrite(rig: MinioRig, vetted: ObjectRef) -> str:
    """Sign `PUT ?versionId=` as a dropper whose policy is provision's."""
    pair = rig.world.user(
        PUT,
        {
            "Effect": "Deny",
            "Action": PUT,
            "Resource": [f"arn:aws:s3:::{VERSIONED}/*"],
            "Condition": {"StringLike": {"s3:versionid": ["?*"]}},
        },
    )
    return presigned_url(
        "PUT",
        read_address(f"s3+http://{pair}@{rig.world.address}"),
        VREF,
        query={"versionId": str(vetted.version)},
        headers={},
        at=datetime.now(UTC),
        expires=MINUTE,
    )


def test_a_user_who_may_only_put_gets_versions_told(rig: MinioRig) -> None:
    store = by_user(rig, rig.world.user(PUT))

    stored = put(store, VREF, b"data")

    assert stored.ref == rig.store.head(VREF).ref


def test_a_user_who_may_only_put_stores_a_stream_in_parts(rig: MinioRig) -> None:
    store = by_user(rig, rig.world.user(PUT))

    put_parts = put_unknown(store, bytes(13 << 20))

    assert rig.store.head(VREF).size_bytes == put_parts


def put_unknown(store: ObjectStore, data: bytes) -> int:
    return store.put(
        VREF, BytesIO(data), size_bytes=None, media_type="a/b", metadata={}
    ).size_bytes


def test_who_lacks_a_right_is_told_what_mends_it(rig: MinioRig) -> None:
    pair = rig.world.user(PUT)
    put(rig.store, REF)

    with pytest.raises(Unavailable, match="pratique provision") as caught:
        content(by_user(rig, pair), REF)

    user, _, secret = pair.partition(":")
    assert user in str(caught.value)
    assert secret not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_a_user_without_any_right_to_look_can_ping(rig: MinioRig) -> None:
    by_user(rig, rig.world.user(PUT)).ping()


def test_a_wrong_secret_is_noticed_by_ping(rig: MinioRig) -> None:
    with pytest.raises(Unavailable, match="SignatureDoesNotMatch"):
        by_user(rig, rig.world.user(PUT) + "x").ping()


@pytest.mark.parametrize(
    ("sign", "name"),
    [
        (presigned_put, "PRATIQUE_UPLOAD_SIGNER"),
        (presigned_post, "PRATIQUE_UPLOAD_SIGNER"),
        (presigned_get, "PRATIQUE_DOWNLOAD_SIGNER"),
    ],
)
def test_without_a_signer_nothing_is_signed(
    rig: MinioRig, sign: Callable[[ObjectStore], object], name: str
) -> None:
    store = rig.opened(rig.url, S3Options())

    with pytest.raises(SettingsError, match=name):
        sign(store)


def test_urls_are_signed_for_the_public_address(rig: MinioRig) -> None:
    options = S3Options("https://files.example.org:443", *signers(rig))
    store = rig.opened(rig.url, options)

    uploads = [presigned_put(store), presigned_post(store)]

    urls = [presigned_get(store), *(upload.url for upload in uploads)]
    assert {urlsplit(url)[:2] for url in urls} == {("https", "files.example.org")}


def signers(rig: MinioRig) -> tuple[str | None, str | None]:
    return rig.world.signers.upload_signer, rig.world.signers.download_signer


def test_a_download_keeps_its_name_in_any_script(store: ObjectStore) -> None:
    put(store, REF)

    answer = httpx.get(store.presign_get(REF, expires=MINUTE, filename='ü "x".png'))

    disposition = answer.headers["content-disposition"]
    assert disposition.endswith("filename*=UTF-8''%C3%BC%20%22x%22.png")
    assert answer.headers["cache-control"] == "private, no-store"


def test_a_get_url_gives_no_other_object(store: ObjectStore) -> None:
    put(store, SECRET)
    url = store.presign_get(REF, expires=MINUTE, filename="x")

    answer = httpx.get(url.replace(f"{PLAIN}/{REF.key}", f"{VERSIONED}/{SECRET.key}"))

    assert (answer.status_code, "SignatureDoesNotMatch" in answer.text) == (403, True)


def test_metadata_with_blanks_is_signed_as_it_is_sent(store: ObjectStore) -> None:
    upload = store.presign_put(
        REF,
        size_bytes=4,
        media_type="text/plain;  charset=utf-8",
        metadata={"note": "a  b   c", "empty": ""},
        expires=MINUTE,
    )

    answer = sent(upload)

    assert (answer.status_code, store.head(REF).metadata["note"]) == (200, "a  b   c")


@pytest.mark.parametrize("expires", [timedelta(0), timedelta(days=7, seconds=1)])
def test_a_url_lasts_from_a_second_to_a_week(
    store: ObjectStore, expires: timedelta
) -> None:
    with pytest.raises(ValueError, match="7 days"):
        store.presign_get(REF, expires=expires, filename="x")
