"""The folder of the embedded store: which file holds which object.

    <root>/.secret                             signs URLs
    <root>/.drafts/                            files being written
    <root>/<bucket>/.bucket                    says whether it has versions
    <root>/<bucket>/<s>/<sha256>.<version>     one version; `null` where there are none

The hash of the key is the name, so keys of any length fit and none can leave the
folder; <s> is its first digit. A file appears by one rename, which commits bytes and
label together. Everything here may raise Unavailable.
"""

import errno
import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from infra.stores.drafts import Draft, drafting, sweep, translated
from infra.stores.format import Label, read_label
from schemas.errors import ObjectExists, ObjectNotFound, SettingsError, Unavailable
from schemas.objects import ObjectInfo, ObjectRef

_VERSION = re.compile(r"[0-9a-f]{24}")  # nanoseconds since 1970, then a random tail
_NAME = re.compile(r"[0-9a-f]{64}\.(null|[0-9a-f]{24})")
_SHARDS = "0123456789abcdef"
_KINDS = {b"plain\n": False, b"versioned\n": True}
_SECRET_BYTES = 32
# Absent, a symbolic link, a socket: nothing of ours.
_NOTHING = (errno.ENOENT, errno.ELOOP, errno.ENXIO)


@dataclass(frozen=True)
class Stored:
    """One version of an object, its file open for reading."""

    fd: int
    label: Label
    version: str | None


