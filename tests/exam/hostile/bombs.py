"""Files that ask for more than they are: judged by their headers, or they hurt."""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO

from PIL import Image

from infra.samples import images
from infra.samples.images import chunk, segment
from tests.exam.hostile.boxes import avif, box, heic
from tests.exam.hostile.case import ANY_SAFE, REFUSED, Case
from tests.exam.hostile.jpeg import plain as jpeg
from tests.exam.hostile.moving import _saved as saved
from tests.exam.hostile.png import plain as png
from tests.exam.hostile.png import rows

_ALL = (*ANY_SAFE, "passed")


def claims() -> Iterator[Case]:
    """Yield files that claim to be large, or go in circles; a few bytes each."""
    for name, data in _sizes():
        yield Case(name, data, REFUSED, marked=False)
    for name, data in _endless():
        yield Case(name, data, _ALL, marked=False)


def packed() -> Iterator[Case]:
    """Yield files of few bytes that are large once they are unpacked."""
    for name, data in (*_pages(), *_inflating()):
        yield Case(name, data, _ALL, marked=False)


def _sizes() -> Iterator[tuple[str, bytes]]:
    """Pictures whose headers claim far too many pixels."""
    yield "wide.png", rows((1 << 30, 1 << 30), zlib.compress(bytes(99)))
    yield "square.png", rows((30_000, 30_000), zlib.compress(bytes(99)), bits=16)
    picture = bytearray(jpeg())
    at = picture.index(b"\xff\xc0")
    struct.pack_into(">HH", picture, at + 5, 65_500, 65_500)
    yield "square.jpg", bytes(picture)
    gif = bytearray(saved(images.gradient((16, 16)).quantize(4), "GIF"))
    struct.pack_into("<HH", gif, 6, 65_535, 65_535)
    yield "screen.gif", bytes(gif)
    canvas = b"VP8X" + struct.pack("<IB3x", 10, 2) + b"\xff" * 6
    webp = saved(images.gradient((16, 16)), "WEBP")
    body = b"WEBP" + canvas + webp[12:]
    yield "canvas.webp", b"RIFF" + struct.pack("<I", len(body)) + body
    bmp = bytearray(saved(images.gradient((16, 16)), "BMP"))
    struct.pack_into("<ii", bmp, 18, 1 << 30, 1 << 30)
    yield "square.bmp", bytes(bmp)
    for suffix, data in (("heic", heic()), ("avif", avif())):
        at = data.index(b"ispe") + 8
        yield (
            f"square.{suffix}",
            data[:at] + struct.pack(">II", *[1 << 24] * 2) + data[at + 8 :],
        )
    tiff = bytearray(saved(images.gradient((16, 16)), "TIFF"))
    for tag in (b"\0\1", b"\1\1"):
        at = tiff.index(tag, struct.unpack_from("<I", tiff, 4)[0])
        struct.pack_into("<HII", tiff, at + 2, 4, 1, 1 << 24)
    yield "square.tif", bytes(tiff)


def _inflating() -> Iterator[tuple[str, bytes]]:
    """Much that is packed into little."""
    plain, much = png(), zlib.compress(bytes(60_000_000), 9)
    for kind, head in (
        (b"zTXt", b"a\0\0"),
        (b"iCCP", b"a\0\0"),
        (b"iTXt", b"a\0\1\0\0\0"),
    ):
        packed = chunk(kind, head + much)
        yield f"{kind.decode()}.png", plain[:33] + packed + plain[33:]
    yield "rows.png", rows((8, 8), much)
    many = b"".join(chunk(b"tEXt", b"a\0b") for _ in range(20_000))
    yield "texts.png", plain[:33] + many + plain[33:]
    empty = chunk(b"IDAT", b"") * 50_000
    yield "pieces.png", plain[:33] + empty + plain[33:]
    comments = segment(0xFE, b"x") * 50_000
    picture = jpeg()
    yield "comments.jpg", picture[:2] + comments + picture[2:]
    yield "scans.jpg", _scans(2_000)
    extension = b"\x21\xfe\1x\0" * 100_000
    gif = saved(images.gradient((16, 16)).quantize(4), "GIF")
    yield "comments.gif", gif[:-1] + extension + gif[-1:]


