"""How a stream gets into an S3 store: in one PUT, or in parts.

In one PUT if its length is known, as then nothing is left of one that is broken off,
and if it is short; else in parts (AWS, "Multipart upload overview").
"""

import logging
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import BinaryIO
from xml.etree import ElementTree

from urllib3 import BaseHTTPResponse

from infra.stores.s3_answers import document, etag_in
from infra.stores.s3_errors import meaning, refusal
from infra.stores.s3_requests import Requests
from schemas.errors import PratiqueError
from schemas.objects import ObjectRef

log = logging.getLogger(__name__)
# S3 allows 10,000 parts: these make 58 GiB of a stream of unknown length.
PART_BYTES = 6 << 20
# The most that S3 takes in one PUT (MinIO takes 5 TiB).
_MAX_PUT_BYTES = 5 << 30
# Sent within the connect timeout each, so not too large.
_CHUNK_BYTES = 256 << 10


class SourceFailed(Exception):
    """Reading the stream failed. No OSError, which urllib3 would take for its own.

    Attributes:
        error: what was raised.
    """

    def __init__(self, error: BaseException) -> None:
        super().__init__(repr(error))
        self.error = error


def upload(
    requests: Requests,
    ref: ObjectRef,
    stream: BinaryIO,
    size_bytes: int | None,
    headers: Mapping[str, str],
) -> tuple[BaseHTTPResponse, int]:
    """Store *stream*; return the answer, and how many bytes it had.

    Raises:
        ValueError: the stream's length is not *size_bytes*; nothing is stored.
    """
    if size_bytes is not None and size_bytes <= _MAX_PUT_BYTES:
        return put_whole(requests, ref, stream, size_bytes, headers), size_bytes
    buffer = memoryview(bytearray(PART_BYTES))
    first = _fill(buffer, stream)
    if first < PART_BYTES:
        answer = _put(requests, ref, _cut(buffer[:first]), first, headers)
        return answer, first
    return _Parts(requests, ref, stream, buffer).upload(size_bytes, headers)


def put_whole(
    requests: Requests,
    ref: ObjectRef,
    stream: BinaryIO,
    size_bytes: int,
    headers: Mapping[str, str],
) -> BaseHTTPResponse:
    """Store *stream* in one PUT, without holding it in memory.

    Raises:
        ValueError: the stream's length is not *size_bytes*; nothing is stored.
    """
    try:
        chunks = _exactly(stream, size_bytes)
        # Before anything is sent: the server acts at once if no bytes are to follow.
        first = next(chunks, b"")
        return _put(requests, ref, chain([first], chunks), size_bytes, headers)
    except SourceFailed as exc:
        raise exc.error from None


def _put(
    requests: Requests,
    ref: ObjectRef,
    body: Iterator[bytes | memoryview],
    size_bytes: int,
    headers: Mapping[str, str],
    *,
    query: Mapping[str, str] | None = None,
) -> BaseHTTPResponse:
    length = {"Content-Length": str(size_bytes)}
    return requests.send(
        "PUT",
        ref.bucket,
        ref.key,
        query=query,
        headers={**headers, **length},
        body=body,
    )


class _Parts:
    """One multipart upload. Its first part lies in *buffer*, which is used for all."""

    def __init__(
        self, requests: Requests, ref: ObjectRef, stream: BinaryIO, buffer: memoryview
    ) -> None:
        self._requests = requests
        self._ref = ref
        self._stream = stream
        self._buffer = buffer

    def upload(
        self, size_bytes: int | None, headers: Mapping[str, str]
    ) -> tuple[BaseHTTPResponse, int]:
        """Store the stream; see upload."""
        answer = self._post({"uploads": ""}, headers, b"")
        started = document(answer, "InitiateMultipartUploadResult")
        upload_id = started.findtext("{*}UploadId", "")
        try:
            etags, size = self._send(upload_id)
            if size_bytes not in (None, size):
                raise ValueError(f"the stream has {size} bytes, not {size_bytes}")
            return self._complete(upload_id, etags), size
        except BaseException:
            self._abort(upload_id)
            raise

    def _send(self, upload_id: str) -> tuple[list[str], int]:
        etags: list[str] = []
        size, length = 0, len(self._buffer)
        while length:
            query = {"partNumber": str(len(etags) + 1), "uploadId": upload_id}
            part = _cut(self._buffer[:length])
            answer = _put(self._requests, self._ref, part, length, {}, query=query)
            etags.append(etag_in(answer.headers))
            size += length
            length = _fill(self._buffer, self._stream)
        return etags, size

    def _complete(self, upload_id: str, etags: list[str]) -> BaseHTTPResponse:
        root = ElementTree.Element("CompleteMultipartUpload")
        for number, etag in enumerate(etags, 1):
            part = ElementTree.SubElement(root, "Part")
            ElementTree.SubElement(part, "PartNumber").text = str(number)
            ElementTree.SubElement(part, "ETag").text = etag
        answer = self._post({"uploadId": upload_id}, {}, ElementTree.tostring(root))
        if b"<Error>" in answer.data:
            # It may begin with 200 and fail while it puts the parts together.
            refused = refusal(answer)
            raise meaning(refused, "POST", self._ref.bucket, self._ref.key, "")
        document(answer, "CompleteMultipartUploadResult")
        return answer

    def _post(
        self, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> BaseHTTPResponse:
        length = {"Content-Length": str(len(body))}
        return self._requests.send(
            "POST",
            self._ref.bucket,
            self._ref.key,
            query=query,
            headers={**headers, **length},
            body=[body],
        )

    def _abort(self, upload_id: str) -> None:
        query = {"uploadId": upload_id}
        try:
            self._requests.send("DELETE", self._ref.bucket, self._ref.key, query=query)
        except PratiqueError as exc:
            # The store forgets parts by itself after a day; the first error counts.
            log.warning("parts_left", extra={"ref": str(self._ref), "cause": repr(exc)})


def _exactly(stream: BinaryIO, size_bytes: int) -> Iterator[bytes]:
    """Return the chunks of a stream, the last one only if the length is right."""
    left, held = size_bytes, b""
    while chunk := _read(stream, _CHUNK_BYTES):
        left -= len(chunk)
        if left < 0:
            error = f"the stream has more than {size_bytes} bytes"
            raise SourceFailed(ValueError(error))
        if held:
            yield held
        held = chunk
    if left:
        error = f"the stream has {size_bytes - left} bytes instead of {size_bytes}"
        raise SourceFailed(ValueError(error))
    yield held


def _read(stream: BinaryIO, size: int) -> bytes:
    try:
        return stream.read(size)
    except BaseException as exc:
        raise SourceFailed(exc) from exc


def _fill(buffer: memoryview, stream: BinaryIO) -> int:
    """Read *stream* until *buffer* is full or it ends; return how many bytes."""
    count = 0
    while count < len(buffer):
        chunk = stream.read(min(_CHUNK_BYTES, len(buffer) - count))
        if not chunk:
            break
        buffer[count : count + len(chunk)] = chunk
        count += len(chunk)
    return count


def _cut(part: memoryview) -> Iterator[memoryview]:
    return (part[i : i + _CHUNK_BYTES] for i in range(0, len(part), _CHUNK_BYTES))
