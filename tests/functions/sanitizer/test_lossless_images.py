"""Policy lossless: PNG, GIF and WebP keep every bit of their coded pictures."""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image

from functions.sanitizer.core import Limits, Sanitized, sanitize
from functions.sanitizer.verify.images import carriers
from infra.samples import images
from infra.samples.images import MARKER
from schemas.policies import Policy
from tests.functions.sanitizer.judged import cleaned, judged, opened


def _stripped(data: bytes) -> tuple[Sanitized, bytes]:
    output = BytesIO()
    result = sanitize(BytesIO(data), output, Policy(images="lossless"), Limits())
    assert result.verdict != "clean" or carriers(output, result.media_type) == []
    return result, output.getvalue()


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _coded(data: bytes) -> list[bytes]:
    """Every coded picture of a file, without the containers around it."""
    if data.startswith(b"\x89PNG"):
        return list(_of_png(data))
    return list(_of_gif(data) if data.startswith(b"GIF") else _of_riff(data[12:]))


def _of_png(data: bytes) -> Iterator[bytes]:
    at, coded = 8, b""
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        payload = data[at + 8 : at + 8 + size]
        if kind in (b"fcTL", b"IEND") and coded:
            yield coded
            coded = b""
        coded += {b"IDAT": payload, b"fdAT": payload[4:]}.get(kind, b"")
        at += 12 + size
        if kind == b"IEND":
            return


def _of_gif(data: bytes) -> Iterator[bytes]:
    at = 13 + (3 << (data[10] & 7) + 1)
    while data[at] != 0x3B:
        picture, coded = data[at] == 0x2C, b""
        if picture:
            at += 10 + (3 << (data[at + 9] & 7) + 1 if data[at + 9] & 0x80 else 0) + 1
        else:
            at += 2
        while size := data[at]:
            coded += data[at + 1 : at + 1 + size]
            at += 1 + size
        at += 1
        if picture:
            yield coded


def _of_riff(chunks: bytes) -> Iterator[bytes]:
    at = 0
    while at + 8 <= len(chunks):
        kind, size = struct.unpack_from("<4sI", chunks, at)
        payload = chunks[at + 8 : at + 8 + size]
        if kind == b"ANMF":
            yield from _of_riff(payload[16:])
        elif kind in (b"VP8 ", b"VP8L", b"ALPH"):
            yield payload
        at += 8 + size + size % 2


def _turned(kind: str, orientation: int) -> bytes:
    exif = b"II*\0\x08\0\0\0\2\0"
    exif += struct.pack("<HHI4s", 0x010E, 2, 4, MARKER[:3] + b"\0")
    exif += struct.pack("<HHIHxx", 0x0112, 3, 1, orientation) + bytes(4)
    return _saved(images.gradient(), kind, exif=exif)


_PALETTE = _saved(images.gradient().quantize(16), "PNG", bits=8)
_OPAQUE = {
    "rgb": images.png_with_everything("RGB"),
    "grey": images.png_with_everything("L"),
    "deep": _saved(images.gradient(mode="L").convert("I;16"), "PNG"),
    "palette": _PALETTE,
    "apng": images.animated_png(),
    "gif": images.animated_gif(),
    "lossy": images.webp(),
    "lossless": _saved(
        images.gradient(), "WEBP", lossless=True, exif=_turned("PNG", 1)
    ),
    "moving": images.animated_webp(),
}


@pytest.mark.parametrize("name", _OPAQUE)
def test_every_bit_of_a_coded_picture_stays(name: str) -> None:
    result, output = _stripped(_OPAQUE[name])

    assert result.verdict == "clean"
    assert _coded(output)
    assert _coded(output) == _coded(_OPAQUE[name])


@pytest.mark.parametrize("name", _OPAQUE)
def test_what_goes_is_what_goes_when_it_is_rebuilt(name: str) -> None:
    result, output = _stripped(_OPAQUE[name])

    assert MARKER not in output
    assert result.findings == judged(_OPAQUE[name])[0].findings


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize("orientation", [2, 6, 8])
def test_the_orientation_is_all_that_stays_of_exif(kind: str, orientation: int) -> None:
    source = _turned(kind, orientation)

    _, output = _stripped(source)

    assert dict(opened(output).getexif()) == {0x0112: orientation}
    assert _coded(output) == _coded(source)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_picture_that_stands_upright_keeps_no_exif(kind: str) -> None:
    source = _turned(kind, 1)

    _, output = _stripped(source)

    assert "exif" not in opened(output).info


def _with_more_exif(data: bytes, kind: bytes) -> bytes:
    """A clean picture whose EXIF block of one tag got another byte."""
    block = data[data.index(b"MM\0*") :][:26]
    at = data.index(block) - 8
    if kind == b"eXIf":
        old, new = images.chunk(kind, block), images.chunk(kind, block + b"x")
        return data.replace(old, new)
    longer = kind + struct.pack("<I", 28) + block + b"xx"
    body = data[8:at] + longer + data[at + 34 :]
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(("kind", "name"), [("PNG", b"eXIf"), ("WEBP", b"EXIF")])
def test_exif_beside_the_orientation_is_found(kind: str, name: bytes) -> None:
    _, clean = _stripped(_turned(kind, 6))

    found = carriers(BytesIO(_with_more_exif(clean, name)), f"image/{kind.lower()}")

    assert found == ["EXIF beside the orientation"]