def _scans(count: int) -> bytes:
    """A progressive picture whose last scan is repeated."""
    data = saved(images.gradient((512, 512)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def _pages() -> Iterator[tuple[str, bytes]]:
    """More frames and pages than anybody looks at."""
    gif = saved(images.gradient((8, 8)).quantize(4), "GIF")
    at = gif.index(b"\x2c")
    yield "frames.gif", gif[:at] + gif[at:-1] * 20_000 + b";"
    plain = png(images.gradient((8, 8)))
    control = chunk(b"acTL", struct.pack(">II", 0x7FFFFFFF, 0))
    yield "frames.png", plain[:33] + control + plain[33:]
    page = saved(Image.new("L", (4, 4)), "TIFF")
    (start,) = struct.unpack_from("<I", page, 4)
    (count,) = struct.unpack_from("<H", page, start)
    loop = bytearray(page)
    struct.pack_into("<I", loop, start + 2 + 12 * count, start)
    data, step = bytearray(page[:start]), 6 + 12 * count
    for number in range(5_000):
        following = start + (number + 1) * step if number < 4_999 else 0
        data += page[start : start + step - 4] + struct.pack("<I", following)
    yield "pages.tif", bytes(data)


def _endless() -> Iterator[tuple[str, bytes]]:
    """Structures that lead back to themselves, or down and down."""
    page = bytearray(saved(Image.new("L", (4, 4)), "TIFF"))
    (start,) = struct.unpack_from("<I", page, 4)
    (count,) = struct.unpack_from("<H", page, start)
    struct.pack_into("<I", page, start + 2 + 12 * count, start)
    yield "loop.tif", bytes(page)
    yield "claims.tif", b"II*\0\x08\0\0\0\xff\xff" + bytes(600)
    deep = b""
    for _ in range(5_000):
        deep = box(b"moov", deep)
    brands = b"mp42" + bytes(4) + b"mp42isom"
    yield "deep.mp4", box(b"ftyp", brands) + deep
    boxes = box(b"free", b"") * 20_000
    yield "boxes.mp4", box(b"ftyp", brands) + boxes
    yield "claims.wav", b"RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\xff" + bytes(99)
    yield "claims.flac", b"fLaC\0\xff\xff\xff" + bytes(99)
    yield "claims.mp3", b"ID3\4\0\0\x7f\x7f\x7f\x7f" + bytes(99)
    yield "tags.mp3", (b"ID3\4\0\0\0\0\0\0") * 50_000
    yield "entities.svg", _LAUGHS
    claims = struct.pack("<HHH", 0, 1, 65_535) + bytes(16 * 600)
    yield "claims.ico", claims


_LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(
        b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(8)
    )
    + b']><svg xmlns="http://www.w3.org/2000/svg"><text>&i;</text></svg>'
)


def large() -> Iterator[Case]:
    """Yield what is within the limits, or a step beyond, and hard work."""
    for name, data in _hard():
        yield Case(name, data, ANY_SAFE, marked=False)


def _hard() -> Iterator[tuple[str, bytes]]:
    packer = zlib.compressobj(9)
    row = b"\0" + bytes(8_000 * 8)
    coded = b"".join(packer.compress(row) for _ in range(8_000)) + packer.flush()
    yield "deep.png", rows((8_000, 8_000), coded, bits=16, kind=6)
    flat = Image.new("RGB", (8_000, 8_000), (1, 2, 3))
    yield "progressive.jpg", saved(flat, "JPEG", progressive=True)
    yield "lossless.webp", saved(flat, "WEBP", lossless=True, method=0)
    yield "packed.tif", saved(flat, "TIFF", compression="tiff_adobe_deflate")
    yield "flat.gif", saved(flat.convert("P"), "GIF")
    frames = [Image.new("P", (700, 700), n % 250) for n in range(999)]
    stream = BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    yield "frames.gif", stream.getvalue()
    coloured = [frame.convert("RGB") for frame in frames[:500]]
    yield (
        "frames.png",
        saved(coloured[0], "PNG", save_all=True, append_images=coloured[1:]),
    )
    yield (
        "frames.webp",
        saved(coloured[0], "WEBP", save_all=True, append_images=coloured[1:], method=0),
    )
