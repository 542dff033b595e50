"""Generated pictures that carry everything a sanitizer has to find.

Every text and every blob holds MARKER, so a test only has to look for that.
"""

import struct
import zlib
from collections.abc import Iterable
from io import BytesIO
from typing import Any

from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from infra.samples.tiff import exif_block

MARKER = b"CANARY-7f3a9"
_TEXT = MARKER.decode()
_XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x='
    b'"adobe:ns:meta/"><creator>'
    + MARKER
    + b"</creator><exif:GPSLatitude>48,51.5N</exif:GPSLatitude></x:xmpmeta>"
    b'<?xpacket end="w"?>'
)
# What a motion photo carries behind its picture.
_FILM = b"\0\0\0\x18ftypmp42" + MARKER


def gradient(size: tuple[int, int] = (96, 64), mode: str = "RGB") -> Image.Image:
    """Return a picture whose corners and halves can be told apart."""
    width, height = size
    across = Image.linear_gradient("L").rotate(90).resize(size)
    down = Image.linear_gradient("L").resize(size)
    corner = Image.new("L", size, 40)
    corner.paste(220, (0, 0, width // 3, height // 3))
    return Image.merge("RGB", (across, down, corner)).convert(mode)


def jpeg(image: Image.Image, **options: Any) -> bytes:
    """Return a JPEG with nothing but a picture."""
    return _saved(image, "JPEG", **options)


def photo(orientation: int = 6, *, size: tuple[int, int] = (96, 64)) -> bytes:
    """Return a JPEG as a phone writes it, with a second picture and a film."""
    first = jpeg(
        gradient(size),
        quality=90,
        exif=b"Exif\0\0" + _exif(orientation),
        icc_profile=profile(),
        comment=MARKER,
    )
    second = jpeg(gradient((32, 32)), comment=MARKER)
    segments = (
        (0xE0, b"JFXX\0\x10" + jpeg(gradient((16, 16)), comment=MARKER)),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + _XMP),
        (0xE1, b"http://ns.adobe.com/xmp/extension/\0" + MARKER),
        (0xE2, b"urn:iso:std:iso:ts:21496:-1\0" + MARKER),
        (0xE2, b"MPF\0" + _mpf(len(second))),
        (0xE7, b"private\0" + MARKER),
        (0xEB, b"JP\0\1\0\0\0\1\0\0\0\x14jumb" + MARKER),
        (0xED, b"Photoshop 3.0\0" + _photoshop()),
    )
    head = first[:2] + b"".join(segment(marker, data) for marker, data in segments)
    return head + first[2:] + second + _FILM + b"trailing " + MARKER


def png_with_everything(mode: str = "RGBA", orientation: int = 1) -> bytes:
    """Return a PNG with text, time, EXIF, a private chunk and a tail.

    With transparency it has colours where nobody sees them.
    """
    info = PngInfo()
    info.add_text("Author", _TEXT)
    info.add_text("Comment", _TEXT, zip=True)
    info.add_itxt("XML:com.adobe.xmp", _XMP.decode())
    image = gradient(mode="RGB").convert(mode)
    if mode in ("RGBA", "LA"):
        image.putalpha(_alpha(image.size))
    data = _saved(
        image, "PNG", pnginfo=info, exif=_exif(orientation), icc_profile=profile()
    )
    chunks = chunk(b"caBX", MARKER) + chunk(
        b"tIME", struct.pack(">HBBBBB", 2026, 1, 2, 3, 4, 5)
    )
    chunks += chunk(b"prVt", MARKER)
    end = data.rindex(b"IEND") - 4
    return data[:end] + chunks + data[end:] + b"trailing " + MARKER


def animated_png(*, hidden_default: bool = False) -> bytes:
    """Return an APNG of three frames, with text."""
    info = PngInfo()
    info.add_text("Author", _TEXT)
    frames = _frames()
    return _saved(
        frames[0],
        "PNG",
        save_all=True,
        append_images=frames[1:],
        duration=[100, 200, 300],
        loop=3,
        default_image=hidden_default,
        pnginfo=info,
    )


def webp(*, lossless: bool = False, orientation: int = 1) -> bytes:
    """Return a WebP with EXIF, XMP, a profile, an unknown chunk and a tail."""
    image = gradient()
    if lossless:
        image.putalpha(_alpha(image.size))
    data = _saved(
        image,
        "WEBP",
        lossless=lossless,
        exact=True,
        quality=90,
        exif=_exif(orientation),
        xmp=_XMP,
        icc_profile=profile(),
    )
    return _riff(data, MARKER) + b"trailing " + MARKER


def lossless_webp() -> bytes:
    """Return a lossless WebP with the same, and colours where nobody sees them."""
    return webp(lossless=True)


def animated_webp(*, lossless: bool = False) -> bytes:
    """Return an animated WebP of three frames, with EXIF."""
    frames = _frames()
    data = _saved(
        frames[0],
        "WEBP",
        save_all=True,
        append_images=frames[1:],
        duration=[100, 200, 300],
        loop=3,
        lossless=lossless,
        exif=_exif(1),
        xmp=_XMP,
    )
    return _riff(data, MARKER)


def animated_gif() -> bytes:
    """Return a looping GIF with a comment, XMP, an application block and a tail."""
    frames = [frame.quantize(16) for frame in _frames()]
    data = _saved(
        frames[0],
        "GIF",
        save_all=True,
        append_images=frames[1:],
        duration=[100, 200, 300],
        loop=3,
        comment=MARKER,
        disposal=2,
    )
    xmp = b"\x21\xff\x0bXMP DataXMP" + _XMP
    magic = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    private = b"\x21\xff\x0bPRIVATE 1.0" + _sub_blocks(MARKER)
    text = b"\x21\x01\x0c" + bytes(12) + _sub_blocks(MARKER)
    return data[:-1] + xmp + magic + private + text + b";trailing " + MARKER


def halved(data: bytes) -> bytes:
    """Return the first half of *data*: a picture whose transfer broke."""
    return data[: len(data) // 2]


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a PNG chunk (PNG, third edition, 5.3)."""
    crc = zlib.crc32(kind + data)
    return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", crc)


def _alpha(size: tuple[int, int]) -> Image.Image:
    """Fading, and fully transparent on the left."""
    alpha = Image.linear_gradient("L").resize(size)
    alpha.paste(0, (0, 0, size[0] // 4, size[1]))
    return alpha


def _frames() -> list[Image.Image]:
    first = gradient((48, 32))
    return [first, first.transpose(Image.Transpose.ROTATE_180), first.convert("L")]


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = BytesIO()
    frames: Iterable[Image.Image] = options.get("append_images", ())
    if frames:
        options["append_images"] = [frame.convert(image.mode) for frame in frames]
    image.save(out, kind, **options)
    return out.getvalue()


def _exif(orientation: int) -> bytes:
    return exif_block(
        main={
            0x010E: MARKER,  # description
            0x010F: b"Maker " + MARKER,
            0x0110: b"Model",
            0x0112: orientation,
            0x0132: b"2026:01:02 03:04:05",
            0x013B: b"Artist " + MARKER,
        },
        exif={
            0x9003: b"2026:01:02 03:04:05",
            0x927C: b"maker note " + MARKER,
            0x9286: b"ASCII\0\0\0" + MARKER,
            0xA431: b"serial " + MARKER,
        },
        gps={1: b"N", 2: (52, 31, 12), 3: b"E", 4: (13, 24, 17)},
        thumbnail=_saved(gradient((32, 24)), "JPEG", comment=MARKER),
    )


def profile() -> bytes:
    """Return an sRGB profile that names a device's owner in its copyright."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # It says when it was made (ICC.1, 7.2.8): the same bytes are wanted every time.
    plain = made[:24] + struct.pack(">6H", 2026, 1, 2, 3, 4, 5) + made[36:]
    text = b"text\0\0\0\0" + b"Owner " + MARKER + b"\0"
    count = struct.unpack_from(">L", plain, 128)[0]
    table = bytearray(plain[132 : 132 + 12 * count])
    for at in range(0, len(table), 12):
        if table[at : at + 4] == b"cprt":
            struct.pack_into(">LL", table, at + 4, len(plain), len(text))
    padded = text + b"\0" * (-len(text) % 4)
    profile = plain[:132] + bytes(table) + plain[132 + 12 * count :] + padded
    return struct.pack(">L", len(profile)) + profile[4:]


def segment(marker: int, data: bytes) -> bytes:
    """Return a JPEG marker segment."""
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _photoshop() -> bytes:
    by_line = b"\x1c\x02\x50" + struct.pack(">H", len(MARKER)) + MARKER
    block = b"8BIM\x04\x04\0\0" + struct.pack(">L", len(by_line)) + by_line
    return block + b"\0" * (len(block) % 2)


def _mpf(second_bytes: int) -> bytes:
    """Return an MPF index (CIPA DC-007) that names a second picture."""
    entries = struct.pack("<LLLHH", 0x030000, 0, 0, 0, 0)
    entries += struct.pack("<LLLHH", 0, second_bytes, 0, 0, 0)
    at = 8 + 2 + 3 * 12 + 4
    directory = struct.pack("<H", 3)
    directory += struct.pack("<HHL4s", 0xB000, 7, 4, b"0100")
    directory += struct.pack("<HHLL", 0xB001, 4, 1, 2)
    directory += struct.pack("<HHLL", 0xB002, 7, len(entries), at)
    directory += struct.pack("<L", 0)
    header = struct.pack("<2sHL", b"II", 42, 8)
    return header + directory + entries


def _riff(webp_data: bytes, extra: bytes) -> bytes:
    padded = extra + b"\0" * (len(extra) % 2)
    body = webp_data[8:] + b"prVt" + struct.pack("<L", len(extra)) + padded
    return b"RIFF" + struct.pack("<L", len(body)) + body


def _sub_blocks(data: bytes) -> bytes:
    return bytes([len(data)]) + data + b"\0"
