"""A marker in every place that a PNG has."""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO

from PIL import Image

from infra.samples import images
from infra.samples.images import chunk
from tests.exam.hostile.case import ANY_SAFE, MARKER, Case
from tests.exam.hostile.jpeg import exif, profile

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PACKED = zlib.compress(MARKER * 4)
_XMP = b"XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta>"
# What may stand between header and picture, and carries text in it.
_CHUNKS = {
    "text": (b"tEXt", b"Author\0" + MARKER),
    "text_keyword": (b"tEXt", MARKER + b"\0value"),
    "ztxt": (b"zTXt", b"Comment\0\0" + _PACKED),
    "itxt": (b"iTXt", b"Title\0\0\0en\0\0" + MARKER),
    "itxt_packed": (b"iTXt", b"Title\0\1\0en\0\0" + _PACKED),
    "itxt_language": (b"iTXt", b"Title\0\0\0" + MARKER + b"\0\0x"),
    "xmp": (b"iTXt", _XMP + MARKER),
    "raw_profile": (b"tEXt", b"Raw profile type exif\0\nexif\n 18\n" + MARKER),
    "c2pa": (b"caBX", MARKER),
    "private": (b"prVt", MARKER),
    "private_safe": (b"prVT", MARKER),
    "splt": (b"sPLT", MARKER + b"\0\x08" + bytes(6)),
    "pcal": (b"pCAL", b"unit\0" + bytes(8) + b"\0\0" + MARKER),
    "scal": (b"sCAL", b"\1" + b"1.0\0" + MARKER),
    "offs": (b"oFFs", bytes(9) + MARKER),
    "gifx": (b"gIFx", b"NETSCAPE2.0" + MARKER),
    "gift": (b"gIFt", MARKER),
    "dsig": (b"dSIG", MARKER),
    "idot": (b"iDOT", MARKER),
    "orNt": (b"orNT", MARKER),
    "zxif": (b"zxIf", MARKER),
    "phys_long": (b"pHYs", struct.pack(">IIB", 2835, 2835, 1) + MARKER),
    "gamma_long": (b"gAMA", struct.pack(">I", 45455) + MARKER),
    "srgb_long": (b"sRGB", b"\0" + MARKER),
    "time": (b"tIME", struct.pack(">HBBBBB", 2026, 1, 2, 3, 4, 5) + MARKER),
    "cicp_long": (b"cICP", b"\1\x0d\0\1" + MARKER),
    "background_long": (b"bKGD", bytes(6) + MARKER),
    "significant_long": (b"sBIT", b"\x08\x08\x08" + MARKER),
    "histogram": (b"hIST", MARKER),
    "alpha_long": (b"tRNS", bytes(6) + MARKER),
    "unknown_critical": (b"ABCD", MARKER),
}


def plain(image: Image.Image | None = None, **options: object) -> bytes:
    """Return a PNG with nothing but a picture."""
    stream = BytesIO()
    image = image or images.gradient((48, 32))
    image.save(stream, "PNG", **options)
    return stream.getvalue()


def cases() -> Iterator[Case]:
    """Yield every case."""
    data = plain()
    for name, (kind, body) in _CHUNKS.items():
        yield Case(f"{name}.png", data[:33] + chunk(kind, body) + data[33:])
    exif_chunk = chunk(b"eXIf", exif())
    yield Case("exif.png", data[:33] + exif_chunk + data[33:])
    packed = zlib.compress(profile())
    named = chunk(b"iCCP", MARKER + b"\0\0" + packed)
    yield Case("icc_name.png", data[:33] + named + data[33:])
    owned = chunk(b"iCCP", b"icc\0\0" + packed + MARKER)
    yield Case("icc_copyright.png", data[:33] + owned + data[33:])
    yield Case("everything.png", images.png_with_everything())
    yield from _places(data)
    yield from _pixels()
    yield from _animations()


def _places(data: bytes) -> Iterator[Case]:
    end = data.rindex(b"IEND") - 4
    text = chunk(b"tEXt", b"Author\0" + MARKER)
    yield Case("before_header.png", data[:8] + text + data[8:])
    yield Case("behind_picture.png", data[:end] + text + data[end:])
    yield Case("behind_end.png", data + MARKER)
    yield Case("chunk_behind_end.png", data + text)
    yield Case("picture_behind_end.png", data + data[:33] + text + data[33:])
    yield Case("in_end.png", data[:end] + chunk(b"IEND", MARKER))
    header = data[16:29] + MARKER
    yield Case("header_long.png", _SIGNATURE + chunk(b"IHDR", header) + data[33:])
    bad = text[:-4] + b"\0\0\0\0"
    yield Case("bad_checksum.png", data[:33] + bad + data[33:])
    between = data[:end] + text + chunk(b"IDAT", b"") + data[end:]
    yield Case("between_data.png", between)


def rows(size: tuple[int, int], coded: bytes, *, bits: int = 8, kind: int = 2) -> bytes:
    """Return a PNG of a zlib stream."""
    header = struct.pack(">IIBBBBB", *size, bits, kind, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", coded), (b"IEND", b""))
    return _SIGNATURE + b"".join(chunk(name, body) for name, body in parts)


def _pixels() -> Iterator[Case]:
    row = b"\0" + bytes(range(24))
    stored = zlib.compress(row * 8, 0)
    yield Case("behind_stream.png", rows((8, 8), stored + MARKER))
    below = zlib.compress(row * 8 + b"\0" + MARKER.ljust(24), 0)
    yield Case("below_rows.png", rows((8, 8), below))
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 1, 2, 3, *MARKER])
    yield Case("unused_palette.png", plain(image, bits=8))
    tail = plain(image, bits=8, transparency=b"\xff\xff" + MARKER)
    yield Case("unused_alpha.png", tail)
    yield Case("under_alpha.png", plain(_unseen()))
    yield Case("under_grey_alpha.png", plain(_unseen("LA")))


def _unseen(mode: str = "RGBA") -> Image.Image:
    """Return a picture that has the marker where it is transparent."""
    colours = "RGB" if mode == "RGBA" else "L"
    width = len(MARKER) // len(colours)
    image = images.gradient((width, 4), colours)
    image.paste(Image.frombytes(colours, (width, 1), MARKER), (0, 0))
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (0, 0, width, 1))
    image.putalpha(alpha)
    return image


def _animations() -> Iterator[Case]:
    data = images.animated_png()
    at = data.index(b"fdAT") + 4
    length = int.from_bytes(data[at - 8 : at - 4], "big")
    body = data[at : at + length] + MARKER
    slack = data[: at - 8] + chunk(b"fdAT", body) + data[at + length + 4 :]
    yield Case("frame_slack.png", slack)
    hidden = Image.frombytes("RGB", (6, 1), MARKER).resize((48, 32))
    hidden.paste(Image.frombytes("RGB", (6, 1), MARKER), (0, 0))
    frames = [images.gradient((48, 32)), images.gradient((48, 32)).rotate(180)]
    apng = plain(
        hidden, save_all=True, default_image=True, append_images=frames, duration=50
    )
    yield Case("hidden_default.png", apng, ANY_SAFE)
