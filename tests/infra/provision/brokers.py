"""A vhost on a real RabbitMQ with users of its own, and what they may try."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker

from infra.brokers.management import Management, path
from infra.notifications import routing_key
from infra.platform import Platform
from infra.provision import Change, ProvisionSettings, changes, rabbitmq
from infra.servers import Vhost
from infra.settings import PlatformSettings, load

USERS = ("minio", "upload", "sanitizer", "metadata", "janitor", "operator")
_REFUSED = 403


@dataclass
class Broker:
    """A platform whose broker is a RabbitMQ."""

    vhost: Vhost
    platform: Platform
    secrets: ProvisionSettings
    management: Management

    def looked(self) -> list[str]:
        """Return what would be changed, in words."""
        return [self.plain(change) for change in self._changes()]

    def provision(self) -> list[str]:
        """Change what has to be changed; return it in words."""
        done = []
        for change in self._changes():
            change.apply()
            done.append(self.plain(change))
        return done

    def provision_broker(self) -> None:
        """Change what the store is not wanted for."""
        for change in rabbitmq.changes(self.platform, self.secrets):
            change.apply()
        self.platform.broker.provision(
            {f.name: routing_key(f.listens) for f in self.platform.event_functions}
        )

    def plain(self, change: Change) -> str:
        """Return a change without the names of this very broker."""
        return str(change).replace(self.secrets.broker_prefix, "")

    def user(self, name: str) -> str:
        """Return where a user is."""
        return path("users", self.secrets.broker_user(name))

    def permissions(self, name: str) -> str:
        """Return where a user's permissions are."""
        user = self.secrets.broker_user(name)
        return path("permissions", self.vhost.name, user)

    def url(self, name: str) -> str:
        """Return the broker's URL for one of the users."""
        user = self.secrets.broker_user(name)
        secret = self.secrets.broker_secrets[name].get_secret_value()
        return f"amqp://{user}:{secret}@{self.vhost.amqp_url.rpartition('@')[2]}"

    def _changes(self) -> Iterator[Change]:
        return changes(self.platform, self.secrets)


@contextmanager
def broker(vhost: Vhost, folder: Path, *users: str, **given: Any) -> Iterator[Broker]:
    """Open a platform on *vhost*; remove its users after use."""
    settings = load(
        PlatformSettings,
        **{
            "store": f"file:{folder}/objects",
            "database": f"sqlite:///{folder}/assets.db",
            "broker": vhost.amqp_url,
            "broker_management": vhost.management_url,
            "port": 0,
            "retry_delays_s": [5],
            **given,
        },
    )
    secrets = load(
        ProvisionSettings,
        broker_prefix=f"t{uuid4().hex[:8]}-",
        broker_secrets={name: f"secret-of-{name}" for name in users},
    )
    with (
        Platform(settings) as platform,
        closing(Management(vhost.management_url)) as management,
    ):
        made = Broker(vhost, platform, secrets, management)
        try:
            yield made
        finally:
            for name in users:
                management.delete(made.user(name))


Attempt = Callable[[BlockingChannel], object]


def done(url: str, attempts: Mapping[str, Attempt]) -> set[str]:
    """Return which of *attempts* are not refused to the user in *url*."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    with closing(connection):
        return {
            name
            for name, attempt in attempts.items()
            if not _refused(connection.channel(), attempt)
        }


def _refused(channel: BlockingChannel, attempt: Attempt) -> bool:
    try:
        attempt(channel)
        channel.close()
    except ChannelClosedByBroker as exc:
        if exc.reply_code != _REFUSED:
            raise
        return True
    return False
