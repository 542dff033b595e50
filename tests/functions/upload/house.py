"""An upload function on real embedded adapters, asked in memory or over a socket."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from functions.upload.app import build_app
from functions.upload.settings import UploadSettings
from infra.http import Server
from infra.listening import listen
from schemas.assets import Asset
from schemas.functions import Context
from schemas.objects import ObjectInfo
from schemas.ports import AssetQuery, AssetRecords, ObjectStore

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
FIELDS = {"project_id": "p1", "user_consent": "true"}
FILE = ("cat.png", b"bytes of a cat", "image/png")


def nothing(*_: object) -> Any:
    """Fail: whatever this stands for is not to be used."""
    raise AssertionError("the upload function has no business here")


class Locked:
    """A sandbox that is not to be used."""

    run = nothing
    close = nothing
    protections = nothing


@dataclass
class House:
    """The ports, the settings, and ways to ask."""

    folder: Path
    store: ObjectStore
    records: AssetRecords
    settings: dict[str, Any] = field(default_factory=dict)
    now: datetime = NOW
    servers: list[Server] = field(default_factory=list)
    apps: dict[str, Any] = field(default_factory=dict)

    def app(self) -> Any:
        """Return the app with these settings; making one takes longer than a test."""
        settings = {"tmp_dir": self.folder, "linger_s": 0.5, **self.settings}
        key = repr((settings, id(self.store), id(self.records)))
        if key not in self.apps:
            self.apps[key] = build_app(self._context(settings))
        return self.apps[key]

    def _context(self, settings: dict[str, Any]) -> Context[UploadSettings]:
        return Context(
            store=self.store,
            records=self.records,
            announce=nothing,
            sandbox=Locked(),
            clock=lambda: self.now,
            settings=UploadSettings(**settings),
        )

    def ask(self, method: str, url: str, **request: Any) -> httpx.Response:
        """Ask in memory."""

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app(), raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://pratique.test"
            ) as client:
                return await client.request(method, url, **request)

        return asyncio.run(asked())

    def submit(
        self, fields: dict[str, Any] | None = None, file: Any = FILE
    ) -> httpx.Response:
        """Hand in a form, its fields before the file."""
        files = {"file": file} if file is not None else {}
        return self.ask("POST", "/assets", data=fields or FIELDS, files=files)

    def serve(self) -> int:
        """Serve on a socket; return the port."""
        listening = listen("127.0.0.1", 0)
        server = Server(self.app(), listening, stop_s=1)
        self.servers.append(server)
        server.start()
        port: int = listening.getsockname()[1]
        return port

    def stop(self) -> bool:
        """End the servers; return whether they finished what they had in hand."""
        for server in self.servers:
            server.stop()
        ended = [server.join(timedelta(seconds=8)) for server in self.servers]
        self.servers = []
        return all(ended)

    @property
    def assets(self) -> list[Asset]:
        """Every row."""
        return self.records.page(AssetQuery())[0]

    @property
    def objects(self) -> list[ObjectInfo]:
        """Everything in quarantine."""
        return [self.store.head(info.ref) for info in self.store.list("quarantine")]

    def bytes_of(self, info: ObjectInfo) -> bytes:
        """Return what is stored."""
        with self.store.open(info.ref) as stream:
            return stream.read()
