"""Cursors: where in a listing a page ended, opaque and URL-safe."""

import binascii
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zlib import crc32

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_POSITION = struct.Struct(">q16sI")  # microseconds, id, check


def dump(created_at: datetime, asset_id: UUID) -> str:
    """Return the cursor behind the asset that was created then."""
    moment = (created_at - _EPOCH) // timedelta(microseconds=1)
    packed = _POSITION.pack(moment, asset_id.bytes, _check(moment, asset_id.bytes))
    return urlsafe_b64encode(packed).decode().rstrip("=")


def parse(cursor: str) -> tuple[datetime, UUID]:
    """Return the moment and the id behind which a page begins.

    Raises:
        ValueError: dump did not write it.
    """
    try:
        packed = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        moment, identity, _ = _POSITION.unpack(packed)
        created_at = _EPOCH + timedelta(microseconds=moment)
    except (binascii.Error, struct.error, OverflowError, ValueError) as exc:
        raise ValueError("not a cursor of this listing") from exc
    asset_id = UUID(bytes=identity)
    # The whole text is compared, as the decoder skips what is foreign to it.
    if dump(created_at, asset_id) != cursor:
        raise ValueError("not a cursor of this listing")
    return created_at, asset_id


def _check(moment: int, identity: bytes) -> int:
    return crc32(struct.pack(">q16s", moment, identity))
