"""Icons and cursors: all their pictures stay, and nothing beside them."""

import struct
from io import BytesIO

import pytest
from PIL import Image

from functions.sanitizer.core import Limits
from functions.sanitizer.verify.images import carriers
from infra.samples import images
from infra.samples.bitmaps import Dib, icon, icon_bitmap
from tests.functions.sanitizer.judged import cleaned, findings, judged, opened

_SECRET = b"48.8583N 2.2945E by Jane Doe"
_TYPE = "image/vnd.microsoft.icon"


def _png(side: int) -> bytes:
    output = BytesIO()
    images.gradient((side, side), "RGBA").save(output, "PNG")
    return output.getvalue()


def _entries(data: bytes) -> list[tuple[int, ...]]:
    count = int.from_bytes(data[4:6], "little")
    return [struct.unpack_from("<BBBBHHII", data, 6 + 16 * n) for n in range(count)]


def _runs() -> bytes:
    return icon_bitmap(Dib(2, [b""], 8, compression=1), b"")


def _alpha(pixels: bytes, mask: bytes = bytes(4)) -> bytes:
    return icon_bitmap(Dib(len(pixels) // 4, [pixels], 32), mask)


def test_all_sizes_stay_in_their_order() -> None:
    source = icon((16, _png(16)), (2, _alpha(bytes(range(1, 9)))), (24, _png(24)))

    output = cleaned(source)

    assert [entry[0] for entry in _entries(output)] == [16, 2, 24]
    assert opened(output).tobytes() == opened(source).tobytes()


def test_a_cursor_keeps_its_hot_spot() -> None:
    source = icon((16, _png(16)), cursor=True, spot=(3, 14))

    output = cleaned(source)

    assert output[2] == 2
    assert _entries(output)[0][4:6] == (3, 14)


def test_metadata_inside_a_png_is_dropped_and_named() -> None:
    png = images.png_with_everything()
    source = icon((96, png))

    output = cleaned(source)

    assert images.MARKER not in output
    assert {"text", "exif"} <= findings(source)


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        (icon((16, _png(16))) + _SECRET, "trailing_data"),
        (icon((2, _alpha(b"\1\2\3\xffJan\0"))), "hidden_colours"),
    ],
)
def test_what_nobody_sees_is_dropped_and_named(source: bytes, finding: str) -> None:
    output = cleaned(source)

    assert _SECRET not in output
    assert b"Jan" not in output
    assert findings(source) == {finding}
    assert findings(output) == set()


def test_what_a_mask_hides_is_black() -> None:
    dib = Dib(2, [b"\1\2\3Jan"], 24)

    output = cleaned(icon((2, icon_bitmap(dib, b"\x40\0\0\0"))))

    assert b"\1\2\3\0\0\0" in output


def test_pixels_of_a_palette_that_a_mask_hides_become_its_black() -> None:
    palette = b"\1\2\3\0" + bytes(4) + b"Jan\0"
    dib = Dib(4, [b"\0\2\0\2"], 8, palette)

    output = cleaned(icon((4, icon_bitmap(dib, b"\x50\0\0\0"))))

    assert b"\0\1\0\1" in output
    assert b"Jan" not in output


def test_bytes_between_images_are_dropped() -> None:
    whole = icon((16, _png(16)))
    moved = struct.pack("<I", 22 + len(_SECRET))

    output = cleaned(whole[:18] + moved + _SECRET + whole[22:])

    assert output == cleaned(whole)


def test_an_icon_without_alpha_keeps_its_colours() -> None:
    pixels = b"\1\2\3\0\4\5\6\0"

    assert pixels in cleaned(icon((2, _alpha(pixels))))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (icon((1, _alpha(bytes(4))))[:-30], "unreadable_image"),
        (
            icon((2, icon_bitmap(Dib(2, [b""], 8, compression=1), b""))),
            "unsupported_image",
        ),
        (icon((0, _alpha(b""))), "unreadable_image"),
    ],
)
def test_what_cannot_be_read_is_refused(source: bytes, reason: str) -> None:
    result, output = judged(source)

    assert (result.verdict, result.reason) == ("rejected", reason)
    assert output == b""


def test_sixty_thousand_entries_for_one_image_are_refused() -> None:
    one = _alpha(b"\1\2\3\4")
    entry = struct.pack("<BBBBHHII", 1, 1, 0, 0, 1, 32, len(one), 6 + 16 * 60_000)

    result, _ = judged(struct.pack("<HHH", 0, 1, 60_000) + entry * 60_000 + one)

    assert result.reason == "too_many_frames"


def test_more_pixels_in_all_images_than_allowed_are_refused() -> None:
    result, _ = judged(
        icon((16, _png(16)), (16, _png(16))), limits=Limits(max_total_pixels=400)
    )

    assert result.reason == "too_many_pixels"


@pytest.mark.parametrize(("at", "carrier"), [(9, "an entry"), (-1, "bits beside")])
def test_the_reader_sees_what_the_writer_would_not_write(at: int, carrier: str) -> None:
    whole = bytearray(cleaned(icon((2, _alpha(b"\1\2\3\4\5\6\7\x08")))))
    whole[at] = 0x4A

    assert any(name.startswith(carrier) for name in carriers(BytesIO(whole), _TYPE))


@pytest.mark.parametrize("kind", ["bmp", "png"])
@pytest.mark.parametrize("mode", ["RGBA", "RGB", "P", "1"])
def test_what_pillow_writes_stays_as_it_looks(mode: str, kind: str) -> None:
    source = BytesIO()
    picture = images.gradient((32, 32), "RGB").convert(mode)
    picture.save(source, "ICO", sizes=[(32, 32)], bitmap_format=kind)

    output = cleaned(source.getvalue())

    before = Image.open(source).convert("RGBA").tobytes()
    assert opened(output).convert("RGBA").tobytes() == before


def test_a_large_bitmap_that_is_listed_over_and_over_is_a_bomb() -> None:
    bitmap = _alpha(bytes(16))
    taller = struct.pack("<ii", 4_000, 2 * 4_001)
    entry = struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, len(bitmap), 22)
    source = b"\0\0\1\0\1\0" + entry + bitmap[:4] + taller + bitmap[12:]

    result, _ = judged(source)

    assert result.reason == "too_many_pixels"


def test_a_thousand_entries_are_as_many_as_frames_may_be() -> None:
    source = icon(*[(2, _alpha(bytes(range(1, 9))))] * 1_000)

    output = cleaned(source)

    assert len(_entries(output)) == 1_000
