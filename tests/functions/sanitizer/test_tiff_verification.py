"""The reader of clean TIFFs names whatever the writer would not have written."""

import struct
import zlib
from io import BytesIO
from random import Random

import pytest

from functions.sanitizer.verify.images import carriers
from infra.samples.tiff import Page, grey, tiff
from tests.functions.sanitizer.judged import cleaned

_SECRET = b"48.8583N 2.2945E by Jane Doe"
_SHORT, _LONG = 3, 4
_ROWS = [bytes(range(16 * y, 16 * y + 16)) for y in range(4)]


def test_the_reader_sees_bytes_between_parts() -> None:
    whole = cleaned(tiff(grey(_ROWS)))
    gap = (
        whole[:4]
        + struct.pack("<I", 8 + 64 + 4)
        + whole[8:72]
        + _SECRET[:4]
        + whole[72:]
    )

    assert carriers(BytesIO(gap), "image/tiff") != []


@pytest.mark.parametrize("tag", [270, 305, 34665, 65000])
def test_the_reader_sees_a_tag_too_many(tag: int) -> None:
    whole = bytearray(cleaned(tiff(grey(_ROWS))))
    struct.pack_into("<H", whole, whole.index(struct.pack("<HH", 284, 3)), tag)

    assert f"tag {tag}" in carriers(BytesIO(whole), "image/tiff")


def test_the_reader_sees_bytes_behind_the_end() -> None:
    whole = cleaned(tiff(grey(_ROWS)))

    assert carriers(BytesIO(whole + b"\0"), "image/tiff") == ["bytes after the end"]


def test_the_reader_sees_a_deflated_strip_that_is_too_long() -> None:
    page = grey(_ROWS, compression=8)
    longer = Page(page.tags, (zlib.compress(b"".join(_ROWS) + _SECRET),))

    found = carriers(BytesIO(_as_ours(longer)), "image/tiff")

    assert "a strip or tile of another size than its samples" in found


def test_the_reader_sees_what_follows_a_strip_of_many_kilobytes() -> None:
    row = bytes(65_525)  # its stream ends just where a piece of 64 KiB does
    stored = b"\1" + struct.pack("<HH", len(row), len(row) ^ 0xFFFF) + row
    stream = b"\x78\1" + stored + struct.pack(">I", zlib.adler32(row))
    page = grey([row], compression=8)
    longer = Page(page.tags, (stream + _SECRET,))

    assert carriers(BytesIO(_as_ours(Page(page.tags, (stream,)))), "image/tiff") == []
    assert carriers(BytesIO(_as_ours(longer)), "image/tiff") != []


@pytest.mark.parametrize("compression", [1, 8])
def test_the_reader_sees_what_is_beside_the_page_in_a_large_tile(
    compression: int,
) -> None:
    dice = Random(1)
    rows = [dice.randbytes(6_000) for _ in range(32)]
    clean = [row[:5_999] + b"\0" for row in rows[:31]] + [bytes(6_000)]
    hiding = [*clean[:30], rows[30], clean[31]]

    seen, unseen = (_tile(each, compression) for each in (clean, hiding))

    assert carriers(BytesIO(seen), "image/tiff") == []
    assert carriers(BytesIO(unseen), "image/tiff") == ["samples beside the page"]


def _tile(rows: list[bytes], compression: int) -> bytes:
    """A page that lacks the last column and row of its only tile."""
    page = grey(rows, compression=compression)
    size = {256: (_LONG, (len(rows[0]) - 1,)), 257: (_LONG, (len(rows) - 1,))}
    tile = {322: (_LONG, (len(rows[0]),)), 323: (_LONG, (len(rows),))}
    tags = {**page.tags, **size, **tile, 284: (_SHORT, (1,))}
    del tags[278]
    return tiff(Page(tags, page.segments, tiled=True))


def test_the_reader_sees_bits_behind_the_last_pixel() -> None:
    page = grey([b"\xff\xff"], bits=1, compression=8)
    odd = Page({**page.tags, 256: (_LONG, (11,))}, page.segments)

    assert carriers(BytesIO(_as_ours(odd)), "image/tiff") == ["samples beside the page"]


def _as_ours(page: Page) -> bytes:
    """Written as the sanitizer writes, but unchecked."""
    return tiff(Page({**page.tags, 284: (_SHORT, (1,))}, page.segments))
