"""Data that no viewer shows, in the picture itself, is gone from the clean copy."""

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image

from infra.samples import images
from infra.samples.images import MARKER
from tests.functions.sanitizer.judged import cleaned, findings, judged

_PLAIN_JPEG = images.jpeg(images.gradient(), quality=90)


@pytest.mark.parametrize(
    "hidden",
    [
        pytest.param(images.segment(0xDB, b"\3" + bytes(range(64))), id="unused table"),
        pytest.param(
            images.segment(0xC4, b"\x13" + bytes(15) + b"\x1a" + (MARKER * 3)[:26]),
            id="unused codes",
        ),
        pytest.param(MARKER, id="between segments"),
    ],
)
def test_bytes_that_a_jpeg_decoder_skips_are_gone(hidden: bytes) -> None:
    at = _PLAIN_JPEG.index(b"\xff\xdb")

    output = cleaned(_PLAIN_JPEG[:at] + hidden + _PLAIN_JPEG[at:])

    assert output == cleaned(_PLAIN_JPEG)


def test_bytes_behind_the_last_block_of_a_scan_are_gone() -> None:
    source = _PLAIN_JPEG[:-2] + MARKER + _PLAIN_JPEG[-2:]

    output = cleaned(source)

    assert MARKER not in output


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_bits_behind_the_last_pixel_of_a_png_row_are_gone(depth: int) -> None:
    def padded(padding: int) -> bytes:
        header = struct.pack(">IIBBBBB", 5, 2, depth, 0, 0, 0, 0)
        unused = -5 * depth % 8
        row = bytes(1 + 5 * depth // 8) + bytes([padding & (1 << unused) - 1])
        return (
            b"\x89PNG\r\n\x1a\n"
            + images.chunk(b"IHDR", header)
            + images.chunk(b"IDAT", zlib.compress(2 * row))
            + images.chunk(b"IEND", b"")
        )

    assert padded(0) != padded(0xFF)
    assert cleaned(padded(0)) == cleaned(padded(0xFF))


def test_a_picture_behind_the_rows_of_a_png_is_gone() -> None:
    image = images.gradient(mode="L")
    stream = BytesIO()
    image.save(stream, "PNG")
    taller = stream.getvalue()
    # The header says one row less than there is.
    header = struct.pack(">IIBBBBB", 96, 63, 8, 0, 0, 0, 0)
    source = taller[:8] + images.chunk(b"IHDR", header) + taller[33:]

    result, output = judged(source)

    assert "trailing_data" in result.findings
    assert Image.open(BytesIO(output)).size == (96, 63)
    assert cleaned(output) == output


def test_bytes_behind_the_end_code_of_a_gif_are_gone() -> None:
    plain = cleaned(images.animated_gif())
    source = plain[:-2] + bytes([len(MARKER)]) + MARKER + plain[-2:]

    output = cleaned(source)

    assert output == plain


@pytest.mark.parametrize("lossless", [False, True])
def test_bytes_behind_the_bitstream_of_a_webp_are_gone(lossless: bool) -> None:
    stream = BytesIO()
    images.gradient().save(stream, "WEBP", lossless=lossless)
    plain = stream.getvalue()
    size = int.from_bytes(plain[16:20], "little")
    coded = plain[20 : 20 + size] + MARKER
    body = plain[12:16] + struct.pack("<I", len(coded)) + coded + bytes(len(coded) % 2)
    source = b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body

    output = cleaned(source)

    assert MARKER not in output
    assert "trailing_data" in findings(source)


def test_bytes_behind_the_first_part_of_a_lossy_webp_are_gone() -> None:
    stream = BytesIO()
    images.gradient().save(stream, "WEBP")
    frame = stream.getvalue()[20:]
    tag = int.from_bytes(frame[:3], "little")  # the part's size in the upper 19 bits
    end, longer = 10 + (tag >> 5), tag + (len(MARKER) << 5)
    coded = longer.to_bytes(3, "little") + frame[3:end] + MARKER + frame[end:]
    coded += bytes(len(coded) % 2)
    body = b"WEBPVP8 " + struct.pack("<I", len(coded)) + coded
    source = b"RIFF" + struct.pack("<I", len(body)) + body

    output = cleaned(source)

    assert Image.open(BytesIO(source)).convert("RGB").getextrema()
    assert MARKER not in output
    assert "trailing_data" in findings(source)


@pytest.mark.parametrize("make", [images.png_with_everything, images.lossless_webp])
def test_colours_under_full_transparency_are_cleared(make: object) -> None:
    source = make()  # type: ignore[operator] # either sample

    output = cleaned(source)

    image = Image.open(BytesIO(output)).convert("RGBA")
    unseen = image.getchannel("A").point([255] + [0] * 255)
    assert unseen.getbbox()
    assert "hidden_colours" in findings(source)
    assert not any(any(image.getchannel(band).histogram(unseen)[1:]) for band in "RGB")


def test_palette_entries_that_no_pixel_uses_are_cleared() -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 1, 2, 3, *MARKER])
    stream = BytesIO()
    image.save(stream, "PNG", bits=8)

    output = cleaned(stream.getvalue())

    assert Image.open(BytesIO(output)).getpalette() == [0, 0, 0, 1, 2, 3]


def test_a_picture_drawn_in_transparent_palette_entries_is_gone() -> None:
    image = Image.new("P", (8, 8), 1)
    image.paste(2, (0, 0, 4, 8))
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    stream = BytesIO()
    image.save(stream, "PNG", bits=8, transparency=b"\xff\0\0")

    output = Image.open(BytesIO(cleaned(stream.getvalue())))

    assert output.getextrema() == (1, 1)
    assert output.convert("RGBA").getextrema() == ((0, 0),) * 4


def test_unused_entries_of_every_gif_table_are_cleared() -> None:
    frames = []
    for colour in (3, 5):
        frame = Image.new("P", (8, 8), colour)
        frame.putpalette([0] * 9 + [200, 10, colour] + [0] * 3 + [9, 8, 7] + [66] * 30)
        frames.append(frame)
    stream = BytesIO()
    frames[0].save(
        stream, "GIF", save_all=True, append_images=frames[1:], optimize=False
    )

    output = cleaned(stream.getvalue())

    assert b"BBBBBB" in stream.getvalue()
    assert b"BBBBBB" not in output


def test_the_default_image_that_an_animation_hides_is_gone() -> None:
    source = images.animated_png(hidden_default=True)

    output = cleaned(source)

    image = Image.open(BytesIO(output))
    default = image.convert("RGBA").tobytes()
    image.seek(1)
    assert "hidden_image" in findings(source)
    assert default == image.convert("RGBA").tobytes()
