"""TIFFs made to cost, to loop or to contradict themselves lead to a verdict at once."""

import random
import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from functions.sanitizer.core import Limits
from functions.sanitizer.verify.images import carriers
from infra.samples.bitmaps import Dib, bmp, icon, icon_bitmap
from infra.samples.tiff import Page, grey, tiff
from tests.functions.sanitizer.judged import cleaned, judged

_SHORT, _LONG = 3, 4
_ROWS = [bytes(range(16 * y, 16 * y + 16)) for y in range(4)]


def _changed(page: Page, **tags: tuple[int, tuple[int, ...]]) -> bytes:
    changes = {int(name[1:]): value for name, value in tags.items()}
    return tiff(Page({**page.tags, **changes}, page.segments))


def _huge(size: int) -> tuple[int, tuple[int, ...]]:
    return _LONG, (size,)


@pytest.mark.parametrize("compression", [1, 5, 8, 32773])
def test_a_bomb_is_recognised_by_its_header(compression: int) -> None:
    bomb = grey([bytes(16)], compression=compression)

    result, _ = judged(_changed(bomb, t256=_huge(60_000), t257=_huge(60_000)))

    assert result.reason == "too_many_pixels"


def test_samples_of_very_many_bytes_are_refused() -> None:
    page = grey([bytes(16)], bits=64, samples=2, compression=8)
    wide = {258: (_SHORT, (64,) * 32), 277: (_SHORT, (32,)), 256: _huge(8_000)}
    tags = {**page.tags, **wide, 257: _huge(8_000), 278: _huge(8_000)}

    result, _ = judged(tiff(Page(tags, page.segments)))

    assert result.reason == "too_many_pixels"


@pytest.mark.parametrize(("tag", "value"), [(258, 32), (338, 2), (339, 3), (277, 4)])
def test_of_more_values_than_samples_the_first_count(tag: int, value: int) -> None:
    described = {"t338": (_SHORT, (2,)), "t339": (_SHORT, (3,) * 4)}
    page = grey(_ROWS, bits=32, samples=4, **described)  # type: ignore[arg-type]

    longer = _changed(page, **{f"t{tag}": (_SHORT, (value,) * 100)})

    assert cleaned(longer) == cleaned(tiff(page))


@pytest.mark.parametrize(
    ("tag", "value", "reason"),
    [
        (258, (2, b"8 bits"), "unreadable_image"),
        (277, (_LONG, ((1 << 32) - 1,)), "unsupported_image"),
    ],
)
def test_depths_and_numbers_of_samples_that_are_none_are_refused(
    tag: int, value: tuple[int, bytes | tuple[int, ...]], reason: str
) -> None:
    page = grey(_ROWS, t338=(_SHORT, (2,)))

    result, _ = judged(tiff(Page({**page.tags, tag: value}, page.segments)))

    assert (result.verdict, result.reason) == ("rejected", reason)


def test_tiles_larger_than_any_picture_are_refused() -> None:
    page = grey([bytes(16)], compression=8)
    size = {"t322": _huge(1 << 20), "t323": _huge(1 << 20)}
    places = {"t324": (_LONG, (8,)), "t325": (_LONG, (8,))}

    result, _ = judged(_changed(page, **size, **places))

    assert result.reason == "too_many_pixels"


def test_a_strip_that_inflates_without_end_is_cut_at_its_rows() -> None:
    bomb = zlib.compress(bytes(50_000_000))
    page = grey(_ROWS, compression=8)

    output = cleaned(tiff(Page(page.tags, (bomb,))))

    assert len(output) < 1000


def test_sixty_thousand_pages_are_refused() -> None:
    result, _ = judged(_chain(60_000))

    assert result.reason == "too_many_frames"


def _chain(pages: int) -> bytes:
    """Pages that share one strip: 60 bytes each."""
    tags = ((256, 1), (257, 1), (262, 1), (273, 8))
    entries = b"".join(struct.pack("<HHII", tag, _LONG, 1, n) for tag, n in tags)
    size = 2 + len(entries) + 4
    out = bytearray(struct.pack("<2sHI", b"II", 42, 12) + bytes(4))
    for index in range(pages):
        link = 12 + size * (index + 1) if index + 1 < pages else 0
        out += struct.pack("<H", len(tags)) + entries + struct.pack("<I", link)
    return bytes(out)


def test_pages_in_a_circle_are_shown_once() -> None:
    data = bytearray(_chain(2))
    struct.pack_into("<I", data, len(data) - 4, 12)

    assert Image.open(BytesIO(cleaned(bytes(data)))).n_frames == 2  # type: ignore[attr-defined]


def test_a_page_that_is_cut_off_is_not_left_out() -> None:
    data = _chain(3)

    result, _ = judged(data[:-20])

    assert result.reason == "unreadable_image"


