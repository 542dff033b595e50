"""Whatever arrives as audio: a refusal or a clean copy, never anything else."""

import io

import pytest
from hypothesis import given, settings

from functions.sanitizer.av.strip import strip
from functions.sanitizer.verify.av import carriers
from infra.samples import audio
from schemas.errors import Rejected
from tests.functions.sanitizer.stripping import carriers_or_refusal, spoiled

SAMPLES = [
    ("audio/wav", audio.wav(seconds=0.02)),
    ("audio/flac", audio.flac(seconds=0.5)),
    ("audio/mpeg", audio.mp3(seconds=0.2)),
    ("audio/ogg", audio.ogg_vorbis(seconds=0.2)),
    ("audio/ogg", audio.ogg_opus(seconds=0.2)),
    ("audio/mp4", audio.m4a(seconds=0.2)),
    ("audio/mp4", audio.m4a(seconds=0.2, moov_first=False)),
]
FLAC = audio.flac()
WORDS = [
    *(
        b"\0\0\0\0",
        b"\xff\xff\xff\xff",
        b"\0\0\0\1",
        b"\0\0\0\x08",
        b"\x7f\xff\xff\xff",
    ),
    *(b"free", b"moov", b"trak", b"mdat", b"stco", b"esds", b"OggS", b"fLaC", b"data"),
    *(b"RIFF", b"ID3\3", b"TAG", b"APETAGEX", b"\xff\xfb\x90\x00", b"\xff\xf8"),
]


@given(spoiled(SAMPLES, WORDS))
@settings(max_examples=250, deadline=None)
def test_spoiled_audio_is_refused_or_comes_out_clean(spoilt: tuple[str, bytes]) -> None:
    media_type, data = spoilt

    left = carriers_or_refusal(data, media_type)

    assert left in ([], "unreadable_audio")


@given(spoiled(SAMPLES, WORDS))
@settings(max_examples=100, deadline=None)
def test_the_second_reader_follows_anything_to_an_answer(
    spoilt: tuple[str, bytes],
) -> None:
    media_type, data = spoilt

    found = carriers(io.BytesIO(data), media_type)

    assert all(isinstance(name, str) and name for name in found)


def crowd(part: bytes) -> bytes:
    return part * (1_500_000 // len(part))


@pytest.mark.parametrize(
    ("media_type", "data"),
    [
        ("audio/wav", b"RIFF\0\0\0\0WAVE" + crowd(b"abcd\0\0\0\0")),
        ("audio/flac", b"fLaC" + crowd(b"\1\0\0\0")),
        ("audio/flac", FLAC + crowd(FLAC[FLAC.index(b"\xff\xf8") :][:8])),
        ("audio/flac", FLAC[:-300] + crowd(b"-")),
        ("audio/mpeg", crowd(b"ID3\3\0\0\0\0\0\0")),
        ("audio/mpeg", audio.mp3() + crowd(audio.id3v1())),
        ("audio/mpeg", crowd(b"\xff\xfb\x90\0")),
        ("audio/ogg", audio.ogg_opus() + b"-" + crowd(b"OggS\0")),
        ("audio/mp4", audio.m4a() + crowd(b"\0\0\0\x08free")),
        ("audio/mp4", audio.m4a()[:20] + crowd(b"\0\0\0\x08mdat")),
    ],
)
def test_a_crowd_of_tiny_parts_is_refused_before_it_costs_time(
    media_type: str, data: bytes
) -> None:
    with pytest.raises(Rejected) as caught:
        strip(io.BytesIO(data), io.BytesIO(), media_type)

    assert caught.value.reason == "unreadable_audio"


@pytest.mark.parametrize(
    ("media_type", "old", "new", "detail"),
    [
        ("audio/mp4", b"url \0\0\0\1", b"url \0\0\0\0", "outside of the file"),
        ("audio/mp4", b"mp4a", b"drms", "not on the list"),
        ("audio/mp4", b"mvhd", b"cmov", "compressed"),
        ("audio/mp4", b"soun", b"vide", "moving pictures"),
        ("audio/mp4", b"stco", b"free", "where its samples lie"),
        ("audio/ogg", b"\x01vorbis", b"\x80theora", "checksum"),
        (
            "audio/wav",
            b"fmt \x10\0\0\0\1\0",
            b"fmt \x10\0\0\0\x99\0",
            "not on the list",
        ),
    ],
)
def test_what_cannot_be_proven_to_be_only_sound_is_refused(
    media_type: str, old: bytes, new: bytes, detail: str
) -> None:
    data = dict(SAMPLES[::-1])[media_type]
    changed = data.replace(old, new)

    with pytest.raises(Rejected, match=detail):
        strip(io.BytesIO(changed), io.BytesIO(), media_type)

    assert changed != data
