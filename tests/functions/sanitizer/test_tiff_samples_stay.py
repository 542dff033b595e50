"""Every sample of a TIFF is the same as before, even where Pillow has no mode."""

import random
import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from infra.samples.tiff import Page, grey, tiff
from tests.functions.sanitizer.judged import cleaned, opened

_SHORT, _LONG, _RATIONAL = 3, 4, 5


def _rows(count: int, size: int, seed: int = 0) -> list[bytes]:
    # No zeros: alpha of zero would clear colours.
    chosen = random.Random(seed).choices(range(1, 256), k=count * size)
    return [bytes(chosen[at : at + size]) for at in range(0, count * size, size)]


def _pages(data: bytes) -> list[dict[int, Any]]:
    """The directories of a classic TIFF, numbers only; strips and tiles under 0."""
    order = {b"II": "<", b"MM": ">"}[data[:2]]
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    pages = []
    while at:
        (count,) = struct.unpack_from(f"{order}H", data, at)
        tags: dict[int, Any] = {}
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, kind, number = struct.unpack_from(f"{order}HHI", data, entry)
            letter, size = {3: ("H", 2), 4: ("I", 4), 5: ("II", 8), 7: ("B", 1)}[kind]
            place = entry + 8
            if size * number > 4:
                (place,) = struct.unpack_from(f"{order}I", data, place)
            tags[tag] = struct.unpack_from(f"{order}{letter * number}", data, place)
        places = zip(
            tags.get(273, tags.get(324, ())),
            tags.get(279, tags.get(325, ())),
            strict=True,
        )
        coded = [data[start : start + size] for start, size in places]
        tags[0] = [zlib.decompress(c) if tags[259] == (8,) else c for c in coded]
        pages.append(tags)
        (at,) = struct.unpack_from(f"{order}I", data, at + 2 + 12 * count)
    return pages


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "group4"])
def test_samples_that_compression_made_no_smaller_are_bare(compression: str) -> None:
    noise = Image.effect_noise((48, 40), 90)
    source = BytesIO()
    noise.convert("1" if compression == "group4" else "L").save(
        source, "TIFF", compression=compression
    )

    output = cleaned(source.getvalue())

    assert _pages(output)[0][259] == (1,)
    assert opened(output).tobytes() == opened(source.getvalue()).tobytes()
    assert len(output) <= len(source.getvalue())


@pytest.mark.parametrize(
    "band", [Image.linear_gradient("L"), Image.effect_noise((256, 256), 40)]
)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_differences_of_neighbours_stay_so(mode: str, band: Image.Image) -> None:
    small = band.crop((100, 0, 140, 64))
    source = BytesIO()
    Image.merge(mode, [small] * len(mode)).save(
        source, "TIFF", compression="tiff_lzw", tiffinfo={317: 2}
    )

    output = cleaned(source.getvalue())

    assert (_pages(output)[0][259], _pages(output)[0][317]) == ((8,), (2,))
    assert opened(output).tobytes() == opened(source.getvalue()).tobytes()


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("bits", "samples", "sample_format"),
    [
        *((1, 1, 1), (2, 1, 1), (4, 1, 1), (8, 1, 1), (12, 1, 1), (16, 1, 1)),
        *((32, 1, 1), (32, 1, 3), (64, 1, 3), (16, 3, 1), (32, 3, 3), (8, 3, 1)),
        *((16, 1, 2), (8, 5, 1), (16, 3, 3), (32, 1, 6)),
    ],
)
def test_samples_of_any_kind_stay(
    bits: int, samples: int, sample_format: int, order: str, big: bool
) -> None:
    rows = _rows(4, 8 * bits * samples // 8)
    formats = (_SHORT, (sample_format,) * samples)
    page = grey(rows, bits=bits, samples=samples, compression=8, t339=formats)

    (out,) = _pages(cleaned(tiff(page, order=order, big=big)))

    assert out[0] == [b"".join(rows)]
    assert (out[258], out[277]) == ((bits,) * samples, (samples,))
    assert out.get(339, (1,))[0] == sample_format


@pytest.mark.parametrize(
    "compression",
    ["tiff_lzw", "packbits", "tiff_adobe_deflate", "tiff_deflate", "zstd", "lzma"],
)
@pytest.mark.parametrize(
    "mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "F", "LAB"]
)
def test_a_compression_goes_and_the_picture_stays(mode: str, compression: str) -> None:
    source = BytesIO()
    size = len(Image.new(mode, (21, 11)).tobytes())
    pixels = b"".join(_rows(1, size))
    if mode == "F":
        pixels = struct.pack("<231f", *range(231))
    picture = Image.frombytes(mode, (21, 11), pixels)
    picture.save(source, "TIFF", compression=compression, tiffinfo={278: 4})

    output = cleaned(source.getvalue())

    assert opened(output).mode == opened(source.getvalue()).mode
    assert opened(output).tobytes() == opened(source.getvalue()).tobytes()


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt"])
def test_a_fax_stays(compression: str) -> None:
    source = BytesIO()
    picture = Image.frombytes("1", (43, 9), b"".join(_rows(9, 6)))
    picture.save(source, "TIFF", compression=compression)

    output = cleaned(source.getvalue())

    assert opened(output).tobytes() == opened(source.getvalue()).tobytes()


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "YCbCr", "CMYK"])
def test_a_jpeg_in_a_tiff_looks_the_same(mode: str) -> None:
    source = BytesIO()
    Image.effect_noise((40, 24), 60).convert(mode).save(
        source, "TIFF", compression="jpeg"
    )

    output = cleaned(source.getvalue())

    assert opened(output).tobytes() == opened(source.getvalue()).tobytes()


