"""MPEG audio frame by frame (ISO/IEC 11172-3, 2.4.2.3)."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.exam.judge.scan import Scan

# kbit/s by index, for MPEG-1 layers I, II, III, then MPEG-2 layer I, II and III.
_RATES = (
    (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
_SAMPLES = {3: 44_100, 2: 22_050, 0: 11_025}
_MOST_FRAMES = 200_000


@dataclass(frozen=True)
class _Frame:
    at: int
    size: int
    seconds: float


def _frame(data: bytes, at: int) -> _Frame | None:
    if at + 4 > len(data) or data[at] != 0xFF or data[at + 1] < 0xE0:
        return None
    version, layer = data[at + 1] >> 3 & 3, 4 - (data[at + 1] >> 1 & 3)
    index, rate, padding = (
        data[at + 2] >> 4,
        data[at + 2] >> 2 & 3,
        data[at + 2] >> 1 & 1,
    )
    if version == 1 or layer == 4 or index in (0, 15) or rate == 3:
        return None
    first = version == 3
    table = layer - 1 if first else min(layer, 2) + 2
    bits = _RATES[table][index - 1] * 1000
    hertz = _SAMPLES[version] * (1.0, 48_000 / 44_100, 32_000 / 44_100)[rate]
    samples = 384 if layer == 1 else 1152 if first or layer == 2 else 576
    unit = 4 if layer == 1 else 1
    size = (int(samples / 8 / unit * bits / round(hertz)) + padding) * unit
    return _Frame(at, size, samples / hertz)


def _frames(data: bytes) -> Iterator[_Frame]:
    """Yield frames that another one, or the end, follows."""
    at = 0
    for _ in range(_MOST_FRAMES):
        frame = _frame(data, at)
        if frame is None or not _goes_on(data, at + frame.size):
            at = data.find(b"\xff", at + 1)
            if at < 0:
                return
            continue
        yield frame
        at += frame.size


def _goes_on(data: bytes, at: int) -> bool:
    return at >= len(data) or data[at : at + 3] in _TAGS or _frame(data, at) is not None


_TAGS = (b"TAG", b"APE", b"LYR", b"ID3")


def syncsafe(raw: bytes) -> int:
    """Return a number of seven bits a byte, as ID3v2 writes them."""
    size = 0
    for byte in raw:
        size = size << 7 | byte & 0x7F
    return size


def seconds(data: bytes) -> float | None:
    """Return how long all frames are; None where there is none."""
    total = sum(frame.seconds for frame in _frames(data))
    return total or None


def between(found: Scan) -> None:
    """Note bytes between frames; a tag in front is a leak of its own."""
    at = 10 + syncsafe(found.data[6:10]) if found.data.startswith(b"ID3") else 0
    for frame in _frames(found.data):
        if frame.at > at:
            where = f"{frame.at - at} bytes between frames"
            found.leak("garbage", where, at, frame.at)
        at = frame.at + frame.size
    found.tail(at)
