"""The independent reader finds what is planted in a clean image."""

import struct
import zlib
from io import BytesIO

import pytest

from functions.sanitizer import core
from functions.sanitizer.findings import Finding
from functions.sanitizer.verify.images import carriers
from infra.samples import images
from infra.samples.images import MARKER
from tests.functions.sanitizer.judged import cleaned, judged

_JPEG = cleaned(images.jpeg(images.gradient(), icc_profile=images.profile()))
_PNG = cleaned(images.png_with_everything("RGB"))
_GIF = cleaned(images.animated_gif())
_WEBP = cleaned(images.lossless_webp())


def _carriers(data: bytes, kind: str) -> list[str]:
    return carriers(BytesIO(data), f"image/{kind}")


def _behind(data: bytes, at: int, planted: bytes) -> bytes:
    return data[:at] + planted + data[at:]


def _riff(chunks: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


@pytest.mark.parametrize(
    ("data", "kind"), [(_JPEG, "jpeg"), (_PNG, "png"), (_GIF, "gif"), (_WEBP, "webp")]
)
def test_a_clean_image_has_no_carriers(data: bytes, kind: str) -> None:
    assert _carriers(data, kind) == []


@pytest.mark.parametrize(
    ("data", "kind"), [(_JPEG, "jpeg"), (_PNG, "png"), (_GIF, "gif"), (_WEBP, "webp")]
)
@pytest.mark.parametrize("rest", [b"\0", MARKER])
def test_bytes_behind_the_end_are_found(data: bytes, kind: str, rest: bytes) -> None:
    assert _carriers(data + rest, kind)


@pytest.mark.parametrize(
    ("data", "kind"), [(_JPEG, "jpeg"), (_PNG, "png"), (_GIF, "gif"), (_WEBP, "webp")]
)
def test_an_image_that_stops_is_found(data: bytes, kind: str) -> None:
    assert all(_carriers(data[:size], kind) for size in range(0, len(data) - 1, 7))


@pytest.mark.parametrize(
    "planted",
    [
        images.segment(0xE1, b"Exif\0\0" + MARKER),
        images.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0"),
        images.segment(0xE2, b"MPF\0" + MARKER),
        images.segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\1\1abc"),
        images.segment(0xE0, b"JFXX\0\x10" + MARKER),
        images.segment(0xED, MARKER),
        images.segment(0xEE, b"Adobe\0\x64\0\0\0\0\1" + MARKER),
        images.segment(0xFE, MARKER),
        images.segment(0xDB, b"\3" + bytes(64)),
        images.segment(0xDB, b"\0" + bytes(64) + MARKER),
        MARKER,
    ],
)
def test_what_is_planted_in_a_jpeg_is_found(planted: bytes) -> None:
    assert _carriers(_behind(_JPEG, 2, planted), "jpeg")


@pytest.mark.parametrize(
    "planted",
    [
        images.chunk(b"tEXt", b"Comment\0" + MARKER),
        images.chunk(b"eXIf", MARKER),
        images.chunk(b"tIME", bytes(7)),
        images.chunk(b"gAMA", MARKER),
        images.chunk(b"prVt", MARKER),
        images.chunk(b"IDAT", zlib.compress(MARKER)),
        images.chunk(b"PLTE", MARKER),
        images.chunk(b"iCCP", MARKER + b"\0\0" + zlib.compress(MARKER)),
        images.chunk(b"pHYs", bytes(9))[:-1] + b"!",
    ],
)
def test_what_is_planted_in_a_png_is_found(planted: bytes) -> None:
    assert _carriers(_behind(_PNG, 33, planted), "png")


def test_bytes_in_the_stream_behind_the_rows_of_a_png_are_found() -> None:
    at = _PNG.rindex(b"IEND") - 4

    assert _carriers(_behind(_PNG, at, images.chunk(b"IDAT", MARKER)), "png")


@pytest.mark.parametrize(
    "planted",
    [
        b"\x21\xfe" + bytes([len(MARKER)]) + MARKER + b"\0",
        b"\x21\xff\x0bXMP DataXMP\0",
        b"\x21\xff\x0bNETSCAPE2.0\3\1\0\0\3abc\0",
        b"\x21\xf9\5\0\0\0\0!\0",
        b"\x21\x01\0",
        MARKER,
    ],
)
def test_what_is_planted_in_a_gif_is_found(planted: bytes) -> None:
    at = 13 + (3 << (_GIF[10] & 7) + 1)

    assert _carriers(_behind(_GIF, at, planted), "gif")


def test_bytes_behind_the_end_code_of_a_gif_are_found() -> None:
    planted = bytes([len(MARKER)]) + MARKER

    assert _carriers(_behind(_GIF, len(_GIF) - 2, planted), "gif")


@pytest.mark.parametrize("kind", [b"EXIF", b"XMP ", b"prVt", b"VP8L"])
def test_what_is_planted_in_a_webp_is_found(kind: bytes) -> None:
    chunk = kind + struct.pack("<I", 12) + MARKER[:12]

    assert _carriers(_riff(_WEBP[12:] + chunk), "webp")


def test_padding_that_is_data_is_found_in_a_webp() -> None:
    odd = b"ALPH" + struct.pack("<I", 3) + b"\0\1\1"

    assert _carriers(_riff(_WEBP[12:] + odd + b"\0"), "webp") == []
    assert _carriers(_riff(_WEBP[12:] + odd + b"!"), "webp")


@pytest.mark.parametrize(
    ("where", "planted"),
    [
        (24, b"\x07\xe8\0\5\0\1"),  # date
        (48, b"NIKN"),  # maker
        (84, b"12345678"),  # identifier
        (132, b"mmod"),  # a tag that is not colour
    ],
)
def test_what_is_planted_in_a_profile_is_found(where: int, planted: bytes) -> None:
    start = _JPEG.index(b"ICC_PROFILE\0") + 14 + where
    data = _JPEG[:start] + planted + _JPEG[start + len(planted) :]

    assert _carriers(data, "jpeg")


def test_what_the_reader_finds_is_never_promoted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def careless(
        source: BytesIO, output: BytesIO, *_: object, lossless: bool
    ) -> list[Finding]:
        output.write(source.getvalue())
        return []

    monkeypatch.setattr(core, "rebuild", careless)

    result, output = judged(images.photo())

    assert (result.verdict, result.reason) == ("rejected", "verification_failed")
    assert output == b""
