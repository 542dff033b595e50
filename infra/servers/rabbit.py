"""A private RabbitMQ from the distribution's package; virtual hosts on any RabbitMQ."""

import pwd
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit
from uuid import uuid4

import httpx

from infra.servers.places import LOOPBACK, account, directory, free_ports, give
from infra.servers.processes import Process
from infra.servers.server import Server, Unit
from schemas.errors import SettingsError

INSTALLED = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
# Tests look at queues' figures; by default they are 5 s old.
ADVANCED = """[{rabbit, [
    {quorum_tick_interval, 500}, {collect_statistics_interval, 1000}
]}].
"""
_USER = "pratique"
# An AMQP 0-9-1 client begins so; the server answers with connection.start, a method
# frame, whose first byte is 1 (AMQP 0-9-1, 4.2.2 and 4.2.3).
_HELLO = b"AMQP\x00\x00\x09\x01"
_METHOD = b"\x01"
_TIMEOUT_S = 10


@dataclass(frozen=True)
class Vhost:
    """A virtual host: URLs of a user who may do everything in it."""

    name: str
    amqp_url: str
    management_url: str


@dataclass(frozen=True)
class RabbitAccess:
    """A RabbitMQ by its administrator's URLs.

    Args:
        amqp_url: amqp://USER:PASSWORD@HOST:PORT, any path is left aside.
        management_url: http://USER:PASSWORD@HOST:PORT
    """

    amqp_url: str
    management_url: str

    @contextmanager
    def vhost(self, name: str | None = None) -> Iterator[Vhost]:
        """Make an empty virtual host; delete it and all that is in it after use."""
        name = name or f"test-{uuid4().hex}"
        parts = urlsplit(self.amqp_url)
        path = quote(name, safe="")
        rights = {"configure": ".*", "write": ".*", "read": ".*"}
        with httpx.Client(
            base_url=self.management_url, timeout=_TIMEOUT_S, trust_env=False
        ) as api:
            api.put(f"/api/vhosts/{path}").raise_for_status()
            user = f"/api/permissions/{path}/{parts.username}"
            api.put(user, json=rights).raise_for_status()
            try:
                amqp_url = parts._replace(path=f"/{path}", query="").geturl()
                yield Vhost(name, amqp_url, self.management_url)
            finally:
                api.delete(f"/api/vhosts/{path}").raise_for_status()

    def version(self) -> str:
        """Return the server's version."""
        url = f"{self.management_url}/api/overview"
        answer = httpx.get(url, timeout=_TIMEOUT_S, trust_env=False)
        return str(answer.raise_for_status().json()["rabbitmq_version"])

    def answers(self) -> bool:
        """Whether it lets clients in, by AMQP and by HTTP."""
        parts = urlsplit(self.amqp_url)
        address = (str(parts.hostname), parts.port or 5672)
        try:
            with socket.create_connection(address, timeout=_TIMEOUT_S) as connection:
                connection.sendall(_HELLO)
                return connection.recv(1) == _METHOD and bool(self.version())
        except (OSError, httpx.HTTPError):
            return False


class RabbitServer(Server):
    """A RabbitMQ of our own."""

    def __init__(self, *units: Unit, access: RabbitAccess) -> None:
        super().__init__(*units, url=access.amqp_url)
        self._access = access
        self.amqp_url = access.amqp_url
        self.management_url = access.management_url
        self.vhost = access.vhost

    def answers(self) -> bool:
        """Whether it lets clients in, by AMQP and by HTTP."""
        return self._access.answers()

    def version(self) -> str:
        """Return its version; it has to run."""
        return self._access.version()


@contextmanager
def rabbitmq(installed: Path = INSTALLED) -> Iterator[RabbitServer]:
    """Run a private RabbitMQ with its management API; it takes some seven seconds.

    Raises:
        SettingsError: it is not installed; the message says how to install it.
        Unavailable: it did not start; the message ends with its log.
    """
    with rabbitmq_server(installed) as server:
        server.ready()
        yield server


@contextmanager
def rabbitmq_server(installed: Path = INSTALLED) -> Iterator[RabbitServer]:
    """Launch a private RabbitMQ, whose `ready` waits until it answers.

    Raises:
        SettingsError: it is not installed; the message says how to install it.
    """
    check_installed(installed)
    runs_as = account("rabbitmq")
    with directory("rabbitmq", runs_as) as home:
        server = _described(installed, home, runs_as)
        try:
            server.launch()
            yield server
        finally:
            server.kill()  # its data goes with it: there is nothing to finish


def check_installed(installed: Path = INSTALLED) -> None:
    """Check that RabbitMQ is there.

    Raises:
        SettingsError: it is not; the message says how to install it.
    """
    if not installed.exists():
        raise SettingsError(
            "no RabbitMQ to test with: set TEST_BROKER_URL and TEST_BROKER_MANAGEMENT, "
            "or run: sudo apt-get install -y --no-install-recommends rabbitmq-server"
        )


def _described(
    installed: Path, home: Path, runs_as: pwd.struct_passwd | None
) -> RabbitServer:
    amqp, management, distribution, names = free_ports(4)
    password = secrets.token_urlsafe(16)
    for path, text in _files(home, amqp, management, password).items():
        path.write_text(text)
        path.chmod(0o600)
        give(path, runs_as)
    # Ours, and ended with the node: a node that finds none leaves one for ever.
    epmd = Process(
        ["epmd", "-address", LOOPBACK, "-port", str(names)], home, runs_as=runs_as
    )
    node = Process(
        [str(installed), "-noinput"],
        home,
        runs_as=runs_as,
        environment=_environment(home, amqp, distribution, names),
    )
    user = f"{_USER}:{password}@{LOOPBACK}"
    access = RabbitAccess(f"amqp://{user}:{amqp}/%2F", f"http://{user}:{management}")
    return RabbitServer(epmd, node, access=access)


def _files(home: Path, amqp: int, management: int, password: str) -> dict[Path, str]:
    settings = {
        "listeners.tcp.1": f"{LOOPBACK}:{amqp}",
        "management.tcp.ip": LOOPBACK,
        "management.tcp.port": management,
        "default_user": _USER,
        "default_pass": password,
        "log.console": "true",
        "log.file": "false",
    }
    lines = [f"{name} = {value}\n" for name, value in settings.items()]
    return {
        home / "rabbitmq.conf": "".join(lines),
        home / "advanced.config": ADVANCED,
        home / "enabled_plugins": "[rabbitmq_management].\n",
        home / ".erlang.cookie": secrets.token_hex(20),
    }


def _environment(
    home: Path, amqp: int, distribution: int, names: int
) -> dict[str, str]:
    return {
        "RABBITMQ_NODENAME": f"pratique-{amqp}@localhost",
        "RABBITMQ_DIST_PORT": str(distribution),
        "ERL_EPMD_ADDRESS": LOOPBACK,
        "ERL_EPMD_PORT": str(names),
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(home / "advanced.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
        # The system's own settings are not for this node.
        "RABBITMQ_CONF_ENV_FILE": str(home / "rabbitmq-env.conf"),
        # Its script then becomes the node instead of watching it.
        "RABBITMQ_ALLOW_INPUT": "1",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}"
        ),
    }
