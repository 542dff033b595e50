"""A marker in every place that a JPEG has."""

import struct
from collections.abc import Iterator

from infra.samples import images
from infra.samples.images import segment
from infra.samples.tiff import exif_block
from tests.exam.hostile.case import MARKER, Case

_SIZE = (48, 32)
_FILM = struct.pack(">I4s", 24, b"ftyp") + b"mp42" + MARKER
_ZIP = b"PK\3\4" + bytes(22) + struct.pack("<HH", len(MARKER), 0) + MARKER


def plain(**options: object) -> bytes:
    """Return a JPEG with nothing but a picture."""
    return images.jpeg(images.gradient(_SIZE), quality=90, **options)


def exif(marker: bytes = MARKER) -> bytes:
    """Return an EXIF block that says it in every way."""
    return exif_block(
        main={0x010E: marker, 0x010F: marker, 0x0112: 6, 0x013B: marker},
        exif={0x9286: b"ASCII\0\0\0" + marker, 0x927C: marker, 0xA431: marker},
        gps={1: b"N", 2: (52, 31, 12), 29: b"2026:01:02"},
        thumbnail=images.jpeg(images.gradient((16, 16)), comment=marker),
    )


def cases() -> Iterator[Case]:
    """Yield every case; all of them still show their picture."""
    data = plain()
    for name, hidden in _after_start():
        yield Case(f"{name}.jpg", data[:2] + hidden + data[2:])
    for name, hidden in _behind():
        yield Case(f"{name}.jpg", data + hidden)
    yield from _inside(data)
    yield Case("photo.jpg", images.photo())


def _after_start() -> Iterator[tuple[str, bytes]]:
    for number in range(16):
        yield f"app{number}", segment(0xE0 + number, b"Private\0" + MARKER)
    yield "exif", segment(0xE1, b"Exif\0\0" + exif())
    yield "comment", segment(0xFE, MARKER)
    for name, number, head in _KNOWN:
        yield name, segment(0xE0 + number, head + MARKER)
    thumbnail = b"JFIF\0\1\2\0\0\1\0\1\6\1" + MARKER
    yield "jfif_thumbnail", segment(0xE0, thumbnail)
    yield "icc_copyright", segment(0xE2, b"ICC_PROFILE\0\1\1" + profile())
    yield "unused_dqt", segment(0xDB, b"\3" + (MARKER * 4)[:64])
    codes = b"\x13" + bytes(15) + bytes([len(MARKER)]) + MARKER
    yield "unused_dht", segment(0xC4, codes)
    yield "reserved_marker", segment(0x02, MARKER)
    yield "jpg_extension", segment(0xF7, MARKER)
    yield "dnl", segment(0xDC, b"\0\0" + MARKER)
    yield "garbage", MARKER
    yield "fill_and_garbage", b"\xff\xff" + MARKER


_KNOWN = (
    ("xmp", 1, b"http://ns.adobe.com/xap/1.0/\0"),
    ("xmp_extended", 1, b"http://ns.adobe.com/xmp/extension/\0" + b"A" * 40),
    ("jfxx_jpeg", 0, b"JFXX\0\x10"),
    ("jfxx_rgb", 0, b"JFXX\0\x13\6\1"),
    ("mpf", 2, b"MPF\0II*\0\x08\0\0\0\0\0"),
    ("flashpix", 2, b"FPXR\0\0"),
    ("gain_map", 2, b"urn:iso:std:iso:ts:21496:-1\0"),
    ("jumbf", 11, b"JP\0\1\0\0\0\1\0\0\0\x20jumb"),
    ("ducky", 12, b"Ducky\0\1"),
    ("photoshop", 13, b"Photoshop 3.0\x008BIM\4\4\0\0\0\0\0\x12"),
    ("adobe_long", 14, b"Adobe\0\x64\0\0\0\0\1"),
    ("exif_twice", 1, b"Exif\0\0II*\0"),
)


def profile() -> bytes:
    """Return a profile whose copyright names somebody."""
    return images.profile().replace(b"Owner " + images.MARKER, MARKER)


def _behind() -> Iterator[tuple[str, bytes]]:
    yield "behind", MARKER
    yield "behind_zip", _ZIP
    yield "behind_film", _FILM
    yield "behind_picture", plain(comment=MARKER)
    yield "behind_zeros", bytes(64) + MARKER
    yield "behind_seft", MARKER + b"SEFHj\0\0\0\1\0\0\0" + b"\x18\0\0\0SEFT"


def _inside(data: bytes) -> Iterator[Case]:
    yield Case("before_end.jpg", data[:-2] + MARKER + data[-2:])
    yield Case("comment_before_end.jpg", data[:-2] + segment(0xFE, MARKER) + data[-2:])
    yield Case("scan_header.jpg", _longer(data, 0xDA))
    yield Case("frame_header.jpg", _longer(data, 0xC0))
    yield Case("table_tail.jpg", _longer(data, 0xC4))
    yield Case("quantiser_tail.jpg", _longer(data, 0xDB))
    yield Case("redefined_dqt.jpg", _redefined(data))
    progressive = plain(progressive=True)
    last = progressive.rindex(b"\xff\xda")
    between = progressive[:last] + segment(0xFE, MARKER) + progressive[last:]
    yield Case("between_scans.jpg", between)
    restarts = plain(restart_marker_blocks=2)
    at = restarts.index(b"\xff\xd0")
    yield Case("before_restart.jpg", restarts[:at] + MARKER + restarts[at:])
    yield Case("unused_codes.jpg", _unused_codes(plain(optimize=True)))


def _longer(data: bytes, kind: int) -> bytes:
    """Return the picture with a marker at the end of its first segment of *kind*."""
    at = data.index(bytes([0xFF, kind]))
    (size,) = struct.unpack_from(">H", data, at + 2)
    end = at + 2 + size
    head = struct.pack(">BBH", 0xFF, kind, size + len(MARKER))
    return data[:at] + head + data[at + 4 : end] + MARKER + data[end:]


def _redefined(data: bytes) -> bytes:
    """A table that is replaced before anything is decoded with it."""
    at = data.index(b"\xff\xdb")
    return data[:at] + segment(0xDB, b"\0" + (MARKER * 4)[:64]) + data[at:]


def _unused_codes(data: bytes) -> bytes:
    """Codes of 16 bits behind those that a used table has."""
    at = data.index(b"\xff\xc4")
    while data[at + 4] != 0x10:
        at = data.index(b"\xff\xc4", at + 2)
    (size,) = struct.unpack_from(">H", data, at + 2)
    counts = bytearray(data[at + 5 : at + 21])
    counts[15] += len(MARKER)
    body = b"\x10" + bytes(counts) + data[at + 21 : at + 2 + size] + MARKER
    return data[:at] + segment(0xC4, body) + data[at + 2 + size :]
