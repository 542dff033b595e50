"""URLs and forms that let a client act with the rights of one signer.

Source: AWS, "Authenticating Requests: Using Query Parameters (AWS Signature Version
4)". minio-py signs the header Host only; here length, type and metadata are signed too,
so that an upload with others is refused.
"""

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import SplitResult

from minio.datatypes import PostPolicy
from minio.signer import get_credential_string
from minio.time import to_amz_date, to_signer_date

from infra.stores.s3_address import Address, encoded
from schemas.objects import ObjectRef, PresignedUpload

_ALGORITHM = "AWS4-HMAC-SHA256"
_LONGEST = timedelta(days=7)


def presigned_url(
    method: str,
    address: Address,
    ref: ObjectRef,
    *,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    at: datetime,
    expires: timedelta,
) -> str:
    """Return a URL that allows one kind of request from *at* on.

    Args:
        headers: have to be sent exactly so; Host need not be named.

    Raises:
        ValueError: S3 signs for 1 second to 7 days.
    """
    if not timedelta(seconds=1) <= expires <= _LONGEST:
        raise ValueError("a presigned URL lasts from 1 second to 7 days")
    url = address.url(ref.bucket, ref.key)
    signed = {"host": url.netloc} | {k.lower(): v for k, v in headers.items()}
    key, region = address.keys.access_key, address.region
    parameters = {
        **query,
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": get_credential_string(key, at, region),
        "X-Amz-Date": to_amz_date(at),
        "X-Amz-Expires": str(int(expires.total_seconds())),
        "X-Amz-SignedHeaders": ";".join(sorted(signed)),
    }
    request = _canonical(method, url, encoded(parameters), signed)
    signature = _signature(address, request, at)
    return f"{url.geturl()}?{encoded(parameters)}&X-Amz-Signature={signature}"


def presigned_form(
    address: Address,
    ref: ObjectRef,
    *,
    headers: Mapping[str, str],
    max_bytes: int,
    until: datetime,
) -> PresignedUpload:
    """Return a form POST of 1 to *max_bytes* bytes with exactly these *headers*."""
    fields = {"key": ref.key, **headers}
    policy = PostPolicy(ref.bucket, until)
    for name, value in fields.items():
        policy.add_equals_condition(name, value)
    policy.add_content_length_range_condition(1, max_bytes)
    signed = policy.form_data(address.keys, address.region)
    url = address.url(ref.bucket).geturl()
    return PresignedUpload(method="post", url=url, fields=fields | signed)


def _canonical(
    method: str, url: SplitResult, query: str, headers: Mapping[str, str]
) -> str:
    names = sorted(headers)
    # Blanks are signed as a server reads them: none around, and one between words.
    lines = [f"{name}:{' '.join(headers[name].split())}" for name in names]
    signed = ";".join(names)
    parts = [method, url.path, query, *lines, "", signed, "UNSIGNED-PAYLOAD"]
    return "\n".join(parts)


def _signature(address: Address, request: str, at: datetime) -> str:
    day, region = to_signer_date(at), address.region
    digest = sha256(request.encode()).hexdigest()
    scope = f"{day}/{region}/s3/aws4_request"
    text = f"{_ALGORITHM}\n{to_amz_date(at)}\n{scope}\n{digest}"
    key = f"AWS4{address.keys.secret_key}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()
