"""Broken, lying and oversized images: a verdict, at once, whatever the bytes are."""

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
from infra.samples import images
from tests.functions.sanitizer.judged import cleaned, judged

_SAMPLES = {
    "jpeg": images.photo(),
    "png": images.png_with_everything(),
    "palette": images.png_with_everything("P"),
    "apng": images.animated_png(),
    "gif": images.animated_gif(),
    "webp": images.webp(),
    "lossless": images.lossless_webp(),
    "animated": images.animated_webp(),
}
_CLEAN = {name: cleaned(data) for name, data in _SAMPLES.items()}


def _png(
    width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 0
) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    end = images.chunk(b"IEND", b"")
    start = b"\x89PNG\r\n\x1a\n" + images.chunk(b"IHDR", header)
    return start + b"".join(chunks) + end


def _jpeg_of_size(width: int, height: int) -> bytes:
    plain = images.jpeg(images.gradient())
    at = plain.index(b"\xff\xc0") + 5
    return plain[:at] + struct.pack(">HH", height, width) + plain[at + 4 :]


# Of a GIF its first frames may be left: test_broken_gifs.
@pytest.mark.parametrize("name", sorted(_CLEAN.keys() - {"gif", "apng"}))
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_image_is_refused(name: str, share: float) -> None:
    whole = _CLEAN[name]

    result, output = judged(whole[: int(len(whole) * share)])

    # A few bytes may not even be a signature.
    assert result.reason == "unreadable_image"
    assert output == b""


@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param(_jpeg_of_size(65000, 65000), id="jpeg"),
        pytest.param(_png(30000, 30000, images.chunk(b"IDAT", b"x")), id="png"),
        pytest.param(
            _png(7000, 7000, images.chunk(b"IDAT", b"x"), depth=16, colour=6),
            id="png with deep alpha",
        ),
        pytest.param(
            b"GIF89a"
            + struct.pack("<HHBBB", 60000, 60000, 0, 0, 0)
            + b"\x2c"
            + struct.pack("<HHHHB", 0, 0, 1, 1, 0)
            + b"\2\2\x44\1\0;",
            id="gif",
        ),
        pytest.param(
            b"GIF89a"
            + struct.pack("<HHBBB", 1, 1, 0, 0, 0)
            + b"\x2c"
            + struct.pack("<HHHHB", 60000, 60000, 1, 1, 0)
            + b"\2\2\x44\1\0;",
            id="gif that stands out of its screen",
        ),
        pytest.param(
            b"RIFF\x1a\0\0\0WEBPVP8L\x0e\0\0\0\x2f\xff\xff\xff\x0f" + bytes(9),
            id="webp",
        ),
    ],
)
def test_a_bomb_is_recognised_by_its_header(bomb: bytes) -> None:
    result, output = judged(bomb)

    assert result.reason == "too_many_pixels"
    assert output == b""


@pytest.mark.parametrize("name", ["apng", "gif", "animated"])
def test_more_frames_than_allowed_are_refused(name: str) -> None:
    result, _ = judged(_SAMPLES[name], limits=Limits(max_frames=2))

    assert result.reason == "too_many_frames"


@pytest.mark.parametrize("name", ["apng", "gif", "animated"])
def test_more_pixels_in_all_frames_than_allowed_are_refused(name: str) -> None:
    result, _ = judged(_SAMPLES[name], limits=Limits(max_total_pixels=2000))

    assert result.reason == "too_many_pixels"


@pytest.mark.parametrize(("frames", "reason"), [(3, None), (4, "too_many_pixels")])
def test_a_long_animation_in_full_colour_counts_by_its_samples(
    frames: int, reason: str | None
) -> None:
    first, *others = (
        Image.new("RGBA", (16, 16), (n, 0, 0, 255)) for n in range(frames)
    )
    source = BytesIO()
    first.save(source, "PNG", save_all=True, append_images=others, blend=0, disposal=1)

    result, _ = judged(source.getvalue(), limits=Limits(max_pixels=16 * 16))

    assert result.reason == reason


def test_a_profile_that_inflates_without_end_is_dropped() -> None:
    bomb = zlib.compress(bytes(64 << 20))
    rows = images.chunk(b"IDAT", zlib.compress(b"\0\1"))
    source = _png(1, 1, images.chunk(b"iCCP", b"x\0\0" + bomb), rows)

    assert cleaned(source) == cleaned(_png(1, 1, rows))


