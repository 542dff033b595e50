"""Gains in tags stay, as numbers in one form; what is no number goes."""

import io
import struct

import pytest

from functions.sanitizer.av.tags_gain import comment_of
from functions.sanitizer.verify.av import carriers
from infra.samples import audio, sounds
from tests.functions.sanitizer.stripping import stripped

GAINS = {"REPLAYGAIN_TRACK_GAIN": "-6.50 dB", "REPLAYGAIN_TRACK_PEAK": "0.987654"}


def ape_tag(*items: tuple[str, str]) -> bytes:
    body = b"".join(
        struct.pack("<II", len(value), 0) + f"{name}\0{value}".encode()
        for name, value in items
    )
    sizes = struct.pack("<4I8x", 2000, len(body) + 32, len(items), 0x8000_0000)
    return body + b"APETAGEX" + sizes


def id3_tag(name: str, value: str) -> bytes:
    text = b"\1" + name.encode("utf-16") + b"\0\0" + value.encode("utf-16")
    frame = b"TXXX" + struct.pack(">IH", len(text), 0) + text
    return b"ID3\3\0\0\0\0" + bytes([len(frame) >> 7, len(frame) & 127]) + frame


TAGGED_GAINS = [
    ("audio/mpeg", b"", audio.mp3(seconds=0.2), ape_tag(*GAINS.items())),
    (
        "audio/mpeg",
        id3_tag(*next(iter(GAINS.items()))),
        audio.mp3(seconds=0.2)[300:],
        b"",
    ),
    ("audio/aac", b"", sounds.adts(), ape_tag(*GAINS.items())),
    ("audio/x-wavpack", b"", sounds.wavpack(), ape_tag(*GAINS.items())),
    ("audio/x-ape", b"", sounds.ape(), ape_tag(*GAINS.items())),
]


@pytest.mark.parametrize(("media_type", "before", "sound", "behind"), TAGGED_GAINS)
def test_gains_in_a_tag_stay_in_one_form(
    media_type: str, before: bytes, sound: bytes, behind: bytes
) -> None:
    clean = stripped(before + sound + behind, media_type)

    assert clean.count(b"REPLAYGAIN_TRACK_GAIN\0-6.50 dB") == 1
    assert stripped(clean, media_type) == clean
    assert carriers(io.BytesIO(clean), media_type) == []


COMMENTED = audio.comment_of(audio.MARKER, field=b"replaygain_TRACK_gain=-6.5dB")


@pytest.mark.parametrize(
    ("media_type", "data"),
    [
        ("audio/ogg", audio.ogg_vorbis(seconds=0.2, comment=COMMENTED)),
        ("audio/ogg", audio.ogg_opus(seconds=0.2, comment=COMMENTED)),
        ("audio/flac", audio.flac(seconds=0.2, comment=COMMENTED)),
    ],
)
def test_gains_in_comments_stay_in_one_form(media_type: str, data: bytes) -> None:
    clean = stripped(data, media_type)

    assert comment_of({"REPLAYGAIN_TRACK_GAIN": "-6.50 dB"}) in clean
    assert stripped(clean, media_type) == clean
    assert carriers(io.BytesIO(clean), media_type) == []


@pytest.mark.parametrize(
    "value", ["-6.5 dB by Jane", "Jane", "123456", "-6.5\0", "١ dB", "nan", "+-1", ""]
)
def test_what_is_no_number_is_no_gain(value: str) -> None:
    tag = ape_tag(("REPLAYGAIN_TRACK_GAIN", value), ("MP3GAIN_UNDO", "+1,+1,N"))

    clean = stripped(audio.mp3(seconds=0.2) + tag, "audio/mpeg")

    assert clean == stripped(audio.mp3(seconds=0.2), "audio/mpeg")
