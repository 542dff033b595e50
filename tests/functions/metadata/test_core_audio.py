"""The figures of a sound, from its own bytes and few of them."""

import io
import struct
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from functions.metadata.core import describe
from functions.sanitizer.av.strip import strip
from infra.samples import audio, sounds
from schemas.errors import Rejected, Unavailable

BLOCK = 1 << 16
ANYTHING = "application/octet-stream"


def facts(data: bytes, media_type: str = ANYTHING) -> Mapping[str, object]:
    return describe(io.BytesIO(data), media_type)


def clean(data: bytes, media_type: str) -> bytes:
    output = io.BytesIO()
    strip(io.BytesIO(data), output, media_type)
    return output.getvalue()


KBITS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
MP3_SECONDS = 38 * 1152 / 44_100
FIGURES = [
    (audio.wav(seconds=2), 2.0, 8000, 128.0, 1),
    (audio.wav(seconds=0.5, rate=44_100), 0.5, 44_100, 705.6, 1),
    (audio.flac(seconds=3), 3.0, 8000, None, 1),
    (sounds.aiff(), 1.0, 8000, 128.0, 1),
    (sounds.aiff(coding=b"ima4"), 470 * 64 / 8000, 8000, 34.0, 1),
    (audio.mp3(), MP3_SECONDS, 44_100, 63.7, 1),
    (clean(audio.mp3(xing=False), "audio/mpeg"), MP3_SECONDS, 44_100, 63.7, 1),
    (audio.ogg_vorbis(seconds=2), 2.0, 8000, 64.0, 1),
    (audio.ogg_opus(seconds=2), 2.0, 48_000, None, 1),
    (audio.m4a(), 43 * 1024 / 44_100, 44_100, 3.1, 2),
    (audio.m4a(moov_first=False), 43 * 1024 / 44_100, 44_100, 3.1, 2),
]


@pytest.mark.parametrize(("data", "seconds", "rate", "bitrate", "channels"), FIGURES)
def test_a_sound_yields_its_figures(
    data: bytes, seconds: float, rate: int, bitrate: float | None, channels: int
) -> None:
    found = facts(data)

    assert found["duration_seconds"] == pytest.approx(seconds, rel=0.001)
    assert (found["samplerate"], found["channels"]) == (rate, channels)
    if bitrate is not None:
        assert found["bitrate"] == pytest.approx(bitrate, rel=0.01)
    assert set(found) == {"duration_seconds", "samplerate", "bitrate", "channels"}


CLEAN = {
    "wav": clean(audio.wav(seconds=0.2), "audio/wav"),
    "flac": clean(audio.flac(), "audio/flac"),
    "mp3": clean(audio.mp3(), "audio/mpeg"),
    "vorbis": clean(audio.ogg_vorbis(), "audio/ogg"),
    "opus": clean(audio.ogg_opus(), "audio/ogg"),
    "m4a": clean(audio.m4a(), "audio/mp4"),
    "m4a with moov last": clean(audio.m4a(moov_first=False), "audio/mp4"),
}


@given(st.sampled_from(sorted(CLEAN)), st.floats(0, 1, exclude_max=True))
@settings(max_examples=200, deadline=None)
def test_sound_that_was_cut_anywhere_is_refused_with_a_sentence(
    name: str, part: float
) -> None:
    cut = CLEAN[name][: int(len(CLEAN[name]) * part)]
    # Some encoders count the tag of 128 bytes behind MP3: that cut can't be told.
    assume(len(CLEAN[name]) - len(cut) != 128)

    with pytest.raises(Rejected) as caught:
        facts(cut, "audio/any")

    assert caught.value.reason == "unreadable_audio"
    assert caught.value.detail.endswith(".")


def test_a_constant_rate_without_counts_shows_a_cut_inside_of_a_frame() -> None:
    data = clean(audio.mp3(xing=False), "audio/mpeg")

    with pytest.raises(Rejected, match="cut off"):
        facts(data[:-1])