def test_code_with_its_bits_in_the_other_order_is_read() -> None:
    source = BytesIO()
    Image.effect_noise((16, 4), 60).save(source, "TIFF", compression="tiff_lzw")
    with TiffImageFile(BytesIO(source.getvalue())) as image:
        at, size = image.tag_v2[273][0], image.tag_v2[279][0]
    coded = source.getvalue()[at : at + size]
    turned = bytes(int(f"{byte:08b}"[::-1], 2) for byte in coded)
    tags = grey([bytes(16)] * 4, compression=5, t266=(_SHORT, (2,))).tags

    (out,) = _pages(cleaned(tiff(Page(tags, (turned,)))))

    assert out[0] == [opened(source.getvalue()).tobytes()]


def test_bits_in_the_other_order_are_turned() -> None:
    page = grey([b"\x01\x80", b"\x03\xf0"], bits=1, t266=(_SHORT, (2,)))

    (out,) = _pages(cleaned(tiff(page)))

    assert out[0] == [b"\x80\x01\xc0\x0f"]
    assert 266 not in out


@pytest.mark.parametrize("predictor", [2, 3])
def test_predicted_samples_are_carried_over_as_they_are(predictor: int) -> None:
    rows = _rows(3, 8 * 4)
    kind = (_SHORT, (3 if predictor == 3 else 1,))
    page = grey(rows, bits=32, compression=8, t317=(_SHORT, (predictor,)), t339=kind)

    output = cleaned(tiff(page))

    assert page.segments[0] in output
    assert _pages(output)[0][317] == (predictor,)


def test_planes_stay_apart() -> None:
    planes = [b"".join(_rows(4, 6, seed)) for seed in range(3)]
    tags = {**grey(_rows(4, 18), samples=3).tags, 284: (_SHORT, (2,))}

    (out,) = _pages(cleaned(tiff(Page(tags, tuple(planes)))))

    assert out[0] == planes
    assert out[284] == (2,)


def _tiled(seen: tuple[int, int], tile: bytes, **tags: Any) -> Page:
    """A page in one tile of 16 by 16 samples."""
    width, height = seen
    described = dict(grey([bytes(width)] * height, **tags).tags)
    del described[278]
    described |= {322: (_LONG, (16,)), 323: (_LONG, (16,))}
    return Page(described, (tile,), tiled=True)


