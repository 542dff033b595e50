"""Signed requests to an S3 server.

minio-py signs them and reads its errors. Its own client is left aside: it holds bodies
in memory, knows no conditional writes (7.2.20), and hides an outage for minutes.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import SplitResult

import urllib3
from minio.signer import sign_v4_s3
from minio.time import to_amz_date
from urllib3.exceptions import HTTPError, ProtocolError

from infra.stores.s3_address import Address
from infra.stores.s3_errors import Refusal, meaning, named, refusal
from schemas.errors import Unavailable

# Reading: between two pieces, not for a whole answer. Connecting: for sending, too.
TIMEOUT = urllib3.Timeout(connect=5, read=30)
_UNSIGNED = "UNSIGNED-PAYLOAD"
# What may be sent again without asking, as a second time changes nothing.
_REPEATABLE = ("GET", "HEAD")


class Requests:
    """Sends requests as one user over a pool of connections; for any thread."""

    def __init__(
        self, address: Address, *, connections: int, timeout: urllib3.Timeout = TIMEOUT
    ) -> None:
        self._address = address
        # More threads than connections are no fault: what is too many is closed.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
        self._pool = urllib3.connection_from_url(
            address.base_url, maxsize=connections, timeout=timeout
        )

    @property
    def region(self) -> str:
        """The server's region."""
        return self._address.region

    def send(
        self,
        method: str,
        bucket: str = "",
        key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Iterable[bytes | memoryview] | None = None,
        streamed: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        """Return the answer to a request, if it is a success.

        Args:
            body: with a Content-Length among *headers*; what it raises comes through
                unless it is an OSError.
            streamed: the answer's bytes are left to the caller, who closes it.

        Raises:
            ObjectNotFound, ObjectExists, InvalidKey, PermanentError: what was refused.
            Unavailable: the server could not be reached or answered with an error.
        """
        url = self._address.url(bucket, key, query)
        try:
            answer = self._open(method, url, dict(headers or {}), body)
            if answer.status >= 300 or not streamed:
                answer.read(decode_content=False, cache_content=True)
        except HTTPError as exc:
            what = named(method, bucket, key)
            raise Unavailable(f"{what}: the store can't be reached: {exc}") from exc
        if answer.status >= 300:
            refused = refusal(answer)
            self._look_for(bucket, key, refused)
            raise meaning(refused, method, bucket, key, self._user) from refused
        return answer

    def close(self) -> None:
        """Let go of all connections. Safe to run twice."""
        self._pool.close()

    @property
    def _user(self) -> str:
        return str(self._address.keys.access_key)

    def _look_for(self, bucket: str, key: str, refused: Refusal) -> None:
        """Raise if it is the bucket that is missing, where a server didn't say what."""
        if key and refused.status == 404 and not refused.explained:
            self.send("HEAD", bucket)

    def _open(
        self,
        method: str,
        url: SplitResult,
        headers: dict[str, str],
        body: Iterable[bytes | memoryview] | None,
    ) -> urllib3.BaseHTTPResponse:
        try:
            return self._open_once(method, url, headers, body)
        except ProtocolError:
            # Most likely the server had just closed a connection that was kept.
            if method not in _REPEATABLE:
                raise
            return self._open_once(method, url, headers, body)

    def _open_once(
        self,
        method: str,
        url: SplitResult,
        headers: dict[str, str],
        body: Iterable[bytes | memoryview] | None,
    ) -> urllib3.BaseHTTPResponse:
        return self._pool.urlopen(
            method,
            f"{url.path}?{url.query}" if url.query else url.path,
            body=body,  # type: ignore[arg-type]  # memoryviews are sent as well
            headers=self._signed(method, url, headers),
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )

    def _signed(
        self, method: str, url: SplitResult, headers: dict[str, str]
    ) -> dict[str, str]:
        now = datetime.now(UTC)
        fixed = {"Host": url.netloc, "x-amz-date": to_amz_date(now)}
        fixed["x-amz-content-sha256"] = _UNSIGNED
        return sign_v4_s3(  # type: ignore[return-value]  # texts in, texts out
            method=method,
            url=url,
            region=self.region,
            headers={**headers, **fixed},
            credentials=self._address.keys,
            content_sha256=_UNSIGNED,
            date=now,
        )
