"""JPEG 2000: the tiles stay as they are, what lies around them goes."""

import struct
from io import BytesIO
from typing import Any

import pytest

from functions.sanitizer.verify.images import carriers
from infra.samples.heif import box
from infra.samples.images import MARKER, gradient
from tests.functions.sanitizer.judged import cleaned, findings, judged, opened

_COMMENT = struct.pack(">HHH", 0xFF64, 4 + len(MARKER), 1) + MARKER


def _jp2(mode: str = "RGB", **options: Any) -> bytes:
    stream = BytesIO()
    image = gradient((64, 48)).convert(mode)
    image.save(stream, "JPEG2000", tile_size=(32, 32), **options)
    return stream.getvalue()


def _commented(data: bytes) -> bytes:
    """Add a comment to the headers of the file and of its first tile."""
    tile = data.index(b"\xff\x90")
    place, size = struct.unpack_from(">HI", data, tile + 4)
    longer = struct.pack(">HI", place, size + len(_COMMENT))
    head = data[tile : tile + 4] + longer + data[tile + 10 : tile + 12]
    return data[:tile] + _COMMENT + head + _COMMENT + data[tile + 12 :]


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("options", [{}, {"no_jp2": True}, {"irreversible": True}])
def test_every_pixel_stays(mode: str, options: dict[str, Any]) -> None:
    source = _jp2(mode, **options)

    output = cleaned(source)

    assert opened(output).tobytes() == opened(source).tobytes()


def test_comments_in_all_headers_and_what_follows_the_end_are_gone() -> None:
    source = _commented(_jp2(no_jp2=True, plt=True)) + MARKER

    output = cleaned(source)

    assert MARKER not in output
    assert {"comment", "trailing_data"} <= findings(source)
    assert opened(output).tobytes() == opened(_jp2(no_jp2=True)).tobytes()


def test_boxes_beside_the_picture_are_gone() -> None:
    exif = box(b"uuid", b"JpgTiffExif->JP2", MARKER)
    source = _jp2() + box(b"xml ", MARKER) + exif

    output = cleaned(source)

    assert MARKER not in output
    assert {"xmp", "exif"} <= findings(source)


def test_a_box_that_hides_among_colours_is_gone() -> None:
    data = _jp2()
    hidden = box(b"asoc", MARKER)
    at = data.index(b"jp2h") - 4
    (size,) = struct.unpack_from(">I", data, at)
    longer = struct.pack(">I", size + len(hidden))
    middle = data[at + 4 : at + size]
    source = data[:at] + longer + middle + hidden + data[at + size :]

    output = cleaned(source)

    assert MARKER not in output


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("bare", [True, False])
def test_what_is_cut_off_is_refused(kept: float, bare: bool) -> None:
    source = _jp2(no_jp2=bare)

    result, _ = judged(source[: int(len(source) * kept)])

    assert result.reason == "unreadable_image"


def test_a_bomb_is_known_by_its_header() -> None:
    source = bytearray(_jp2(no_jp2=True))
    source[8:16] = struct.pack(">II", 60_000, 60_000)

    result, _ = judged(bytes(source))

    assert result.reason == "too_many_pixels"


def test_layers_that_nobody_could_walk_through_are_refused() -> None:
    source = bytearray(_jp2(no_jp2=True))
    at = source.index(b"\xff\x52")
    source[at + 6 : at + 8] = b"\xff\xff"
    source[24:32] = struct.pack(">II", 1, 1)

    result, _ = judged(bytes(source))

    assert result.reason == "unsupported_image"


@pytest.mark.parametrize(
    "data",
    [
        _jp2(),
        _commented(cleaned(_jp2(no_jp2=True))),
        cleaned(_jp2()) + b"x",
        cleaned(_jp2()) + box(b"xml ", MARKER),
        cleaned(_jp2(no_jp2=True)) + b"x",
    ],
)
def test_the_independent_reader_finds_what_a_writer_left(data: bytes) -> None:
    found = carriers(BytesIO(data), "image/jp2")

    assert found != []


def test_what_only_looks_like_jpeg_xl_is_not_let_through() -> None:
    result, _ = judged(b"\xff\x0a" + MARKER)

    assert result.reason == "unsupported_image"


def _lengthened(data: bytes, marker: bytes, tail: bytes) -> bytes:
    at = data.index(marker)
    (size,) = struct.unpack_from(">H", data, at + 2)
    end = at + 2 + size
    longer = struct.pack(">H", size + len(tail))
    return data[: at + 2] + longer + data[at + 4 : end] + tail + data[end:]


@pytest.mark.parametrize("marker", [b"\xff\x5c", b"\xff\x50", b"\xff\x63"])
def test_bytes_behind_the_last_field_of_a_marker_are_gone(marker: bytes) -> None:
    data = _jp2(no_jp2=True)
    at = data.index(b"\xff\x5c")
    capable = b"\xff\x50\0\x08\0\2\0\0\0\0"
    placed = b"\xff\x63\0\x0e" + bytes(12)
    data = data[:at] + capable + placed + data[at:]
    source = _lengthened(data, marker, MARKER)

    output = cleaned(source)

    assert MARKER not in output
    assert carriers(BytesIO(source), "image/jp2") != []


@pytest.mark.parametrize("style", [b"\1\0\0\1\0\0\0\0\0\1\0", b"\0\0\0\1\0\0\0\0\0\1"])
def test_parts_too_small_for_a_decoders_memory_are_refused(style: bytes) -> None:
    source = bytearray(_jp2(no_jp2=True))
    at = source.index(b"\xff\x52")
    (size,) = struct.unpack_from(">H", source, at + 2)
    source[at : at + 2 + size] = struct.pack(">HH", 0xFF52, 2 + len(style)) + style
    for place in (8, 24):
        source[place : place + 8] = struct.pack(">II", 7_900, 7_900)

    result, _ = judged(bytes(source))

    assert result.reason == "unsupported_image"
