"""What a refusal by an S3 server means to Pratique.

Codes: AWS, "Error responses"; those that begin with XMinio are MinIO's own.
"""

from xml.etree.ElementTree import ParseError

from minio.error import S3Error
from urllib3 import BaseHTTPResponse

from schemas.errors import (
    InvalidKey,
    ObjectExists,
    ObjectNotFound,
    PermanentError,
    PratiqueError,
    Unavailable,
)

# What the codes say that tell more than an answer's status.
_MEANINGS: dict[str, tuple[type[PratiqueError], str]] = {
    **dict.fromkeys(
        # The last one is the answer to asking for a delete marker's version.
        ("NoSuchKey", "NoSuchVersion", "MethodNotAllowed"),
        (ObjectNotFound, "nothing is stored here"),
    ),
    **dict.fromkeys(
        ("PreconditionFailed", "ConditionalRequestConflict"),
        (ObjectExists, "the key is taken"),
    ),
    **dict.fromkeys(
        (
            "InvalidBucketName",
            "KeyTooLongError",
            "XMinioInvalidObjectName",
            "XMinioObjectExistsAsDirectory",
            "XMinioParentIsObject",
        ),
        (InvalidKey, "the store takes no such name"),
    ),
    **dict.fromkeys(
        (
            "BadDigest",
            "IncompleteBody",
            "RequestTimeout",
            "XAmzContentSHA256Mismatch",
        ),
        (Unavailable, "it broke on its way to the store"),
    ),
    "RequestTimeTooSkewed": (
        Unavailable,
        "the clocks of this machine and of the store differ",
    ),
}
# Where an answer has no body: to HEAD.
_BY_STATUS = {
    400: "BadRequest",
    404: "NoSuchKey",
    405: "MethodNotAllowed",
    412: "PreconditionFailed",
}


class Refusal(Exception):
    """An answer that is no success.

    Attributes:
        code: what S3 calls the error; empty if the answer is not from S3.
        explained: whether the server said so itself.
    """

    def __init__(self, answer: BaseHTTPResponse, code: str, message: str) -> None:
        super().__init__(f"{answer.status} {code}: {message}")
        self.status = answer.status
        self.code = code
        self.explained = bool(message)


def refusal(answer: BaseHTTPResponse) -> Refusal:
    """Return what *answer*, read to its end, refuses."""
    if not answer.data:
        code = answer.headers.get("x-minio-error-code", "")
        message = answer.headers.get("x-minio-error-desc", "")
        return Refusal(answer, code or _BY_STATUS.get(answer.status, ""), message)
    try:
        found = S3Error.fromxml(answer)
    except (ParseError, ValueError):
        return Refusal(answer, "", "not an answer of an S3 server")
    return Refusal(answer, found.code or "", found.message or "")


def named(method: str, bucket: str, key: str) -> str:
    """Return what messages call a request."""
    return f"{method} {bucket}/{key}" if key else f"{method} {bucket or 'buckets'}"


def meaning(
    refused: Refusal, method: str, bucket: str, key: str, user: str
) -> PratiqueError:
    """Return the error that says what *refused* means.

    Args:
        method, bucket, key: the request; user: whose it was.
    """
    what = named(method, bucket, key)
    code, status = refused.code, refused.status
    if code == "NoSuchBucket" or (code == "NoSuchKey" and not key):
        # Of a store that was set up anew nothing may be concluded either.
        return Unavailable(f"bucket {bucket} is missing: `pratique provision` makes it")
    if _no_version(refused):
        return ObjectNotFound(f"{what}: there can't be such a version")
    if code in _MEANINGS:
        kind, words = _MEANINGS[code]
        return kind(f"{what}: {words}")
    if status == 403:
        return Unavailable(
            f"{what}: the store denies it to user {user} ({code}); "
            "`pratique provision` sets the rights"
        )
    if _passing(status) or not code:
        return Unavailable(f"{what}: the store answers {status} {code}".rstrip())
    return PermanentError(f"{what}: the store refuses it ({status} {code})")


def _passing(status: int) -> bool:
    """Return whether an answer tells of the server's state, not of the request."""
    # Below 400: an upload in parts that began with 200 and failed, or a redirection.
    return status < 400 or status in (408, 429) or (status >= 500 and status != 501)


def _no_version(refused: Refusal) -> bool:
    """Return whether MinIO was asked for a version that is no UUID."""
    return refused.code == "InvalidArgument" and "version id" in str(refused)