def test_behind_one_profile_that_is_none_no_other_is_inflated() -> None:
    sound = zlib.compress(images.profile())
    profiles = (b"a\0\0" + coded for coded in (b"broken", sound))
    chunks = (images.chunk(b"iCCP", profile) for profile in profiles)
    samples = images.chunk(b"IDAT", zlib.compress(b"\0\0\0\0"))

    output = cleaned(_png(1, 1, *chunks, samples, colour=2))

    assert b"iCCP" not in output


@pytest.mark.parametrize(
    "crumbs",
    [
        pytest.param(_png(1, 1, images.chunk(b"IDAT", b"") * (1 << 18)), id="png"),
        pytest.param(b"GIF89a" + bytes(7) + b"!\xfe" + b"\1\0" * 2_000_000, id="gif"),
    ],
)
def test_an_image_in_very_many_parts_is_refused(crumbs: bytes) -> None:
    result, _ = judged(crumbs)

    assert result.detail
    assert "too many" in result.detail


def test_a_chunk_that_claims_two_gigabytes_is_refused() -> None:
    result, _ = judged(_CLEAN["png"][:33] + b"\x7f\xff\xff\xffIDAT" + bytes(99))

    assert result.reason == "unreadable_image"


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(b"PK\3\4" + bytes(26) + b"evil.sh", id="zip"),
        pytest.param(b"%PDF-1.7\n%EOF", id="pdf"),
        pytest.param(b"<script>alert(1)</script>", id="script"),
        pytest.param(_SAMPLES["png"], id="png"),
    ],
)
@pytest.mark.parametrize("name", _CLEAN)
def test_of_a_polyglot_only_the_image_is_left(name: str, rest: bytes) -> None:
    result, output = judged(_CLEAN[name] + rest)

    assert result.verdict == "clean"
    assert output == _CLEAN[name]


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(b"II*\0\x08\0\0\0" + bytes(90), id="tiff"),
        pytest.param(b"BM" + bytes(12) + b"\x28\0\0\0" + bytes(90), id="bmp"),
        pytest.param(b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(90), id="cr3"),
        pytest.param(b"<?xml version='1.0'?>\n<svg width='1'/>", id="svg"),
        pytest.param(b"8BPS\0\1" + bytes(90), id="psd"),
        pytest.param(b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(90), id="jxl"),
        pytest.param(b"P6\n4 4\n255\n" + bytes(48), id="ppm"),
    ],
)
def test_an_image_that_cannot_be_rebuilt_is_refused(image: bytes) -> None:
    result, output = judged(image)

    assert (result.verdict, result.reason) == ("rejected", "unsupported_image")
    assert result.media_type.startswith("image/")
    assert output == b""


def _mutated(data: bytes, seed: int) -> bytes:
    chance = random.Random(seed)
    mutable = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(mutable))
        match chance.randrange(4):
            case 0:
                mutable[at] = chance.randrange(256)
            case 1:
                mutable[at] ^= 1 << chance.randrange(8)
            case 2:
                del mutable[at : at + chance.randint(1, 20)]
            case 3:
                mutable[at:at] = chance.randbytes(chance.randint(1, 20))
        mutable = mutable or bytearray(b"\0")
    return bytes(mutable)


@settings(max_examples=1000, deadline=None)
@given(st.sampled_from(sorted(_SAMPLES)), st.integers(0, 1 << 32))
def test_damage_leads_to_a_verdict_and_what_is_clean_is_verified(
    name: str, seed: int
) -> None:
    result, output = judged(_mutated(_SAMPLES[name], seed))

    assert (output == b"") == (result.verdict in ("held", "rejected"))
    assert result.reason != "verification_failed"
    if result.verdict == "clean":
        assert carriers(BytesIO(output), result.media_type) == []
        Image.open(BytesIO(output)).load()


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(_SAMPLES)), st.binary(max_size=200))
def test_garbage_behind_a_signature_leads_to_a_verdict(name: str, rest: bytes) -> None:
    result, _ = judged(_SAMPLES[name][:40] + rest)

    assert result.verdict in ("clean", "rejected")
