"""Every kind of metadata is gone from the clean copy, and named."""

import struct
from io import BytesIO

import pytest
from PIL import Image, ImageCms

from infra.samples import images
from infra.samples.images import MARKER
from tests.functions.sanitizer.judged import cleaned, findings, judged

_SAMPLES = {
    "photo": images.photo(),
    "png": images.png_with_everything(),
    "palette png": images.png_with_everything("P"),
    "grey png": images.png_with_everything("L"),
    "apng": images.animated_png(),
    "gif": images.animated_gif(),
    "webp": images.webp(),
    "lossless webp": images.lossless_webp(),
    "animated webp": images.animated_webp(),
}
_PLAIN_JPEG = images.jpeg(images.gradient(), quality=90)
_PLAIN_PNG = _SAMPLES["grey png"]


@pytest.mark.parametrize("name", _SAMPLES)
def test_no_trace_of_the_marker_is_left(name: str) -> None:
    source = _SAMPLES[name]

    output = cleaned(source)

    assert MARKER in source
    assert MARKER not in output


@pytest.mark.parametrize("name", _SAMPLES)
def test_the_same_bytes_come_out_every_time(name: str) -> None:
    source = _SAMPLES[name]

    outputs = {cleaned(source) for _ in range(2)}

    assert len(outputs) == 1


@pytest.mark.parametrize("name", _SAMPLES)
def test_a_clean_copy_holds_nothing_to_remove(name: str) -> None:
    output = cleaned(_SAMPLES[name])

    assert findings(output) == set()


def test_a_photo_is_said_to_have_lost_all_it_carried() -> None:
    result, _ = judged(images.photo())

    assert [str(finding) for finding in result.findings] == [
        "application_data",
        "camera_serial",
        "colour_profile",
        "comment",
        "content_credentials",
        "embedded_video",
        "exif",
        "gain_map",
        "gps_position",
        "iptc",
        "maker_note",
        "second_image",
        "text",
        "thumbnail",
        "timestamp",
        "trailing_data",
        "xmp",
    ]


def test_an_image_judged_clean_has_its_exif_stripped() -> None:
    result, _ = judged(images.photo())

    assert result.exif_stripped
    assert result.media_type == "image/jpeg"
    assert result.reason is None


@pytest.mark.parametrize(
    ("marker", "payload", "kind"),
    [
        (0xE0, b"JFXX\0\x10" + _PLAIN_JPEG[:200], "thumbnail"),
        (0xE1, b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0", "exif"),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>", "xmp"),
        (0xE1, b"http://ns.adobe.com/xmp/extension/\0" + MARKER, "xmp"),
        (0xE2, b"MPF\0" + MARKER, "second_image"),
        (0xE2, b"urn:iso:std:iso:ts:21496:-1\0" + MARKER, "gain_map"),
        (0xE2, b"ICC_PROFILE\0\1\1" + MARKER, "colour_profile"),
        (0xE7, MARKER, "application_data"),
        (0xEB, b"JP\0\1" + MARKER, "content_credentials"),
        (0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\0", "iptc"),
        (0xED, b"Photoshop 3.0\x008BIM\x04\x0c\0\0\0\0\0\0", "thumbnail"),
        (0xFE, MARKER, "comment"),
    ],
)
def test_a_jpeg_segment_is_gone_and_named(
    marker: int, payload: bytes, kind: str
) -> None:
    source = _PLAIN_JPEG[:2] + images.segment(marker, payload) + _PLAIN_JPEG[2:]

    output = cleaned(source)

    assert output == cleaned(_PLAIN_JPEG)
    assert kind in findings(source)


@pytest.mark.parametrize(
    ("kind", "payload", "name"),
    [
        (b"tEXt", b"Author\0" + MARKER, "text"),
        (b"tEXt", b"Comment\0" + MARKER, "comment"),
        (b"tEXt", b"date:create\0" + MARKER, "timestamp"),
        (b"tEXt", b"Raw profile type iptc\0" + MARKER, "iptc"),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta/>", "xmp"),
        (b"tIME", bytes(7), "timestamp"),
        (b"eXIf", b"II*\0\x08\0\0\0\0\0\0\0\0\0", "exif"),
        (b"caBX", MARKER, "content_credentials"),
        (b"prVt", MARKER, "application_data"),
        (b"fdAT", bytes(4) + MARKER, "hidden_image"),
    ],
)
@pytest.mark.parametrize("behind", [False, True], ids=["before IDAT", "behind IDAT"])
def test_a_png_chunk_is_gone_and_named(
    kind: bytes, payload: bytes, name: str, behind: bool
) -> None:
    plain = cleaned(_PLAIN_PNG)
    at = len(plain) - 12 if behind else 33
    source = plain[:at] + images.chunk(kind, payload) + plain[at:]

    output = cleaned(source)

    assert output == plain
    assert name in findings(source)


@pytest.mark.parametrize("kind", [b"bKGD", b"hIST", b"sPLT"])
def test_a_png_chunk_that_no_viewer_needs_is_gone(kind: bytes) -> None:
    plain = cleaned(_PLAIN_PNG)
    source = plain[:33] + images.chunk(kind, MARKER[:6]) + plain[33:]

    assert cleaned(source) == plain


@pytest.mark.parametrize(
    ("label", "blocks", "name"),
    [
        (0xFE, [MARKER], "comment"),
        (0x01, [bytes(12), MARKER], "text"),
        (0xFF, [b"PRIVATE 1.0", MARKER], "application_data"),
        (0xFF, [b"XMP DataXMP", b"<x:xmpmeta/>"], "xmp"),
        (0xFF, [b"NETSCAPE2.0", b"\1\0\0", MARKER], "application_data"),
        (0x42, [MARKER], "application_data"),
    ],
)
def test_a_gif_extension_is_gone_and_named(
    label: int, blocks: list[bytes], name: str
) -> None:
    plain = cleaned(images.animated_gif())
    at = 13 + (3 << (plain[10] & 7) + 1)
    body = b"".join(bytes([len(block)]) + block for block in blocks)
    extension = bytes([0x21, label]) + body + b"\0"
    source = plain[:at] + extension + plain[at:]

    output = cleaned(source)

    assert MARKER not in output
    assert name in findings(source)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (b"EXIF", "exif"),
        (b"XMP ", "xmp"),
        (b"C2PA", "content_credentials"),
        (b"prVt", "application_data"),
        (b"ICCP", "colour_profile"),
    ],
)
def test_a_webp_chunk_is_gone_and_named(kind: bytes, name: str) -> None:
    plain = cleaned(images.lossless_webp())
    chunk = kind + struct.pack("<I", len(MARKER)) + MARKER + bytes(len(MARKER) % 2)
    source = b"RIFF" + struct.pack("<I", len(plain) - 8 + len(chunk))
    source += plain[8:] + chunk

    output = cleaned(source)

    assert output == plain
    assert name in findings(source)


def test_a_profile_keeps_its_colours_and_loses_its_owner() -> None:
    source = images.jpeg(images.gradient(), icc_profile=images.profile())

    output = cleaned(source)

    profile = Image.open(BytesIO(output)).info["icc_profile"]
    screen = ImageCms.createProfile("sRGB")
    was, now = (
        ImageCms.applyTransform(
            images.gradient(),
            ImageCms.buildTransform(BytesIO(data), screen, "RGB", "RGB"),
        )
        for data in (images.profile(), profile)
    )
    assert MARKER in images.profile()
    assert MARKER not in profile
    assert now
    assert was
    assert now.tobytes() == was.tobytes()
