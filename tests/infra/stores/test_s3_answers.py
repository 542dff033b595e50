"""What an S3 server's answers, refusals and silences become, with scripted servers."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO

import pytest
import urllib3

from infra.stores.options import S3Options
from infra.stores.s3 import S3Store
from infra.stores.s3_address import read_address
from schemas.errors import (
    InvalidKey,
    ObjectExists,
    ObjectNotFound,
    PermanentError,
    PratiqueError,
    SettingsError,
    Unavailable,
)
from schemas.objects import ObjectRef
from schemas.ports import ObjectStore
from tests.contracts.stores import content, put, put_once
from tests.infra.stores.wire import answer, error, scripted, stalled

REF = ObjectRef("bucket", "p1/photo.png")
GET_ANSWER = ('ETag: "1"', "Content-Type: image/png")
Act = Callable[[ObjectStore, ObjectRef], object]


def opened(address: str, read_s: float = 5) -> S3Store:
    return S3Store(
        read_address(f"s3+http://the-user:the-secret@{address}"),
        S3Options(),
        clock=lambda: datetime.now(UTC),
        timeout=urllib3.Timeout(connect=5, read=read_s),
    )


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        ("404 Not Found", "NoSuchKey", ObjectNotFound),
        ("404 Not Found", "NoSuchVersion", ObjectNotFound),
        ("405 Method Not Allowed", "MethodNotAllowed", ObjectNotFound),
        ("404 Not Found", "NoSuchBucket", Unavailable),
        ("403 Forbidden", "AccessDenied", Unavailable),
        ("403 Forbidden", "InvalidAccessKeyId", Unavailable),
        ("403 Forbidden", "SignatureDoesNotMatch", Unavailable),
        ("403 Forbidden", "RequestTimeTooSkewed", Unavailable),
        ("500 Internal Server Error", "InternalError", Unavailable),
        ("503 Service Unavailable", "SlowDown", Unavailable),
        ("503 Service Unavailable", "XMinioServerNotInitialized", Unavailable),
        ("507 Insufficient Storage", "XMinioStorageFull", Unavailable),
        ("429 Too Many Requests", "TooManyRequests", Unavailable),
        ("400 Bad Request", "RequestTimeout", Unavailable),
        ("400 Bad Request", "KeyTooLongError", InvalidKey),
        ("400 Bad Request", "XMinioInvalidObjectName", InvalidKey),
        ("400 Bad Request", "InvalidArgument", PermanentError),
        ("501 Not Implemented", "NotImplemented", PermanentError),
    ],
)
def test_a_refusal_is_sorted_by_what_the_host_must_do(
    status: str, code: str, expected: type[PratiqueError]
) -> None:
    with scripted(error(status, code)) as address, pytest.raises(PratiqueError) as got:
        content(opened(address), REF)

    assert type(got.value) is expected


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("412 Precondition Failed", "PreconditionFailed"),
        ("409 Conflict", "ConditionalRequestConflict"),
    ],
)
def test_a_key_that_is_taken_is_told_in_two_ways(status: str, code: str) -> None:
    with scripted(error(status, code)) as address, pytest.raises(ObjectExists):
        put_once(opened(address), REF, b"data")


def test_who_lacks_a_right_is_named_and_no_secret() -> None:
    refused = error("403 Forbidden", "AccessDenied")

    with scripted(refused) as address, pytest.raises(Unavailable) as got:
        put(opened(address), REF)

    words = f"{got.value!r} {got.value.__cause__!r}"
    assert "user the-user" in words
    assert "pratique provision" in words
    assert "the-secret" not in words


@pytest.mark.parametrize(
    "page",
    [
        answer("200 OK", b"<html>Log in first</html>", "Content-Type: text/html"),
        answer("200 OK", b"<ListVersionsResult><Vers", "Content-Type: text/xml"),
        answer("200 OK", b""),
        answer("200 OK", b"<html><p>Log in first</p></html>"),
        answer("404 Not Found", b"<html>Not found<br></html>"),
        answer("302 Found", b"", "Location: /login"),
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
    ],
)
@pytest.mark.parametrize(
    "act",
    [
        lambda store: list(store.list("bucket")),
        lambda store: store.provisioned("bucket", versioned=True),
    ],
)
def test_what_is_no_s3_server_is_unavailable(
    act: Callable[[ObjectStore], object], page: bytes
) -> None:
    with scripted(page, page) as address, pytest.raises(Unavailable):
        act(opened(address))


def test_a_listing_that_does_not_say_how_it_goes_on_is_unavailable() -> None:
    name = "ListVersionsResult"
    page = f"<{name}><IsTruncated>true</IsTruncated></{name}>".encode()

    with scripted(answer("200 OK", page)) as address, pytest.raises(Unavailable):
        list(opened(address).list("bucket"))


@pytest.mark.parametrize("given", [b"", b"0123", b"012345678"])
def test_a_body_that_breaks_off_is_unavailable_and_no_short_object(
    given: bytes,
) -> None:
    cut = answer("200 OK", given, *GET_ANSWER, length=10)

    with scripted(cut) as address, pytest.raises(Unavailable):
        content(opened(address), REF)


@pytest.mark.parametrize("given", [b"", b"01"])
def test_a_range_that_breaks_off_is_unavailable(given: bytes) -> None:
    head = answer("200 OK", b"", *GET_ANSWER, length=10)
    cut = answer("206 Partial Content", given, *GET_ANSWER, length=4)

    with scripted(head, cut, cut) as address:
        reader = opened(address).ranges(REF)
        with pytest.raises(Unavailable):
            reader.read_at(0, 4)


def test_another_range_than_was_asked_for_is_unavailable() -> None:
    head = answer("200 OK", b"", *GET_ANSWER, length=10)
    whole = answer("200 OK", b"0123456789", *GET_ANSWER)

    with scripted(head, whole) as address:
        reader = opened(address).ranges(REF)
        with pytest.raises(Unavailable):
            reader.read_at(0, 4)


@pytest.mark.parametrize(
    "act",
    [
        lambda store, ref: store.ping(),
        lambda store, ref: store.head(ref),
        put,
        content,
    ],
)
def test_a_server_that_is_silent_is_unavailable_in_time(act: Act) -> None:
    with stalled(b"") as address, pytest.raises(Unavailable, match="timed out"):
        act(opened(address, read_s=0.05), REF)


def test_a_server_that_stops_in_the_middle_is_unavailable_in_time() -> None:
    begun = answer("200 OK", b"0123", *GET_ANSWER, length=10)

    with stalled(begun) as address, pytest.raises(Unavailable, match="timed out"):
        content(opened(address, read_s=0.05), REF)


def test_a_request_is_sent_again_if_a_connection_was_closed_at_once() -> None:
    with scripted(b"", answer("200 OK", b"data", *GET_ANSWER)) as address:
        assert content(opened(address), REF) == b"data"


def test_an_upload_is_never_sent_again() -> None:
    stored = answer("200 OK", b"", *GET_ANSWER)

    with scripted(b"", stored) as address, pytest.raises(Unavailable):
        put(opened(address), REF)


def test_a_missing_bucket_is_found_out_where_a_server_does_not_explain_itself() -> None:
    missing = answer("404 Not Found", b"")

    with scripted(missing, missing) as address, pytest.raises(Unavailable):
        opened(address).head(REF)


def test_a_missing_object_is_found_out_where_a_server_does_not_explain_itself() -> None:
    answers = answer("404 Not Found", b""), answer("200 OK", b"")

    with scripted(*answers) as address, pytest.raises(ObjectNotFound):
        opened(address).head(REF)


def test_ping_is_content_with_a_server_that_knows_us() -> None:
    with scripted(error("403 Forbidden", "AccessDenied")) as address:
        opened(address).ping()


def test_ping_notices_wrong_keys() -> None:
    refused = error("403 Forbidden", "SignatureDoesNotMatch")

    with scripted(refused) as address, pytest.raises(Unavailable):
        opened(address).ping()


def test_somebody_elses_bucket_is_not_provisioned() -> None:
    taken = error("409 Conflict", "BucketAlreadyExists")

    with scripted(taken) as address, pytest.raises(SettingsError, match="bucket"):
        opened(address).provision("bucket", versioned=True)


PARTS = "InitiateMultipartUploadResult"
BEGAN = answer("200 OK", f"<{PARTS}><UploadId>1</UploadId></{PARTS}>".encode())
PART = answer("200 OK", b"", 'ETag: "1"')
FAILED = b"  <Error><Code>InternalError</Code><Message>No.</Message></Error>"


def put_one_part(store: ObjectStore) -> None:
    stream = BytesIO(bytes(6 << 20))
    store.put(REF, stream, size_bytes=None, media_type="a/b", metadata={})


def test_parts_that_can_not_be_put_together_are_noticed_in_a_200() -> None:
    answers = BEGAN, PART, answer("200 OK", FAILED), answer("204 No Content")

    with scripted(*answers) as address, pytest.raises(Unavailable, match="Internal"):
        put_one_part(opened(address))


def test_an_upload_in_parts_that_ends_without_an_answer_is_unavailable() -> None:
    answers = BEGAN, PART, answer("200 OK", b""), answer("204 No Content")

    with scripted(*answers) as address, pytest.raises(Unavailable, match="Complete"):
        put_one_part(opened(address))


def test_parts_that_can_not_be_removed_hide_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answers = BEGAN, error("503 Service Unavailable", "SlowDown"), error("403 F", "No")

    with scripted(*answers) as address, pytest.raises(Unavailable, match="SlowDown"):
        put_one_part(opened(address))

    assert caplog.messages == ["parts_left"]


@pytest.mark.parametrize("act", [lambda s: s.ranges(REF), put_one_part])
def test_an_answer_without_etag_is_unavailable(
    act: Callable[[ObjectStore], object],
) -> None:
    answers = BEGAN, answer("200 OK"), answer("204 No Content")

    with scripted(*answers) as address, pytest.raises(Unavailable, match="ETag"):
        act(opened(address))
