"""Which store a URL opens, and which URLs are refused."""

import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.stores import open_store
from infra.stores.options import S3Options
from schemas.errors import SettingsError
from schemas.events import ObjectCreated
from schemas.objects import ObjectRef
from schemas.ports import ObjectStore
from tests.contracts.stores import PLAIN, put

REF = ObjectRef(PLAIN, "key")


def opened(url: str, announced: list[ObjectCreated] | None = None) -> ObjectStore:
    return open_store(
        url,
        public_url="http://127.0.0.1:1",
        announce=(announced if announced is not None else []).append,
        clock=lambda: datetime.now(UTC),
    )


def test_an_unknown_scheme_is_refused_with_the_known_ones_and_without_the_url() -> None:
    with pytest.raises(SettingsError, match="known: file:") as caught:
        opened("ftp://user:password@host/objects")

    assert "password" not in str(caught.value)


@pytest.mark.parametrize("url", ["file:", "file://host/x", "file:?announce=off", ""])
def test_a_url_without_folder_is_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        opened(url)


@pytest.mark.parametrize(
    "query", ["announce=on", "announce", "sync=off", "announce=off&x=1"]
)
def test_an_unknown_option_is_refused(tmp_path: Path, query: str) -> None:
    with pytest.raises(SettingsError, match="announce=off"):
        opened(f"file:{tmp_path}?{query}")


@pytest.mark.parametrize("prefix", ["file:", "file://"])
def test_the_folder_is_made_where_the_url_says(tmp_path: Path, prefix: str) -> None:
    store = opened(f"{prefix}{tmp_path}/a b%20/objects")

    store.provision(PLAIN, versioned=False)

    assert (tmp_path / "a b%20" / "objects" / PLAIN).is_dir()


def test_a_relative_folder_stays_where_it_was_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = opened("file:./objects")
    monkeypatch.chdir("/")

    store.provision(PLAIN, versioned=False)

    assert (tmp_path / "objects" / PLAIN).is_dir()


def test_opening_a_store_makes_nothing(tmp_path: Path) -> None:
    opened(f"file:{tmp_path}/objects")

    assert list(tmp_path.iterdir()) == []


def test_announcements_can_be_turned_off(tmp_path: Path) -> None:
    announced: list[ObjectCreated] = []
    store = opened(f"file:{tmp_path}?announce=off", announced)
    store.provision(PLAIN, versioned=False)

    put(store, REF)

    assert announced == []


def signed_for(url: str, public_url: str | None = None) -> str:
    """Return where a download URL of the store points to."""
    options = S3Options(public_url, upload_signer="u:v", download_signer="d:e")
    store = open_store(
        url,
        public_url="http://127.0.0.1:1",
        announce=print,
        clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        s3=options,
    )
    return store.presign_get(REF, expires=timedelta(seconds=60), filename="x")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("s3+http://key:secret@host:9000", "http://host:9000/"),
        ("s3+http://key:secret@host:9000/", "http://host:9000/"),
        ("s3+http://key:secret@host", "http://host/"),
        ("s3+http://key:secret@host:80", "http://host/"),
        ("s3+https://key:secret@HOST:443", "https://host/"),
        ("s3+https://key:secret@host:80", "https://host:80/"),
        ("s3+http://k%2Fey:s%40%3Acret@[::1]:9000", "http://[::1]:9000/"),
    ],
)
def test_an_s3_url_names_a_server(url: str, expected: str) -> None:
    assert signed_for(url).startswith(expected + PLAIN)


@pytest.mark.parametrize(
    ("query", "region"), [("", "us-east-1"), ("?region=eu-west-1", "eu-west-1")]
)
def test_an_s3_url_may_name_a_region(query: str, region: str) -> None:
    signed = signed_for(f"s3+http://key:secret@host{query}")

    assert f"X-Amz-Credential=d%2F20260101%2F{region}%2Fs3" in signed


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "//",
        "//host:9000",
        "//sesame@host:9000",
        "//key:@host:9000",
        "//:sesame@host:9000",
        "//key:sesame@",
        "//key:sesame@:9000",
        "//key:sesame@host:port",
        "//key:sesame@host:99999",
        "//key:sesame@[::1",
        "//key:sesame@ho st",
        "//key:ses/ame@host",
        "//key:sesame@host/bucket",
        "//key:sesame@host#x",
        "//key:sesame@host?announce=off",
        "//key:sesame@host?region=",
        "//key:sesame@host?region=a&region=b",
        "//key:sesame@host?region=sesame%20street",
        "key:sesame@host",
    ],
)
@pytest.mark.parametrize("scheme", ["s3+http:", "s3+https:"])
def test_a_malformed_s3_url_is_refused_without_its_text(scheme: str, rest: str) -> None:
    with pytest.raises(SettingsError) as caught:
        opened(scheme + rest)

    assert "sesame" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("public_url", ["files.example.org", "ftp://host", "http://"])
def test_a_public_url_that_names_no_server_is_refused(public_url: str) -> None:
    with pytest.raises(SettingsError, match="PRATIQUE_STORE_PUBLIC_URL"):
        signed_for("s3+http://key:secret@host", public_url)


def test_opening_an_s3_store_asks_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        port = listener.getsockname()[1]

        opened(f"s3+http://key:secret@127.0.0.1:{port}").close()

        with pytest.raises(BlockingIOError):
            listener.accept()


def test_minio_is_not_imported_for_a_folder() -> None:
    code = "import sys, infra.stores; sys.exit('minio' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
