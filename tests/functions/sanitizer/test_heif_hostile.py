"""HEIC and AVIF that lie: a reason, soon, and never a result that was not verified."""

import struct
from dataclasses import replace
from io import BytesIO

import pillow_heif
import pytest
from PIL import Image

from functions.sanitizer.core import Limits
from functions.sanitizer.verify.images import carriers
from infra.samples import heif
from infra.samples.heif import Part, box, coded, extent, full, reference
from infra.samples.images import MARKER
from tests.functions.sanitizer.judged import cleaned, difference, judged

_TILES = Part(b"grid", heif.grid(2, 1, 128, 64), (extent(128, 64),))
_HUGE = struct.pack(">I", 0xFFFFFFFF)
_QUARTERS = (box(b"irot", b"\1"), box(b"irot", b"\1"))


def _refusal(data: bytes, **options: int) -> str | None:
    result, output = judged(data, limits=Limits(**options))
    assert result.verdict == "rejected"
    assert output == b""
    return result.reason


@pytest.mark.parametrize(
    ("parts", "links"),
    [
        ([_TILES], [reference(b"dimg", 1, 1, 1)]),
        ([_TILES, _TILES], [reference(b"dimg", 1, 2, 2), reference(b"dimg", 2, 1, 1)]),
        ([_TILES, coded()], [reference(b"dimg", 1, 2, 9)]),
        ([_TILES, coded()], [reference(b"dimg", 1, 2)]),
        ([replace(coded(), at=(1 << 31, 64))], []),
        ([replace(coded(), properties=coded().properties[:1])], []),
        ([replace(coded(), properties=coded().properties[1:])], []),
        ([replace(coded(), data=coded().data[:-40])], []),
        ([replace(coded(), data=b"")], []),
    ],
    ids=[
        "itself",
        "circle",
        "missing",
        "few",
        "beyond",
        "sizeless",
        "unconfigured",
        "cut",
        "empty",
    ],
)
def test_items_that_cannot_be_followed_are_refused(
    parts: list[Part], links: list[bytes]
) -> None:
    assert _refusal(heif.assembled(parts, links)) == "unreadable_image"


@pytest.mark.parametrize(
    "part",
    [
        Part(b"jpeg", b"\xff\xd8", (extent(64, 64),)),
        replace(coded(), file=1),
        replace(
            coded(),
            essential=True,
            properties=(*coded().properties, box(b"abcd", b"1")),
        ),
    ],
    ids=["coding", "file", "property"],
)
def test_what_is_beyond_us_is_called_so(part: Part) -> None:
    elsewhere = full(b"dref", struct.pack(">I", 1), full(b"url ", b"http://x\0"))
    source = heif.assembled([part], inside=box(b"dinf", elsewhere))

    assert _refusal(source) == "unsupported_image"


@pytest.mark.parametrize("kind", [b"av01", b"hvc1"])
def test_coded_data_larger_than_they_are_called_are_a_bomb(kind: bytes) -> None:
    large = coded(kind, (128, 128))
    small = replace(large, properties=(large.properties[0], extent(1, 1)))
    source = heif.assembled([small], brand=b"avif" if kind == b"av01" else b"heic")

    assert _refusal(source, max_pixels=10_000) == "too_many_pixels"


def test_a_tile_that_is_decoded_over_and_over_is_a_bomb() -> None:
    canvas = Part(b"grid", heif.grid(8, 8, 512, 512), (extent(512, 512),))
    pictures = [canvas, *[canvas] * 2, coded()]
    links = [reference(b"dimg", n, *[n + 1] * 64) for n in (1, 2, 3)]

    assert _refusal(heif.assembled(pictures, links)) in (
        "too_many_pixels",
        "unreadable_image",
    )


def test_an_animation_of_too_many_frames_is_refused() -> None:
    assert _refusal(heif.animated_avif(), max_frames=2) == "too_many_frames"


@pytest.mark.parametrize("brand", [b"heic", b"avif", b"mif1", b"avis", b"msf1"])
def test_brands_without_a_picture_are_refused(brand: bytes) -> None:
    source = box(b"ftyp", brand, bytes(4), brand) + bytes(90)

    assert _refusal(source) == "unreadable_image"


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_what_is_cut_off_is_refused(kept: float) -> None:
    source = heif.assembled([coded(b"hvc1")], brand=b"heic")

    assert _refusal(source[: int(len(source) * kept)]) == "unreadable_image"


@pytest.mark.parametrize("kind", [b"iinf", b"iloc", b"ipma", b"iref", b"iprp", b"ipco"])
def test_tables_that_count_wrongly_never_get_through(kind: bytes) -> None:
    source = bytearray(heif.assembled([coded()], [reference(b"auxl", 1, 1)]))
    at = source.index(kind) + 4
    source[at + 4 : at + 8] = _HUGE

    result, output = judged(bytes(source))

    assert result.verdict == "rejected" or carriers(BytesIO(output), "image/avif") == []


