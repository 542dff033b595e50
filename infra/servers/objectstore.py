"""A private MinIO from a binary that is built once into the user's cache."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from infra.notifications import environment
from infra.servers.places import LOOPBACK, directory, free_ports
from infra.servers.processes import Process
from infra.servers.server import Server, Unit
from schemas.errors import SettingsError

# Upstream's last commit; go's name for it. Tags are no versions to go.
MINIO_COMMIT = "v0.0.0-20260212201848-7aac2a2c5b7c"
_TIMEOUT_S = 10


class MinioServer(Server):
    """A MinIO of our own; `url` is its root user's."""

    def __init__(
        self, unit: Unit, *, url: str, amqp_url: str | None, version: str
    ) -> None:
        super().__init__(unit, url=url)
        self.amqp_url = amqp_url
        self._version = version

    def answers(self) -> bool:
        """Whether it serves objects."""
        return minio_answers(self.url)

    def version(self) -> str:
        """Return its version: it tells no one but its administrator."""
        return self._version


def minio_answers(url: str) -> bool:
    """Whether the MinIO at s3+http://KEY:SECRET@HOST:PORT serves objects."""
    scheme, _, rest = url.removeprefix("s3+").partition("://")
    address = rest.rpartition("@")[2]
    try:
        # The other health addresses answer before it can.
        answer = httpx.get(
            f"{scheme}://{address}/minio/health/cluster",
            timeout=_TIMEOUT_S,
            trust_env=False,
        )
    except httpx.HTTPError:
        return False
    return answer.is_success


@contextmanager
def minio(amqp_url: str | None = None) -> Iterator[MinioServer]:
    """Run a private MinIO that publishes its notifications to *amqp_url*.

    Raises:
        SettingsError: there is none; the message says how to get it.
        Unavailable: it did not start; the message ends with its log.
    """
    with minio_server(amqp_url) as server:
        server.ready()
        yield server


@contextmanager
def minio_server(amqp_url: str | None = None) -> Iterator[MinioServer]:
    """Launch a private MinIO, whose `ready` waits until it answers.

    Raises:
        SettingsError: there is none; the message says how to get it.
    """
    binary = found()
    with directory("minio", None) as home:
        server = _described(binary, home, amqp_url)
        try:
            server.launch()
            yield server
        finally:
            server.kill()  # its data goes with it: there is nothing to finish


def cached() -> Path:
    """Return where the binary is kept once it is built."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "pratique" / "bin" / "minio"


def found() -> Path:
    """Return MinIO's binary: the cached one, else the one on PATH.

    Raises:
        SettingsError: there is none; the message says how to get it.
    """
    if cached().exists():
        return cached()
    installed = shutil.which("minio")
    if installed is None:
        raise SettingsError(
            "no MinIO to test with: set TEST_STORE_URL, or run: "
            "python -m infra.servers install"
        )
    return Path(installed)


def _described(binary: Path, home: Path, amqp_url: str | None) -> MinioServer:
    port = free_ports(1)[0]
    key, secret = "pratique", secrets.token_urlsafe(16)
    variables = {
        "MINIO_ROOT_USER": key,
        "MINIO_ROOT_PASSWORD": secret,
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
    }
    if amqp_url is not None:
        variables |= environment(amqp_url)
    command = [str(binary), "server", "--quiet", "--address", f"{LOOPBACK}:{port}"]
    process = Process([*command, str(home / "data")], home, environment=variables)
    url = f"s3+http://{key}:{secret}@{LOOPBACK}:{port}"
    return MinioServer(process, url=url, amqp_url=amqp_url, version=_version_of(binary))


def _version_of(binary: Path) -> str:
    return MINIO_COMMIT if binary == cached() else "from PATH"