class Folder:
    """Buckets below one folder, used by any number of threads and processes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._drafts = root / ".drafts"
        self._swept = False

    @translated()
    def provision(self, bucket: str, *, versioned: bool) -> None:
        """Create *bucket*, and remove what killed writers left. Safe to run twice.

        Raises:
            SettingsError: it exists, and has versions or has none against *versioned*.
        """
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._drafts.mkdir(mode=0o700, exist_ok=True)
        sweep(self._drafts)
        folder = self._root / bucket
        folder.mkdir(mode=0o700, exist_ok=True)
        for shard in _SHARDS:
            (folder / shard).mkdir(mode=0o700, exist_ok=True)
        kind = next(k for k, claim in _KINDS.items() if claim is versioned)
        self._write_once(folder / ".bucket", kind)
        _sync_folder(self._root)
        if self.versioned(bucket) is not versioned:
            raise SettingsError(
                f"bucket {bucket} is there already, with{'out' * versioned} versions"
            )

    @translated()
    def provisioned(self, bucket: str, *, versioned: bool) -> bool:
        """Return whether *bucket* is there, with or without versions as wanted."""
        try:
            kind = (self._root / bucket / ".bucket").read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return False
        return _KINDS.get(kind) is versioned

    @translated()
    def versioned(self, bucket: str) -> bool:
        """Return whether *bucket* has versions.

        Raises:
            Unavailable: it is missing. As a folder that is not mounted looks the same,
                nothing may be concluded from what it does not hold.
        """
        try:
            return _KINDS[(self._root / bucket / ".bucket").read_bytes()]
        except (FileNotFoundError, KeyError) as exc:
            raise Unavailable(
                f"bucket {bucket} is missing: `pratique provision` makes it"
            ) from exc

    def draft(self) -> AbstractContextManager[Draft]:
        """Give a file to write a new object to; the first one after a sweep."""
        if not self._swept:
            self._swept = True
            with translated():
                sweep(self._drafts)
        return drafting(self._drafts)

    @translated()
    def commit(
        self, draft: Draft, ref: ObjectRef, at: datetime, *, once: bool
    ) -> str | None:
        """Make *draft* the newest version of *ref*'s key; return that version.

        Raises:
            ObjectExists: with *once*, the key is taken.
        """
        path = self._path(ref, None)
        version = None
        with _opened_folder(path.parent) as shard:
            if self.versioned(ref.bucket):
                version = self._commit_version(draft, ref, at, shard, once=once)
            else:
                _place(draft.path, path, ref, once=once)
            os.fsync(shard)
        return version

    @contextmanager
    def find(self, ref: ObjectRef) -> Iterator[Stored]:
        """Give the version that *ref* names, or the newest, for as long as needed.

        Raises:
            ObjectNotFound: there is none, or it is a delete marker.
        """
        stored = self._newest(ref)
        if stored is None:
            raise ObjectNotFound(f"{ref}: nothing is stored here")
        try:
            if stored.label.marker:
                raise ObjectNotFound(f"{ref}: a delete marker")
            yield stored
        finally:
            os.close(stored.fd)

    def marked(self, ref: ObjectRef) -> bool:
        """Return whether nothing is left to hide under *ref*'s key."""
        stored = self._newest(ref)
        if stored is not None:
            os.close(stored.fd)
        return stored is None or stored.label.marker

    @translated()
    def scan(self, bucket: str, prefix: str) -> list[ObjectInfo]:
        """Return every version under *prefix*: keys in order, oldest version first."""
        self.versioned(bucket)
        found = []
        for shard in _SHARDS:
            for path in (self._root / bucket / shard).iterdir():
                stored = _opened(path) if _NAME.fullmatch(path.name) else None
                if stored is not None:
                    os.close(stored.fd)
                    if stored.label.key.startswith(prefix):
                        found.append(stored.label.info(bucket, stored.version))
        return sorted(found, key=lambda info: (info.ref.key, info.ref.version or ""))

    @translated()
    def remove(self, ref: ObjectRef) -> None:
        """Remove exactly that version, or what a bucket without versions holds."""
        for version in self._candidates(ref):
            path = self._path(ref, version)
            with suppress(FileNotFoundError):
                path.unlink()
                _sync_folder(path.parent)

    @translated()
    def secret(self) -> bytes:
        """Return the key that signs URLs, made by whoever needs it first.

        Raises:
            SettingsError: the file that holds it is damaged.
        """
        path = self._root / ".secret"
        if not path.exists():
            self._write_once(path, secrets.token_bytes(_SECRET_BYTES))
        secret = path.read_bytes()
        if len(secret) != _SECRET_BYTES:  # a short one could be guessed
            raise SettingsError(f"{path} is damaged: remove it to have a new one made")
        return secret

    def _commit_version(
        self, draft: Draft, ref: ObjectRef, at: datetime, shard: int, *, once: bool
    ) -> str:
        # Between looking for other versions and adding one, nobody else may add any.
        fcntl.flock(shard, fcntl.LOCK_EX)
        try:
            newest = ObjectRef(ref.bucket, ref.key)
            if once and not self.marked(newest):
                raise ObjectExists(f"{ref}: the key is taken")
            version = _version_after(self._candidates(newest), at)
            draft.path.replace(self._path(ref, version))
        finally:
            fcntl.flock(shard, fcntl.LOCK_UN)
        return version

    @translated()
    def _newest(self, ref: ObjectRef) -> Stored | None:
        # Versions may come and go meanwhile: look again until two looks agree.
        seen = None
        while (candidates := self._candidates(ref)) != seen:
            for version in candidates:
                stored = _opened(self._path(ref, version))
                if stored is not None:
                    return stored
            seen = candidates
        return None

    def _candidates(self, ref: ObjectRef) -> list[str | None]:
        versioned = self.versioned(ref.bucket)
        if ref.version is not None:
            known = versioned and _VERSION.fullmatch(ref.version)
            return [ref.version] if known else []
        if not versioned:
            return [None]
        path = self._path(ref, None)
        names = (p.name for p in path.parent.iterdir() if p.stem == path.stem)
        versions = (name.partition(".")[2] for name in names)
        return [*sorted(filter(_VERSION.fullmatch, versions), reverse=True)]

    def _path(self, ref: ObjectRef, version: str | None) -> Path:
        digest = _digest(ref.key)
        return self._root / ref.bucket / digest[0] / f"{digest}.{version or 'null'}"

    def _write_once(self, path: Path, content: bytes) -> None:
        with self.draft() as draft:
            draft.write(content)
            draft.sync()
            with suppress(FileExistsError):
                os.link(draft.path, path)
        _sync_folder(path.parent)


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def _version_after(versions: list[str | None], at: datetime) -> str:
    """Return a version that sorts last, also where the clock went backwards."""
    newest = max((int(v[:16], 16) for v in versions if v), default=0)
    nanoseconds = max(int(at.timestamp() * 1_000_000_000), newest + 1)
    return f"{nanoseconds:016x}{secrets.token_hex(4)}"


def _place(source: Path, path: Path, ref: ObjectRef, *, once: bool) -> None:
    if not once:
        source.replace(path)
        return
    try:
        os.link(source, path)
    except FileExistsError as exc:
        raise ObjectExists(f"{ref}: the key is taken") from exc


def _opened(path: Path) -> Stored | None:
    """Open *path* if it holds an object; garbage and foreign files are none."""
    try:
        # Not to wait for a writer if somebody left a pipe here.
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as exc:
        if exc.errno in _NOTHING:
            return None
        raise
    try:
        label = read_label(fd)
    except BaseException:
        os.close(fd)
        raise
    if label is None or _digest(label.key) != path.stem:
        os.close(fd)
        return None
    version = path.suffix[1:]
    return Stored(fd, label, None if version == "null" else version)


@contextmanager
def _opened_folder(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield fd
    finally:
        os.close(fd)


def _sync_folder(path: Path) -> None:
    """Make names that were added or removed survive a loss of power."""
    with _opened_folder(path) as fd:
        os.fsync(fd)
