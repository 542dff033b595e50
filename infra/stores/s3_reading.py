"""An object's bytes in an S3 store, as a stream and by range."""

import io
from typing import Any

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from infra.stores.s3_answers import version_query
from infra.stores.s3_requests import Requests
from schemas.errors import ObjectExists, ObjectNotFound, Unavailable
from schemas.objects import ObjectInfo, ObjectRef


class Body(io.RawIOBase):
    """The bytes of an answer: all of them, or Unavailable."""

    def __init__(self, ref: ObjectRef, answer: BaseHTTPResponse) -> None:
        super().__init__()
        self._ref = ref
        self._answer = answer

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill *buffer* as far as the answer goes; return how many bytes."""
        try:
            # As they are: whoever wrote the object chose its Content-Encoding.
            chunk = self._answer.read(len(buffer), decode_content=False)
        except HTTPError as exc:
            raise Unavailable(f"{self._ref}: the store broke off: {exc}") from exc
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        """Give the connection back, closed if bytes are left on it."""
        self._answer.close()
        self._answer.release_conn()
        super().close()


class S3Ranges:
    """RangedReader that holds nothing open, and notices another write's bytes."""

    def __init__(self, requests: Requests, info: ObjectInfo, etag: str) -> None:
        self._requests = requests
        self._ref = info.ref
        self._etag = etag
        self.size_bytes = info.size_bytes

    def read_at(self, offset: int, length: int) -> bytes:
        """See RangedReader."""
        if offset < 0 or length < 0:
            raise ValueError("offset and length count from 0")
        stop = min(offset + length, self.size_bytes)
        if offset >= stop:
            return b""
        chunk = self._fetched(offset, stop)
        if len(chunk) != stop - offset:
            raise Unavailable(f"{self._ref}: the store gave another range")
        return chunk

    def _fetched(self, offset: int, stop: int) -> bytes:
        try:
            answer = self._requests.send(
                "GET",
                self._ref.bucket,
                self._ref.key,
                query=version_query(self._ref),
                headers={"Range": f"bytes={offset}-{stop - 1}", "If-Match": self._etag},
                streamed=True,
            )
        except ObjectExists as exc:  # a precondition failed: this one
            raise ObjectNotFound(f"{self._ref}: written anew since") from exc
        # One more than wanted: whoever ignores the range gives all, and is noticed.
        with io.BufferedReader(Body(self._ref, answer)) as stream:
            return stream.read(stop - offset + 1)
