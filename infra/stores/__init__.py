"""Object stores, opened by URL."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

from infra.stores.file import FileStore
from infra.stores.options import S3Options
from schemas.errors import SettingsError
from schemas.events import ObjectCreated
from schemas.ports import Clock, ObjectStore

Announce = Callable[[ObjectCreated], None]


@dataclass(frozen=True)
class _Given:
    """What stores are opened with, besides a URL."""

    public_url: str
    announce: Announce
    clock: Clock
    s3: S3Options


def open_store(
    url: str,
    *,
    public_url: str,
    announce: Announce,
    clock: Clock,
    s3: S3Options = S3Options(),  # noqa: B008  (frozen)
) -> ObjectStore:
    """Return the store that *url* names.

    Args:
        url: `file:PATH`; with `?announce=off` it announces nothing, as if every
            notification got lost. Or `s3+http://KEY:SECRET@HOST:PORT`, `s3+https://…`,
            with `?region=NAME` where it is not us-east-1.
        public_url: what presigned URLs start with, where the store has no server of
            its own.
        announce: is told of created objects, where no server does that.
        s3: what an S3 store needs besides.

    Raises:
        SettingsError: the URL names no store. Its text is not repeated, as it may
            hold a password.
    """
    scheme = url.partition(":")[0]
    if scheme not in _ADAPTERS:
        known = ", ".join(f"{name}:" for name in _ADAPTERS)
        raise SettingsError(f"the store's URL has an unknown scheme; known: {known}")
    return _ADAPTERS[scheme](url, _Given(public_url.rstrip("/"), announce, clock, s3))


def _open_file(url: str, given: _Given) -> FileStore:
    path, _, query = url.removeprefix("file:").partition("?")
    options = parse_qs(query, keep_blank_values=True)
    if options not in ({}, {"announce": ["off"]}):
        raise SettingsError("file:PATH?…: the only option is announce=off")
    if not path or (path.startswith("//") and not path.startswith("///")):
        raise SettingsError("file:PATH wants the path of a folder on this machine")
    return FileStore(
        Path(path).absolute(),
        public_url=given.public_url,
        announce=_nobody if options else given.announce,
        clock=given.clock,
    )


def _open_s3(url: str, given: _Given) -> ObjectStore:
    # Here, as minio-py takes a third of a second that file: can do without.
    from infra.stores.s3 import S3Store  # noqa: PLC0415
    from infra.stores.s3_address import read_address  # noqa: PLC0415

    return S3Store(read_address(url), given.s3, clock=given.clock)


def _nobody(event: ObjectCreated) -> None:
    """Lose *event*."""


_ADAPTERS: dict[str, Callable[[str, _Given], ObjectStore]] = {
    "file": _open_file,
    "s3+http": _open_s3,
    "s3+https": _open_s3,
}
