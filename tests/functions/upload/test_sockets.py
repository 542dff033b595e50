"""Over real sockets: refusals that are seen, bodies that break, memory that stays."""

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from schemas.lifecycle import Status
from tests.functions.upload.forms import CONSENT, FILE, PROJECT, TYPE, form, part
from tests.functions.upload.house import FIELDS, House
from tests.functions.upload.test_consent import ANSWER

MIB = 1 << 20
NO_CONSENT = part("user_consent", "false") + part(*PROJECT)
FILE_HEAD = part("file", "f", b"")[:-2]
END = b"\r\n--frontier--\r\n"


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def head(length: int, *more: str) -> bytes:
    lines = [
        "POST /assets HTTP/1.1",
        "Host: pratique.test",
        f"Content-Type: {TYPE}",
        f"Content-Length: {length}",
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def answer(connection: socket.socket) -> tuple[int, Any]:
    """Read one answer, to the end of its declared length."""
    with connection.makefile("rb") as stream:
        status = int(stream.readline().split()[1])
        headers = {}
        while line := stream.readline().strip().lower():
            name, _, value = line.partition(b":")
            headers[name] = value.strip()
        return status, json.loads(stream.read(int(headers[b"content-length"])))


@pytest.mark.parametrize("more", [[], ["Connection: close"]])
def test_a_client_that_sends_all_before_it_reads_sees_the_refusal(
    house: House, more: list[str]
) -> None:
    body = NO_CONSENT + FILE_HEAD + bytes(20 * MIB) + END
    with connect(house.serve()) as client:
        client.sendall(head(len(body), *more) + body)

        status, detail = answer(client)

    assert (status, detail, house.objects, house.assets) == (400, ANSWER, [], [])


def test_an_ordinary_client_sees_the_refusal_of_a_large_file(house: House) -> None:
    url = f"http://127.0.0.1:{house.serve()}/assets"
    fields = {**FIELDS, "user_consent": "false"}

    response = httpx.post(url, data=fields, files={"file": ("f", bytes(20 * MIB))})

    assert (response.status_code, response.json()) == (400, ANSWER)


def test_the_refusal_comes_before_the_body_was_sent(house: House) -> None:
    with connect(house.serve()) as client:
        client.sendall(head(1 << 40) + NO_CONSENT + FILE_HEAD + b"x")

        status, detail = answer(client)

    assert (status, detail) == (400, ANSWER)


def test_a_refused_body_is_not_read_for_ever(house: House) -> None:
    house.settings = {"linger_bytes": MIB}
    sent = 0
    with connect(house.serve()) as client, suppress(ConnectionError):
        client.sendall(head(1 << 40) + NO_CONSENT + FILE_HEAD)
        while sent < 200 * MIB:
            sent += client.send(bytes(MIB))

    assert sent < 100 * MIB


def test_a_connection_is_used_again_after_a_large_file(house: House) -> None:
    request = form(PROJECT, CONSENT, ("file", "f", bytes(5 * MIB)))
    message = head(len(request["content"])) + request["content"]
    with connect(house.serve()) as client:
        statuses = []
        for _ in range(2):
            client.sendall(message)
            statuses.append(answer(client)[0])

    assert statuses == [202, 202]


@pytest.mark.parametrize("kept", [10, 100, 300, 100_000])
def test_a_body_that_is_cut_stores_nothing(house: House, kept: int) -> None:
    body = form(PROJECT, CONSENT, ("file", "f", bytes(200_000)))["content"]
    port = house.serve()
    with connect(port) as client:
        client.sendall(head(len(body)) + body[:kept])
    httpx.get(f"http://127.0.0.1:{port}/livez")  # it was let in after the other one
    house.stop()  # finishes what is in hand

    assert house.objects == []
    assert {asset.status for asset in house.assets} <= {Status.EXPIRED}


def test_the_record_of_a_cut_body_says_so(house: House) -> None:
    body = form(PROJECT, CONSENT, ("file", "f", bytes(200_000)))["content"]
    with connect(house.serve()) as client:
        client.sendall(head(len(body)) + body[:100_000])
        wait_for_row(house)
    house.stop()

    found = [(asset.status, asset.reason) for asset in house.assets]
    assert found == [(Status.EXPIRED, "body_incomplete")]


def test_a_body_that_stalls_is_given_up(house: House) -> None:
    house.settings = {"stall_s": 0.2}
    body = form(PROJECT, CONSENT, ("file", "f", bytes(200_000)))["content"]
    with connect(house.serve()) as client:
        client.sendall(head(len(body)) + body[:100_000])

        status, _ = answer(client)

    found = [(asset.status, asset.reason) for asset in house.assets]
    assert (status, found) == (408, [(Status.EXPIRED, "body_too_slow")])


def test_a_body_that_drips_for_too_long_is_given_up(house: House) -> None:
    house.settings = {"transfer_s": 0.3}
    with connect(house.serve()) as client:
        client.sendall(head(1 << 30) + part(*PROJECT) + part(*CONSENT) + FILE_HEAD)
        client.settimeout(0.01)
        early = b""
        while not early:
            client.sendall(b"x")
            try:
                early = client.recv(12)
            except TimeoutError:
                continue

    assert early == b"HTTP/1.1 408"


def test_slow_uploads_leave_the_other_routes_alone(house: House) -> None:
    house.settings = {"max_transfers": 2}
    port = house.serve()
    start = head(1 << 20) + part(*PROJECT) + part(*CONSENT) + FILE_HEAD + b"x"
    with ExitStack() as slow:
        for _ in range(60):
            slow.enter_context(connect(port)).sendall(start)

        response = httpx.get(f"http://127.0.0.1:{port}/assets?project_id=p1")

    assert response.status_code == 200


def test_a_stop_gives_up_an_upload_that_stalls(house: House) -> None:
    with connect(house.serve()) as client:
        client.sendall(
            head(1 << 20) + part(*PROJECT) + part(*CONSENT) + FILE_HEAD + b"x"
        )
        wait_for_row(house)

        stopped = house.stop()

    for thread in threading.enumerate():
        if thread.name.startswith("AnyIO"):
            thread.join(5)
    assert stopped
    assert [asset.status for asset in house.assets] == [Status.EXPIRED]


def wait_for_row(house: House) -> None:
    """Wait until an upload's bytes are on their way to the store."""
    deadline = time.monotonic() + 10
    while not house.assets:
        assert time.monotonic() < deadline


@contextmanager
def serving_apart(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Serve *folder* in a process of its own; give it and its port."""
    command = [sys.executable, "-m", "tests.functions.upload.serve", str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
        process.communicate()


@pytest.fixture(scope="module")
def server(
    provisioned: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[int, int]]:
    """Give process id and port of a server of its own."""
    folder = tmp_path_factory.mktemp("served") / "house"
    shutil.copytree(provisioned, folder)
    with serving_apart(folder) as (process, port):
        yield process.pid, port


def test_a_killed_server_leaves_a_record_that_will_expire(fragile: House) -> None:
    with serving_apart(fragile.folder) as (process, port), connect(port) as client:
        client.sendall(head(1 << 20) + part(*PROJECT) + part(*CONSENT) + FILE_HEAD)
        client.sendall(bytes(500_000))
        wait_for_row(fragile)
        process.kill()

    (asset,) = fragile.assets
    assert (fragile.objects, asset.status) == ([], Status.PENDING)
    assert asset.next_announce_at == asset.expires_at


def peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def upload(port: int, size_mib: int, *parts: bytes) -> int:
    """Stream a file of zeros between *parts*; return the status."""
    before, after = parts
    length = len(before) + len(FILE_HEAD) + size_mib * MIB + len(after)
    with closing(connect(port)) as client:
        client.settimeout(60)
        client.sendall(head(length) + before + FILE_HEAD)
        for _ in range(size_mib):
            client.sendall(bytes(MIB))
        client.sendall(after)
        return answer(client)[0]


@pytest.mark.parametrize("file_first", [False, True])
def test_memory_does_not_grow_with_the_file(
    server: tuple[int, int], file_first: bool
) -> None:
    pid, port = server
    fields = part(*PROJECT) + part(*CONSENT)
    around = (b"", b"\r\n" + fields + END[2:]) if file_first else (fields, END)
    upload(port, 8, *around)
    before = peak_bytes(pid)

    status = upload(port, 128, *around)

    assert status == 202
    assert peak_bytes(pid) - before < 32 * MIB


def test_a_wish_that_is_cut_is_no_bug(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    port = house.serve()
    with connect(port) as client:
        client.sendall(head(1 << 10).replace(b"/assets", b"/uploads") + b"{")
    httpx.get(f"http://127.0.0.1:{port}/livez")  # it was let in after the other one
    house.stop()

    assert not [r for r in caplog.records if r.levelname == "ERROR"]


def test_the_next_request_is_served_after_a_broken_one(house: House) -> None:
    port = house.serve()
    with connect(port) as client:
        client.sendall(head(1 << 20) + part(*PROJECT)[:20])

    response = httpx.post(
        f"http://127.0.0.1:{port}/assets", data=FIELDS, files={"file": FILE[1:]}
    )

    assert response.status_code == 202
