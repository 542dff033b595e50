"""What only a MinIO has: notifications, users with their rights, and signers."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from pydantic import SecretStr

from infra.platform import Platform
from infra.provision import minio_notifications, minio_users
from infra.provision.change import Change, NotAdministrator
from infra.provision.minio_admin import StoreAdmin
from infra.provision.settings import ProvisionSettings
from schemas.functions import EventFunction, Function, HttpFunction

_UPLOAD = "PRATIQUE_UPLOAD_SIGNER"
_DOWNLOAD = "PRATIQUE_DOWNLOAD_SIGNER"
_ANY_KEY = "uploads/pratique/doctor"  # nothing has to be there


def changes(platform: Platform, settings: ProvisionSettings) -> Iterator[Change]:
    """Return what has to be changed, looked at when it is asked for.

    Raises:
        SettingsError: MinIO was started without the targets that publish.
        NotAdministrator: the user in PRATIQUE_STORE is none.
    """
    with _admin(platform) as admin:
        yield from minio_notifications.changes(admin, platform)
        yield from minio_users.changes(admin, platform, settings)


def lacking(platform: Platform, function: Function) -> Iterator[str]:
    """Return what *function* can't work without, as it sees it itself."""
    if isinstance(function, HttpFunction):
        yield from (
            f"{name} is not set, so no URL can be signed"
            for name, pair in _signers(platform).items()
            if pair is None
        )
    if isinstance(function, EventFunction):
        with _admin(platform) as admin:
            if not _announced(admin, platform, function):
                bucket = getattr(platform.settings.buckets, function.listens)
                yield f"bucket {bucket} does not announce what is put into it"


def users_refused(platform: Platform, settings: ProvisionSettings) -> Iterator[str]:
    """Return the users whose secret among *settings* does not let them in."""
    with _admin(platform) as admin:
        for short, secret in settings.store_secrets.items():
            name = settings.store_user(short)
            if not admin.lets_in(name, secret.get_secret_value()):
                yield f"store user {name}"


def dangers(platform: Platform) -> Iterator[str]:
    """Return what is wrong with the signers: whoever has a URL has their rights."""
    buckets = platform.settings.buckets.model_dump()
    clean = platform.settings.buckets.clean
    with _admin(platform) as admin:
        for name, pair in _signers(platform).items():
            allowed = clean if name == _DOWNLOAD else None
            secret = [each for each in buckets.values() if each != allowed]
            yield from _of_signer(admin, name, pair, secret)


def _of_signer(
    admin: StoreAdmin, name: str, pair: SecretStr | None, secret_buckets: list[str]
) -> Iterator[str]:
    if pair is None:
        yield f"{name} is not set, so no URL can be signed"
        return
    key, _, secret = pair.get_secret_value().partition(":")
    if not admin.lets_in(key, secret):
        yield f"{name} is refused, so its URLs are"
    for bucket in secret_buckets:
        if admin.may_read(key, secret, bucket, _ANY_KEY):
            yield f"dangerous: {name} may read {bucket}, so whoever has a URL may"


def _signers(platform: Platform) -> dict[str, SecretStr | None]:
    return {
        _UPLOAD: platform.settings.upload_signer,
        _DOWNLOAD: platform.settings.download_signer,
    }


def _announced(
    admin: StoreAdmin, platform: Platform, function: EventFunction[Any]
) -> bool:
    try:
        return minio_notifications.announced(admin, platform, function.listens)
    except NotAdministrator:
        return True  # it may not look; the bucket's own check has told who it is


@contextmanager
def _admin(platform: Platform) -> Iterator[StoreAdmin]:
    with closing(StoreAdmin(platform.settings.store.get_secret_value())) as admin:
        yield admin
