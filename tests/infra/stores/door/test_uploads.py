"""Uploads through the door of the embedded store: what is refused, and how."""

import socket
import tracemalloc
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from schemas.objects import PresignedUpload
from tests.contracts.stores import PLAIN, FileRig, content
from tests.infra.stores.doors import MEBIBYTE, MINUTE, REF, get_url, put_url, refusal


def form(rig: FileRig, size: int = 4) -> PresignedUpload:
    return rig.store.presign_post(
        REF, max_bytes=size, media_type="image/png", metadata={}, expires=MINUTE
    )


def multipart(*parts: tuple[str, str], end: str = "--b--\r\n") -> bytes:
    """Return a form in the order given; `file` and `image` are sent as files."""
    text = ""
    for name, value in parts:
        filename = '; filename="f"' if name in ("file", "image") else ""
        disposition = f'Content-Disposition: form-data; name="{name}"{filename}'
        text += f"--b\r\n{disposition}\r\n\r\n{value}\r\n"
    return f"{text}{end}".encode()


def send_form(client: httpx.Client, url: str, body: bytes) -> httpx.Response:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    return client.post(url, content=body, headers=headers)


def test_an_upload_without_length_is_411(rig: FileRig, client: httpx.Client) -> None:
    upload = put_url(rig)

    answer = client.put(upload.url, content=iter([b"data"]), headers=upload.headers)

    assert refusal(answer) == (411, "length_required")


@pytest.mark.parametrize(
    ("data", "headers", "expected"),
    [
        (b"12345", {}, (400, "size_mismatch")),
        (b"data", {"Content-Type": "image/PNG"}, (403, "type_mismatch")),
        (b"data", {"x-amz-meta-a": "b"}, (403, "metadata_mismatch")),
    ],
)
def test_a_put_says_what_differs(
    rig: FileRig,
    client: httpx.Client,
    data: bytes,
    headers: dict[str, str],
    expected: tuple[int, str],
) -> None:
    upload = put_url(rig)

    answer = client.put(upload.url, content=data, headers=upload.headers | headers)

    assert refusal(answer) == expected


def test_a_put_with_two_types_is_refused(rig: FileRig, client: httpx.Client) -> None:
    types = [("Content-Type", "image/png"), ("Content-Type", "text/html")]

    answer = client.put(put_url(rig).url, content=b"data", headers=types)

    assert refusal(answer) == (403, "type_mismatch")


def signed_fields(rig: FileRig) -> list[tuple[str, str]]:
    return list(form(rig).fields.items())


def test_a_file_that_is_too_large_is_413(rig: FileRig, client: httpx.Client) -> None:
    body = multipart(*signed_fields(rig), ("file", "12345"))

    answer = send_form(client, form(rig).url, body)

    assert refusal(answer) == (413, "too_large")


def test_the_fields_may_come_in_any_order_and_case(
    rig: FileRig, client: httpx.Client
) -> None:
    fields = [(name.upper(), value) for name, value in reversed(signed_fields(rig))]

    answer = send_form(client, form(rig).url, multipart(*fields, ("file", "data")))

    assert (answer.status_code, content(rig.store, REF)) == (204, b"data")


FILE = ("file", "data")
EXTRA = ("extra", "1")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([], [], (400, "field_missing")),
        ([EXTRA], [FILE], (403, "policy_violated")),
        ([], [("image", "data")], (403, "policy_violated")),
        ([], [FILE, EXTRA], (400, "field_after_file")),
        ([], [FILE, FILE], (400, "field_after_file")),
        ([FILE], [], (403, "signature_invalid")),
        ([("key", "p1/photo.png")], [FILE], (400, "field_invalid")),
        ([("extra", "x" * 100_000)], [FILE], (400, "field_invalid")),
    ],
)
def test_a_form_of_another_shape_stores_nothing(
    rig: FileRig,
    client: httpx.Client,
    before: list[tuple[str, str]],
    after: list[tuple[str, str]],
    expected: tuple[int, str],
) -> None:
    body = multipart(*before, *signed_fields(rig), *after)

    answer = send_form(client, form(rig).url, body)

    assert (refusal(answer), list(rig.store.list(PLAIN))) == (expected, [])


