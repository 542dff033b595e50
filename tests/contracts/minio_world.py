"""A real MinIO as the contract tests need it: buckets, users, and what it announces."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import urlsplit

import pika
import pytest
from minio import Minio, MinioAdmin
from minio.commonconfig import ENABLED
from minio.credentials.providers import StaticProvider
from minio.deleteobjects import DeleteObject
from minio.notificationconfig import NotificationConfig, QueueConfig
from minio.versioningconfig import VersioningConfig

from infra.brokers.topology import EVENTS
from infra.notifications import EVENTS_ANNOUNCED, ROLES, arn
from infra.stores import open_store
from infra.stores.options import S3Options
from schemas.events import ObjectCreated, parse
from schemas.objects import ObjectRef
from schemas.ports import ASGIApp, ObjectStore

PUT, GET = ["s3:PutObject"], ["s3:GetObject", "s3:GetObjectVersion"]
_DEADLINE_S = 20


class Server(Protocol):
    """What the fixture `minio_server` gives."""

    @property
    def url(self) -> str:
        """The root user's s3+http URL."""

    @property
    def amqp_url(self) -> str:
        """Where its two targets publish."""


class MinioWorld:
    """Two buckets whose notifications arrive in a queue, and users with least rights.

    Attributes:
        signers: of uploads and of downloads, for these two buckets.
    """

    def __init__(self, server: Server, plain: str, versioned: str) -> None:
        self.url = server.url
        self._amqp_url = server.amqp_url
        self.buckets = (plain, versioned)
        parts = urlsplit(server.url.removeprefix("s3+"))
        key, secret = str(parts.username), str(parts.password)
        address = f"{parts.hostname}:{parts.port}"
        self.address = address
        self.client = Minio(address, key, secret, secure=False, region="us-east-1")
        provider = StaticProvider(key, secret)
        self._admin = MinioAdmin(endpoint=address, credentials=provider, secure=False)
        self._users: list[str] = []
        self._queue = ""
        for bucket in self.buckets:
            if not self.client.bucket_exists(bucket):
                self.client.make_bucket(bucket)
        self.versions(versioned, ENABLED)
        self.signers = S3Options(
            upload_signer=self.user(PUT), download_signer=self.user(GET)
        )

    def user(self, actions: list[str], *statements: dict[str, Any]) -> str:
        """Make a user who may do *actions* with objects; return `KEY:SECRET`."""
        name, secret = f"test-{secrets.token_hex(6)}", secrets.token_urlsafe(16)
        objects = [f"arn:aws:s3:::{bucket}/*" for bucket in self.buckets]
        allowed = {"Effect": "Allow", "Action": actions, "Resource": objects}
        policy = {"Version": "2012-10-17", "Statement": [allowed, *statements]}
        self._admin.user_add(name, secret)
        self._users.append(name)
        self._admin.policy_add(name, policy=policy)
        self._admin.attach_policy([name], user=name)
        return f"{name}:{secret}"

    def versions(self, bucket: str, status: str) -> None:
        """Switch versions on or off."""
        self.client.set_bucket_versioning(bucket, VersioningConfig(status))

    def empty(self) -> None:
        """Remove all that the buckets hold."""
        for bucket in self.buckets:
            found = self.client.list_objects(
                bucket, recursive=True, include_version=True
            )
            doomed = [DeleteObject(o.object_name, o.version_id) for o in found]
            assert list(self.client.remove_objects(bucket, doomed)) == []

    def events(self) -> Iterator[ObjectCreated | None]:
        """Return what was announced, in turn; None while nothing has come."""
        while True:
            found, _, body = self._channel.basic_get(self._queue, auto_ack=True)
            if found is None:
                self._channel.connection.process_data_events(time_limit=0.01)
                yield None
            else:
                yield from parse(body)

    def listen(self) -> None:
        """Begin to hear of what is created, if that has not begun."""
        assert self._channel.is_open

    @cached_property
    def _channel(self) -> Any:
        parameters = pika.URLParameters(self._amqp_url)
        parameters.heartbeat = 0  # between two tests nobody answers
        channel = pika.BlockingConnection(parameters).channel()
        channel.exchange_declare(EVENTS, "topic", durable=True)
        self._queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(self._queue, EVENTS, "object.created.#")
        for bucket, role in zip(self.buckets, ROLES, strict=True):
            queue = QueueConfig(queue=arn(role), events=[*EVENTS_ANNOUNCED])
            config = NotificationConfig(queue_config_list=[queue])
            self.client.set_bucket_notification(bucket, config)
        return channel

    def close(self) -> None:
        """Remove all that was made, and let go of connections."""
        if "_channel" in self.__dict__:
            self._channel.connection.close()
        self.empty()
        for bucket in self.buckets:
            self.client.remove_bucket(bucket)
        for name in self._users:
            self._admin.user_remove(name)
            self._admin.policy_remove(name)


