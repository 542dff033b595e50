"""Object stores for tests: one rig per adapter, and a server for their doors."""

import hashlib
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any, Protocol

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from infra.stores import open_store
from schemas.events import ObjectCreated
from schemas.objects import ObjectInfo, ObjectRef
from schemas.ports import ASGIApp, ObjectStore
from tests.contracts.minio_world import minio_rig

PLAIN, VERSIONED = "plain-bucket", "versioned-bucket"


class Rig(Protocol):
    """One adapter, its two buckets provisioned.

    Attributes:
        url: opens the same store in another process.
        door: what has to be served under <public_url>/objects, if anything.
        unreachable: a store of the same kind whose server or disk is not there.
    """

    url: str
    store: ObjectStore
    door: ASGIApp | None
    unreachable: ObjectStore

    def announced(self) -> list[ObjectCreated]:
        """Return what was announced up to now, waiting for what is under way."""

    def earlier(self, by: timedelta) -> AbstractContextManager[None]:
        """Let what is signed inside be signed *by* ago: no server's clock is ours."""


@dataclass
class FileRig:
    """The embedded adapter."""

    url: str
    public_url: str = "http://127.0.0.1:1"
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    events: list[ObjectCreated] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = self.opened(self.url)
        self.unreachable = self.opened("file:/dev/null/store")
        self.store.provision(PLAIN, versioned=False)
        self.store.provision(VERSIONED, versioned=True)
        self.door = self.store.door()

    def opened(self, url: str) -> ObjectStore:
        """Return another store with this rig's clock, to be closed by whoever asks."""
        return open_store(
            url,
            public_url=self.public_url,
            announce=self.events.append,
            clock=lambda: self.now,
        )

    def announced(self) -> list[ObjectCreated]:
        """See Rig."""
        return self.events

    @contextmanager
    def earlier(self, by: timedelta) -> Iterator[None]:
        """See Rig."""
        self.now -= by
        yield
        self.now += by

    def pass_time(self, by: timedelta) -> None:
        """Let *by* pass for this store."""
        self.now += by


@contextmanager
def file_rig(folder: Path, public_url: str) -> Iterator[FileRig]:
    """Give the embedded adapter in *folder*."""
    rig = FileRig(f"file:{folder}/objects", public_url)
    yield rig
    rig.store.close()


ADAPTERS = ["file", pytest.param("s3", marks=pytest.mark.servers)]


def open_rig(
    request: pytest.FixtureRequest, folder: Path, public_url: str
) -> AbstractContextManager[Rig]:
    """Open the adapter that *request* is parametrized with.

    Args:
        folder: where it may keep its objects; public_url: what a door of its own is
            signed for.
    """
    if request.param == "s3":
        return minio_rig(request, PLAIN, VERSIONED)
    return file_rig(folder, public_url)


class DoorServer:
    """Serves on 127.0.0.1, under /objects, whichever door it is given.

    Attributes:
        url: the public URL to sign for.
        door: may change between requests, so many stores can share one server.
    """

    def __init__(self) -> None:
        self.door: ASGIApp | None = None
        # Named TCP, or asyncio leaves Nagle on and every answer takes 40 ms.
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket = socket.socket(*kind)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen()
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        app = Starlette(routes=[Mount("/objects", app=self._answer)])
        config = uvicorn.Config(app, log_config=None, lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = Thread(target=self._server.run, args=([self._socket],))

    def __enter__(self) -> "DoorServer":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        assert self.door is not None
        await self.door(scope, receive, send)


def put(
    store: ObjectStore,
    ref: ObjectRef,
    data: bytes = b"data",
    metadata: dict[str, str] | None = None,
) -> ObjectInfo:
    """Put *data*."""
    return store.put(
        ref,
        BytesIO(data),
        size_bytes=len(data),
        media_type="image/png",
        metadata=metadata or {},
    )


def put_once(store: ObjectStore, ref: ObjectRef, data: bytes) -> ObjectInfo:
    """Put *data* if the key is free."""
    stream = BytesIO(data)
    return store.put_once(
        ref, stream, size_bytes=len(data), media_type="image/png", metadata={}
    )


def undated(info: ObjectInfo) -> ObjectInfo:
    """Return *info* but for modified_at, which put need not know exactly."""
    return replace(info, modified_at=datetime.min.replace(tzinfo=UTC))


def content(store: ObjectStore, ref: ObjectRef) -> bytes:
    """Return an object's bytes."""
    with store.open(ref) as stream:
        return stream.read()


def held(store: ObjectStore, bucket: str) -> list[tuple[str, str]]:
    """Return key and hash of all that a bucket holds."""
    return [
        (info.ref.key, hashlib.sha256(content(store, info.ref)).hexdigest())
        for info in store.list(bucket)
    ]
