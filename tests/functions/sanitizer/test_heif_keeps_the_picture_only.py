"""HEIC and AVIF: what shows stays bit by bit, everything else goes."""

import struct
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import pillow_heif
import pytest
from PIL import Image

from infra.samples import heif
from infra.samples.heif import Part, box, coded, full, nal, obu
from infra.samples.images import MARKER, gradient
from tests.functions.sanitizer.judged import cleaned, findings

_EXPECTED = {"exif", "gps_position", "camera_serial", "maker_note", "xmp", "timestamp"}
_METADATA, _PADDING = obu(5, MARKER), obu(15, MARKER)


def _shown(data: bytes) -> Image.Image:
    """Decode as a viewer would, turned and cropped."""
    if b"hvcC" in data:
        return pillow_heif.open_heif(BytesIO(data)).to_pillow()
    image = Image.open(BytesIO(data))
    image.load()
    return image


def _hevc(picture: Part, data: bytes) -> bytes:
    return heif.assembled([replace(picture, data=data)], brand=b"heic")


@pytest.mark.parametrize("sample", [heif.heic, heif.avif, heif.animated_avif])
def test_nothing_but_pictures_is_left(sample: Callable[[], bytes]) -> None:
    source = sample()

    output = cleaned(source)

    assert MARKER not in output
    assert _EXPECTED - {"xmp"} <= findings(source)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
@pytest.mark.parametrize("sample", [heif.heic, heif.avif])
def test_every_pixel_stays(sample: Callable[..., bytes], mode: str) -> None:
    source = sample(gradient((64, 48), mode))

    output = cleaned(source)

    assert _shown(output).tobytes() == _shown(source).tobytes()
    assert _shown(output).mode == _shown(source).mode


def test_tiles_stay_a_picture() -> None:
    source = heif.heic(gradient((200, 130)), tile_size=64)

    output = cleaned(source)

    assert b"grid" in output
    assert _shown(output).tobytes() == _shown(source).tobytes()


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_an_animation_keeps_its_frames_and_times(mode: str) -> None:
    source = heif.animated_avif(mode)

    before, after = (Image.open(BytesIO(d)) for d in (source, cleaned(source)))

    for index in range(3):
        for image in (before, after):
            image.seek(index)
            image.load()
        assert after.tobytes() == before.tobytes()
        assert after.info["duration"] == before.info["duration"] > 0


def test_an_animation_does_not_say_when_it_was_made() -> None:
    source = heif.animated_avif()

    output = cleaned(source)

    at = output.index(b"mvhd") + 8
    assert any(source[source.index(b"mvhd") + 8 :][:16])
    assert not any(output[at : at + 16])


@pytest.mark.parametrize(
    ("turn", "size"),
    [(box(b"irot", b"\1"), (64, 64)), (box(b"imir", b"\1"), (64, 64))],
)
def test_a_turn_stays(turn: bytes, size: tuple[int, int]) -> None:
    picture = coded(b"hvc1", size)
    turned = replace(picture, properties=(*picture.properties, turn))
    source = heif.assembled([turned], brand=b"heic")

    output = cleaned(source)

    assert turn in output
    assert _shown(output).tobytes() == _shown(source).tobytes()
    assert _shown(output).tobytes() != _shown(_hevc(picture, picture.data)).tobytes()


def test_a_crop_that_decoders_round_off_stays() -> None:
    picture = coded(b"hvc1")
    far_left = struct.pack(">IIIIiIiI", 63, 1, 64, 1, -32768, 2, 0, 1)
    cropped = replace(picture, properties=(*picture.properties, box(b"clap", far_left)))
    source = heif.assembled([cropped], brand=b"heic")

    output = cleaned(source)

    assert _shown(output).size == _shown(source).size
    assert _shown(output).tobytes() == _shown(source).tobytes()


