"""A store on a real MinIO with names of its own, and what its users may try."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import uuid4

import httpx
from minio import Minio, MinioAdmin
from minio.commonconfig import ENABLED, CopySource
from minio.credentials.providers import AssumeRoleProvider, StaticProvider
from minio.error import S3Error
from minio.versioningconfig import VersioningConfig

from infra.platform import Platform
from infra.provision import Change, ProvisionSettings
from infra.provision.minio import changes
from infra.settings import PlatformSettings, load
from schemas.objects import Buckets

USERS = (
    "upload",
    "upload-signer",
    "download-signer",
    "dropper",
    "sanitizer",
    "metadata",
    "janitor",
)
_REGION = "us-east-1"


@dataclass
class Store:
    """Four buckets and as many users as wanted, alone on their server."""

    url: str
    platform: Platform
    secrets: ProvisionSettings

    @property
    def buckets(self) -> Buckets:
        return self.platform.settings.buckets

    def client(self, user: str | None = None) -> Minio:
        """Return a client of one of the users; of the administrator for None."""
        key, secret = self._keys(user)
        return Minio(self._endpoint, key, secret, secure=False, region=_REGION)

    @property
    def admin(self) -> MinioAdmin:
        """The administration of the server."""
        return self.administration()

    def administration(self, user: str | None = None) -> MinioAdmin:
        """Return the server's administration as one of the users tries to use it."""
        credentials = StaticProvider(*self._keys(user))
        return MinioAdmin(
            endpoint=self._endpoint, credentials=credentials, secure=False
        )

    def temporary(self, user: str) -> Minio:
        """Return a client with temporary keys that *user* made itself."""
        key, secret = self._keys(user)
        provider = AssumeRoleProvider(
            sts_endpoint=f"http://{self._endpoint}", access_key=key, secret_key=secret
        )
        return Minio(self._endpoint, secure=False, region=_REGION, credentials=provider)

    def looked(self) -> list[Change]:
        """Return what would be changed."""
        return list(changes(self.platform, self.secrets))

    def provision(self) -> list[str]:
        """Change what has to be changed; return it in words."""
        done = []
        for change in changes(self.platform, self.secrets):
            change.apply()
            done.append(self.plain(change))
        return done

    def plain(self, change: Change) -> str:
        """Return a change without the names of this very store."""
        prefix = self.secrets.store_prefix
        return str(change).replace(f"bucket {prefix}", "bucket ").replace(prefix, "")

    def users(self) -> list[str]:
        """Return which users there are."""
        prefix = self.secrets.store_prefix
        names = json.loads(self.admin.user_list())
        return [name for name in names if name.startswith(prefix)]

    def remove(self) -> None:
        """Remove everything."""
        client, admin = self.client(), self.admin
        prefix = self.secrets.store_prefix
        for name in self.users():
            admin.user_remove(name)
        for name in json.loads(admin.policy_list()):
            if name.startswith(prefix):
                admin.policy_remove(name)
        for bucket in self.buckets.model_dump().values():
            for item in client.list_objects(
                bucket, recursive=True, include_version=True
            ):
                client.remove_object(
                    bucket, item.object_name or "", version_id=item.version_id
                )
            client.remove_bucket(bucket)

    @property
    def _endpoint(self) -> str:
        return self.url.rpartition("@")[2]

    def _keys(self, user: str | None) -> tuple[str, str]:
        if user is None:
            return self._root()
        secret = self.secrets.store_secrets[user].get_secret_value()
        return self.secrets.store_user(user), secret

    def _root(self) -> tuple[str, str]:
        key, _, secret = self.url.partition("://")[2].rpartition("@")[0].partition(":")
        return key, secret


@contextmanager
def store(url: str, *users: str, **given: Any) -> Iterator[Store]:
    """Make the buckets of a store with names of its own; remove all of it after use."""
    prefix = f"t{uuid4().hex[:8]}-"
    settings = load(
        PlatformSettings,
        store=url,
        **{"port": 0, **given},
        quarantine_bucket=f"{prefix}quarantine",
        clean_bucket=f"{prefix}clean",
        originals_bucket=f"{prefix}originals",
        ledger_bucket=f"{prefix}ledger",
    )
    secrets = load(
        ProvisionSettings,
        store_prefix=prefix,
        store_secrets={name: f"secret of {name}" for name in users},
    )
    with Platform(settings) as platform:
        made = Store(url, platform, secrets)
        client = made.client()
        for bucket in made.buckets.model_dump().values():
            client.make_bucket(bucket)
        client.set_bucket_versioning(made.buckets.quarantine, VersioningConfig(ENABLED))
        try:
            yield made
        finally:
            made.remove()


def refused(attempt: Callable[[], object]) -> bool:
    """Return whether the server refuses it for want of rights."""
    try:
        attempt()
    except S3Error as exc:
        if exc.code != "AccessDenied":
            raise
        return True
    return False


def put(client: Minio, bucket: str, key: str, data: bytes = b"x") -> Any:
    """Put an object."""
    return client.put_object(bucket, key, BytesIO(data), len(data))


def copy(client: Minio, bucket: str, key: str, source: tuple[str, str]) -> Any:
    """Copy an object, as anyone can with a signed PUT."""
    return client.copy_object(bucket, key, CopySource(*source))


def overwrite(client: Minio, bucket: str, key: str, version: str) -> int:
    """Put other bytes under a version that is there; return the status."""
    url = client.get_presigned_url(
        "PUT", bucket, key, extra_query_params={"versionId": version}
    )
    return httpx.put(url, content=b"other", trust_env=False).status_code