def test_boxes_in_boxes_in_boxes_are_not_followed() -> None:
    nested = b""
    for _ in range(10_000):
        nested = struct.pack(">I4s", 8 + len(nested), b"meta") + nested

    result, _ = judged(heif.assembled([coded()], inside=nested))

    assert result.verdict == "clean"


def _spoiled(find: bytes, offset: int, value: bytes) -> bytes:
    data = bytearray(cleaned(heif.animated_avif()))
    at = data.index(find) + offset
    data[at : at + len(value)] = value
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        cleaned(heif.avif()) + b"x",
        cleaned(heif.avif()) + box(b"free", MARKER),
        heif.assembled([coded()]),
        _spoiled(b"ftyp", 8, b"\1"),
        _spoiled(b"hdlr", 16, b"Name"),
        _spoiled(b"mvhd", 8, b"\1"),
        _spoiled(b"tkhd", 8, b"\1"),
        _spoiled(b"mdhd", 8, b"\1"),
        _spoiled(b"mdhd", 24, b"\1"),
        _spoiled(b"vmhd", 8, b"\1"),
        _spoiled(b"infe", 16, b"N"),
        _spoiled(b"infe", 12, b"mime"),
        _spoiled(b"pixi", 0, b"abcd"),
        _spoiled(b"mdat", 4, b"\x7a"),
        _spoiled(b"mdat", 4, b"\x2a"),
        _spoiled(b"stsz", 12, b"\0\0\0\1"),
    ],
)
def test_the_independent_reader_finds_what_a_writer_left(data: bytes) -> None:
    found = carriers(BytesIO(data), "image/avif")

    assert found != []


def _shown(data: bytes) -> Image.Image:
    return pillow_heif.open_heif(BytesIO(data)).to_pillow()


def _sets(record: bytes) -> list[tuple[int, bytes]]:
    """Return kind and content of the sets of an `hvcC` box, one of each."""
    found, at = [], 31
    for _ in range(record[30]):
        kind, _, size = struct.unpack_from(">BHH", record, at)
        found.append((kind, record[at + 5 : at + 5 + size]))
        at += 5 + size
    return found


def _configured(*sets: tuple[int, bytes]) -> bytes:
    """Return a picture under a configuration with these sets."""
    picture = coded(b"hvc1")
    record = picture.properties[0]
    arrays = b"".join(struct.pack(">BHH", k, 1, len(u)) + u for k, u in sets)
    box_of_sets = box(b"hvcC", record[8:30], bytes([len(sets)]), arrays)
    changed = replace(picture, properties=(box_of_sets, *picture.properties[1:]))
    return heif.assembled([changed], brand=b"heic")


_ENCODED = _sets(coded(b"hvc1").properties[0])


@pytest.mark.parametrize("index", [0, 1, 2], ids=["video", "sequence", "picture"])
def test_bytes_behind_a_parameter_set_are_gone(index: int) -> None:
    sets = list(_ENCODED)
    sets[index] = sets[index][0], sets[index][1] + MARKER

    output = cleaned(_configured(*sets))

    assert output == cleaned(_configured(*_ENCODED))


def test_a_parameter_set_that_no_picture_uses_is_gone() -> None:
    unused = (34, b"\x44\1\x28" + MARKER)

    output = cleaned(_configured(*_ENCODED, unused))

    assert output == cleaned(_configured(*_ENCODED))


def test_parameter_sets_that_are_repeated_in_the_picture_are_told_once() -> None:
    repeated = b"".join(struct.pack(">I", len(u)) + u for _, u in _ENCODED)
    picture = coded(b"hvc1")
    longer = replace(picture, data=repeated + picture.data)

    output = cleaned(heif.assembled([longer], brand=b"heic"))

    assert output == cleaned(heif.assembled([picture], brand=b"heic"))


def test_a_picture_without_its_parameters_is_refused() -> None:
    assert _refusal(_configured(*_ENCODED[:2])) == "unreadable_image"


@pytest.mark.parametrize("index", [0, 1, 2], ids=["video", "sequence", "picture"])
def test_the_independent_reader_knows_where_a_parameter_set_ends(index: int) -> None:
    output = cleaned(_configured(*_ENCODED))
    unit = _ENCODED[index][1]
    at = output.index(unit) + len(unit) - 1
    spoiled = output[:at] + bytes([output[at] ^ 1 or 1]) + output[at + 1 :]

    found = carriers(BytesIO(spoiled), "image/heif")

    assert found != []


def test_a_picture_that_is_turned_twice_is_turned_twice() -> None:
    picture = coded(b"hvc1", (128, 64))
    turned = replace(picture, properties=(*picture.properties, *_QUARTERS))
    source = heif.assembled([turned], brand=b"heic")

    output = cleaned(source)

    assert difference(_shown(source), _shown(output)) == 0


def test_colours_as_quicktime_writes_them_stay() -> None:
    colours = box(b"colr", b"nclc", struct.pack(">HHH", 1, 13, 5))
    picture = coded(b"hvc1")
    named = replace(picture, properties=(*picture.properties, colours))
    source = heif.assembled([named], brand=b"heic")

    output = cleaned(source)

    assert difference(_shown(source), _shown(output)) == 0
