"""What a TIFF carries beside its pictures, and among them, is gone and named."""

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image

from infra.samples import images
from infra.samples.tiff import Page, Value, exif_block, grey, tiff
from tests.functions.sanitizer.judged import cleaned, findings, judged, opened

_SECRET = b"48.8583N 2.2945E by Jane Doe"
_BYTE, _ASCII, _SHORT, _LONG, _UNDEFINED = 1, 2, 3, 4, 7
_ROWS = [bytes(range(16 * y, 16 * y + 16)) for y in range(4)]


def _with(tag: int, kind: int, value: bytes) -> bytes:
    page = grey(_ROWS)
    return tiff(Page({**page.tags, tag: (kind, value)}, page.segments))


@pytest.mark.parametrize(
    ("tag", "kind", "finding"),
    [
        (270, _ASCII, "text"),
        (306, _ASCII, "timestamp"),
        (315, _ASCII, "text"),
        (700, _BYTE, "xmp"),
        (33432, _ASCII, "text"),
        (33723, _UNDEFINED, "iptc"),
        (34377, _BYTE, "application_data"),
        (37500, _UNDEFINED, "maker_note"),
        (37510, _UNDEFINED, "comment"),
        (42016, _ASCII, "camera_serial"),
        (50341, _UNDEFINED, "maker_note"),
        (65000, _ASCII, "application_data"),
    ],
)
def test_a_tag_that_says_more_than_colours_is_dropped_and_named(
    tag: int, kind: int, finding: str
) -> None:
    source = _with(tag, kind, _SECRET)

    output = cleaned(source)

    assert _SECRET not in output
    assert finding in findings(source)


def test_directories_of_exif_and_gps_are_dropped_and_named() -> None:
    main: dict[int, Value] = {256: 4, 257: 4, 258: 8, 262: 1, 273: 8, 0x010F: b"Make"}
    exif: dict[int, Value] = {0x9003: b"2026:11:22 10:00:00", 0xA431: _SECRET}
    source = exif_block(main, exif, {1: b"N", 2: (48, 51, 30)}, images.photo())

    output = cleaned(source)

    assert _SECRET not in output
    assert {"exif", "gps_position", "text"} <= findings(source)


def test_bytes_that_nothing_points_to_are_dropped_and_named() -> None:
    whole = tiff(grey(_ROWS))

    assert cleaned(whole + _SECRET) == cleaned(whole)
    assert findings(whole + _SECRET) == {"trailing_data"}


def test_what_follows_the_pixels_in_a_strip_is_dropped_and_named() -> None:
    page = grey(_ROWS, compression=8)
    source = tiff(Page(page.tags, (page.segments[0] + _SECRET,)))

    assert cleaned(source) == cleaned(tiff(page))
    assert findings(source) == {"trailing_data"}


@pytest.mark.parametrize("compression", [1, 8])
def test_bits_behind_the_last_pixel_are_dropped_and_named(compression: int) -> None:
    page = grey([b"\xff\xff"], bits=1, compression=compression)
    source = tiff(Page({**page.tags, 256: (_LONG, (11,))}, page.segments))

    output = cleaned(source)

    assert opened(output).tobytes() == b"\xff\xe0"
    assert findings(source) == {"padding"}


def test_a_smaller_copy_is_dropped_and_other_pages_stay() -> None:
    thumb = grey([_SECRET], t254=(_LONG, (1,)))
    source = tiff(grey(_ROWS), thumb, grey(_ROWS[:2]))

    output = cleaned(source)

    assert output == cleaned(tiff(grey(_ROWS), grey(_ROWS[:2])))
    assert findings(source) == {"thumbnail"}


def test_pictures_below_a_page_are_dropped() -> None:
    below = grey([_SECRET], t254=(_LONG, (1,)))
    page = grey(_ROWS)
    source = tiff(Page(page.tags, page.segments, below=(below,)))

    assert cleaned(source) == cleaned(tiff(page))
    assert findings(source) == {"thumbnail"}


def test_the_only_page_stays_even_if_it_calls_itself_reduced() -> None:
    source = tiff(grey(_ROWS, t254=(_LONG, (1,))))

    assert cleaned(source) == cleaned(tiff(grey(_ROWS)))


def test_unused_palette_entries_are_black() -> None:
    colours = tuple(range(1000, 1000 + 3 * 16))
    rows = [b"\x01\x35"] * 2
    page = grey(rows, bits=4, t262=(_SHORT, (3,)), t320=(_SHORT, colours))
    source = tiff(page)

    output = cleaned(source)

    assert (
        opened(output).convert("RGB").tobytes()
        == opened(source).convert("RGB").tobytes()
    )
    assert struct.pack("<H", 1003) in output
    assert struct.pack("<H", 1002) not in output
    assert findings(source) == {"hidden_colours"}