def test_all_strips_in_the_same_place_cost_no_more_than_their_pixels() -> None:
    rows = 2_000
    page = grey([bytes(16)])
    places = {"t273": (_LONG, (8,) * rows), "t279": (_LONG, (16,) * rows)}
    source = _changed(page, t257=_huge(rows), t278=_huge(1), **places)

    result, _ = judged(source)

    assert result.verdict == "clean"


def test_thousands_of_strips_that_claim_the_same_kilobytes_are_refused() -> None:
    rows = 20_000
    page = grey([bytes(16)], compression=8)
    padded = Page(page.tags, (page.segments[0] + bytes(5_000),))
    places = {"t273": (_LONG, (8,) * rows), "t279": (_LONG, (5_000,) * rows)}

    result, _ = judged(_changed(padded, t257=_huge(rows), t278=_huge(1), **places))

    assert result.reason == "unreadable_image"


def test_more_strips_than_anybody_writes_are_refused() -> None:
    page = grey([bytes(1)])

    result, _ = judged(_changed(page, t257=_huge(1 << 20), t278=_huge(1)))

    assert result.reason == "unreadable_image"


@pytest.mark.parametrize(
    "change",
    [
        {"t273": (_LONG, (0xFFFFFFF0,))},
        {"t273": (_LONG, (4,))},
        {"t257": _huge(5)},
        {"t256": _huge(0)},
        {"t258": (_SHORT, (8,) * 3), "t277": (_SHORT, (3,))},
    ],
)
def test_a_directory_that_lies_about_its_strip_is_refused(
    change: dict[str, tuple[int, tuple[int, ...]]],
) -> None:
    result, output = judged(_changed(grey(_ROWS), **change))

    assert result.verdict == "rejected"
    assert output == b""


def test_a_tag_of_four_thousand_million_values_is_left_out() -> None:
    data = bytearray(
        tiff(Page({**grey(_ROWS).tags, 282: (_SHORT, (9,))}, (bytes(64),)))
    )
    at = data.index(struct.pack("<HHI", 282, _SHORT, 1))
    struct.pack_into("<HHI", data, at, 282, 5, 0xFFFFFFFF)

    assert judged(bytes(data))[0].verdict == "clean"


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize(
    "compression", ["raw", "tiff_lzw", "jpeg", "tiff_adobe_deflate"]
)
def test_a_truncated_tiff_is_refused(compression: str, share: float) -> None:
    source = BytesIO()
    Image.effect_noise((64, 64), 50).save(source, "TIFF", compression=compression)
    data = source.getvalue()

    result, _ = judged(data[: int(len(data) * share)])

    assert result.verdict == "rejected"


@pytest.mark.parametrize(("most", "verdict"), [(3, "rejected"), (4, "clean")])
def test_as_many_pages_as_allowed_are_written(most: int, verdict: str) -> None:
    result, _ = judged(tiff(*[grey(_ROWS)] * 4), limits=Limits(max_frames=most))

    assert result.verdict == verdict


def _seeds() -> list[tuple[str, bytes]]:
    lzw, fax, jpeg = BytesIO(), BytesIO(), BytesIO()
    noise = Image.effect_noise((20, 12), 70)
    noise.save(lzw, "TIFF", compression="tiff_lzw")
    noise.convert("1").save(fax, "TIFF", compression="group4")
    noise.convert("RGB").save(jpeg, "TIFF", compression="jpeg")
    palette = bytes(range(64))
    dib = Dib(16, _ROWS, 8, palette)
    runs = Dib(4, [b""] * 2, 8, palette, compression=1, pixels=b"\4\1\0\1")
    return [
        ("image/tiff", lzw.getvalue()),
        ("image/tiff", fax.getvalue()),
        ("image/tiff", jpeg.getvalue()),
        ("image/tiff", tiff(grey(_ROWS, compression=8), grey(_ROWS), big=True)),
        ("image/tiff", tiff(grey(_ROWS, bits=4, samples=4), order=">")),
        ("image/bmp", bmp(dib)),
        (
            "image/bmp",
            bmp(runs),
        ),
        ("image/vnd.microsoft.icon", icon((16, icon_bitmap(dib, bytes(16))))),
    ]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1 << 32), which=st.integers(0, 7))
def test_damage_leads_to_a_verdict_and_what_is_clean_is_verified(
    seed: int, which: int
) -> None:
    media_type, data = _seeds()[which]
    chance, damaged = random.Random(seed), bytearray(data)
    for _ in range(chance.randint(1, 5)):
        damaged[chance.randrange(8, len(damaged))] = chance.choice((0, 1, 127, 255))

    result, output = judged(bytes(damaged))

    assert result.verdict in ("clean", "rejected", "passed")
    assert result.reason != "verification_failed"
    if result.verdict == "clean":
        assert carriers(BytesIO(output), media_type) == []
