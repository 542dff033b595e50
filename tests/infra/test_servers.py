"""Private servers: nothing of them is left behind, however their user ends."""

import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pika
import psycopg2
import pytest
import sqlalchemy as sa
from minio import Minio

from infra.demo import wait_until
from infra.servers import minio, postgresql, postgresql_server, rabbitmq
from schemas.errors import SettingsError
from tests.leftovers import left_in, running_in

# Starts a server, says that it answers, and waits to be ended.
HOST = """
import sys
from infra import servers
print("starting", flush=True)
with getattr(servers, sys.argv[1])():
    print("ready", flush=True)
    input()
"""
# The key of its shared memory, from line 7 of its lock file.
KEY = "SELECT (string_to_array(pg_read_file('postmaster.pid'), E'\\n'))[7]"
KINDS = ["postgresql", "rabbitmq", "minio"]


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where servers put their directories; they run as others, who must get in."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o711)
    monkeypatch.setenv("TMPDIR", str(path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield path
    shutil.rmtree(path)


def host(kind: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOST, kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.servers
@pytest.mark.parametrize("kind", KINDS)
def test_a_server_ends_with_the_process_that_started_it(kind: str, place: Path) -> None:
    starter = host(kind)
    assert [answer(starter), answer(starter)] == ["starting", "ready"]
    assert running_in(place)

    starter.kill()
    starter.communicate()

    assert left_in(place) == {}


@pytest.mark.servers
@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_was_starting_ends_too(kind: str, place: Path) -> None:
    starter = host(kind)
    assert answer(starter) == "starting"
    while not running_in(place):
        assert starter.poll() is None

    starter.kill()
    starter.communicate()

    assert left_in(place) == {}


@pytest.mark.servers
@pytest.mark.parametrize("kind", ["postgresql", "minio"])  # RabbitMQ: by the command
def test_a_server_that_was_left_leaves_no_process_and_no_file(
    kind: str, place: Path
) -> None:
    starter = host(kind)
    assert [answer(starter), answer(starter)] == ["starting", "ready"]

    starter.communicate("\n")

    assert running_in(place) == {}
    assert list(place.iterdir()) == []


@pytest.mark.servers
def test_a_server_syncs_and_wants_a_password() -> None:
    with postgresql() as url:
        parsed = sa.make_url(url)
        wrong = parsed.set(password="wrong")
        with sa.create_engine(url).connect() as connection:
            assert connection.exec_driver_sql("SHOW fsync").scalar_one() == "on"
        with pytest.raises(sa.exc.OperationalError, match="password"):
            sa.create_engine(wrong).connect()


@pytest.mark.servers
def test_a_killed_postgresql_has_its_rows_when_it_starts_again() -> None:
    with postgresql_server() as server:
        server.ready()
        execute(server.url, "CREATE TABLE kept AS SELECT 7 AS number")

        server.kill()
        server.start()

        assert execute(server.url, "SELECT number FROM kept") == 7


@pytest.mark.servers
def test_a_killed_postgresql_leaves_no_shared_memory() -> None:
    with postgresql_server() as server:
        server.ready()
        left = execute(server.url, KEY).split()[0]

        server.kill()

    segments = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    assert left not in {line.split()[0] for line in segments}


@pytest.mark.servers
def test_a_killed_rabbitmq_has_its_messages_when_it_starts_again() -> None:
    with rabbitmq() as server:
        queue_name = f"kept-{uuid4().hex}"
        publish(server.amqp_url, queue_name)
        # Queues, in contrast to messages, are on disk up to two seconds later.
        assert wait_until(lambda: is_committed(queue_name), timeout_s=20)

        server.kill()
        server.start()

        with pika.BlockingConnection(pika.URLParameters(server.amqp_url)) as connection:
            queue = connection.channel().queue_declare(queue_name, passive=True)
            assert queue.method.message_count == 1


@pytest.mark.servers
def test_a_killed_minio_has_its_objects_when_it_starts_again() -> None:
    with minio() as server:
        client = client_of(server.url)
        client.make_bucket("kept")
        client.put_object("kept", "key", io.BytesIO(b"bytes"), 5)

        server.kill()
        server.start()

        assert client.get_object("kept", "key").data == b"bytes"


@pytest.mark.parametrize(
    ("kind", "package"),
    [(postgresql, "postgresql"), (rabbitmq, "rabbitmq-server")],
)
def test_without_binaries_the_message_says_what_to_install(
    kind: type, package: str, tmp_path: Path
) -> None:
    server = kind(tmp_path / "none")

    with pytest.raises(SettingsError, match=rf"sudo apt-get install -y .* {package}$"):
        server.__enter__()


def test_without_minio_the_message_says_how_to_build_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SettingsError, match=r"python -m infra\.servers install"):
        minio().__enter__()


def execute(url: str, statement: str) -> Any:
    dsn = sa.make_url(url).set(drivername="postgresql")
    connection = psycopg2.connect(dsn.render_as_string(hide_password=False))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone() if cursor.description else None
    connection.close()
    return row[0] if row else None


def is_committed(queue: str) -> bool:
    """Whether a RabbitMQ of ours has it on disk for good that there is such a queue.

    Mnesia logs the queue and, as an entry of its own, the decision to commit it; either
    may wait in memory for two seconds. The next start undoes what nothing decided.
    """
    folder = Path(tempfile.gettempdir())
    for log in folder.glob("pratique-rabbitmq-*/mnesia/*/LATEST.LOG"):
        with suppress(OSError):  # a log that was just put away
            _, found, later = log.read_bytes().rpartition(queue.encode())
            if found and b"committed" in later:
                return True
    return False


def publish(url: str, queue: str) -> None:
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.queue_declare(queue, durable=True)
        channel.confirm_delivery()
        # pika's types stop here.
        persistent = pika.BasicProperties(  # type: ignore[no-untyped-call]
            delivery_mode=2
        )
        channel.basic_publish("", queue, b"message", persistent)


def client_of(url: str) -> Minio:
    parts = urlsplit(url)
    address = f"{parts.hostname}:{parts.port}"
    return Minio(address, parts.username, parts.password, secure=False)
