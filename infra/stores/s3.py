"""The object store on an S3 server: MinIO, its successor Silo, and their kin."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import BinaryIO, cast

import urllib3

from infra.stores import s3_buckets
from infra.stores.download import disposition
from infra.stores.options import S3Options
from infra.stores.rules import check_bucket, check_headers, check_ref
from infra.stores.s3_address import Address, elsewhere
from infra.stores.s3_answers import (
    META,
    describe,
    etag_in,
    info_in,
    scan,
    time_in,
    version_in,
    version_query,
)
from infra.stores.s3_presigned import presigned_form, presigned_url
from infra.stores.s3_reading import Body, S3Ranges
from infra.stores.s3_requests import TIMEOUT, Requests
from infra.stores.s3_uploads import put_whole, upload
from schemas.errors import ObjectNotFound, SettingsError
from schemas.objects import ObjectInfo, ObjectRef, PresignedUpload, RangedReader
from schemas.ports import Clock

_BUFFER_BYTES = 1 << 18


class S3Store:
    """ObjectStore on an S3 server, which announces what is created by itself.

    Args:
        clock: from it presigned URLs count their time. The store's own requests are
            signed by this machine's clock: a server wants the true one.
        timeout: to connect or send, and to wait for an answer.
    """

    def __init__(
        self,
        address: Address,
        options: S3Options,
        *,
        clock: Clock,
        timeout: urllib3.Timeout = TIMEOUT,
    ) -> None:
        self._address = address
        self._options = options
        self._clock = clock
        self._requests = Requests(
            address, connections=options.connections, timeout=timeout
        )

    def provision(self, bucket: str, *, versioned: bool) -> None:
        """See ObjectStore. Versions that are off are switched on."""
        check_bucket(bucket)
        s3_buckets.provision(self._requests, bucket, versioned=versioned)

    def provisioned(self, bucket: str, *, versioned: bool) -> bool:
        """See ObjectStore."""
        check_bucket(bucket)
        return s3_buckets.provisioned(self._requests, bucket, versioned=versioned)

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
        headers = _checked(ref, media_type, metadata)
        answer, size = upload(self._requests, ref, stream, size_bytes, headers)
        return _stored(ref, size, media_type, metadata, answer.headers)

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
        headers = _checked(ref, media_type, metadata) | {"If-None-Match": "*"}
        answer = put_whole(self._requests, ref, stream, size_bytes, headers)
        return _stored(ref, size_bytes, media_type, metadata, answer.headers)

    @contextmanager
    def open(self, ref: ObjectRef) -> Iterator[BinaryIO]:
        """See ObjectStore."""
        check_ref(ref)
        answer = self._requests.send(
            "GET", ref.bucket, ref.key, query=version_query(ref), streamed=True
        )
        with io.BufferedReader(Body(ref, answer), _BUFFER_BYTES) as stream:
            yield cast("BinaryIO", stream)

    def ranges(self, ref: ObjectRef) -> RangedReader:
        """See ObjectStore."""
        check_ref(ref)
        answer = self._requests.send(
            "HEAD", ref.bucket, ref.key, query=version_query(ref)
        )
        info = info_in(ref, answer.headers)
        return S3Ranges(self._requests, info, etag_in(answer.headers))

    def head(self, ref: ObjectRef) -> ObjectInfo:
        """See ObjectStore."""
        check_ref(ref)
        return describe(self._requests, ref)

    def list(self, bucket: str, prefix: str = "") -> Iterator[ObjectInfo]:
        """See ObjectStore. Of one key, the newest version comes first."""
        check_bucket(bucket)
        return scan(self._requests, bucket, prefix)

    def delete(self, ref: ObjectRef) -> None:
        """See ObjectStore. As in S3, without a version a delete marker hides bytes."""
        check_ref(ref)
        try:
            self._requests.send("DELETE", ref.bucket, ref.key, query=version_query(ref))
        except ObjectNotFound:
            return  # a version that there can't be

    def presign_get(self, ref: ObjectRef, *, expires: timedelta, filename: str) -> str:
        """See ObjectStore."""
        check_ref(ref)
        name = filename.encode(errors="replace").decode()
        answered = {
            "response-content-disposition": disposition(name),
            # What is withdrawn is gone at once.
            "response-cache-control": "private, no-store",
        }
        return presigned_url(
            "GET",
            self._downloader(),
            ref,
            query=version_query(ref) | answered,
            headers={},
            at=self._clock(),
            expires=expires,
        )

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
        headers = _checked(ref, media_type, metadata)
        url = presigned_url(
            "PUT",
            self._uploader(),
            ref,
            query={},
            headers={**headers, "Content-Length": str(size_bytes)},
            at=self._clock(),
            expires=expires,
        )
        return PresignedUpload(method="put", url=url, headers=headers)

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
        return presigned_form(
            self._uploader(),
            ref,
            headers=_checked(ref, media_type, metadata),
            max_bytes=max_bytes,
            until=self._clock() + expires,
        )

    def door(self) -> None:
        """See ObjectStore: the server is its own door."""

    def ping(self) -> None:
        """See ObjectStore."""
        s3_buckets.ping(self._requests)

    def close(self) -> None:
        """See ObjectStore."""
        self._requests.close()

    def _uploader(self) -> Address:
        pair = self._options.upload_signer
        if pair is None:
            raise SettingsError(
                "PRATIQUE_UPLOAD_SIGNER is not set: upload URLs need a KEY:SECRET that "
                "may only put objects, as a signer who may read lets anyone copy any "
                "object by an unsigned x-amz-copy-source header"
            )
        return elsewhere(self._address, self._options.public_url, pair)

    def _downloader(self) -> Address:
        pair = self._options.download_signer
        if pair is None:
            raise SettingsError(
                "PRATIQUE_DOWNLOAD_SIGNER is not set: download URLs need a KEY:SECRET "
                "that may only read clean objects, as whoever has a URL acts with all "
                "the rights of its signer"
            )
        return elsewhere(self._address, self._options.public_url, pair)


def _checked(
    ref: ObjectRef, media_type: str, metadata: Mapping[str, str]
) -> dict[str, str]:
    """Return what is sent with an object, if a store may accept it."""
    check_ref(ref)
    check_headers(media_type, metadata)
    return {"Content-Type": media_type, **{f"{META}{k}": metadata[k] for k in metadata}}


def _stored(
    ref: ObjectRef,
    size_bytes: int,
    media_type: str,
    metadata: Mapping[str, str],
    answered: Mapping[str, str],
) -> ObjectInfo:
    """Return what was stored, without asking: who may put may not always read."""
    stored = ObjectRef(ref.bucket, ref.key, version_in(answered))
    at = time_in(answered, "date")
    return ObjectInfo(stored, size_bytes, media_type, at, dict(metadata))
