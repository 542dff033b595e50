"""A marker in every place that HEIC, AVIF and JPEG 2000 have."""

import struct
from collections.abc import Iterator
from io import BytesIO

import pillow_heif
from PIL import Image

from infra.samples import images
from tests.exam.hostile.case import MARKER, Case
from tests.exam.hostile.jpeg import exif, profile
from tests.exam.judge.boxes import Box, boxes

_SIZE = (64, 64)
_SEI = b"\x50\x01\x05" + bytes([16 + len(MARKER)]) + bytes(16) + MARKER + b"\x80"
# Text for the country of nobody (ITU-T T.35), and padding.
_METADATA = b"\x2a" + bytes([len(MARKER) + 3]) + b"\x04\xff" + MARKER + b"\x80"
_PADDING = b"\x7a" + bytes([len(MARKER) + 1]) + MARKER + b"\x80"


def box(kind: bytes, body: bytes) -> bytes:
    """Return a box."""
    return struct.pack(">I4s", len(body) + 8, kind) + body


def heics() -> Iterator[Case]:
    """Yield every HEIC."""
    data = heic()
    sei = struct.pack(">I", len(_SEI)) + _SEI
    yield Case("sei.heic", behind_item(data, sei))
    yield from _containers(data, "heic")
    yield Case("exif_xmp_icc.heic", heic(exif=exif(), xmp=MARKER, thumbnails=[32]))
    yield Case("icc.heic", heic(icc_profile=profile()))


def avifs() -> Iterator[Case]:
    """Yield every AVIF."""
    data = avif()
    yield Case("metadata.avif", behind_item(data, _METADATA))
    yield Case("padding.avif", behind_item(data, _PADDING))
    yield from _containers(data, "avif")
    yield Case("exif_xmp_icc.avif", avif(exif=exif(), xmp=MARKER))
    yield Case("icc.avif", avif(icc_profile=profile()))


def heic(**options: object) -> bytes:
    """Return a HEIC."""
    pillow_heif.register_heif_opener()
    return _saved(images.gradient(_SIZE), "HEIF", quality=50, **options)


def avif(**options: object) -> bytes:
    """Return an AVIF."""
    return _saved(images.gradient(_SIZE), "AVIF", quality=50, speed=10, **options)


def jp2s() -> Iterator[Case]:
    """Yield every JPEG 2000."""
    data = _saved(images.gradient(_SIZE), "JPEG2000")
    yield Case("behind.jp2", data + MARKER)
    for kind in (b"uuid", b"xml ", b"jp2i", b"free", b"asoc", b"uinf"):
        name = kind.decode().strip()
        yield Case(f"{name}.jp2", data + box(kind, bytes(16) + MARKER))
    yield Case(
        "comment.jp2", _saved(images.gradient(_SIZE), "JPEG2000", comment=MARKER)
    )
    codestream = data[data.index(b"\xff\x4f\xff\x51") :]
    yield Case("behind.j2k", codestream + MARKER)


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _containers(data: bytes, suffix: str) -> Iterator[Case]:
    for kind in (b"uuid", b"free", b"skip", b"mpvd", b"mdat", b"udta", b"priv"):
        hidden = box(kind, bytes(16) + MARKER)
        yield Case(f"{kind.decode()}.{suffix}", data + hidden)
    yield Case(f"behind.{suffix}", data + MARKER)
    for path in ((b"meta",), (b"meta", b"iprp"), (b"meta", b"iprp", b"ipco")):
        for kind in (b"free", b"uuid", b"udes"):
            hidden = box(kind, bytes(16) + MARKER)
            name = f"{path[-1].decode()}_{kind.decode()}.{suffix}"
            yield Case(name, within(data, path, hidden))
    yield Case(f"meta_xml.{suffix}", within(data, (b"meta",), box(b"xml ", MARKER)))
    yield Case(f"handler.{suffix}", within(data, (b"meta", b"hdlr"), MARKER + b"\0"))
    named = within(data, (b"meta", b"iinf", b"infe"), MARKER + b"\0")
    yield Case(f"item_name.{suffix}", named)
    yield Case(f"item_slack.{suffix}", behind_item(data, MARKER, count=False))


def within(data: bytes, path: tuple[bytes, ...], added: bytes) -> bytes:
    """Return the file with *added* at the end of the box at *path*."""
    changed = bytearray(data)
    found = Box(b"", 0, len(data), whole=True)
    for kind in path:
        skipped = {b"meta": 4, b"iinf": 6}.get(found.kind, 0)
        inner = boxes(data, found.start + skipped, found.end)
        found = next(each for each in inner if each.kind == kind)
        struct.pack_into(
            ">I", changed, found.start - 8, found.end - found.start + 8 + len(added)
        )
    changed[found.end : found.end] = added
    return _moved(bytes(changed), found.end, len(added))


def behind_item(data: bytes, added: bytes, *, count: bool = True) -> bytes:
    """Return the file with *added* behind the first item's coded data.

    Args:
        count: whether the item becomes so much longer; else nothing owns the bytes.
    """
    media = next(each for each in boxes(data, 0, len(data)) if each.kind == b"mdat")
    places = _places(data)
    first = min(range(len(places)), key=lambda n: _value(data, places[n][0]))
    offset, length = places[first]
    end = _value(data, offset) + _value(data, length)
    changed = bytearray(data)
    struct.pack_into(
        ">I", changed, media.start - 8, media.end - media.start + 8 + len(added)
    )
    if count:
        struct.pack_into(">I", changed, length, _value(data, length) + len(added))
    changed[end:end] = added
    return _moved(bytes(changed), end, len(added))


def _moved(data: bytes, behind: int, by: int) -> bytes:
    """Return the file with its items' offsets corrected."""
    changed = bytearray(data)
    for offset, _ in _places(data):
        if _value(data, offset) >= behind:
            struct.pack_into(">I", changed, offset, _value(data, offset) + by)
    return bytes(changed)


def _value(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


def _places(data: bytes) -> list[tuple[int, int]]:
    """Return where `iloc` keeps each item's offset and length, of four bytes each."""
    meta = next(each for each in boxes(data, 0, len(data)) if each.kind == b"meta")
    inner = boxes(data, meta.start + 4, meta.end)
    table = next(each for each in inner if each.kind == b"iloc")
    version, sizes = data[table.start], data[table.start + 4 : table.start + 6]
    assert sizes[0] == 0x44, sizes
    base = sizes[1] >> 4
    at = table.start + 8
    found = []
    for _ in range(int.from_bytes(data[table.start + 6 : at], "big")):
        at += 4 + base + (2 if version else 0)
        origin = at - base  # one writer counts from here, another from zero
        extents = int.from_bytes(data[at : at + 2], "big")
        at += 2
        for _ in range(extents):
            found.append((origin if base and _value(data, origin) else at, at + 4))
            at += 8
    return found