@dataclass
class MinioRig:
    """The S3 adapter, with signers as in production."""

    world: MinioWorld
    opened_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    behind: timedelta = timedelta()
    door: ASGIApp | None = None

    def __post_init__(self) -> None:
        self.url = self.world.url
        # An event's time has milliseconds.
        self.opened_at -= timedelta(milliseconds=1)
        self.store = self.opened(self.url)
        self.unreachable = self.opened("s3+http://key:secret@127.0.0.1:1")

    def opened(self, url: str, options: S3Options | None = None) -> ObjectStore:
        """Return another store with this rig's clock, to be closed by whoever asks."""
        return open_store(
            url,
            public_url="http://127.0.0.1:1",
            announce=_unused,
            clock=lambda: datetime.now(UTC) - self.behind,
            s3=options or self.world.signers,
        )

    def announced(self) -> list[ObjectCreated]:
        """See Rig."""
        heard: list[ObjectCreated] = []
        missing = self._created()
        deadline = time.monotonic() + _DEADLINE_S
        for event in self.world.events():
            if event is not None and self._ours(event):
                heard.append(event)
                missing.discard(event.ref)
            if event is None and (not missing or time.monotonic() > deadline):
                return heard
        raise AssertionError("it never ends")

    @contextmanager
    def earlier(self, by: timedelta) -> Iterator[None]:
        """See Rig."""
        self.behind = by
        yield
        self.behind = timedelta()

    def close(self) -> None:
        """Let go of connections."""
        self.store.close()
        self.unreachable.close()

    def _created(self) -> set[ObjectRef]:
        stores = (self.store.list(bucket) for bucket in self.world.buckets)
        return {info.ref for infos in stores for info in infos if not info.marker}

    def _ours(self, event: ObjectCreated) -> bool:
        """Return whether *event* is of this test: the one before may be late."""
        mine = event.ref.bucket in self.world.buckets
        return mine and (event.occurred_at or self.opened_at) >= self.opened_at


def minio_world(request: pytest.FixtureRequest, *buckets: str) -> MinioWorld:
    """Return the world of this process, made by the first test that needs it."""
    server = request.getfixturevalue("minio_server")
    stash = request.config.stash
    if _WORLD not in stash:
        stash[_WORLD] = MinioWorld(server, *buckets)
        request.session.addfinalizer(stash[_WORLD].close)
    return stash[_WORLD]


@contextmanager
def minio_rig(request: pytest.FixtureRequest, *buckets: str) -> Iterator[MinioRig]:
    """Give the S3 adapter with two empty buckets: without and with versions."""
    world = minio_world(request, *buckets)
    world.listen()
    world.empty()
    rig = MinioRig(world)
    yield rig
    rig.close()


_WORLD = pytest.StashKey[MinioWorld]()


def _unused(event: ObjectCreated) -> None:
    raise AssertionError(f"the server announces, not {event.ref}'s writer")
