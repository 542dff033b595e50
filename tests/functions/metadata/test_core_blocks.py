"""How few blocks of a file it takes to tell its length, however long it is."""

import io
import struct
from collections.abc import Callable

import pytest
from fastcrc import crc8, crc16, crc32

from functions.metadata.core import describe
from functions.sanitizer.av.strip import strip
from infra.samples import audio
from tests.functions.metadata.far import Far, near

ANYTHING = "application/octet-stream"
LONG = 800  # seconds of a recording that takes more than six blocks


def clean(data: bytes, media_type: str) -> bytes:
    output = io.BytesIO()
    strip(io.BytesIO(data), output, media_type)
    return output.getvalue()


def adts(size: int) -> bytes:
    """An AAC frame: 44.1 kHz, stereo."""
    return (0xFFF1_5080_001FFC | size << 13).to_bytes(7, "big").ljust(size, b"\0")


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
    return near(audio.m4a(seconds=21_600))


COVER = 5 << 20  # bytes of a picture in front of the sound


def far_tagged(sound: bytes) -> Far:
    """Sound behind ID3v2 with a large picture."""
    size = bytes(COVER >> shift & 0x7F for shift in (21, 14, 7, 0))
    head = b"ID3\3\0\0" + size
    return Far(10 + COVER + len(sound), {0: head, 10 + COVER: sound})


def far_covered_flac() -> Far:
    """FLAC with a large picture among its own blocks."""
    data = clean(audio.flac(seconds=9.216), "audio/flac")
    picture = bytes([6]) + COVER.to_bytes(3, "big")
    first = data[:42]
    return Far(len(data) + COVER + 4, {0: first + picture, 46 + COVER: data[42:]})


def far_rf64() -> Far:
    size = 6 << 30
    sizes = struct.pack("<QQQI", size + 80, size, 0, 0)
    head = b"RF64" + b"\xff" * 4 + b"WAVEds64" + struct.pack("<I", 28) + sizes
    layout = struct.pack("<HHIIHH", 1, 1, 8000, 16_000, 2, 16)
    head += b"fmt " + struct.pack("<I", 16) + layout + b"data" + b"\xff" * 4
    return Far(len(head) + size, {0: head})


def far_aiff() -> Far:
    """An hour whose format stands behind the samples."""
    samples = 3600 * 8000
    layout = struct.pack(">hIh", 1, samples, 16) + b"\x40\x0b\xfa" + bytes(7)
    head = b"FORM" + bytes(4) + b"AIFFSSND" + struct.pack(">I", 2 * samples + 8)
    tail = b"COMM" + struct.pack(">I", 18) + layout
    start = len(head) + 2 * samples + 8
    return Far(start + len(tail), {0: head, start: tail})


def wavpack(start: int, *, total: int, samples: int = 4096) -> bytes:
    """A block of silence: 44.1 kHz, stereo."""
    head = struct.pack(
        "<IHBBIIIII", 24 + 100, 0x410, 0, 0, total, start, samples, 9 << 23, 0
    )
    return b"wvpk" + head + bytes(100)


def far_wavpack() -> Far:
    total = 3600 * 44_100
    last = wavpack(total - 4096, total=total)
    size = 300 << 20
    return Far(size, {0: wavpack(0, total=total), size - len(last): last})


def far_ape() -> Far:
    frames, each, final = 538, 294_912, 323_712 - 28_800
    size = 100 << 20
    sizes = struct.pack("<7I16s", 52, 24, 0, 0, size - 76, 0, 0, bytes(16))
    fields = struct.pack("<HHIIIHHI", 2000, 0, each, final, frames, 16, 2, 44_100)
    return Far(size, {0: b"MAC " + struct.pack("<HH", 3990, 0) + sizes + fields})


def far_adts() -> Far:
    return Far(200 * 155_000, {}, adts(200))


def far_wma() -> Far:
    """The header of an hour; the packets are not looked at."""
    size = 60 << 20
    file = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365") + struct.pack("<Q", 104)
    file += bytes(16) + struct.pack("<QQQQQQ", size, 0, 0, 36_000_000_000, 0, 0)
    file += bytes(16)
    sound = bytes.fromhex("9107dcb7b7a9cf118ee600c00c205365") + struct.pack("<Q", 96)
    sound += bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b") + bytes(38)
    sound += struct.pack("<HHIIHH", 0x161, 2, 44_100, 16_000, 0, 16)
    sound = sound.ljust(96, b"\0")
    head = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
    head += struct.pack("<QIBB", 30 + len(file + sound), 2, 1, 2)
    return Far(size, {0: head + file + sound})


def far_chain() -> Far:
    """Two recordings; where the second one starts stands nowhere."""
    long, short = audio.ogg_opus(seconds=LONG), audio.ogg_opus(seconds=LONG / 2)
    return near(clean(long + short, "audio/ogg"))


@pytest.mark.parametrize(
    ("make", "seconds"),
    [
        (far_wav, (1 << 31) / 16_000),
        (far_flac, 3600.0),
        (far_ogg, 3600.0),
        (far_mp3, 140_000 * 1152 / 44_100),
        (far_m4a, 21_600.0),
        (far_rf64, (6 << 30) / 16_000),
        (far_aiff, 3600.0),
        (far_wavpack, 3600.0),
        (far_ape, (537 * 294_912 + 294_912) / 44_100),
        (far_adts, 155_000 * 1024 / 44_100),
        (far_wma, 3600.0),
        (far_chain, 1.5 * LONG),
        (far_covered_flac, 9.216),
        (lambda: far_tagged(audio.mp3(20)[len(audio.id3v2()) :]), 766 * 1152 / 44_100),
        (lambda: far_tagged(adts(200) * 5000), 5000 * 1024 / 44_100),
    ],
)
def test_an_hour_costs_six_blocks_at_most(
    make: Callable[[], Far], seconds: float
) -> None:
    source = make()

    found = describe(source, ANYTHING)  # type: ignore[arg-type] # reads like a file

    assert found["duration_seconds"] == pytest.approx(seconds, rel=0.005)
    assert len(source.fetched) <= 6
