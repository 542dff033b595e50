"""FLAC frames: where they start, and that nothing lies between them (RFC 9639, 9)."""

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from fastcrc import crc8, crc16

from functions.sanitizer.av.flac.last import frame_bytes
from functions.sanitizer.av.scan import bounded, read_at, unreadable

_WINDOW = 1 << 18
_LONGEST_HEADER = 16
_BLOCK_SIZES = (
    {1: 192}
    | {code: 144 << code for code in range(2, 6)}
    | {code: 1 << code for code in range(8, 16)}
)
_SYNC = re.compile(rb"\xff[\xf8\xf9]")
_SYNCS = (b"\xff\xf8", b"\xff\xf9")  # blocks of one size, or of many


class _Header(NamedTuple):
    length: int
    number: int  # of the frame, or of its first sample
    samples: int
    following: int  # the number that the next frame must carry


def start_of_frames(source: BinaryIO, start: int, end: int) -> int:
    """Return where the first frame starts: a block before it may have another size."""
    places = bounded(_syncs(source, start, end))
    heads = ((at, read_at(source, at, _LONGEST_HEADER)) for at in places)
    return next((at for at, head in heads if _header(head, head[:2])), start)


def _syncs(source: BinaryIO, start: int, end: int) -> Iterator[int]:
    """Return the places where two bytes look like the start of a frame."""
    for origin in range(start, end, _WINDOW):
        window = read_at(source, origin, min(_WINDOW + 1, end - origin))
        yield from (origin + match.start() for match in _SYNC.finditer(window))


def end_of_frames(source: BinaryIO, start: int, end: int, info: bytes) -> int:
    """Return where the last whole frame ends; what follows may be a part of one.

    Raises:
        Rejected: something between two frames is no frame.
    """
    longest = _longest(info)
    walk = _Walk(source, start, end, info)
    while walk.at < end and walk.advance():
        pass
    if walk.at == start:
        raise unreadable("the file holds no whole frame of sound")
    total = int.from_bytes(info[13:18], "big") & 0xF_FFFF_FFFF
    complete = 0 < total <= walk.samples
    if walk.lost or (end - walk.at > longest and not complete):
        raise unreadable("something between the frames of sound is no sound")
    return walk.at


def _longest(info: bytes) -> int:
    """Return the bytes of the longest frame: never more than samples as they are."""
    samples, said = info[2] << 8 | info[3], int.from_bytes(info[7:10], "big")
    channels = (info[12] >> 1 & 7) + 1
    bits = _depth(info) + 1  # side channels have one more
    verbatim = samples * channels * bits // 8 + 64
    return min(said, verbatim) if said else verbatim


def _depth(info: bytes) -> int:
    return ((info[12] & 1) << 4 | info[13] >> 4) + 1


class _Walk:
    """A position that moves from frame to frame.

    Attributes:
        at: where the next frame should start.
        lost: the frame there is broken, but others follow.
        samples: how many there are up to the position, of each channel.
    """

    def __init__(self, source: BinaryIO, start: int, end: int, info: bytes) -> None:
        self.at, self.lost, self.samples = start, False, 0
        self._longest, self._depth = _longest(info), _depth(info)
        self._source, self._end = source, end
        self._window, self._origin = b"", start
        self._sync = self._bytes(start, 2)
        self._expected: int | None = None
        if self._sync not in _SYNCS:
            raise unreadable("no sound follows the file's header")

    def advance(self) -> bool:
        """Move behind the frame at the position; False if none is whole there."""
        head = self._header(self.at)
        if head is None or self._expected not in (None, head.number):
            return False
        crc, checked = 0, self.at
        for at in bounded(self._places(self.at + head.length)):
            crc, checked = self._crc(checked, at, crc), at
            next_head = self._header(at)
            if next_head and next_head.number >= head.following:
                self.lost = crc != 0 or next_head.number > head.following
                return not self.lost and self._arrive(at, head)
        return self._finish(head)

    def _finish(self, head: _Header) -> bool:
        """Move behind the last frame, by its own structure, if it is whole."""
        frame = read_at(self._source, self.at, min(self._longest, self._end - self.at))
        size = frame_bytes(frame, head.length, head.samples, self._depth)
        whole = size is not None and crc16.umts(frame[:size]) == 0
        return whole and self._arrive(self.at + (size or 0), head)

    def _arrive(self, at: int, head: _Header) -> bool:
        self.at, self._expected = at, head.following
        self.samples += head.samples
        return True

    def _header(self, at: int) -> _Header | None:
        return _header(self._bytes(at, _LONGEST_HEADER), self._sync)

    def _places(self, at: int) -> Iterator[int]:
        """Return the places from *at* on where a frame might start."""
        while at < self._end - 1:
            self._load(at, 2)
            found = self._window.find(self._sync, at - self._origin)
            if found < 0:
                at = self._origin + len(self._window) - 1
                continue
            at = self._origin + found
            yield at
            at += 1

    def _crc(self, at: int, end: int, crc: int) -> int:
        while at < end:
            self._load(at, 1)
            piece = self._window[at - self._origin : end - self._origin]
            crc = crc16.umts(piece, crc)
            at += len(piece)
        return crc

    def _bytes(self, at: int, size: int) -> bytes:
        self._load(at, size)
        return self._window[at - self._origin : at - self._origin + size]

    def _load(self, at: int, size: int) -> None:
        """Have the bytes from *at* in the window, as far as there are any."""
        size = min(size, self._end - at)
        if self._origin <= at and at + size <= self._origin + len(self._window):
            return
        self._origin = at
        self._window = read_at(self._source, at, min(_WINDOW, self._end - at))
        if len(self._window) < size:
            raise unreadable("the file became shorter while it was read")


def _header(data: bytes, sync: bytes) -> _Header | None:
    """Return the frame header that *data* starts with, if it is one."""
    if len(data) < 6 or data[:2] != sync or data[3] >> 4 > 10 or data[3] & 1:
        return None
    size_code, rate_code = data[2] >> 4, data[2] & 15
    if size_code == 0 or rate_code == 15 or data[3] >> 1 & 7 == 3:
        return None
    number, at = _number(data)
    size_bytes = {6: 1, 7: 2}.get(size_code, 0)
    coded = int.from_bytes(data[at : at + size_bytes], "big") + 1
    samples = coded if size_bytes else _BLOCK_SIZES[size_code]
    at += size_bytes + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if number < 0 or at >= len(data) or crc8.smbus(data[:at]) != data[at]:
        return None
    following = number + (samples if sync == _SYNCS[1] else 1)
    return _Header(at + 1, number, samples, following)


def _number(data: bytes) -> tuple[int, int]:
    """Return the UTF-8-like number at byte 4 (negative: none) and where it ends."""
    first = data[4]
    if first < 0x80:
        return first, 5
    length = 8 - (first ^ 0xFF).bit_length()
    tail = data[5 : 4 + length]
    if length in (1, 8) or any(byte >> 6 != 2 for byte in tail):
        return -1, 5
    number = first & (0x7F >> length)
    for byte in tail:
        number = number << 6 | byte & 0x3F
    return number, 4 + length
