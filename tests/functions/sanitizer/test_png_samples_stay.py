"""Every sample of a PNG is the same before and after, also where Pillow has no mode."""

import random
import struct
import zlib

import pytest

from infra.samples import images
from tests.functions.sanitizer.judged import cleaned
from tests.functions.sanitizer.judged import opened as decoded


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


def _exif(orientation: int) -> bytes:
    entry = struct.pack("<HHIHxx", 0x0112, 3, 1, orientation)
    return b"II*\0\x08\0\0\0" + b"\1\0" + entry + bytes(4)


@pytest.mark.parametrize("orientation", [3, 6])
def test_sixteen_bits_are_turned_without_losing_one(orientation: int) -> None:
    rows = [random.Random(y).randbytes(5 * 6) for y in range(3)]
    exif = images.chunk(b"eXIf", _exif(orientation))

    output = cleaned(_raw_png(16, 2, rows, exif))

    pixels = [[row[at : at + 6] for at in range(0, 30, 6)] for row in rows]
    turned = [row[::-1] for row in pixels[::-1]]
    if orientation == 6:
        turned = [list(column) for column in zip(*pixels[::-1], strict=True)]
    assert _rows(output) == [b"".join(row) for row in turned]


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


@pytest.mark.parametrize("kind", [b"IDAT", b"tEXt"])
def test_a_last_length_that_leads_beyond_the_end_spoils_no_picture(kind: bytes) -> None:
    source = _raw_png(8, 0, [bytes((7, 8, 9))], images.chunk(b"sBIT", b"\x08"))
    if kind == b"IDAT":
        at = source.index(kind) - 4
        lying = source[:at] + struct.pack(">I", 5000) + source[at + 4 :]
    else:
        lying = source[:-12] + struct.pack(">I", 5000) + kind + b"Author\0somebody"

    output = cleaned(lying)

    assert decoded(output).tobytes() == bytes((7, 8, 9))
    assert b"somebody" not in output


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
