"""Presigned URLs of the embedded store: a policy, and its HMAC-SHA256.

In the style of S3's POST policy: what is allowed stands in a base64 JSON document that
the client carries, and the signature over exactly those bytes makes it hold.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Literal
from urllib.parse import quote, urlencode

from pydantic import AwareDatetime, BaseModel, ConfigDict

from schemas.errors import PermanentError
from schemas.objects import ObjectRef, PresignedUpload
from schemas.ports import Clock

META = "x-amz-meta-"


class Refused(PermanentError):
    """A request to the door that is answered with an error.

    Args:
        status: of the HTTP answer; code: stable, for the header X-Pratique-Error;
        detail: one sentence for people; headers: more of the answer's.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = {**(headers or {})}


class Grant(BaseModel):
    """What one presigned URL allows; uploads have 1 to *max_bytes* bytes or exactly."""

    model_config = ConfigDict(frozen=True)

    method: Literal["GET", "PUT", "POST"]
    expires_at: AwareDatetime
    bucket: str
    key: str
    version: str | None = None
    filename: str = ""
    media_type: str = ""
    metadata: Mapping[str, str] = {}
    min_bytes: int = 0
    max_bytes: int = 0

    @property
    def ref(self) -> ObjectRef:
        """The object that is meant."""
        return ObjectRef(self.bucket, self.key, self.version)

    @property
    def headers(self) -> dict[str, str]:
        """The headers or form fields that an upload carries."""
        metadata = {f"{META}{k}": v for k, v in self.metadata.items()}
        return {"Content-Type": self.media_type, **metadata}


class Signer:
    """Makes presigned URLs below *base_url*, and tells which ones it made.

    Args:
        secret: asked for at every use, so that a new one holds at once.
    """

    def __init__(
        self, base_url: str, secret: Callable[[], bytes], clock: Clock
    ) -> None:
        self._base_url = base_url
        self._secret = secret
        self._clock = clock

    def presign_get(self, ref: ObjectRef, *, expires: timedelta, filename: str) -> str:
        """See ObjectStore."""
        grant = Grant(
            method="GET",
            expires_at=self._clock() + expires,
            bucket=ref.bucket,
            key=ref.key,
            version=ref.version,
            filename=filename.encode(errors="replace").decode(),
        )
        return self._signed_url(grant)

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
        grant = Grant(
            method="PUT",
            expires_at=self._clock() + expires,
            bucket=ref.bucket,
            key=ref.key,
            media_type=media_type,
            metadata=metadata,
            min_bytes=size_bytes,
            max_bytes=size_bytes,
        )
        return PresignedUpload(
            method="put", url=self._signed_url(grant), headers=grant.headers
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
        grant = Grant(
            method="POST",
            expires_at=self._clock() + expires,
            bucket=ref.bucket,
            key=ref.key,
            media_type=media_type,
            metadata=metadata,
            min_bytes=1,
            max_bytes=max_bytes,
        )
        policy, signature = self._signed(grant)
        signed = {"policy": policy, "x-signature": signature}
        return PresignedUpload(
            method="post",
            url=f"{self._base_url}/{ref.bucket}",
            fields={"key": ref.key, **grant.headers, **signed},
        )

    def granted(self, method: str, policy: str, signature: str) -> Grant:
        """Return what a policy allows.

        Raises:
            Refused: this store did not sign it, it is for another method, or expired.
        """
        expected = self._signature(policy).encode()
        # In constant time, or the signature could be guessed digit by digit.
        if not hmac.compare_digest(expected, signature.encode()):
            raise Refused(403, "signature_invalid", "The URL was not signed here.")
        grant = Grant.model_validate_json(urlsafe_b64decode(policy))
        if grant.method != method:
            raise Refused(403, "signature_invalid", f"The URL is for {grant.method}.")
        if self._clock() >= grant.expires_at:
            raise Refused(403, "url_expired", "The URL has expired.")
        return grant

    def _signed_url(self, grant: Grant) -> str:
        policy, signature = self._signed(grant)
        query = urlencode({"policy": policy, "signature": signature})
        return f"{self._base_url}/{grant.bucket}/{quote(grant.key)}?{query}"

    def _signed(self, grant: Grant) -> tuple[str, str]:
        text = grant.model_dump_json(exclude_defaults=True).encode()
        policy = urlsafe_b64encode(text).decode()
        return policy, self._signature(policy)

    def _signature(self, policy: str) -> str:
        signed = b"pratique presigned\n" + policy.encode(errors="replace")
        return hmac.new(self._secret(), signed, sha256).hexdigest()
