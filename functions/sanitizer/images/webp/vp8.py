"""Where the parts of a VP8 key frame lie (RFC 6386, section 9)."""

import struct
from collections.abc import Iterator

_KEY_FRAME_START = b"\x9d\x01\x2a"


def size(frame: bytes) -> tuple[int, int]:
    """Return width and height of a VP8 key frame.

    Raises:
        ValueError: it is none.
    """
    if len(frame) < 10 or frame[0] & 1 or frame[3:6] != _KEY_FRAME_START:
        raise ValueError("no VP8 key frame")
    width, height = struct.unpack("<HH", frame[6:10])
    return width & 0x3FFF, height & 0x3FFF


def partitions(frame: bytes) -> list[tuple[int, int]]:
    """Return start and end of each arithmetically coded partition.

    Raises:
        ValueError: they do not fit into the frame.
    """
    tag = int.from_bytes(frame[:3], "little")
    first_end = 10 + (tag >> 5)
    count = 1 << _log2_token_partitions(frame[10:first_end])
    at = first_end + 3 * (count - 1)
    spans = [(10, first_end)]
    for index in range(count - 1):
        where = first_end + 3 * index
        end = at + int.from_bytes(frame[where : where + 3], "little")
        spans.append((at, end))
        at = end
    spans.append((at, len(frame)))
    if any(start > end for start, end in spans):
        raise ValueError("partitions beyond the frame")
    return spans


def shortened(frame: bytes, tail_bytes: int) -> Iterator[bytes]:
    """Yield the frame without the tail of one partition, for each but the last.

    Partitions that are no longer than their tail are left alone.

    Raises:
        ValueError: they do not fit into the frame.
    """
    spans = partitions(frame)
    for index, (start, end) in enumerate(spans[:-1]):
        if end - start <= tail_bytes:
            continue
        # The first one's size stands in the upper 19 bits of the frame's tag.
        where, unit = (0, 32) if index == 0 else (spans[0][1] + 3 * (index - 1), 1)
        size = int.from_bytes(frame[where : where + 3], "little") - unit * tail_bytes
        resized = frame[:where] + size.to_bytes(3, "little") + frame[where + 3 :]
        yield resized[: end - tail_bytes] + resized[end:]


class _BoolDecoder:
    """Section 7; only what the frame header needs: equally likely bits."""

    def __init__(self, data: bytes) -> None:
        self._data = data.ljust(2, b"\0")
        self._value = int.from_bytes(self._data[:2], "big")
        self._at = 2
        self._range = 255
        self._shifts = 0

    def bit(self) -> int:
        split = 1 + ((self._range - 1) * 128 >> 8)
        taken = self._value >= split << 8
        if taken:
            self._range -= split
            self._value -= split << 8
        else:
            self._range = split
        while self._range < 128:
            self._shift()
        return int(taken)

    def number(self, bits: int) -> int:
        value = 0
        for _ in range(bits):
            value = value << 1 | self.bit()
        return value

    def skip_optional(self, count: int, bits: int) -> None:
        """Skip values that each stand behind a bit that says whether they are there."""
        for _ in range(count):
            if self.bit():
                self.number(bits)

    def _shift(self) -> None:
        self._value <<= 1
        self._range <<= 1
        self._shifts += 1
        if self._shifts == 8:
            self._shifts = 0
            self._value |= self._data[self._at] if self._at < len(self._data) else 0
            self._at += 1


def _log2_token_partitions(first: bytes) -> int:
    header = _BoolDecoder(first)
    header.number(2)  # colour space, clamping
    if header.bit():  # segmentation
        map_updated, data_updated = header.bit(), header.bit()
        if data_updated:
            header.bit()
            header.skip_optional(4, 7 + 1)  # quantiser and sign
            header.skip_optional(4, 6 + 1)  # filter level and sign
        if map_updated:
            header.skip_optional(3, 8)
    header.number(1 + 6 + 3)  # loop filter: type, level, sharpness
    if header.bit() and header.bit():  # changes of the filter level
        header.skip_optional(8, 6 + 1)
    return header.number(2)
