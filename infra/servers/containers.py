"""Servers in containers, where a Docker engine answers.

Written by reading testcontainers' source: no engine was there to try it on. Ports are
fixed on the host, as Docker gives others to a container that starts again. They are
published on every address of the host, or MinIO's container could not reach RabbitMQ.
If we are killed, testcontainers' reaper removes what we started.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from infra.notifications import environment
from infra.servers.objectstore import MinioServer
from infra.servers.places import LOOPBACK, free_ports
from infra.servers.postgres import PostgresqlServer
from infra.servers.rabbit import ADVANCED, RabbitAccess, RabbitServer

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

# What docker-compose.yml runs, too.
MINIO_IMAGE = "docker.io/pgsty/silo:RELEASE.2026-09-16T00-00-00Z"
RABBITMQ_IMAGE = "docker.io/library/rabbitmq:4.2.9-management"
POSTGRESQL_IMAGE = "docker.io/library/postgres:17.11-bookworm"
_HOST = "host.docker.internal"  # what a container calls the machine it runs on
_USER = "pratique"


class Container:
    """A container as a unit of a server."""

    source = "Docker"

    def __init__(self, described: "DockerContainer") -> None:
        self._described = described
        self._created: Any = None  # docker's own classes are not typed

    @property
    def pid(self) -> int | None:
        """Its first process, as the machine numbers it."""
        if self._created is None:
            return None
        self._created.reload()
        return int(self._created.attrs["State"]["Pid"]) or None

    def start(self) -> None:
        """Start it, if it does not run."""
        if self._created is None:
            self._created = self._described.start().get_wrapped_container()
        elif self.pid is None:
            self._created.start()

    def stop(self) -> None:
        """Let it finish."""
        if self.pid is not None:
            self._created.stop()

    def kill(self) -> None:
        """End it by SIGKILL."""
        if self.pid is not None:
            self._created.kill()
            self._created.wait()

    def remove(self) -> None:
        """Remove it with its data."""
        if self._created is not None:
            self._described.stop()

    def log(self) -> str:
        """Return the end of what it wrote."""
        return str(self._created.logs(tail=30), "utf-8", "replace")


def engine_answers() -> bool:
    """Whether there is a Docker engine to start containers with.

    TEST_SERVERS=binary answers no for it.
    """
    if os.environ.get("TEST_SERVERS") == "binary":
        return False
    if find_spec("testcontainers") is None:  # it comes with what the tests need
        return False
    # Half a second, and a package of the tests; it has no types.
    import docker  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        return bool(docker.from_env().ping())
    except docker.errors.DockerException:
        return False


@contextmanager
def postgresql_server() -> Iterator[PostgresqlServer]:
    """Launch PostgreSQL, whose `ready` waits until it answers."""
    (port,) = free_ports(1)
    password = secrets.token_urlsafe(16)
    variables = {"POSTGRES_PASSWORD": password}
    url = f"postgresql+psycopg2://postgres:{password}@{LOOPBACK}:{port}/postgres"
    described = _described(POSTGRESQL_IMAGE, variables, {5432: port})
    described.with_command("postgres -c max_connections=300")
    with _unit(described) as unit:
        server = PostgresqlServer(unit, url=url)
        server.launch()
        yield server


@contextmanager
def rabbitmq_server() -> Iterator[RabbitServer]:
    """Launch RabbitMQ, whose `ready` waits until it answers."""
    amqp, management = free_ports(2)
    password = secrets.token_urlsafe(16)
    variables = {"RABBITMQ_DEFAULT_USER": _USER, "RABBITMQ_DEFAULT_PASS": password}
    described = _described(RABBITMQ_IMAGE, variables, {5672: amqp, 15672: management})
    described.with_copy_into_container(
        ADVANCED.encode(), "/etc/rabbitmq/advanced.config"
    )
    user = f"{_USER}:{password}@{LOOPBACK}"
    access = RabbitAccess(f"amqp://{user}:{amqp}/%2F", f"http://{user}:{management}")
    with _unit(described) as unit:
        server = RabbitServer(unit, access=access)
        server.launch()
        yield server


@contextmanager
def minio_server(amqp_url: str | None = None) -> Iterator[MinioServer]:
    """Launch the maintained MinIO, whose `ready` waits until it answers."""
    (port,) = free_ports(1)
    password = secrets.token_urlsafe(16)
    variables = {"MINIO_ROOT_USER": _USER, "MINIO_ROOT_PASSWORD": password}
    if amqp_url is not None:
        variables |= environment(_seen_from_inside(amqp_url))
    described = _described(MINIO_IMAGE, variables, {9000: port})
    described.with_command("silo server /data")
    described.with_kwargs(extra_hosts={_HOST: "host-gateway"})
    url = f"s3+http://{_USER}:{password}@{LOOPBACK}:{port}"
    version = MINIO_IMAGE.rpartition(":")[2]
    with _unit(described) as unit:
        server = MinioServer(unit, url=url, amqp_url=amqp_url, version=version)
        server.launch()
        yield server


def _described(
    image: str, variables: dict[str, str], ports: dict[int, int]
) -> "DockerContainer":
    from testcontainers.core.container import (  # noqa: PLC0415  (as above)
        DockerContainer,
    )

    described = DockerContainer(image).with_envs(**variables)
    for inside, outside in ports.items():
        described.with_bind_ports(inside, outside)
    return described


@contextmanager
def _unit(described: "DockerContainer") -> Iterator[Container]:
    unit = Container(described)
    try:
        yield unit
    finally:
        unit.remove()


def _seen_from_inside(url: str) -> str:
    """Return *url* as a container reaches it that the machine's loopback means."""
    parts = urlsplit(url)
    if parts.hostname not in (LOOPBACK, "localhost"):
        return url
    user, at, address = parts.netloc.rpartition("@")
    port = address.partition(":")[2]
    return parts._replace(netloc=f"{user}{at}{_HOST}:{port}").geturl()
