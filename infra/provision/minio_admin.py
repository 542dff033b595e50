"""What provision asks MinIO and tells it, errors translated."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from minio import Minio, MinioAdmin
from minio.credentials.providers import StaticProvider
from minio.error import MinioAdminException, MinioException, S3Error
from minio.notificationconfig import NotificationConfig, QueueConfig
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from infra.provision.change import NotAdministrator
from infra.stores.s3_address import read_address
from schemas.errors import PermanentError, Unavailable

_REFUSED = ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch")
_WRONG = ("InvalidAccessKeyId", "SignatureDoesNotMatch")


@dataclass(frozen=True)
class User:
    """A user of MinIO: whether it is let in, and the policies attached to it."""

    enabled: bool
    policies: frozenset[str]


class StoreAdmin:
    """A MinIO, asked as the user in its URL.

    Each method raises Unavailable if the server can't be reached and NotAdministrator
    if that user may not do it.

    Args:
        url: `s3+http://KEY:SECRET@HOST:PORT` or `s3+https://…`.
    """

    def __init__(self, url: str) -> None:
        self._address = read_address(url)
        self._http = PoolManager(
            timeout=Timeout(connect=5, read=30),
            retries=Retry(2, backoff_factor=0.2, status_forcelist=[502, 503, 504]),
        )
        keys = self._address.keys
        self._s3 = self._client(keys.access_key, keys.secret_key)
        self._admin = MinioAdmin(
            endpoint=self._endpoint,
            credentials=StaticProvider(keys.access_key, keys.secret_key),
            secure=self._secure,
            http_client=self._http,
        )

    def close(self) -> None:
        """Let go of connections."""
        self._http.clear()

    def targets(self) -> list[str]:
        """Return the ARNs that notifications can go to."""
        with _translated():
            answer = json.loads(self._admin.info())
        return list(answer.get("info", answer).get("sqsARN") or [])

    def notifications(self, bucket: str) -> list[QueueConfig]:
        """Return where *bucket* announces what; nowhere if there is no such bucket."""
        with _translated():
            try:
                return self._s3.get_bucket_notification(bucket).queue_config_list
            except S3Error as exc:
                if exc.code != "NoSuchBucket":
                    raise
                return []

    def notify(self, bucket: str, rules: Sequence[QueueConfig]) -> None:
        """Let *bucket* announce to queues as *rules* say; other rules to queues end."""
        with _translated():
            config = self._s3.get_bucket_notification(bucket)
            self._s3.set_bucket_notification(
                bucket,
                NotificationConfig(
                    queue_config_list=list(rules),
                    topic_config_list=config.topic_config_list,
                    cloud_func_config_list=config.cloud_func_config_list,
                ),
            )

    def users(self) -> dict[str, User]:
        """Return all users by name."""
        with _translated():
            found = json.loads(self._admin.user_list())
        return {
            name: User(
                enabled=user.get("status") == "enabled",
                policies=frozenset(filter(None, user.get("policyName", "").split(","))),
            )
            for name, user in found.items()
        }

    def policies(self) -> dict[str, Any]:
        """Return all policy documents by name."""
        with _translated():
            found: dict[str, Any] = json.loads(self._admin.policy_list())
        return found

    def set_policy(self, name: str, document: Mapping[str, Any]) -> None:
        """Make or replace a policy."""
        with _translated():
            self._admin.policy_add(name, policy=dict(document))

    def set_user(self, name: str, secret: str) -> None:
        """Make a user, or let it in again, with this secret."""
        with _translated():
            self._admin.user_add(name, secret)

    def attach(self, user: str, wanted: str) -> None:
        """Give *user* the policy *wanted*, and no other."""
        with _translated():
            try:
                self._admin.attach_policy([wanted], user=user)
            except MinioAdminException as exc:
                if _code(exc) != "XMinioAdminPolicyChangeAlreadyApplied":
                    raise
        others = sorted(self.users()[user].policies - {wanted})
        if others:
            with _translated():
                self._admin.detach_policy(others, user=user)

    def lets_in(self, user: str, secret: str) -> bool:
        """Return whether *user* with *secret* is let in, whatever it may do there."""
        with _translated():
            try:
                self._client(user, secret).list_buckets()
            except S3Error as exc:
                if exc.code in _WRONG:
                    return False
                if exc.code != "AccessDenied":
                    raise
        return True

    def may_read(self, user: str, secret: str, bucket: str, key: str) -> bool:
        """Return whether *user* gets to know what is, or is not, under *key*."""
        client = self._client(user, secret)
        with _translated():
            try:
                client.stat_object(bucket, key)
            except S3Error as exc:
                if exc.code not in ("NoSuchKey", *_REFUSED):
                    raise
                return exc.code == "NoSuchKey"
        return True

    def _client(self, key: str, secret: str) -> Minio:
        return Minio(
            self._endpoint,
            key,
            secret,
            secure=self._secure,
            # Else the client asks for it, which a signer may not.
            region=self._address.region,
            http_client=self._http,
        )

    @property
    def _endpoint(self) -> str:
        return self._address.base_url.partition("://")[2]

    @property
    def _secure(self) -> bool:
        return self._address.base_url.startswith("https:")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except HTTPError as exc:
        raise Unavailable("PRATIQUE_STORE: store not reachable") from exc
    except (S3Error, MinioAdminException) as exc:
        code = _code(exc)
        if code in _REFUSED:
            raise NotAdministrator(
                f"PRATIQUE_STORE: {code}: provisioning wants the administrator's key"
            ) from exc
        raise PermanentError(f"MinIO refuses: {exc}") from exc
    except MinioException as exc:
        raise Unavailable("PRATIQUE_STORE: what answers is no working store") from exc


def _code(exc: S3Error | MinioAdminException) -> str:
    if isinstance(exc, S3Error):
        return exc.code or ""
    # Its message is the only public place of the answer.
    _, _, body = str(exc).partition("Body: ")
    try:
        return str(json.loads(body)["Code"])
    except (ValueError, KeyError, TypeError):
        return ""