@pytest.mark.parametrize("name", ["key", "policy", "x-signature", "Content-Type"])
def test_a_form_that_lacks_a_signed_field_stores_nothing(
    rig: FileRig, client: httpx.Client, name: str
) -> None:
    fields = [field for field in signed_fields(rig) if field[0] != name]

    answer = send_form(client, form(rig).url, multipart(*fields, FILE))

    assert (answer.status_code, list(rig.store.list(PLAIN))) == (403, [])


def test_a_form_for_another_bucket_stores_nothing(
    rig: FileRig, client: httpx.Client
) -> None:
    url = f"{rig.public_url}/objects/versioned-bucket"

    answer = send_form(client, url, multipart(*signed_fields(rig), FILE))

    assert refusal(answer) == (403, "policy_violated")


@pytest.mark.parametrize("end", ["", "--b", "--b\r\n", "garbage"])
def test_a_form_that_breaks_off_stores_nothing(
    rig: FileRig, client: httpx.Client, end: str
) -> None:
    upload = form(rig, 100)
    body = multipart(*upload.fields.items(), FILE, end=end)

    answer = send_form(client, upload.url, body)

    assert (answer.status_code, list(rig.store.list(PLAIN))) == (400, [])


def test_what_is_no_form_is_415(rig: FileRig, client: httpx.Client) -> None:
    answer = client.post(form(rig).url, json=form(rig).fields)

    assert refusal(answer) == (415, "unsupported_media_type")


def test_a_body_cut_in_the_middle_stores_nothing_and_the_next_is_served(
    rig: FileRig, client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    upload = put_url(rig, 100)
    target = upload.url.removeprefix(rig.public_url)
    head = f"PUT {target} HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
    address = urlsplit(rig.public_url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(f"{head}Content-Length: 100\r\n\r\nhalf".encode())
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1000):
            pass

    after_the_cut = list(rig.store.list(PLAIN))
    answer = client.put(upload.url, content=bytes(100), headers=upload.headers)
    errors = [r.message for r in caplog.records if r.levelname == "ERROR"]
    assert (after_the_cut, answer.status_code, errors) == ([], 200, [])


def test_a_body_that_stalls_is_given_up(
    rig: FileRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.stores.door._STALL_S", 0.05)
    upload = put_url(rig, 100)
    target = upload.url.removeprefix(rig.public_url)
    head = f"PUT {target} HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
    address = urlsplit(rig.public_url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(f"{head}Content-Length: 100\r\n\r\nhalf".encode())
        status_line = connection.recv(1000).split(b"\r\n")[0]

    assert status_line.split()[1] == b"408"


def test_a_large_refused_body_is_not_read_to_its_end(rig: FileRig) -> None:
    sent = []

    def body() -> Iterator[bytes]:
        for _ in range(512):
            sent.append(len(MEBIBYTE))
            yield MEBIBYTE

    upload = put_url(rig)
    headers = upload.headers | {"Content-Length": str(512 << 20)}
    with httpx.Client() as client:
        answer = client.put(upload.url, content=body(), headers=headers)

    assert (refusal(answer), sum(sent) < 64 << 20) == ((400, "size_mismatch"), True)


def test_memory_does_not_grow_with_an_upload_or_a_download(
    rig: FileRig, client: httpx.Client
) -> None:
    upload = put_url(rig, 64 << 20)
    headers = upload.headers | {"Content-Length": str(64 << 20)}
    tracemalloc.start()
    chunks = (MEBIBYTE for _ in range(64))
    stored = client.put(upload.url, content=chunks, headers=headers)
    with client.stream("GET", get_url(rig)) as answer:
        size = sum(map(len, answer.iter_raw()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert (stored.status_code, size) == (200, 64 << 20)
    assert peak < 16 << 20
