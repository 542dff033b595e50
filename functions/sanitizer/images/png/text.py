"""Text chunks of a PNG: what kind of data hides behind which keyword."""

import re
import zlib

from functions.sanitizer.findings import Finding
from functions.sanitizer.images.exif import Metadata

_KINDS = (
    (re.compile(rb"(?i)xmp|xml:com\.adobe"), Finding.XMP),
    (re.compile(rb"(?i)iptc|8bim"), Finding.IPTC),
    (re.compile(rb"(?i)exif|app1"), Finding.EXIF),
    (re.compile(rb"(?i)comment"), Finding.COMMENT),
    (re.compile(rb"(?i)time|date"), Finding.TIMESTAMP),
)
# A profile or a packet beyond this is a bomb: it is dropped unread.
_MAX_BYTES = 8 << 20


def inflated(compressed: bytes) -> bytes:
    """Return what follows the compression method; nothing if broken or too large."""
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(compressed[1:], _MAX_BYTES)
    except zlib.error:
        return b""
    return data if not inflater.unconsumed_tail and compressed[:1] == b"\0" else b""


def read_text(metadata: Metadata, kind: bytes, data: bytes) -> None:
    """Note what a tEXt, zTXt or iTXt chunk carries."""
    keyword, _, rest = data.partition(b"\0")
    finding = next((f for pattern, f in _KINDS if pattern.search(keyword)), None)
    if finding in metadata.findings:
        return  # the first of a kind is enough, and others may be bombs
    metadata.saw(finding or Finding.TEXT)
    if finding is Finding.XMP:
        metadata.read_xmp(_text(kind, rest))
    elif finding is Finding.EXIF and keyword.startswith(b"Raw profile"):
        metadata.read_exif(_unwrapped(_text(kind, rest)))


def _text(kind: bytes, rest: bytes) -> bytes:
    if kind == b"tEXt":
        return rest
    if kind == b"zTXt":
        return inflated(rest)
    compressed, text = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[-1]
    return inflated(b"\0" + text) if compressed else text


def _unwrapped(profile: bytes) -> bytes:
    """Undo ImageMagick's wrapping: a name, a length, then hexadecimal lines."""
    digits = b"".join(profile.split(b"\n")[3:])
    try:
        return bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        return b""