@pytest.mark.parametrize(
    "source",
    [
        heif.assembled([coded()], slack=MARKER),
        heif.assembled([coded()], inside=box(b"uuid", bytes(16), MARKER)),
        heif.assembled([coded()], inside=box(b"idat", MARKER)),
        heif.assembled([replace(coded(), name=MARKER)]),
        heif.assembled([coded(), Part(b"mime", MARKER, name=b"\0text/plain")]),
        heif.assembled([coded(), replace(coded(), name=MARKER)]),
        heif.assembled(
            [replace(coded(), properties=(*coded().properties, box(b"abcd", MARKER)))]
        ),
        heif.assembled(
            [replace(coded(), properties=(*coded().properties, full(b"udes", MARKER)))]
        ),
    ],
    ids=["slack", "uuid", "idat", "name", "item", "second", "property", "description"],
)
def test_what_hides_in_the_container_is_gone(source: bytes) -> None:
    output = cleaned(source)

    assert MARKER not in output
    assert _shown(output).tobytes() == _shown(source).tobytes()


def test_bytes_that_no_item_uses_are_named() -> None:
    assert "padding" in findings(heif.assembled([coded()], slack=MARKER))


@pytest.mark.parametrize(
    "data",
    [
        _METADATA + coded().data,
        coded().data + _METADATA,
        coded().data + _PADDING,
        coded().data + obu(9, MARKER),
        obu(2, b"") + coded().data,
        coded().data + coded().data,
    ],
    ids=["metadata", "behind", "padding", "reserved", "delimiter", "second"],
)
def test_what_hides_in_av1_is_gone(data: bytes) -> None:
    output = cleaned(heif.assembled([replace(coded(), data=data)]))

    assert output == cleaned(heif.assembled([coded()]))


@pytest.mark.parametrize(
    "around",
    [
        (nal(39, MARKER), b""),
        (b"", nal(40, MARKER)),
        (b"", nal(38, MARKER)),
        (b"", nal(48, MARKER)),
        (b"", bytes(7)),
        (b"", coded(b"hvc1").data),
    ],
    ids=["message", "behind", "filler", "unspecified", "zeros", "second"],
)
def test_what_hides_in_hevc_is_gone(around: tuple[bytes, bytes]) -> None:
    picture = coded(b"hvc1")
    data = around[0] + picture.data + around[1]

    output = cleaned(_hevc(picture, data))

    assert output == cleaned(_hevc(picture, picture.data))


def test_what_hides_in_a_configuration_is_gone() -> None:
    picture = coded()
    configuration = picture.properties[0][8:]
    loaded = box(b"av1C", configuration, _METADATA)
    source = replace(picture, properties=(loaded, picture.properties[1]))

    output = cleaned(heif.assembled([source]))

    assert output == cleaned(heif.assembled([picture]))


def test_a_message_among_parameter_sets_is_gone() -> None:
    picture = coded(b"hvc1")
    record = bytearray(picture.properties[0][8:])
    record[22] += 1
    unit = nal(39, MARKER)[4:]
    extra = struct.pack(">BHH", 39, 1, len(unit)) + unit
    loaded = (box(b"hvcC", bytes(record) + extra), picture.properties[1])
    source = heif.assembled([replace(picture, properties=loaded)], brand=b"heic")

    output = cleaned(source)

    assert output == cleaned(_hevc(picture, picture.data))


def test_alpha_stays_and_other_auxiliary_pictures_go() -> None:
    def auxiliary(kind: bytes) -> Part:
        added = (*coded().properties, heif.auxiliary(kind))
        return replace(coded(), properties=added)

    depth = b"urn:mpeg:mpegB:cicp:systems:auxiliary:depth"
    parts = [coded(), auxiliary(depth), auxiliary(heif.ALPHA)]
    links = [heif.reference(b"auxl", 2, 1), heif.reference(b"auxl", 3, 1)]
    source = heif.assembled(parts, links)

    output = cleaned(source)

    assert heif.ALPHA in output
    assert depth not in output
    assert _shown(output).mode == "RGBA"


def test_a_picture_under_a_general_brand_opens_with_its_own_decoder() -> None:
    turned = (*coded().properties, box(b"irot", b"\1"))
    picture = replace(coded(size=(64, 48)), properties=turned)
    source = heif.assembled([picture], brand=b"mif1")

    output = cleaned(source)

    assert Image.open(BytesIO(output)).format == "AVIF"


def test_a_gain_map_goes_and_the_picture_under_it_stays() -> None:
    parts = [coded(), replace(coded(), name=b"map"), Part(b"tmap", MARKER)]
    source = heif.assembled(parts, [heif.reference(b"dimg", 3, 1, 2)])

    output = cleaned(source)

    assert output == cleaned(heif.assembled([coded()]))
    assert "gain_map" in findings(source)
