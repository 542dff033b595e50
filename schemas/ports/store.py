"""The object store port."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, BinaryIO, Protocol

from schemas.objects import ObjectInfo, ObjectRef, PresignedUpload, RangedReader

ASGIApp = Callable[..., Any]


class ObjectStore(Protocol):
    """Buckets of objects. A created object is announced once, twice or never.

    A versioned bucket keeps every put under a key as a version of its own; another
    bucket keeps the newest bytes only. Keys have 1 to 1,024 bytes of UTF-8; a key
    with an empty, `.` or `..` segment, a backslash, a NUL or a leading slash raises
    InvalidKey. So may one that a server can't hold: MinIO wants segments of at most
    255 bytes.
    """

    def provision(self, bucket: str, *, versioned: bool) -> None:
        """Create *bucket* if it is missing. Safe to run twice.

        Raises:
            SettingsError: it is there, with versions though it should have none.
        """

    def provisioned(self, bucket: str, *, versioned: bool) -> bool:
        """Return whether *bucket* is there as provision would have it."""

    def put(
        self,
        ref: ObjectRef,
        stream: BinaryIO,
        *,
        size_bytes: int | None,
        media_type: str,
        metadata: Mapping[str, str],
    ) -> ObjectInfo:
        """Store a stream's bytes under the bucket and key of *ref*.

        The object appears whole or not at all, also when the process is killed; if
        reading *stream* raises, nothing is stored and that error comes through. A
        stream whose length is not *size_bytes* stores nothing and raises ValueError;
        with None any length is taken. Memory does not grow with the object. Returns
        what was stored, with the version where the bucket has them; modified_at may
        be the time of the answer.

        Args:
            metadata: ASCII values; keys in lower case without prefix.
        """

    def put_once(
        self,
        ref: ObjectRef,
        stream: BinaryIO,
        *,
        size_bytes: int,
        media_type: str,
        metadata: Mapping[str, str],
    ) -> ObjectInfo:
        """Store like put, but never over an object: of many at once, one succeeds.

        Raises:
            ObjectExists: the key is taken; what it holds is unchanged.
        """

    def open(self, ref: ObjectRef) -> AbstractContextManager[BinaryIO]:
        """Stream an object's bytes; without a version, the newest ones.

        Raises:
            ObjectNotFound: nothing is stored under *ref*.
        """

    def ranges(self, ref: ObjectRef) -> RangedReader:
        """Return a reader that fetches an object's bytes by range.

        It stays with the version that it began with.

        Raises:
            ObjectNotFound: nothing is stored under *ref*, now or at a later read; or
                something else is by then.
        """

    def head(self, ref: ObjectRef) -> ObjectInfo:
        """Return what is known of an object without its bytes.

        Raises:
            ObjectNotFound: nothing is stored under *ref*.
        """

    def list(self, bucket: str, prefix: str = "") -> Iterator[ObjectInfo]:
        """Return every version and marker of every key under *prefix*, keys in order.

        Only head tells media type and metadata: they are empty here.

        MinIO leaves out `a/1` while there is a version or marker of `a`.
        """

    def delete(self, ref: ObjectRef) -> None:
        """Delete exactly that version, and no newer one. Safe to run twice.

        In a bucket without versions it deletes the object. Without a version, in a
        bucket that has them, it adds a delete marker that hides what is there.
        """

    def presign_get(self, ref: ObjectRef, *, expires: timedelta, filename: str) -> str:
        """Return a URL that answers GET with the object as download of *filename*.

        After *expires* the URL answers 403. Whoever has any presigned URL may do what
        its signer may, so signers are users of their own (SettingsError without them).
        """

    def presign_put(
        self,
        ref: ObjectRef,
        *,
        size_bytes: int,
        media_type: str,
        metadata: Mapping[str, str],
        expires: timedelta,
    ) -> PresignedUpload:
        """Return a PUT that stores one object under *ref*'s key with *metadata*.

        Another key, size or type answers 4xx and stores nothing; so does any try
        after *expires*.
        """

    def presign_post(
        self,
        ref: ObjectRef,
        *,
        max_bytes: int,
        media_type: str,
        metadata: Mapping[str, str],
        expires: timedelta,
    ) -> PresignedUpload:
        """Return a form POST that stores one object of 1 to *max_bytes* bytes.

        Another key, type, size or metadata answers 4xx and stores nothing; so does
        any try after *expires*.
        """

    def door(self) -> ASGIApp | None:
        """Return an app that serves the presigned URLs, if no server of its own does.

        The upload function's HTTP server mounts it under `/objects`.
        """

    def ping(self) -> None:
        """Return if the store answers.

        Raises:
            Unavailable: it does not.
        """

    def close(self) -> None:
        """Let go of connections. Safe to run twice."""
