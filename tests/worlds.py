"""The platform on real servers, each function a process with credentials of its own."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from infra.client import Client
from infra.demo import Demo
from infra.platform import Platform
from infra.provision import ProvisionSettings, provision
from infra.settings import PlatformSettings, load
from tests.processes import FUNCTIONS, Process, free_port, started

STORE_USERS = (*FUNCTIONS, "upload-signer", "download-signer", "dropper")
BROKER_USERS = ("minio", *FUNCTIONS, "operator")


@dataclass(frozen=True)
class Servers:
    """Where three servers are, with the credentials of their administrators.

    Attributes:
        broker: of the virtual host that the store publishes to.
    """

    store: str
    broker: str
    management: str
    database: str

    @property
    def secret(self) -> str:
        """The secret of every user: the same for all who share these servers."""
        return hashlib.sha256(f"{self.management}".encode()).hexdigest()[:32]

    def settings(self, **given: Any) -> PlatformSettings:
        """Return an administrator's settings."""
        return load(
            PlatformSettings,
            **{
                "store": self.store,
                "broker": self.broker,
                "broker_management": self.management,
                "database": self.database,
                "upload_signer": self.signer("upload"),
                "download_signer": self.signer("download"),
                **given,
            },
        )

    def environment(self, function: str) -> dict[str, str]:
        """Return the variables of a function's process: its own rights and no more."""
        store, broker = self.users.store_user, self.users.broker_user
        found = {
            "PRATIQUE_STORE": _as_user(self.store, store(function), self.secret),
            "PRATIQUE_BROKER": _as_user(self.broker, broker(function), self.secret),
            "PRATIQUE_DATABASE": self.database,
        }
        if function == "upload":
            for kind in ("upload", "download"):
                found[f"PRATIQUE_{kind.upper()}_SIGNER"] = self.signer(kind)
        return found

    def signer(self, kind: str) -> str:
        """Return key and secret that sign URLs of this *kind*."""
        return f"{self.users.store_user(f'{kind}-signer')}:{self.secret}"

    @property
    def users(self) -> ProvisionSettings:
        """Everybody who gets a user."""
        return load(
            ProvisionSettings,
            store_secrets=dict.fromkeys(STORE_USERS, self.secret),
            broker_secrets=dict.fromkeys(BROKER_USERS, self.secret),
        )


def _as_user(url: str, user: str, secret: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{secret}@{host}"))


@dataclass
class World:
    """Servers, an administrator's platform, and the processes between them.

    Attributes:
        demo: hands to send files and to look at records.
    """

    servers: Servers
    platform: Platform
    demo: Demo
    processes: dict[str, list[Process]] = field(default_factory=dict)

    @property
    def everyone(self) -> list[Process]:
        """Every process."""
        return [each for group in self.processes.values() for each in group]


@contextmanager
def world(
    servers: Servers,
    folder: Path,
    *,
    counts: Mapping[str, int] | None = None,
    environment: Mapping[str, str] | None = None,
    **given: Any,
) -> Iterator[World]:
    """Provision *servers* and run every function while the block lasts.

    Args:
        counts: how many processes of a function; one if not told.
        environment: more variables for every process.
        given: settings for the administrator's platform.
    """
    port = free_port()
    settings = servers.settings(port=port, **given)
    environments = {
        function: {
            **servers.environment(function),
            **(environment or {}),
            "PRATIQUE_PORT": str(port),
        }
        for function in FUNCTIONS
    }
    folder.mkdir(parents=True, exist_ok=True)
    with Platform(settings) as platform:
        provision(platform, servers.users)
        with (
            started(environments, folder, counts) as processes,
            Client(platform.public_url) as client,
        ):
            demo = Demo(folder, platform, client)
            yield World(servers, platform, demo, processes)
