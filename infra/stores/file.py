"""The embedded object store: a folder, with the port's promises kept."""

import io
import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, cast

from infra.stores.door import open_door
from infra.stores.drafts import Draft
from infra.stores.folder import Folder
from infra.stores.format import Label, seal
from infra.stores.reading import Ranges, Window
from infra.stores.rules import check_bucket, check_headers, check_ref
from infra.stores.signing import Grant, Signer
from schemas.errors import Unavailable
from schemas.events import ObjectCreated, created
from schemas.objects import ObjectInfo, ObjectRef, PresignedUpload, RangedReader
from schemas.ports import ASGIApp, Clock

log = logging.getLogger(__name__)
_CHUNK_BYTES = 1 << 20
_BUFFER_BYTES = 1 << 18


class FileStore:
    """ObjectStore in a folder, for any number of processes on one machine.

    Args:
        root: made by provision.
        announce: called after an object is there; where it raises Unavailable the
            object stays, and somebody has to find it.
    """

    def __init__(
        self,
        root: Path,
        *,
        public_url: str,
        announce: Callable[[ObjectCreated], None],
        clock: Clock,
    ) -> None:
        self._folder = Folder(root)
        self._signer = Signer(f"{public_url}/objects", self._folder.secret, clock)
        self._announce = announce
        self._clock = clock

    def provision(self, bucket: str, *, versioned: bool) -> None:
        """See ObjectStore."""
        check_bucket(bucket)
        self._folder.provision(bucket, versioned=versioned)

    def provisioned(self, bucket: str, *, versioned: bool) -> bool:
        """See ObjectStore."""
        check_bucket(bucket)
        return self._folder.provisioned(bucket, versioned=versioned)

    def put(
        self,
        ref: ObjectRef,
        stream: BinaryIO,
        *,
        size_bytes: int | None,
        media_type: str,
        metadata: Mapping[str, str],
    ) -> ObjectInfo:
        """See ObjectStore."""
        info = self._write(ref, stream, size_bytes, media_type, metadata, once=False)
        self._notify(created(info))
        return info

    def put_once(
        self,
        ref: ObjectRef,
        stream: BinaryIO,
        *,
        size_bytes: int,
        media_type: str,
        metadata: Mapping[str, str],
    ) -> ObjectInfo:
        """See ObjectStore."""
        info = self._write(ref, stream, size_bytes, media_type, metadata, once=True)
        self._notify(created(info))
        return info

    def receive(self, grant: Grant, stream: BinaryIO) -> ObjectInfo:
        """Store what came through a presigned upload."""
        ref = ObjectRef(grant.bucket, grant.key)
        info = self._write(
            ref, stream, None, grant.media_type, grant.metadata, once=False
        )
        self._notify(created(info, "Post" if grant.method == "POST" else "Put"))
        return info

    @contextmanager
    def open(self, ref: ObjectRef) -> Iterator[BinaryIO]:
        """See ObjectStore."""
        check_ref(ref)
        with self._folder.find(ref) as stored:
            window = Window(stored.fd, stored.label.size_bytes)
            with io.BufferedReader(window, _BUFFER_BYTES) as stream:
                yield cast("BinaryIO", stream)

    def ranges(self, ref: ObjectRef) -> RangedReader:
        """See ObjectStore."""
        check_ref(ref)
        with self._folder.find(ref) as stored:
            pinned = ObjectRef(ref.bucket, ref.key, stored.version)
            return Ranges(self._folder, pinned, stored.label)

    def head(self, ref: ObjectRef) -> ObjectInfo:
        """See ObjectStore."""
        check_ref(ref)
        with self._folder.find(ref) as stored:
            return stored.label.info(ref.bucket, stored.version)

    def list(self, bucket: str, prefix: str = "") -> Iterator[ObjectInfo]:
        """See ObjectStore."""
        check_bucket(bucket)
        for info in self._folder.scan(bucket, prefix):
            yield replace(info, media_type="", metadata={})

    def delete(self, ref: ObjectRef) -> None:
        """See ObjectStore. As in S3, without a version a delete marker hides bytes."""
        check_ref(ref)
        if ref.version is not None or not self._folder.versioned(ref.bucket):
            self._folder.remove(ref)
        elif not self._folder.marked(ref):
            with self._folder.draft() as draft:
                self._commit(draft, ref, self._label(ref, 0, "", {}, marker=True))

    def presign_get(self, ref: ObjectRef, *, expires: timedelta, filename: str) -> str:
        """See ObjectStore."""
        check_ref(ref)
        return self._signer.presign_get(ref, expires=expires, filename=filename)

    def presign_put(
        self,
        ref: ObjectRef,
        *,
        size_bytes: int,
        media_type: str,
        metadata: Mapping[str, str],
        expires: timedelta,
    ) -> PresignedUpload:
        """See ObjectStore."""
        check_ref(ref)
        check_headers(media_type, metadata)
        return self._signer.presign_put(
            ref,
            size_bytes=size_bytes,
            media_type=media_type,
            metadata=metadata,
            expires=expires,
        )

    def presign_post(
        self,
        ref: ObjectRef,
        *,
        max_bytes: int,
        media_type: str,
        metadata: Mapping[str, str],
        expires: timedelta,
    ) -> PresignedUpload:
        """See ObjectStore."""
        check_ref(ref)
        check_headers(media_type, metadata)
        return self._signer.presign_post(
            ref,
            max_bytes=max_bytes,
            media_type=media_type,
            metadata=metadata,
            expires=expires,
        )

    def door(self) -> ASGIApp:
        """See ObjectStore."""
        return open_door(self, self._signer)

    def ping(self) -> None:
        """See ObjectStore. It makes a file, to notice a folder that is read-only."""
        with self._folder.draft():
            pass

    def close(self) -> None:
        """See ObjectStore: nothing is held open between calls."""

    def _write(
        self,
        ref: ObjectRef,
        stream: BinaryIO,
        size_bytes: int | None,
        media_type: str,
        metadata: Mapping[str, str],
        *,
        once: bool,
    ) -> ObjectInfo:
        check_ref(ref)
        check_headers(media_type, metadata)
        self._folder.versioned(ref.bucket)  # missing: say so before the bytes are read
        with self._folder.draft() as draft:
            size = _copy(stream, draft, size_bytes)
            label = self._label(ref, size, media_type, metadata)
            version = self._commit(draft, ref, label, once=once)
        return label.info(ref.bucket, version)

    def _label(
        self,
        ref: ObjectRef,
        size_bytes: int,
        media_type: str,
        metadata: Mapping[str, str],
        *,
        marker: bool = False,
    ) -> Label:
        return Label(
            key=ref.key,
            size_bytes=size_bytes,
            media_type=media_type,
            metadata=dict(metadata),
            created_at=self._clock(),
            write_id=secrets.token_hex(8),
            marker=marker,
        )

    def _commit(
        self, draft: Draft, ref: ObjectRef, label: Label, *, once: bool = False
    ) -> str | None:
        draft.write(seal(label))
        draft.sync()
        return self._folder.commit(draft, ref, label.created_at, once=once)

    def _notify(self, event: ObjectCreated) -> None:
        try:
            self._announce(event)
        except Unavailable as exc:
            # The bytes are safe: an event is only a hint.
            log.warning(
                "not_announced", extra={"ref": str(event.ref), "cause": repr(exc)}
            )


def _copy(stream: BinaryIO, draft: Draft, size_bytes: int | None) -> int:
    size = 0
    while chunk := stream.read(_CHUNK_BYTES):
        size += len(chunk)
        if size_bytes is not None and size > size_bytes:
            raise ValueError(f"the stream has more than {size_bytes} bytes")
        draft.write(chunk)
    if size_bytes is not None and size != size_bytes:
        raise ValueError(f"the stream has {size} bytes instead of {size_bytes}")
    return size
