"""The door of the embedded store: who may read, and how."""

import threading
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from schemas.objects import ObjectRef
from tests.contracts.stores import PLAIN, FileRig, put
from tests.infra.stores.doors import MEBIBYTE, MINUTE, REF, get_url, put_url, refusal


def test_an_expired_url_says_so(rig: FileRig, client: httpx.Client) -> None:
    url = get_url(rig)
    rig.pass_time(MINUTE)

    assert refusal(client.get(url)) == (403, "url_expired")


def test_a_url_lasts_until_its_time(rig: FileRig, client: httpx.Client) -> None:
    put(rig.store, REF)
    url = get_url(rig)
    rig.pass_time(MINUTE - timedelta(microseconds=1))

    assert client.get(url).status_code == 200


@pytest.mark.parametrize("name", ["policy", "signature"])
@pytest.mark.parametrize("value", ["", "x", "ü", "e30=", None])
def test_what_was_not_signed_here_reads_nothing(
    rig: FileRig, client: httpx.Client, name: str, value: str | None
) -> None:
    put(rig.store, REF)
    url = httpx.URL(get_url(rig))
    params = url.params.remove(name)
    params = params if value is None else params.set(name, value)

    answer = client.get(url.copy_with(params=params))

    assert refusal(answer) == (403, "signature_invalid")


def test_another_stores_signature_reads_nothing(
    rig: FileRig, client: httpx.Client, tmp_path: Path
) -> None:
    put(rig.store, REF)
    other = FileRig(f"file:{tmp_path}/other", rig.public_url)

    assert refusal(client.get(get_url(other))) == (403, "signature_invalid")


def test_any_process_on_the_folder_may_sign(rig: FileRig, client: httpx.Client) -> None:
    put(rig.store, REF)
    other = FileRig(rig.url, rig.public_url)

    assert client.get(get_url(other)).content == b"data"


def test_a_url_is_for_one_method(rig: FileRig, client: httpx.Client) -> None:
    put(rig.store, REF)

    answer = client.get(put_url(rig).url)

    assert refusal(answer) == (403, "signature_invalid")


def test_a_url_is_for_one_object(rig: FileRig, client: httpx.Client) -> None:
    put(rig.store, ObjectRef(PLAIN, "p2/photo.png"))

    answer = client.get(get_url(rig).replace("p1", "p2"))

    assert refusal(answer) == (403, "signature_invalid")


def test_a_download_may_have_any_name(rig: FileRig, client: httpx.Client) -> None:
    put(rig.store, REF)
    url = rig.store.presign_get(REF, expires=MINUTE, filename='\ud800\n"ü.png')

    assert client.get(url).status_code == 200


def test_a_missing_object_is_404(rig: FileRig, client: httpx.Client) -> None:
    assert refusal(client.get(get_url(rig))) == (404, "object_not_found")


def test_a_store_that_is_away_is_503(
    rig: FileRig, client: httpx.Client, tmp_path: Path
) -> None:
    url = get_url(rig)
    (tmp_path / "objects" / PLAIN).rename(tmp_path / "away")

    answer = client.get(url)

    assert refusal(answer) == (503, "unavailable")
    assert answer.headers["retry-after"]


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "POST"])
def test_other_methods_are_refused(
    rig: FileRig, client: httpx.Client, method: str
) -> None:
    answer = client.request(method, get_url(rig))

    assert refusal(answer) == (405, "method_not_allowed")


@pytest.mark.parametrize("path", ["/", f"/{PLAIN}", f"/{PLAIN}/", "/x/y/z"])
def test_nothing_can_be_listed(rig: FileRig, client: httpx.Client, path: str) -> None:
    put(rig.store, REF)

    answer = client.get(f"{rig.public_url}/objects{path}")

    assert answer.status_code in (403, 404, 405)


@pytest.mark.parametrize(
    ("wanted", "status", "body"),
    [
        ("bytes=0-3", 206, b"0123"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-2", 206, b"89"),
        ("bytes=-99", 206, b"0123456789"),
        ("bytes=8-99", 206, b"89"),
        ("bytes=3-2", 200, b"0123456789"),
        ("bytes=0-1,4-5", 200, b"0123456789"),
        ("bytes=-", 200, b"0123456789"),
        ("lines=1-2", 200, b"0123456789"),
    ],
)
def test_one_range_can_be_read(
    rig: FileRig, client: httpx.Client, wanted: str, status: int, body: bytes
) -> None:
    put(rig.store, REF, b"0123456789")

    answer = client.get(get_url(rig), headers={"Range": wanted})

    assert (answer.status_code, answer.content) == (status, body)


def test_a_range_says_where_it_lies(rig: FileRig, client: httpx.Client) -> None:
    put(rig.store, REF, b"0123456789")

    answer = client.get(get_url(rig), headers={"Range": "bytes=2-4"})

    assert answer.headers["content-range"] == "bytes 2-4/10"


@pytest.mark.parametrize("wanted", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_a_range_behind_the_end_is_416(
    rig: FileRig, client: httpx.Client, wanted: str
) -> None:
    put(rig.store, REF, b"0123456789")

    answer = client.get(get_url(rig), headers={"Range": wanted})

    assert refusal(answer) == (416, "range_not_satisfiable")
    assert answer.headers["content-range"] == "bytes */10"


def test_a_download_is_never_shown_as_a_page(
    rig: FileRig, client: httpx.Client
) -> None:
    put(rig.store, REF)

    headers = client.get(get_url(rig)).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-disposition"].startswith("attachment")
    assert headers["cache-control"] == "private, no-store"


def test_what_is_deleted_is_not_read_to_its_end(
    rig: FileRig, client: httpx.Client
) -> None:
    put(rig.store, REF, MEBIBYTE * 32)

    with client.stream("GET", get_url(rig)) as answer:
        chunks = answer.iter_raw()
        next(chunks)
        rig.store.delete(REF)

        with pytest.raises(httpx.RemoteProtocolError):
            list(chunks)


def test_many_first_signers_agree_on_one_secret(tmp_path: Path) -> None:
    rig = FileRig(f"file:{tmp_path}/objects")
    urls: set[str] = set()
    threads = [
        threading.Thread(target=lambda: urls.add(get_url(rig))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert urls == {get_url(rig)}
