"""Generated HEIC and AVIF files, as encoders write them and as hostile people do.

Whole files carry everything that a sanitizer has to find, always with MARKER in it.
`assembled` puts a file together from items, so that any part of it can be a lie.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any

import pillow_heif
from PIL import Image

from infra.samples.images import MARKER, gradient, profile
from infra.samples.tiff import exif_block

ALPHA = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"
_XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + MARKER + b"</x:xmpmeta>"


def heic(image: Image.Image | None = None, **options: Any) -> bytes:
    """Return a HEIC with EXIF, XMP, a thumbnail and an owner's profile."""
    stream = BytesIO()
    image = image or gradient((64, 48))
    if image.mode != "L":
        image.info["icc_profile"] = profile()
    made = pillow_heif.from_pillow(image)
    made.save(stream, exif=_exif(), xmp=_XMP, thumbnails=[16], quality=70, **options)
    return _surrounded(stream.getvalue())


def avif(image: Image.Image | None = None, **options: Any) -> bytes:
    """Return an AVIF with EXIF, XMP and an owner's profile."""
    image = image or gradient((64, 48))
    return _surrounded(_avif(image, exif=_exif(), xmp=_XMP, **options))


def animated_avif(mode: str = "RGB") -> bytes:
    """Return an AVIF of three frames with EXIF; encoders date it by themselves."""
    first = gradient((64, 48), mode)
    frames = [first.transpose(Image.Transpose.ROTATE_180), first]
    animation = {"save_all": True, "append_images": frames, "loop": 3}
    return _surrounded(
        # Pillow 13.0 crashes when it encodes an animation that EXIF turns.
        _avif(first, exif=_exif(1), duration=[100, 200, 300], **animation)
    )


def _avif(image: Image.Image, **options: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, "AVIF", speed=10, quality=80, max_threads=1, **options)
    return stream.getvalue()


def _exif(orientation: int = 6) -> bytes:
    return b"Exif\0\0" + exif_block(
        main={0x010E: MARKER, 0x0112: orientation, 0x0132: b"2026:01:02 03:04:05"},
        exif={0xA431: b"serial " + MARKER, 0x927C: b"maker note " + MARKER},
        gps={1: b"N", 2: (52, 31, 12), 3: b"E", 4: (13, 24, 17)},
        thumbnail=b"",
    )


def _surrounded(data: bytes) -> bytes:
    film = box(b"mpvd", b"\0\0\0\x18ftypmp42" + MARKER)
    private = box(b"uuid", bytes(range(16)) + MARKER)
    return data + film + private + box(b"free", MARKER) + b"trailing " + MARKER


def box(kind: bytes, *content: bytes) -> bytes:
    """Return a box."""
    joined = b"".join(content)
    return struct.pack(">I4s", 8 + len(joined), kind) + joined


def full(kind: bytes, *content: bytes, version: int = 0, flags: int = 0) -> bytes:
    """Return a box with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *content)


@dataclass(frozen=True)
class Part:
    """An item: *properties* are boxes, *at* a place in the file that is a lie."""

    kind: bytes
    data: bytes = b""
    properties: tuple[bytes, ...] = ()
    name: bytes = b""
    at: tuple[int, int] | None = None
    essential: bool = False
    file: int = 0


def extent(width: int, height: int) -> bytes:
    """Return the property that says how large a picture is."""
    return full(b"ispe", struct.pack(">II", width, height))


def grid(columns: int, rows: int, width: int, height: int) -> bytes:
    """Return what says how tiles make a picture."""
    return struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width, height)


def auxiliary(kind: bytes = ALPHA) -> bytes:
    """Return the property that says what an auxiliary picture is for."""
    return full(b"auxC", kind + b"\0")


def reference(kind: bytes, source: int, *targets: int) -> bytes:
    """Return a reference from an item to others; items are counted from one."""
    count = len(targets)
    return box(kind, struct.pack(f">HH{count}H", source, count, *targets))


def assembled(
    parts: Sequence[Part],
    references: Sequence[bytes] = (),
    *,
    brand: bytes = b"avif",
    inside: bytes = b"",
    slack: bytes = b"",
) -> bytes:
    """Return a file of these items, the first one primary.

    Args:
        inside: more boxes in `meta`.
        slack: bytes of `mdat` that no item uses.
    """
    head = box(b"ftyp", brand, bytes(4), brand, b"mif1", b"miaf")
    start = len(head) + len(_meta(parts, references, inside, 0)) + 8
    media = b"".join(part.data for part in parts)
    body = _meta(parts, references, inside, start)
    return head + body + box(b"mdat", media, slack)


def _meta(
    parts: Sequence[Part], references: Sequence[bytes], inside: bytes, start: int
) -> bytes:
    entries, places, owners, boxes = b"", b"", b"", b""
    count, at = 0, start
    for number, part in enumerate(parts, 1):
        entry = struct.pack(">HH4s", number, 0, part.kind) + part.name + b"\0"
        entries += full(b"infe", entry, version=2)
        offset, size = part.at or (at, len(part.data))
        places += struct.pack(">HHHII", number, part.file, 1, offset, size)
        at += len(part.data)
        needed = 0x80 * part.essential
        indices = [needed | count + n for n, _ in enumerate(part.properties, 1)]
        owners += struct.pack(">HB", number, len(indices)) + bytes(indices)
        boxes += b"".join(part.properties)
        count += len(indices)
    total = struct.pack(">H", len(parts))
    owned = full(b"ipma", struct.pack(">I", len(parts)), owners)
    return full(
        b"meta",
        full(b"hdlr", bytes(4), b"pict", bytes(12), MARKER + b"\0"),
        full(b"pitm", struct.pack(">H", 1)),
        full(b"iloc", b"\x44\0", total, places),
        full(b"iinf", total, entries),
        full(b"iref", *references),
        box(b"iprp", box(b"ipco", boxes), owned),
        inside,
    )


@cache
def coded(kind: bytes = b"av01", size: tuple[int, int] = (64, 64)) -> Part:
    """Return a picture as an encoder made it: data, configuration and size."""
    if kind == b"av01":
        data = _avif(gradient(size))
        return Part(kind, _media(data), (_box_of(data, b"av1C"), extent(*size)))
    stream = BytesIO()
    pillow_heif.from_pillow(gradient(size)).save(stream, quality=70)
    data = stream.getvalue()
    return Part(kind, _media(data), (_box_of(data, b"hvcC"), extent(*size)))


def _box_of(data: bytes, kind: bytes) -> bytes:
    at = data.index(kind) - 4
    return data[at : at + int.from_bytes(data[at : at + 4], "big")]


def _media(data: bytes) -> bytes:
    return _box_of(data, b"mdat")[8:]


def obu(kind: int, payload: bytes) -> bytes:
    """Return a unit of AV1 below 128 bytes."""
    return bytes([kind << 3 | 2, len(payload)]) + payload


def nal(kind: int, payload: bytes) -> bytes:
    """Return a unit of HEVC with its length in front."""
    unit = bytes([kind << 1, 1]) + payload
    return struct.pack(">I", len(unit)) + unit