def _png(header: bytes, stream: bytes) -> bytes:
    chunks = ((b"IHDR", header), (b"IDAT", stream), (b"IEND", b""))
    parts = (images.chunk(kind, data) for kind, data in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _grey(width: int, height: int, depth: int = 8) -> bytes:
    return struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)


def _gif(size: tuple[int, int], coded: bytes, *, bits: int = 2) -> bytes:
    table = bytes(range(3 << bits))
    screen = struct.pack("<HHBBB", *size, 0x80 | bits - 1, 0, 0)
    place = struct.pack("<HHHHB", 0, 0, *size, 0)
    return b"GIF89a" + screen + table + b"," + place + bytes([bits]) + coded + b";"


def _codes(size: tuple[int, int], colour: int = 1) -> bytes:
    image = Image.new("P", size, colour)
    coded: bytes = image.tobytes("gif", "P", 2, 0)
    return coded + b"\0"


def _with_slack(data: bytes) -> bytes:
    """A WebP with more in its bitstream's chunk than the bitstream."""
    coded = data[20 : 20 + int.from_bytes(data[16:20], "little")] + 2 * MARKER
    body = data[12:16] + struct.pack("<I", len(coded)) + coded + bytes(len(coded) % 2)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


_HIDING = {
    "under alpha": images.png_with_everything("RGBA"),
    "default image": images.animated_png(hidden_default=True),
    "behind the rows": _png(_grey(8, 8), zlib.compress(bytes(9 * 12))),
    "behind the stream": _png(_grey(8, 8), zlib.compress(bytes(9 * 8)) + MARKER),
    "behind a row": _png(_grey(9, 2, 1), zlib.compress(b"\0\0\x7f" * 2)),
    "behind the end code": _gif(
        (8, 8), _codes((8, 8))[:-1] + b"\5" + MARKER[:5] + b"\0"
    ),
    "pixels too many": _gif((8, 8), _codes((8, 12))),
    "behind a bitstream": _with_slack(_saved(images.gradient(), "WEBP")),
    "behind a lossless one": _with_slack(
        _saved(images.gradient(), "WEBP", lossless=True)
    ),
    "under alpha of webp": images.lossless_webp(),
}


@pytest.mark.parametrize("name", _HIDING)
def test_a_picture_that_hides_something_in_itself_is_rebuilt(name: str) -> None:
    result, output = _stripped(_HIDING[name])

    assert (result.verdict, output) == ("clean", cleaned(_HIDING[name]))
    assert _coded(output) != _coded(_HIDING[name])


def test_unused_entries_of_a_png_palette_go_and_the_indices_stay() -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 1, 2, 3, *MARKER])
    source = _saved(image, "PNG", bits=8)

    _, output = _stripped(source)

    assert opened(output).getpalette() == [0, 0, 0, 1, 2, 3]
    assert _coded(output) == _coded(source)


def test_unused_entries_of_a_gif_table_go_and_the_codes_stay() -> None:
    source = _gif((8, 8), _codes((8, 8)))

    _, output = _stripped(source)

    assert output[13:25] == bytes((0, 1, 2, 3, 4, 5, 0, 0, 0, 0, 0, 0))
    assert _coded(output) == _coded(source)


@pytest.mark.parametrize(
    "codes",
    [
        pytest.param(_codes((8, 7)), id="a row less"),
        pytest.param(_codes((8, 7), colour=3), id="a row less in the last colour"),
        pytest.param(b"\1\x2c\0", id="none"),
    ],
)
def test_a_gif_of_too_few_pixels_is_refused_as_ever(codes: bytes) -> None:
    result, output = _stripped(_gif((8, 8), codes))

    assert (result.reason, output) == ("unreadable_image", b"")


def test_a_gif_that_clears_with_every_other_code_is_rebuilt() -> None:
    pixels = 64 * 64
    codes = int("5" + "14" * pixels, 8)  # clear, a pixel, clear … from the lowest
    stream = codes.to_bytes(6 * pixels // 8 + 1, "little")
    pieces = (stream[at : at + 255] for at in range(0, len(stream), 255))
    coded = b"".join(bytes([len(piece)]) + piece for piece in pieces) + b"\0"

    result, output = _stripped(_gif((64, 64), coded))

    assert result.verdict == "clean"
    assert len(output) < len(stream) / 10


def test_the_owner_of_a_gif_profile_is_named_in_the_findings() -> None:
    profile = images.profile()
    pieces = (profile[at : at + 255] for at in range(0, len(profile), 255))
    blocks = b"".join(bytes([len(piece)]) + piece for piece in pieces)
    source = _gif((8, 8), _codes((8, 8)))
    source = source[:25] + b"!\xff\x0bICCRGBG1012" + blocks + b"\0" + source[25:]

    result, output = _stripped(source)

    assert "colour_profile" in result.findings
    assert b"ICCRGBG1012" in output


@pytest.mark.parametrize("name", ["rgb", "apng", "gif", "lossy", "lossless", "moving"])
def test_what_is_too_broken_to_be_rebuilt_is_not_stripped(name: str) -> None:
    clean = cleaned(_OPAQUE[name])
    cuts = [clean[: len(clean) * share // 16] for share in range(1, 16)]

    reasons = [_stripped(cut)[0].reason for cut in cuts]

    assert reasons == [judged(cut)[0].reason for cut in cuts]
    assert "unreadable_image" in reasons


@pytest.mark.parametrize("name", ["rgb", "gif", "lossy"])
def test_stripping_what_is_stripped_changes_nothing(name: str) -> None:
    _, once = _stripped(_OPAQUE[name])

    _, again = _stripped(once)

    assert again == once
