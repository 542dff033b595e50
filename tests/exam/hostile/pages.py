"""A marker in every place that TIFF, BMP and ICO have."""

import struct
from collections.abc import Iterator
from io import BytesIO

from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from infra.samples import images
from tests.exam.hostile.case import MARKER, Case
from tests.exam.hostile.jpeg import exif, profile
from tests.exam.hostile.png import plain as png

_TEXT = MARKER.decode()
_TEXTS = {
    "document": 269,
    "description": 270,
    "make": 271,
    "model": 272,
    "page": 285,
    "software": 305,
    "date": 306,
    "artist": 315,
    "host": 316,
    "inks": 333,
    "printer": 337,
    "copyright": 33432,
    "gdal": 42112,
    "camera": 50708,
}
_ROWS = (bytearray(b"\x01\x01"), bytearray(b"\x16\x01"))  # of the page, of a strip
_BLOBS = {
    "xmp": 700,
    "iptc": 33723,
    "photoshop": 34377,
    "private": 65000,
    "layers": 37724,
    "dng_private": 50740,
    "icc": 34675,
}


def tiffs() -> Iterator[Case]:
    """Yield every TIFF."""
    for name, tag in _TEXTS.items():
        yield Case(f"{name}.tif", _tagged(tag, _TEXT, 2))
    for name, tag in _BLOBS.items():
        body = profile() if name == "icc" else MARKER
        yield Case(f"{name}.tif", _tagged(tag, body, 7))
    for packing in ("tiff_lzw", "tiff_adobe_deflate", "jpeg"):
        yield Case(f"{packing}.tif", _tagged(270, _TEXT, 2, compression=packing))
    data = _saved(images.gradient((48, 32)), "TIFF")
    yield Case("behind.tif", data + MARKER)
    yield Case("big.tif", _tagged(270, _TEXT, 2, big_tiff=True))
    yield Case("before_directory.tif", _before_directory(data))
    yield Case("more_rows.tif", _fewer_rows())
    second = images.gradient((48, 32)).rotate(180)
    info = ImageFileDirectory_v2()
    info[270] = _TEXT
    first = images.gradient((48, 32))
    pages = {"save_all": True, "append_images": [second], "tiffinfo": info}
    yield Case("two_pages.tif", _saved(first, "TIFF", **pages))
    yield Case("exif_gps.tif", _saved(first, "TIFF", exif=b"Exif\0\0" + exif()))


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _tagged(tag: int, value: object, kind: int, **options: object) -> bytes:
    info = ImageFileDirectory_v2()
    info.tagtype[tag] = kind
    info[tag] = value
    return _saved(images.gradient((48, 32)), "TIFF", tiffinfo=info, **options)


def _before_directory(data: bytes) -> bytes:
    """Move the directory away from the header: bytes that nothing points to."""
    (at,) = struct.unpack_from("<I", data, 4)
    return data[:4] + struct.pack("<I", len(data) + 18) + data[8:] + MARKER + data[at:]


def _fewer_rows() -> bytes:
    """A strip with a row more than the page is high."""
    image = images.gradient((6, 4))
    image.paste(Image.frombytes("RGB", (6, 1), MARKER), (0, 3))
    data = bytearray(_saved(image, "TIFF"))
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    for number in range(count):
        entry = at + 2 + 12 * number
        if data[entry : entry + 2] in _ROWS:
            struct.pack_into("<HI", data, entry + 2, 3, 1)
            struct.pack_into("<I", data, entry + 8, 3)
    return bytes(data)


def bmps() -> Iterator[Case]:
    """Yield every BMP."""
    data = _saved(images.gradient((45, 32)), "BMP")
    yield Case("behind.bmp", data + MARKER)
    gap = bytearray(data[:54] + MARKER + data[54:])
    struct.pack_into("<I", gap, 10, 54 + len(MARKER))
    yield Case("gap.bmp", bytes(gap))
    reserved = bytearray(data)
    reserved[6:10] = MARKER[:4]
    yield Case("reserved.bmp", bytes(reserved))
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 9, 9, 9, *bytes(750)])
    palette = bytearray(_saved(image, "BMP"))
    palette[54 + 16 : 54 + 16 + len(MARKER)] = MARKER
    yield Case("unused_palette.bmp", bytes(palette))
    yield Case("linked_profile.bmp", _linked(data))


def _linked(data: bytes) -> bytes:
    head = bytearray(124)
    head[:40] = struct.pack("<I", 124) + data[18:54]
    head[56:60] = b"KNIL"
    struct.pack_into("<II", head, 112, 124, len(MARKER) + 1)
    start = struct.pack("<2sIII", b"BM", 0, 0, 14 + 124 + len(MARKER) + 1)
    return start + bytes(head) + MARKER + b"\0" + data[54:]


def icons() -> Iterator[Case]:
    """Yield every ICO."""
    data = _saved(images.gradient((32, 32)), "ICO", sizes=[(16, 16), (32, 32)])
    yield Case("behind.ico", data + MARKER)
    inner = png(images.gradient((16, 16)))
    text = struct.pack(">I", len(MARKER) + 7) + b"tEXtAuthor\0" + MARKER + b"\0\0\0\0"
    inner = inner[:33] + text + inner[33:]
    entry = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(inner), 22 + len(MARKER))
    yield Case("text_and_gap.ico", b"\0\0\1\0\1\0" + entry + MARKER + inner)