def test_a_tile_keeps_what_is_on_the_page_and_nothing_beside_it() -> None:
    tile = b"".join(_rows(16, 16))

    (out,) = _pages(cleaned(tiff(_tiled((10, 12), tile))))

    rows = [tile[at : at + 10] + bytes(6) for at in range(0, 12 * 16, 16)]
    assert out[0] == [b"".join(rows) + bytes(4 * 16)]


def test_floats_in_a_tile_keep_their_values_and_lose_what_is_beside_them() -> None:
    values = [
        [10.5 * x + y if x < 10 else 777.25 for x in range(16)] for y in range(16)
    ]
    tile = zlib.compress(b"".join(_predicted(row) for row in values))
    kinds: dict[str, Any] = {"t317": (_SHORT, (3,)), "t339": (_SHORT, (3,))}
    page = _tiled((10, 12), tile, **kinds)
    tags = {**page.tags, 256: (_LONG, (10,)), 258: (_SHORT, (32,)), 259: (_SHORT, (8,))}
    source = tiff(Page(tags, page.segments, tiled=True))

    output = cleaned(source)

    assert opened(output).tobytes() == opened(source).tobytes()
    assert opened(output).getpixel((9, 3)) == 97.5
    assert struct.pack(">f", 777.25)[1:2] * 6 not in _pages(output)[0][0][0]


def _predicted(row: list[float]) -> bytes:
    """Predictor 3, as Adobe's Technical Note 3 says."""
    samples = [struct.pack(">f", value) for value in row]
    lanes = bytes(sample[lane] for lane in range(4) for sample in samples)
    return bytes(
        byte - (lanes[at - 1] if at else 0) & 0xFF for at, byte in enumerate(lanes)
    )


def test_bits_behind_the_last_pixel_are_cleared() -> None:
    page = grey([b"\xff\xff"] * 2, bits=1)
    tags = {**page.tags, 256: (_LONG, (11,))}

    (out,) = _pages(cleaned(tiff(Page(tags, page.segments))))

    assert out[0] == [b"\xff\xe0\xff\xe0"]


def test_chroma_in_blocks_stays() -> None:
    blocks = b"".join(_rows(3 * 2, 6))
    page = grey([bytes(6 * 3)] * 4, samples=3, compression=8, t262=(_SHORT, (6,)))
    tags = {**page.tags, 530: (_SHORT, (2, 2)), 531: (_SHORT, (1,))}

    (out,) = _pages(cleaned(tiff(Page(tags, (zlib.compress(blocks),)))))

    assert out[0] == [blocks]
    assert (out[262], out[530], out[531]) == ((6,), (2, 2), (1,))


def test_all_pages_stay_in_their_order() -> None:
    pages = [grey(_rows(2, 4 + size, size)) for size in range(5)]

    output = _pages(cleaned(tiff(*pages)))

    assert [page[0] for page in output] == [[page.segments[0]] for page in pages]


def test_what_says_how_samples_are_shown_stays() -> None:
    page = grey(
        _rows(2, 12),
        samples=4,
        t274=(_SHORT, (6,)),
        t282=(_RATIONAL, (600, 2)),
        t283=(_RATIONAL, (300, 1)),
        t296=(_SHORT, (2,)),
        t318=(_RATIONAL, (3127, 10000, 329, 1000)),
        t319=(_RATIONAL, (64, 100, 33, 100, 21, 100, 71, 100, 15, 100, 6, 100)),
        t338=(_SHORT, (2,)),
    )

    (out,) = _pages(cleaned(tiff(page)))

    assert out[274] == (6,)
    assert out[282] == (300, 1)
    assert out[318] == (3127, 10000, 329, 1000)
    assert out[319][:4] == (16, 25, 33, 100)
    assert out[338] == (2,)


def test_bare_samples_stay_bare_and_in_their_strips() -> None:
    rows = _rows(5, 9)
    tags = {**grey(rows).tags, 278: (_LONG, (2,))}
    strips = (rows[0] + rows[1], rows[2] + rows[3], rows[4])

    (out,) = _pages(cleaned(tiff(Page(tags, strips))))

    assert out[259] == (1,)
    assert out[0] == list(strips)
