"""The size of an image as it is seen, from its header."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pillow_heif
import pillow_jxl  # noqa: F401 what it is imported for: Pillow saves JPEG XL
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from functions.metadata.core import describe
from schemas.errors import Rejected
from tests.functions.metadata.far import Far, near


def facts(source: bytes | Far) -> dict[str, int | float | str | bool]:
    file = near(source) if isinstance(source, bytes) else source
    return describe(file, "image/any")  # type: ignore[arg-type] # reads like a file


def picture(kind: str, *, frames: int = 1, mode: str = "RGB", **given: Any) -> bytes:
    images = [Image.new("RGB", (30, 20), (n, n * 9, 200)) for n in range(frames)]
    output = io.BytesIO()
    images[0] = images[0].convert(mode)
    if mode == "RGBA":
        images[0].putpixel((0, 0), (1, 2, 3, 4))
    several = {"save_all": True, "append_images": images[1:]} if frames > 1 else {}
    images[0].save(output, kind, **several, **given)
    return output.getvalue()


def heic(**given: Any) -> bytes:
    output = io.BytesIO()
    file = pillow_heif.from_pillow(Image.new("RGBA", (30, 20), (9, 9, 9, 9)))
    file.save(output, **given)
    return output.getvalue()


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif.tobytes()


@pytest.mark.parametrize(
    "kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "AVIF", "JPEG2000", "JXL"]
)
def test_an_image_yields_size_frames_and_mode(kind: str) -> None:
    found = facts(picture(kind))

    assert found == {"width": 30, "height": 20, "frames": 1, "mode": "RGB"}


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("PNG", "RGBA"),
        ("PNG", "LA"),
        ("PNG", "P"),
        ("PNG", "1"),
        ("PNG", "I;16"),
        ("WEBP", "RGBA"),
        ("TIFF", "CMYK"),
        ("TIFF", "RGBA"),
        ("TIFF", "L"),
        ("TIFF", "F"),
        ("TIFF", "I;16"),
        ("AVIF", "RGBA"),
        ("JPEG", "L"),
        ("JPEG", "CMYK"),
        ("GIF", "P"),
        ("JXL", "RGBA"),
        ("JXL", "L"),
    ],
)
def test_a_mode_is_what_pillow_calls_it(kind: str, mode: str) -> None:
    assert facts(picture(kind, mode=mode))["mode"] == mode


def test_a_heic_yields_size_and_mode() -> None:
    assert facts(heic()) == {"width": 30, "height": 20, "frames": 1, "mode": "RGBA"}


def test_the_largest_picture_of_an_icon_is_described() -> None:
    data = io.BytesIO()
    Image.new("RGBA", (64, 64)).save(data, "ICO", sizes=[(16, 16), (64, 64)])

    assert facts(data.getvalue())["width"] == 64


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_an_image_that_is_to_be_turned_has_the_size_that_is_seen(kind: str) -> None:
    found = facts(picture(kind, exif=turned()))

    assert (found["width"], found["height"]) == (20, 30)


def test_a_tiff_that_is_to_be_turned_has_the_size_that_is_seen() -> None:
    found = facts(picture("TIFF", tiffinfo={0x0112: 8}))

    assert (found["width"], found["height"]) == (20, 30)


def test_exif_behind_the_pixels_of_a_png_turns_it_too() -> None:
    data = picture("PNG")
    exif = b"eXIf" + turned().removeprefix(b"Exif\0\0")
    chunk = (
        struct.pack(">I", len(exif) - 4) + exif + struct.pack(">I", zlib.crc32(exif))
    )

    assert facts(data[:-12] + chunk + data[-12:])["width"] == 20


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_an_animation_yields_its_frames_and_how_long_they_last(kind: str) -> None:
    found = facts(picture(kind, frames=4, duration=[500, 250, 100, 150]))

    assert [found["frames"], found["duration_seconds"]] == pytest.approx([4, 1.0])


def test_frames_without_a_delay_last_as_long_as_browsers_show_them() -> None:
    found = facts(picture("GIF", frames=3, duration=10))

    assert found["duration_seconds"] == pytest.approx(0.3)


def test_pages_are_counted() -> None:
    found = facts(picture("TIFF", frames=3))

    assert (found["frames"], "duration_seconds" in found) == (3, False)


def test_pages_that_lead_back_to_the_first_are_counted_once() -> None:
    data = bytearray(picture("TIFF"))
    first = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[first : first + 2], "little")
    end = first + 2 + 12 * count
    data[end : end + 4] = data[4:8]

    assert facts(bytes(data))["frames"] == 1


def far_png() -> Far:
    data, size = picture("PNG"), 100 << 20
    pixels = struct.pack(">I4s", size - 57, b"IDAT")
    return Far(size, {0: data[:33] + pixels, size - 12: data[-12:]})


def far_webp() -> Far:
    size = 100 << 20
    head = b"RIFF" + struct.pack("<I", size - 8) + b"WEBPVP8X" + struct.pack("<I", 10)
    head += bytes([8, 0, 0, 0]) + struct.pack("<IH", 29 | 19 << 24, 0)
    head += b"VP8 " + struct.pack("<I", size - 12 - 18 - 8 - 200)
    exif = b"EXIF" + struct.pack("<I", len(turned())) + turned()
    return Far(size, {0: head, size - 200: exif})


def far_tiff() -> Far:
    """The only page stands at the end."""
    data, size = picture("TIFF"), 100 << 20
    first = int.from_bytes(data[4:8], "little")
    head = data[:4] + struct.pack("<I", size - len(data) + first)
    return Far(size, {0: head, size - len(data) + first: data[first:]})


def far_avif() -> Far:
    data = picture("AVIF")
    return Far(100 << 20, {0: data, len(data): struct.pack(">I4s", 99 << 20, b"free")})


def far_jpeg() -> Far:
    data = picture("JPEG", icc_profile=bytes(200_000))
    return Far(100 << 20, {0: data})


@pytest.mark.parametrize("make", [far_png, far_webp, far_tiff, far_avif, far_jpeg])
def test_an_image_costs_six_blocks_at_most(make: Callable[[], Far]) -> None:
    source = make()

    found = facts(source)

    assert {found["width"], found["height"]} == {30, 20}
    assert len(source.fetched) <= 6


KINDS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "AVIF", "JPEG2000", "JXL", "GIF")
SAMPLES = [*(picture(kind) for kind in KINDS), picture("PNG", frames=3), heic()]


@given(st.sampled_from(SAMPLES), st.data())
@settings(max_examples=300, deadline=None)
def test_a_spoiled_image_is_described_or_refused_without_a_trace(
    sample: bytes, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(sample)))
    gone = data.draw(st.sampled_from([0, 1, 4, 30]))
    spoiled = sample[:at] + data.draw(st.binary(max_size=12)) + sample[at + gone :]

    try:
        detail = str(facts(spoiled).get("width", "."))
    except Rejected as exc:
        detail = exc.detail

    assert detail.isdigit() or detail.endswith(".")


@pytest.mark.parametrize(
    "data",
    [picture("PNG")[:20], b"\xff\xd8\xff\xe0", b"GIF89a", heic()[:60], b"II*\0"],
)
def test_an_image_that_is_broken_is_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        facts(data)

    assert caught.value.reason == "unreadable_image"
    assert caught.value.detail.endswith(".")


def test_a_format_off_the_list_is_no_image_for_it() -> None:
    with pytest.raises(Rejected) as caught:
        describe(io.BytesIO(b"/* XPM */ static char *a[] = {"), "image/x-xpixmap")

    assert caught.value.reason == "unreadable_image"
