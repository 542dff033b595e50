"""The second reader names whatever was planted in a clean file."""

import io
import struct

import pytest
from fastcrc import crc32

from functions.sanitizer.av.strip import strip
from functions.sanitizer.verify.av import carriers
from infra.samples import audio


def clean(data: bytes, media_type: str) -> bytes:
    output = io.BytesIO()
    strip(io.BytesIO(data), output, media_type)
    return output.getvalue()


WAV = clean(audio.wav(seconds=0.01), "audio/wav")
FLAC = clean(audio.flac(), "audio/flac")
MP3 = clean(audio.mp3(), "audio/mpeg")
OGG = clean(audio.ogg_opus(), "audio/ogg")
M4A = clean(audio.m4a(), "audio/mp4")


def found(data: bytes, media_type: str) -> list[str]:
    return carriers(io.BytesIO(data), media_type)


@pytest.mark.parametrize(
    "data",
    [
        WAV + b"LIST\x04\0\0\0INFO",
        WAV + b"x",
        WAV.replace(b"fmt \x10", b"fmt \x12").replace(b"data", b"\0\0data"),
        WAV[:4] + b"\0\0\0\0" + WAV[8:],
        WAV[:12] + b"JUNK\x04\0\0\0hide" + WAV[12:],
    ],
)
def test_a_chunk_or_byte_too_many_in_a_wav_file_is_named(data: bytes) -> None:
    names = found(data, "audio/wav")

    assert names


@pytest.mark.parametrize(
    "data",
    [
        audio.id3v2() + FLAC,
        FLAC + audio.id3v1(),
        FLAC[:-20] + b"hidden" + FLAC[-20:],
        FLAC[:4] + b"\0" + FLAC[5:42] + b"\1\0\0\4hide" + FLAC[42:],
        FLAC[:72] + b"hide" + FLAC[76:],
        FLAC[:-1],
    ],
)
def test_a_block_or_byte_too_many_in_a_flac_file_is_named(data: bytes) -> None:
    names = found(data, "audio/flac")

    assert names


@pytest.mark.parametrize(
    "data",
    [
        audio.id3v2() + MP3,
        MP3 + audio.id3v1(),
        MP3 + audio.apev2(),
        MP3[:-128] + audio.id3v1(),
        MP3[:416] + b"hidden" + MP3[416:],
        MP3[:200] + b"hide" + MP3[204:],
    ],
)
def test_a_tag_or_byte_too_many_in_an_mp3_file_is_named(data: bytes) -> None:
    names = found(data, "audio/mpeg")

    assert names


def page(raw: bytes) -> bytes:
    """An Ogg page with the right checksum."""
    crc = crc32.cksum(raw[:22] + bytes(4) + raw[26:]) ^ 0xFFFFFFFF
    return raw[:22] + struct.pack("<I", crc) + raw[26:]


def spoilt_comment() -> bytes:
    start = OGG.index(b"OggS", 4)
    end = OGG.index(b"OggS", start + 4)
    comment = page(OGG[start:end].replace(b"pratique", b"Jane Roe"))
    return OGG[:start] + comment + OGG[end:]


@pytest.mark.parametrize(
    "data",
    [
        spoilt_comment(),
        OGG + b"hidden",
        b"hidden" + OGG,
        OGG[:-1] + b"x",
        audio.ogg_vorbis(),
        OGG[:100],
    ],
)
def test_a_comment_or_byte_too_many_in_an_ogg_file_is_named(data: bytes) -> None:
    names = found(data, "audio/ogg")

    assert names


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"soun" + bytes(12), b"soun" + b"maker of it\0"),
        (b"mvhd" + bytes(8), b"mvhd" + b"\0\0\0\0date"),
        (b"tkhd\0\0\0\7" + bytes(8), b"tkhd\0\0\0\7\0\0\0\0date"),
        (b"\x15\xc7\0\0", b"\xff\xc7\0\0"),
        (b"\x15\xc7\0\0", b"\x15\xc7\0\1"),
        (b"mdat" + bytes(20), b"mdat" + b"a title of a chapter"),
        (b"stts", b"stss"),
        (b"M4A isom", b"M4A Jane"),
        (b"\0\0\0\x10smhd", b"\0\0\0\x10uuid"),
    ],
)
def test_a_name_date_or_byte_too_many_in_an_m4a_file_is_named(
    old: bytes, new: bytes
) -> None:
    data = M4A.replace(old, new)

    names = found(data, "audio/mp4")

    assert data != M4A
    assert names


@pytest.mark.parametrize(
    "more",
    [
        b"x",
        b"\0\0\0\x0cfreehide",
        b"\0\0\0\x0cuuidhide",
        b"\0\0\0\x0cmdathide",
        b"\0\0\0\x10udtafreehide",
    ],
)
def test_boxes_behind_the_sound_are_named(more: bytes) -> None:
    names = found(M4A + more, "audio/mp4")

    assert names


def test_a_type_without_a_reader_is_never_clean() -> None:
    names = found(b"anything", "audio/x-unheard-of")

    assert names == ["no reader for audio/x-unheard-of"]
