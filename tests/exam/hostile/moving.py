"""A marker in every place that GIF and WebP have."""

import struct
from collections.abc import Iterator
from io import BytesIO

from PIL import Image

from infra.samples import images
from tests.exam.hostile.case import MARKER, Case
from tests.exam.hostile.jpeg import exif, profile

_BLOCK = bytes([len(MARKER)]) + MARKER + b"\0"
_CHUNK = struct.pack("<I", len(MARKER)) + MARKER + b"\0" * (len(MARKER) % 2)
_EXTENSIONS = {
    "comment": b"\x21\xfe" + _BLOCK,
    "application": b"\x21\xff\x0bPRIVATE 1.0" + _BLOCK,
    "xmp": b"\x21\xff\x0bXMP DataXMP" + MARKER + b"\1" + bytes(range(255, -1, -1)) * 1,
    "plain_text": b"\x21\x01\x0c" + bytes(12) + _BLOCK,
    "unknown": b"\x21\x42" + _BLOCK,
    "control_long": b"\x21\xf9\x04\0\0\0\0" + _BLOCK,
    "loop_long": b"\x21\xff\x0bNETSCAPE2.0\3\1\0\0" + _BLOCK,
    "loop_buffer": b"\x21\xff\x0bNETSCAPE2.0\x12" + MARKER + b"\0",
    "garbage": b"\0\0" + MARKER.replace(b",", b"_"),
    "icc": b"\x21\xff\x0bICCRGBG1012" + _BLOCK,
}


def gifs() -> Iterator[Case]:
    """Yield every GIF."""
    data = _saved(images.gradient((48, 32)).quantize(16), "GIF")
    table = 13 + 3 * 16
    for name, block in _EXTENSIONS.items():
        yield Case(f"{name}.gif", data[:table] + block + data[table:])
        if name in ("comment", "garbage", "plain_text"):
            yield Case(f"{name}_behind.gif", data[:-1] + block + data[-1:])
    yield Case("trailer.gif", data + MARKER)
    yield Case("second_file.gif", data + data[:table] + _EXTENSIONS["comment"] + b";")
    yield Case("slack.gif", data[:-2] + _BLOCK + data[-1:])
    yield Case("in_animation.gif", images.animated_gif())
    yield Case("unused_palette.gif", _with_palette(used=2))


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _with_palette(used: int) -> bytes:
    image = Image.new("P", (8, 8), used - 1)
    image.putpalette([0, 0, 0, 9, 9, 9, *MARKER, *bytes(48 - 6 - len(MARKER))])
    return _saved(image, "GIF", optimize=False)


def webps() -> Iterator[Case]:
    """Yield every WebP."""
    picture = images.gradient((48, 32))
    lossy, lossless = (_saved(picture, "WEBP", lossless=each) for each in (False, True))
    full = _saved(picture, "WEBP", exif=exif(), xmp=MARKER, icc_profile=profile())
    yield Case("exif_xmp_icc.webp", full)
    for name, data in (("lossy", lossy), ("lossless", lossless)):
        yield Case(f"{name}_behind.webp", data + MARKER)
        yield Case(f"{name}_unknown.webp", _riff(data[12:] + b"prVt" + _CHUNK))
        yield Case(f"{name}_in_riff.webp", _riff(data[12:] + MARKER))
        yield Case(f"{name}_slack.webp", _slack(data))
        yield Case(f"{name}_twice.webp", _riff(data[12:] + _slack(data)[12:]))
        extended = b"VP8X" + struct.pack("<I", 10) + b"\x0c" + b"Kan"
        extended += struct.pack("<I", 47)[:3] + struct.pack("<I", 31)[:3]
        metadata = b"EXIF" + _CHUNK + b"XMP " + _CHUNK
        yield Case(f"{name}_flags.webp", _riff(extended + data[12:] + metadata))
    unseen = images.gradient((6, 4))
    unseen.paste(Image.frombytes("RGB", (6, 1), MARKER), (0, 0))
    alpha = Image.new("L", unseen.size, 255)
    alpha.paste(0, (0, 0, 6, 1))
    unseen.putalpha(alpha)
    yield Case("under_alpha.webp", _saved(unseen, "WEBP", lossless=True, exact=True))
    yield from _moving_webps()


def _moving_webps() -> Iterator[Case]:
    yield Case("animation.webp", images.animated_webp())
    data = images.animated_webp(lossless=True)
    at = data.index(b"ANMF")
    (size,) = struct.unpack_from("<I", data, at + 4)
    frame = data[at + 8 : at + 8 + size] + b"prVt" + _CHUNK
    grown = data[12:at] + b"ANMF" + struct.pack("<I", len(frame)) + frame
    yield Case("frame_chunk.webp", _riff(grown + data[at + 8 + size + size % 2 :]))


def _riff(body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _slack(data: bytes) -> bytes:
    """Bytes behind the bitstream, in its chunk."""
    (size,) = struct.unpack_from("<I", data, 16)
    body = data[20 : 20 + size] + MARKER
    head = data[12:16] + struct.pack("<I", len(body))
    return _riff(head + body + b"\0" * (len(body) % 2))
