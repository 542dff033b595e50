"""Which module knows what only a kind of server has, by the URL's scheme."""

from collections.abc import Iterator
from importlib import import_module
from typing import Protocol, cast

from pydantic import SecretStr

from infra.platform import Platform
from infra.provision.change import Change
from infra.provision.settings import ProvisionSettings
from schemas.functions import Function

# Imported when needed, as their clients take their time.
_MODULES = {
    "amqp": "infra.provision.rabbitmq",
    "amqps": "infra.provision.rabbitmq",
    "s3+http": "infra.provision.minio",
    "s3+https": "infra.provision.minio",
}
VERSIONED = "quarantine"  # the role whose bucket keeps every put


class Server(Protocol):
    """What a kind of server has besides buckets or queues."""

    def changes(
        self, platform: Platform, settings: ProvisionSettings
    ) -> Iterator[Change]:
        """Return what has to be changed, looked at when it is asked for."""

    def lacking(self, platform: Platform, function: Function) -> Iterator[str]:
        """Return what *function* can't work without, as it sees it itself."""

    def users_refused(
        self, platform: Platform, settings: ProvisionSettings
    ) -> Iterator[str]:
        """Return the users whose secret among *settings* does not let them in."""

    def dangers(self, platform: Platform) -> Iterator[str]:
        """Return what lets clients do more than they should, or nothing at all."""


def server_of(url: SecretStr) -> Server | None:
    """Return the module for what *url* names; None for what is embedded."""
    module = _MODULES.get(url.get_secret_value().partition(":")[0])
    return cast("Server", import_module(module)) if module else None