@pytest.mark.parametrize("predictor", [1, 2])
@pytest.mark.parametrize(("bits", "order"), [(8, "<"), (16, "<"), (16, ">")])
def test_colours_under_full_transparency_are_black(
    bits: int, order: str, predictor: int
) -> None:
    size = bits // 8
    seen, unseen = bytes(range(1, 1 + 4 * size)), b"\x77" * 3 * size + bytes(size)
    rows = [seen + unseen + seen, unseen + seen + unseen]
    coded = zlib.compress(
        b"".join(_predicted(row, size, predictor, order) for row in rows)
    )
    tags = {
        **grey(rows, bits=bits, samples=4, compression=8).tags,
        317: (_SHORT, (predictor,)),
        338: (_SHORT, (2,)),
    }
    source = tiff(Page(tags, (coded,)), order=order)

    output = cleaned(source)

    clear = bytes(4 * size)
    expected = [seen + clear + seen, clear + seen + clear]
    stays = predictor if bits == 8 else 1
    again = b"".join(_predicted(row, size, stays, order) for row in expected)
    assert zlib.compress(again) in output
    assert findings(source) == {"hidden_colours"}


def test_colours_of_a_wide_row_are_cleared_too() -> None:
    noise = Image.effect_noise((40, 6), 90)
    alpha = noise.point(lambda level: 255 if level > 128 else 0)
    picture = Image.merge("RGBA", (noise, noise, noise, alpha))
    source = BytesIO()
    picture.save(source, "TIFF", compression="tiff_lzw", tiffinfo={317: 2})

    output = opened(cleaned(source.getvalue()))

    black = Image.new("L", noise.size)
    shown = Image.composite(noise, black, alpha)
    assert output.tobytes() == Image.merge("RGBA", (*[shown] * 3, alpha)).tobytes()


def _predicted(row: bytes, size: int, predictor: int, order: str) -> bytes:
    if predictor == 1:
        return row
    letter = f"{order}{len(row) // size}{'BH'[size - 1]}"
    values = struct.unpack(letter, row)
    differences = [
        value - (values[at - 4] if at >= 4 else 0) & (1 << 8 * size) - 1
        for at, value in enumerate(values)
    ]
    return struct.pack(letter, *differences)


def test_colours_in_planes_are_cleared_by_the_plane_of_alpha() -> None:
    planes = (b"\x11\x22", b"\x33\x44", b"\x55\x66", b"\x00\xff")
    tags = {
        **grey([bytes(8)], samples=4).tags,
        284: (_SHORT, (2,)),
        338: (_SHORT, (2,)),
    }

    output = cleaned(tiff(Page(tags, planes)))

    assert output[8:16] == b"\x00\x22\x00\x44\x00\x66\x00\xff"


def test_a_clean_tiff_is_left_as_it_is() -> None:
    once = cleaned(tiff(grey(_ROWS), grey(_ROWS, compression=8)))

    assert cleaned(once) == once
    assert findings(once) == set()


def test_an_identifying_profile_is_replaced() -> None:
    source = _with(34675, _UNDEFINED, images.profile())

    output = cleaned(source)

    assert images.profile() not in output
    assert "colour_profile" in findings(source)
    assert opened(output).info["icc_profile"][36:40] == b"acsp"


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param({50706: (_BYTE, (1, 4, 0, 0))}, id="dng"),
        pytest.param({262: (_SHORT, (32803,))}, id="cfa"),
        pytest.param({262: (_SHORT, (34892,))}, id="linear"),
        pytest.param({259: (_SHORT, (34713,))}, id="nef"),
        pytest.param({259: (_SHORT, (32767,))}, id="arw"),
        pytest.param({259: (_SHORT, (65535,))}, id="pef"),
    ],
)
@pytest.mark.parametrize("where", ["itself", "below"])
def test_a_cameras_raw_is_refused(
    extra: dict[int, tuple[int, tuple[int, ...]]], where: str
) -> None:
    page = grey(_ROWS)
    raw = Page({**page.tags, **extra}, page.segments)
    small = Page({**page.tags, 254: (_LONG, (1,))}, page.segments, below=(raw,))

    result, output = judged(tiff(raw if where == "itself" else small))

    assert (result.verdict, result.reason) == ("rejected", "unsupported_image")
    assert output == b""


def test_a_small_picture_above_the_real_one_is_not_taken_for_it() -> None:
    page = grey(_ROWS)
    small = grey([b"\x01\x02"], t254=(_LONG, (1,)))

    result, _ = judged(tiff(Page(small.tags, small.segments, below=(page,))))

    assert (result.verdict, result.reason) == ("rejected", "unsupported_image")


def test_no_picture_survives_in_the_colours_that_a_mode_has_no_room_for() -> None:
    source = BytesIO()
    picture = Image.new("RGBA", (4, 4), (200, 100, 50, 0))
    picture.putpixel((0, 0), (1, 2, 3, 255))
    picture.save(source, "TIFF", compression="tiff_lzw")

    output = opened(cleaned(source.getvalue()))

    assert output.getpixel((0, 0)) == (1, 2, 3, 255)
    assert output.getpixel((1, 1)) == (0, 0, 0, 0)
