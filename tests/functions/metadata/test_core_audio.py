"""The figures of a sound, from its own bytes and few of them."""

import io
import struct
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from fastcrc import crc8, crc16, crc32
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.metadata.core import describe
from functions.sanitizer.av.strip import strip
from infra.samples import audio
from schemas.errors import Rejected, Unavailable

BLOCK = 1 << 16
ANYTHING = "application/octet-stream"


def facts(data: bytes, media_type: str = ANYTHING) -> Mapping[str, object]:
    return describe(io.BytesIO(data), media_type)


def clean(data: bytes, media_type: str) -> bytes:
    output = io.BytesIO()
    strip(io.BytesIO(data), output, media_type)
    return output.getvalue()


MP3_SECONDS = 38 * 1152 / 44_100
FIGURES = [
    (audio.wav(seconds=2), 2.0, 8000, 128.0, 1),
    (audio.wav(seconds=0.5, rate=44_100), 0.5, 44_100, 705.6, 1),
    (audio.flac(seconds=3), 3.0, 8000, None, 1),
    (audio.mp3(), MP3_SECONDS, 44_100, 63.7, 1),
    (clean(audio.mp3(xing=False), "audio/mpeg"), MP3_SECONDS, 44_100, 63.7, 1),
    (audio.ogg_vorbis(seconds=2), 2.0, 8000, 64.0, 1),
    (audio.ogg_opus(seconds=2), 2.0, 48_000, None, 1),
    (audio.m4a(), 43 * 1024 / 44_100, 44_100, 64.0, 2),
    (audio.m4a(moov_first=False), 43 * 1024 / 44_100, 44_100, 64.0, 2),
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

    assert found == {} or "samplerate" in found or found["detail"].endswith(".")


class Far(io.RawIOBase):
    """A large object: parts at their places, a pattern between; counts its blocks."""

    def __init__(
        self, size: int, parts: dict[int, bytes], pattern: bytes = b"\0"
    ) -> None:
        super().__init__()
        self._size, self._parts, self._pattern = size, parts, pattern
        self._at = 0
        self.fetched: set[int] = set()

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._at = offset + (self._size if whence == 2 else 0)
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        start, end = self._at, min(self._at + size, self._size)
        phase = start % len(self._pattern)
        times = (end - start) // len(self._pattern) + 2
        data = bytearray((self._pattern * times)[phase : phase + end - start])
        for place, part in self._parts.items():
            inner = part[max(0, start - place) : max(0, end - place)]
            at = max(0, place - start)
            data[at : at + len(inner)] = inner
        self.fetched.update(range(start // BLOCK, -(-end // BLOCK)))
        self._at = end
        return bytes(data)


def far_wav() -> Far:
    size = (1 << 31) + 44
    head = audio.wav(seconds=0)[:36] + b"data" + (1 << 31).to_bytes(4, "little")
    return Far(size, {0: head})


def far_flac() -> Far:
    """One second of frames, a hole, and the last frame of an hour."""
    number, total = 28_124, 28_125 * 1024
    data = clean(audio.flac(seconds=1.024), "audio/flac")
    info = data[:21] + (total | 0xF0 << 32).to_bytes(5, "big") + data[26:]
    head = b"\xff\xf8\x70\x08" + chr(number).encode() + b"\x03\xff"
    frame = head + bytes([crc8.smbus(head)]) + bytes(3)
    frame += crc16.umts(frame).to_bytes(2, "big")
    size = 200 << 20
    return Far(size, {0: info, size - len(frame): frame})


def far_ogg() -> Far:
    """First pages, a hole, and the last page with an hour's position."""
    data = audio.ogg_vorbis(seconds=0.1)
    page = bytearray(data[data.rindex(b"OggS") :])
    page[6:14] = struct.pack("<q", 3600 * 8000)
    page[22:26] = bytes(4)
    page[22:26] = struct.pack("<I", crc32.cksum(bytes(page)) ^ 0xFFFFFFFF)
    size = 300 << 20
    return Far(size, {0: data[: data.rindex(b"OggS")], size - len(page): bytes(page)})


def far_mp3() -> Far:
    """An hour and more of frames without a header that counts them."""
    frame = b"\xff\xfb\x50\xc0".ljust(208, b"\0")
    return Far(208 * 140_000, {}, frame)


def far_m4a() -> Far:
    """Six hours of AAC: the tables alone take more than a block."""
    data = audio.m4a(seconds=21_600)
    return Far(len(data), {0: data})


@pytest.mark.parametrize(
    ("make", "seconds"),
    [
        (far_wav, (1 << 31) / 16_000),
        (far_flac, 3600.0),
        (far_ogg, 3600.0),
        (far_mp3, 140_000 * 1152 / 44_100),
        (far_m4a, 21_600.0),
    ],
)
def test_an_hour_costs_six_blocks_at_most(
    make: Callable[[], Far], seconds: float
) -> None:
    source = make()

    found = describe(source, ANYTHING)  # type: ignore[arg-type] # reads like a file

    assert found["duration_seconds"] == pytest.approx(seconds, rel=0.001)
    assert len(source.fetched) <= 6


def test_chained_recordings_last_as_long_as_all_of_them() -> None:
    data = clean(audio.ogg_opus(seconds=2) + audio.ogg_opus(seconds=1), "audio/ogg")

    assert facts(data)["duration_seconds"] == pytest.approx(3.0)


def test_a_wav_file_of_unknown_length_lasts_as_long_as_it_has_samples() -> None:
    data = CLEAN["wav"]
    endless = data[:4] + b"\xff" * 4 + data[8:40] + b"\xff" * 4 + data[44:]

    assert facts(endless)["duration_seconds"] == pytest.approx(0.2)


def test_a_bitrate_that_cannot_be_is_replaced_by_the_average() -> None:
    absurd = audio.m4a().replace(bytes.fromhex("0000fa000000fa00"), b"\xff" * 8)

    bitrate = facts(absurd)["bitrate"]

    assert bitrate == pytest.approx(len(absurd) * 8 / (43 * 1024 / 44_100) / 1000)


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
