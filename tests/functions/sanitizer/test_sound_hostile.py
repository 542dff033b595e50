"""Whatever arrives as one of the less common containers: a refusal or a clean copy."""

import io
import struct

import pytest
from hypothesis import given, settings

from functions.sanitizer.av.strip import strip
from functions.sanitizer.verify.av import carriers
from infra.samples import audio, sounds
from schemas.errors import Rejected
from tests.functions.sanitizer.stripping import carriers_or_refusal, spoiled

SAMPLES = [
    ("audio/aiff", sounds.aiff(seconds=0.02)),
    ("audio/aiff", sounds.aiff(seconds=0.02, coding=b"sowt")),
    ("audio/wav", sounds.rf64(seconds=0.02)),
    ("audio/aac", sounds.adts(seconds=0.2)),
    ("audio/x-wavpack", sounds.wavpack(seconds=0.2)),
    ("audio/x-ape", sounds.ape(seconds=0.5)),
    ("audio/ogg", sounds.ogg_flac(seconds=0.2)),
    ("video/ogg", sounds.ogg_theora(seconds=0.2)),
    ("audio/x-ms-wma", sounds.wma(seconds=0.1)),
    ("video/x-ms-wmv", sounds.wma(seconds=0.1, pictures=True)),
]
WORDS = [
    *(b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\1", b"\1\0\0\0", b"\x7f\xff\xff\xff"),
    *(b"COMM", b"SSND", b"ds64", b"data", b"wvpk", b"MAC ", b"OggS", b"\xff\xf1"),
    *(b"ID3\3", b"TAG", b"APETAGEX", b"\x21\2Jane", b"\x82\0\0\x11"),
]


@given(spoiled(SAMPLES, WORDS))
@settings(max_examples=200, deadline=None)
def test_spoiled_sound_is_refused_or_comes_out_clean(spoilt: tuple[str, bytes]) -> None:
    media_type, data = spoilt

    left = carriers_or_refusal(data, media_type)

    assert left in ([], "unreadable_audio")


@given(spoiled(SAMPLES, WORDS))
@settings(max_examples=60, deadline=None)
def test_the_second_reader_follows_anything_to_an_answer(
    spoilt: tuple[str, bytes],
) -> None:
    media_type, data = spoilt

    found = carriers(io.BytesIO(data), media_type)

    assert all(isinstance(name, str) and name for name in found)


def crowd(part: bytes) -> bytes:
    return part * (1_000_000 // len(part))


def block(body: bytes) -> bytes:
    return b"wvpk" + struct.pack("<I", 24 + len(body)) + bytes(24) + body


WMA = sounds.wma(seconds=0.1)
EMPTY_OBJECT = bytes(16) + struct.pack("<Q", 24)
CROWDED = EMPTY_OBJECT * 60_000
HEAD = WMA[:16] + struct.pack("<QIH", 30 + len(CROWDED), 1, 0x0201)


@pytest.mark.parametrize(
    ("media_type", "data"),
    [
        ("audio/aiff", b"FORM\0\0\0\0AIFF" + crowd(b"abcd\0\0\0\0")),
        ("audio/aac", crowd(b"\xff\xf1\x50\x80")),
        ("audio/x-wavpack", block(crowd(b"\x2d\0"))),
        ("audio/x-ape", b"MAC " + crowd(b"\x96\x0f\0\0\x34\0\0\0")),
        ("audio/x-ms-wma", HEAD + CROWDED + WMA[30:]),
        ("audio/x-ms-wma", WMA[:16] + b"\xff" * 8 + WMA[24:]),
    ],
)
def test_a_crowd_of_tiny_parts_is_refused_before_it_costs_time(
    media_type: str, data: bytes
) -> None:
    with pytest.raises(Rejected) as caught:
        strip(io.BytesIO(data), io.BytesIO(), media_type)

    assert caught.value.reason == "unreadable_audio"


WAVPACK = sounds.wavpack()
OPUS = audio.ogg_opus(seconds=0.01, comment=bytes(8))


@pytest.mark.parametrize(
    ("media_type", "data", "detail"),
    [
        ("audio/aiff", sounds.aiff(coding=b"Jane"), "not on the list"),
        ("audio/aiff", SAMPLES[0][1].replace(b"SSND", b"free"), "no sound"),
        ("audio/wav", sounds.rf64().replace(b"ds64", b"free"), "how large"),
        ("audio/x-wavpack", WAVPACK + b"junk" + WAVPACK, "no block"),
        ("audio/x-wavpack", block(b"\x0f\x01\0\0"), "not on the list"),
        ("audio/x-wavpack", block(b"\x04\xff\0\0"), "inner structure"),
        ("audio/x-ape", sounds.ape()[:-400], "before its sound"),
        ("audio/x-ape", sounds.ape().replace(b"MAC \x96", b"MAC \0"), "older"),
        ("audio/ogg", b"OggS", "holds no sound"),
        ("audio/ogg", OPUS[:60], "before its first sound"),
        ("audio/ogg", OPUS[:47] + OPUS, "before its first sound"),
        ("audio/ogg", OPUS * 1_100, "too many streams"),
        ("audio/x-ms-wma", WMA[: WMA.index(b"\x82\0\0\x11")], "no sound"),
        (
            "audio/x-ms-wma",
            WMA.replace(b"\x82\0\0\x11\x5d", b"\x82\0\0\x11\x5f"),
            "packet",
        ),
    ],
)
def test_what_cannot_be_followed_is_refused(
    media_type: str, data: bytes, detail: str
) -> None:
    with pytest.raises(Rejected, match=detail):
        strip(io.BytesIO(data), io.BytesIO(), media_type)
