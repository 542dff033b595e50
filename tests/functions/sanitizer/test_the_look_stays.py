"""What an image shows is the same before and after."""

import random
import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageOps

from infra.samples import images
from tests.functions.sanitizer.judged import cleaned, difference, findings
from tests.functions.sanitizer.judged import opened as decoded

_ORIENTATIONS = range(1, 9)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def _raw_png(depth: int, colour: int, rows: list[bytes], *beside: bytes) -> bytes:
    """A PNG that Pillow could not write; each row is unfiltered."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    width = 8 * len(rows[0]) // (depth * channels)
    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            images.chunk(b"IHDR", header),
            *beside,
            images.chunk(b"IDAT", data),
            images.chunk(b"IEND", b""),
        )
    )


def _rows(png: bytes) -> list[bytes]:
    """The samples of a PNG of ours whose rows are unfiltered."""
    at, data, (height, stride) = 8, b"", (0, 0)
    while at < len(png):
        size, kind = struct.unpack_from(">I4s", png, at)
        payload = png[at + 8 : at + 8 + size]
        data += payload if kind == b"IDAT" else b""
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack_from(">IIBB", payload)
            stride = -(-width * depth * {0: 1, 2: 3, 4: 2, 6: 4}[colour] // 8)
        at += 12 + size
    rows = zlib.decompress(data)
    assert not any(rows[:: stride + 1])
    return [rows[(stride + 1) * y + 1 : (stride + 1) * (y + 1)] for y in range(height)]


@pytest.mark.parametrize("orientation", _ORIENTATIONS)
@pytest.mark.parametrize("size", [(96, 64), (70, 51)], ids=["whole blocks", "cut"])
def test_a_jpeg_stands_upright(orientation: int, size: tuple[int, int]) -> None:
    source = images.photo(orientation, size=size)

    output = decoded(cleaned(source))

    assert output.getexif() == {}
    assert difference(output, ImageOps.exif_transpose(decoded(source))) < 2


@pytest.mark.parametrize("orientation", _ORIENTATIONS)
@pytest.mark.parametrize("mode", ["RGBA", "P", "L", "1"])
def test_a_png_stands_upright(orientation: int, mode: str) -> None:
    source = images.png_with_everything(mode, orientation)

    output = decoded(cleaned(source))

    assert difference(output, ImageOps.exif_transpose(decoded(source))) == 0


@pytest.mark.parametrize("orientation", _ORIENTATIONS)
@pytest.mark.parametrize("lossless", [False, True])
def test_a_webp_stands_upright(orientation: int, lossless: bool) -> None:
    source = images.webp(lossless=lossless, orientation=orientation)

    output = decoded(cleaned(source))

    expected = ImageOps.exif_transpose(decoded(source))
    assert difference(output, expected) <= (0 if lossless else 2)


@pytest.mark.parametrize("orientation", [3, 6])
def test_sixteen_bits_are_turned_without_losing_one(orientation: int) -> None:
    rows = [random.Random(y).randbytes(5 * 6) for y in range(3)]
    exif = images.chunk(b"eXIf", _exif(orientation).tobytes()[6:])

    output = cleaned(_raw_png(16, 2, rows, exif))

    pixels = [[row[at : at + 6] for at in range(0, 30, 6)] for row in rows]
    turned = [row[::-1] for row in pixels[::-1]]
    if orientation == 6:
        turned = [list(column) for column in zip(*pixels[::-1], strict=True)]
    assert _rows(output) == [b"".join(row) for row in turned]


def test_the_orientation_in_a_clean_copy_is_not_applied_again() -> None:
    once = cleaned(images.photo(6))

    assert decoded(cleaned(once)).size == decoded(once).size == (64, 96)


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("quality", [35, 75, 95])
def test_a_jpeg_keeps_tables_and_subsampling(subsampling: int, quality: int) -> None:
    image = images.gradient()
    source = _saved(image, "JPEG", quality=quality, subsampling=subsampling)

    output = cleaned(source)

    before, after = decoded(source), decoded(output)
    assert after.quantization == before.quantization  # type: ignore[attr-defined] # JPEG
    assert after.layer == before.layer  # type: ignore[attr-defined] # JPEG
    assert difference(before, after) < 1


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_jpeg_keeps_its_mode(mode: str) -> None:
    source = _saved(images.gradient(mode=mode), "JPEG", quality=90)

    output = decoded(cleaned(source))

    assert output.mode == mode
    assert difference(decoded(source).convert("RGB"), output.convert("RGB")) < 0.5


def test_a_jpeg_that_stores_rgb_still_does() -> None:
    source = _saved(images.gradient(), "JPEG", quality=90, keep_rgb=True)

    output = decoded(cleaned(source))

    assert output.info["adobe_transform"] == 0
    assert difference(decoded(source), output) < 0.5


def test_a_progressive_jpeg_stays_so() -> None:
    source = _saved(images.gradient(), "JPEG", progressive=True)

    assert "progressive" in decoded(cleaned(source)).info


def test_a_jpeg_keeps_its_pixel_density() -> None:
    source = _saved(images.gradient(), "JPEG", dpi=(300, 300))

    assert decoded(cleaned(source)).info["dpi"] == (300, 300)


@pytest.mark.parametrize("colour", [0, 2, 4, 6])
@pytest.mark.parametrize("depth", [8, 16])
def test_every_sample_of_a_png_stays(depth: int, colour: int) -> None:
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    # No alpha of zero, under which colours would be cleared.
    rows = [
        bytes(random.Random(y).choices(range(1, 256), k=12 * channels * depth // 8))
        for y in range(5)
    ]

    assert _rows(cleaned(_raw_png(depth, colour, rows))) == rows


@pytest.mark.parametrize("colour", [4, 6])
def test_sixteen_bit_colours_are_cleared_only_where_alpha_is_zero(colour: int) -> None:
    channels = {4: 2, 6: 4}[colour]
    seen = b"\1\2" * (channels - 1) + b"\0\1"
    unseen = b"\1\2" * (channels - 1) + b"\0\0"

    output = cleaned(_raw_png(16, colour, [seen + unseen + seen]))

    assert _rows(output) == [seen + bytes(2 * channels) + seen]


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_a_grey_png_of_few_bits_keeps_them(depth: int) -> None:
    rows = [b"\x1b\xe4", b"\x93\x2d"]

    assert _rows(cleaned(_raw_png(depth, 0, rows))) == rows


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (b"gAMA", struct.pack(">I", 45455)),
        (b"cHRM", bytes(range(32))),
        (b"sRGB", b"\1"),
        (b"cICP", b"\x0c\x0d\0\1"),
        (b"mDCV", bytes(range(24))),
        (b"cLLI", bytes(range(8))),
        (b"sBIT", b"\5\6\5"),
        (b"pHYs", struct.pack(">IIB", 11811, 11811, 1)),
        (b"tRNS", b"\0\1\0\2\0\3"),
    ],
)
def test_a_chunk_that_makes_colours_of_samples_stays(
    kind: bytes, payload: bytes
) -> None:
    chunk = images.chunk(kind, payload)

    output = cleaned(_raw_png(8, 2, [b"\1\2\3\4\5\6"], chunk))

    assert chunk in output


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_palette_keeps_its_colours_and_its_transparency(kind: str) -> None:
    image = images.gradient().quantize(40)
    source = _saved(image, kind, transparency=7, optimize=False)

    output = decoded(cleaned(source))

    assert output.mode == "P"
    assert difference(decoded(source), output) == 0
    assert output.convert("RGBA").getchannel("A").getextrema() == (0, 255)


def test_an_interlaced_png_is_read_in_all_its_passes() -> None:
    data = zlib.compress(b"".join(_adam7(6, 6)))
    header = struct.pack(">IIBBBBB", 6, 6, 8, 0, 0, 0, 1)
    source = (
        b"\x89PNG\r\n\x1a\n"
        + images.chunk(b"IHDR", header)
        + images.chunk(b"IDAT", data)
        + images.chunk(b"IEND", b"")
    )

    output = decoded(cleaned(source))

    assert output.tobytes() == decoded(source).tobytes() == bytes(range(36))


def _adam7(width: int, height: int) -> list[bytes]:
    passes = (
        *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
        *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
    )
    rows = []
    for left, top, across, down in passes:
        for y in range(top, height, down):
            row = bytes(width * y + x for x in range(left, width, across))
            rows += [b"\0" + row] if row else []
    return rows


def test_a_lossless_webp_stays_exact_and_as_small() -> None:
    image = images.gradient()
    source = _saved(image, "WEBP", lossless=True)

    assert cleaned(source) == source


def test_a_lossy_webp_keeps_its_bitstream() -> None:
    source = _saved(images.gradient(), "WEBP", quality=60)

    assert cleaned(source) == source


def test_a_lossy_webp_keeps_its_alpha() -> None:
    image = images.gradient()
    image.putalpha(Image.radial_gradient("L").resize(image.size))
    source = _saved(image, "WEBP", quality=60)

    output = cleaned(source)

    assert difference(decoded(source), decoded(output)) == 0


def test_a_picture_under_the_transparency_of_a_lossy_webp_is_gone() -> None:
    image = Image.effect_noise((64, 64), 90).convert("RGB")
    alpha = Image.new("L", image.size, 0)
    alpha.paste(255, (0, 0, 16, 64))
    image.putalpha(alpha)
    source = _saved(image, "WEBP", quality=80, exact=True)

    output = decoded(cleaned(source))

    unseen = output.convert("RGB").crop((24, 0, 64, 64)).convert("L")
    assert "hidden_colours" in findings(source)
    assert max(unseen.histogram()) > 0.95 * 40 * 64
    assert difference(decoded(source), output) < 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_profile_keeps_its_effect(kind: str) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = lab.replace(b"rXYZ", b"tmpX").replace(b"gXYZ", b"rXYZ")
    swapped = swapped.replace(b"tmpX", b"gXYZ")
    source = _saved(images.gradient(), kind, icc_profile=swapped)

    output = decoded(cleaned(source))

    screen = ImageCms.createProfile("sRGB")
    shown = [
        ImageCms.applyTransform(
            images.gradient(),
            ImageCms.buildTransform(BytesIO(profile), screen, "RGB", "RGB"),
        )
        for profile in (swapped, output.info["icc_profile"], lab)
    ]
    as_bytes = [image.tobytes() for image in shown if image]
    assert as_bytes[0] == as_bytes[1] != as_bytes[2]
