"""Object stores, opened by URL."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

from infra.stores.file import FileStore
from infra.stores.options import S3Options
from schemas.errors import SettingsError
from schemas.events import ObjectCreated
from schemas.ports import Clock, ObjectStore

Announce = Callable[[ObjectCreated], None]


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
            notification got lost.
        public_url: what presigned URLs start with, where the store has no server of
            its own.
        announce: is told of created objects, where no server does that.

    Raises:
        SettingsError: the URL names no store. Its text is not repeated, as it may
            hold a password.
    """
    scheme, _, rest = url.partition(":")
    if scheme not in _ADAPTERS:
        known = ", ".join(f"{name}:" for name in _ADAPTERS)
        raise SettingsError(f"the store's URL has an unknown scheme; known: {known}")
    return _ADAPTERS[scheme](rest, public_url.rstrip("/"), announce, clock)


def _open_file(
    rest: str, public_url: str, announce: Announce, clock: Clock
) -> FileStore:
    path, _, query = rest.partition("?")
    options = parse_qs(query, keep_blank_values=True)
    if options not in ({}, {"announce": ["off"]}):
        raise SettingsError("file:PATH?…: the only option is announce=off")
    if not path or (path.startswith("//") and not path.startswith("///")):
        raise SettingsError("file:PATH wants the path of a folder on this machine")
    return FileStore(
        Path(path).absolute(),
        public_url=public_url,
        announce=_nobody if options else announce,
        clock=clock,
    )


def _nobody(event: ObjectCreated) -> None:
    """Lose *event*."""


_ADAPTERS: dict[str, Callable[[str, str, Announce, Clock], ObjectStore]] = {
    "file": _open_file,
}
