"""A whole platform on real servers, and how each function sees it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from pydantic import SecretStr

from infra.brokers.management import Management, path
from infra.platform import Platform
from infra.provision import ProvisionSettings
from tests.infra.provision import brokers, stores
from tests.infra.provision.stores import Store

FUNCTIONS = ("upload", "sanitizer", "metadata", "janitor")


class Minio(Protocol):
    """A MinIO, and the vhost that it publishes to."""

    url: str
    amqp_url: str
    management_url: str


@dataclass
class House:
    """A platform as its administrator has it."""

    store: Store
    management: Management

    @property
    def platform(self) -> Platform:
        return self.store.platform

    @property
    def secrets(self) -> ProvisionSettings:
        return self.store.secrets

    @contextmanager
    def seen_by(self, name: str, **given: Any) -> Iterator[Platform]:
        """Open the platform with the credentials of one function."""
        settings = self.platform.settings
        own = {
            "store": self.store_url(name),
            "broker": self.broker_url(name),
            "broker_management": None,
            "upload_signer": self.signer("upload-signer"),
            "download_signer": self.signer("download-signer"),
        }
        with Platform(settings.model_copy(update={**own, **given})) as opened:
            # One for all, as it starts slowly.
            vars(opened)["sandbox"] = self.platform.sandbox
            yield opened

    def signer(self, name: str) -> SecretStr:
        """Return KEY:SECRET of a user of the store."""
        secret = self.secrets.store_secrets[name].get_secret_value()
        return SecretStr(f"{self.secrets.store_user(name)}:{secret}")

    def store_url(self, name: str) -> SecretStr:
        """Return the store's URL for one of its users."""
        return self._as(name, "store")

    def broker_url(self, name: str) -> SecretStr:
        """Return the broker's URL for one of its users."""
        return self._as(name, "broker")

    def _as(self, name: str, port: str) -> SecretStr:
        url = getattr(self.platform.settings, port).get_secret_value()
        scheme, _, rest = url.partition("://")
        user = getattr(self.secrets, f"{port}_user")(name)
        secret = getattr(self.secrets, f"{port}_secrets")[name].get_secret_value()
        where = rest.rpartition("@")[2]
        return SecretStr(f"{scheme}://{quote(user)}:{quote(secret)}@{where}")


@contextmanager
def house(minio: Minio, folder: Path, **given: Any) -> Iterator[House]:
    """Open a platform on real servers that is not provisioned yet."""
    servers = {
        "broker": minio.amqp_url,
        "broker_management": minio.management_url,
        "database": f"sqlite:///{folder}/assets.db",
        "retry_delays_s": [5],
    }
    with (
        stores.store(minio.url, *stores.USERS, **{**servers, **given}) as store,
        closing(Management(minio.management_url)) as management,
    ):
        store.secrets.broker_prefix = store.secrets.store_prefix
        for name in brokers.USERS:
            store.secrets.broker_secrets[name] = SecretStr(f"secret-of-{name}")
        try:
            yield House(store, management)
        finally:
            for name in brokers.USERS:
                management.delete(path("users", store.secrets.broker_user(name)))