def test_a_transfer_that_stopped_is_refused_with_its_tags_too() -> None:
    samples = [audio.wav(), audio.flac(), audio.mp3(), audio.ogg_opus(), audio.m4a()]

    for data in samples:
        with pytest.raises(Rejected):
            facts(audio.truncated(data))


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A clean sample in which some bytes were changed, cut out or put in."""
    data = draw(st.sampled_from(list(CLEAN.values())))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        gone = draw(st.sampled_from([0, 1, 4, 4, 30]))
        data = data[:at] + draw(st.binary(max_size=12)) + data[at + gone :]
    return data


def facts_or_refusal(data: bytes) -> Mapping[str, Any]:
    try:
        return facts(data, "audio/any")
    except Rejected as exc:
        return {"detail": exc.detail}


@given(spoiled())
@settings(max_examples=200, deadline=None)
def test_spoiled_sound_is_described_or_refused_without_a_trace(data: bytes) -> None:
    found = facts_or_refusal(data)

    # Two bytes in front can make a film or a picture of it, or what is none of these.
    told = not found or {"samplerate", "width", "has_audio"} & set(found)
    assert told or found["detail"].endswith(".")


def test_a_rate_that_changes_slowly_is_followed_without_a_header_that_counts() -> None:
    rates = [*range(8, 12), *range(11, 7, -1)]  # 112 to 192 kbit/s and back
    data = b"".join(
        b"\xff\xfb" + bytes([rate << 4, 0xC0]) + bytes(size - 4)
        for rate in rates
        for size in [144_000 * KBITS[rate] // 44_100] * 800
    )

    found = facts(data)["duration_seconds"]

    assert found == pytest.approx(8 * 800 * 1152 / 44_100, rel=0.05)


def test_frames_that_an_encoder_counted_need_no_count_of_bytes() -> None:
    first = b"\xff\xfb\x50\xc0" + bytes(17) + b"Info" + struct.pack(">II", 1, 1000)

    found = facts(first.ljust(208, b"\0") + b"\xff\xfb\x50\xc0".ljust(208, b"\0") * 38)

    assert found["duration_seconds"] == pytest.approx(1000 * 1152 / 44_100)


def test_a_recording_of_a_station_lasts_from_where_it_began() -> None:
    data = audio.ogg_opus(seconds=400)
    cut = data.index(b"OggS", len(data) // 2)
    headers = data[: data.index(b"OggS", data.index(b"OpusTags"))]

    found = facts(headers + data[cut:])["duration_seconds"]

    assert found == pytest.approx(200, rel=0.02)


def test_the_rate_of_compressed_samples_is_that_of_their_bytes() -> None:
    layout = struct.pack(">hIh", 1, 8000, 16) + b"\x40\x0b\xfa" + bytes(7) + b"ulaw\0\0"
    body = b"COMM" + struct.pack(">I", len(layout)) + layout
    body += b"SSND" + struct.pack(">I", 8008) + bytes(8008)

    found = facts(b"FORM" + struct.pack(">I", len(body) + 4) + b"AIFC" + body)

    assert (found["duration_seconds"], found["bitrate"]) == (
        1.0,
        pytest.approx(64, rel=0.01),
    )


def test_chained_recordings_last_as_long_as_all_of_them() -> None:
    data = clean(audio.ogg_opus(seconds=2) + audio.ogg_opus(seconds=1), "audio/ogg")

    assert facts(data)["duration_seconds"] == pytest.approx(3.0)


def test_a_wav_file_of_unknown_length_lasts_as_long_as_it_has_samples() -> None:
    data = CLEAN["wav"]
    endless = data[:4] + b"\xff" * 4 + data[8:40] + b"\xff" * 4 + data[44:]

    assert facts(endless)["duration_seconds"] == pytest.approx(0.2)


def test_the_rate_of_samples_is_their_own_whatever_an_encoder_announced() -> None:
    absurd = audio.m4a().replace(bytes.fromhex("0000fa000000fa00"), b"\xff" * 8)

    assert facts(absurd)["bitrate"] == pytest.approx(3.1, rel=0.01)


def adts(size: int) -> bytes:
    """An AAC frame: 44.1 kHz, stereo."""
    return (0xFFF1_5080_001FFC | size << 13).to_bytes(7, "big").ljust(size, b"\0")


def test_raw_aac_is_counted_frame_by_frame() -> None:
    data = b"".join(adts(100 + n % 50) for n in range(100))

    assert facts(data)["duration_seconds"] == pytest.approx(100 * 1024 / 44_100)


@pytest.mark.parametrize("data", [audio.wav(seconds=0), b"OggS\0", b"fLaC"])
def test_sound_without_a_sample_is_refused(data: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        facts(data)

    assert caught.value.reason == "unreadable_audio"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"Nothing to hide here.\n",
        "Grüße, in UTF-16".encode("utf-16"),
        b"ID3 tags are described in this text.",
        b"BMW is a maker of cars and motorcycles.",
        b"%PDF-1.7\n",
    ],
)
def test_what_is_neither_sound_nor_image_has_nothing_to_tell(data: bytes) -> None:
    assert facts(data) == {}


def test_what_was_called_sound_but_is_not_recognised_is_refused() -> None:
    with pytest.raises(Rejected) as caught:
        facts(b"Nothing to hide here.\n", "audio/mpeg")

    assert caught.value.reason == "unreadable_audio"


def test_the_figures_come_from_the_bytes_whatever_was_said_of_them() -> None:
    assert facts(audio.wav(), "image/png") == facts(audio.wav(), "audio/wav")


class Down(io.BytesIO):
    """A store that fails at the second block."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() >= BLOCK:
            raise Unavailable("store not reachable")
        return super().read(size)


@pytest.mark.parametrize("data", [audio.mp3(20), audio.ogg_opus(60)])
def test_a_store_that_is_down_is_no_verdict_on_the_file(data: bytes) -> None:
    with pytest.raises(Unavailable):
        describe(Down(data), ANYTHING)
