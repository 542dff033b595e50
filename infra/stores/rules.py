"""What every store takes: rules for buckets, keys, media types and metadata.

Bucket names and the 2 KB of metadata are S3's limits (AWS, "Bucket naming rules",
"Working with object metadata"), so what one adapter takes another takes too.
"""

import re
from collections.abc import Mapping

from schemas.errors import InvalidKey
from schemas.objects import ObjectRef

_BUCKET = re.compile(r"[a-z0-9](?!.*\.\.)[a-z0-9.-]{1,61}[a-z0-9]")
_METADATA_KEY = re.compile(r"[a-z0-9][a-z0-9._-]*")
# What a header carries unchanged: printable ASCII without blanks at its ends.
_HEADER_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?")
MAX_KEY_BYTES = 1024
MAX_METADATA_BYTES = 2048


def check_ref(ref: ObjectRef) -> None:
    """Refuse a bucket or a key that no store may accept.

    Raises:
        InvalidKey: see ObjectStore.
    """
    check_bucket(ref.bucket)
    try:
        size = len(ref.key.encode())
    except UnicodeEncodeError as exc:
        raise InvalidKey("the key is not UTF-8") from exc
    if not 1 <= size <= MAX_KEY_BYTES:
        raise InvalidKey(f"the key has {size} bytes: 1 to {MAX_KEY_BYTES} are allowed")
    if "\\" in ref.key or "\0" in ref.key:
        raise InvalidKey(f"{ref.key!r}: a key has no backslash and no NUL")
    if not {"", ".", ".."}.isdisjoint(ref.key.split("/")):
        raise InvalidKey(f"{ref.key!r}: a key has no empty, `.` or `..` segment")


def check_bucket(bucket: str) -> None:
    """Refuse what is no bucket name.

    Raises:
        InvalidKey: it is not 3 to 63 of a-z 0-9 . - as S3 wants them.
    """
    if not _BUCKET.fullmatch(bucket):
        raise InvalidKey(f"{bucket!r} is no bucket name: 3 to 63 of a-z 0-9 . -")


def check_headers(media_type: str, metadata: Mapping[str, str]) -> None:
    """Refuse a media type or metadata that a header could not carry unchanged.

    Raises:
        ValueError: the caller is at fault; the message names the key, not the value.
    """
    if not _HEADER_VALUE.fullmatch(media_type):
        raise ValueError("the media type is empty or not printable ASCII")
    for key, value in metadata.items():
        if not _METADATA_KEY.fullmatch(key):
            raise ValueError(f"metadata key {key!r}: a-z 0-9 . _ - are allowed")
        if value and not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"metadata {key!r}: not printable ASCII, or padded")
    if sum(len(k) + len(v) for k, v in metadata.items()) > MAX_METADATA_BYTES:
        raise ValueError(f"metadata: more than {MAX_METADATA_BYTES} bytes")
