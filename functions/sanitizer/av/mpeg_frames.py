"""MPEG audio frames: headers, lengths and runs of them (ISO/IEC 11172-3, 2.4)."""

import re
from typing import BinaryIO, NamedTuple

from functions.sanitizer.av.scan import read_at, unreadable

_WINDOW = 1 << 18
# Sync, no reserved version or layer; no free or bad bitrate.
_SYNC = re.compile(rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff][\x10-\xef]")
_KBITS = {  # by MPEG-1 or not, and layer
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {
    3: (44_100, 48_000, 32_000),  # MPEG-1
    2: (22_050, 24_000, 16_000),  # MPEG-2
    0: (11_025, 12_000, 8_000),  # MPEG-2.5
}
_MAX_STRAYS = 100_000  # places that look like a frame: some MB of picture have fewer
_BELIEVED = 3  # headers in a row: two are a coincidence in a large picture


class Frame(NamedTuple):
    """A frame's length in bytes, and what all frames of a stream have in common."""

    size: int
    kind: tuple[int, int, int]  # version, layer, samples a second


class Run(NamedTuple):
    """Frames that follow each other without a gap.

    Attributes:
        whole: where the last whole frame ends; the one behind it is cut.
    """

    start: int
    whole: int
    end: int
    first_size: int


def frame_of(head: bytes) -> Frame | None:
    """Return the frame that starts with the four bytes *head*, if one does."""
    if len(head) < 4 or not _SYNC.match(head):
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    if head[2] >> 2 & 3 == 3:
        return None
    rate = _RATES[version][head[2] >> 2 & 3]
    bits = _KBITS[version == 3, layer][(head[2] >> 4) - 1] * 1000
    padding = head[2] >> 1 & 1
    if layer == 1:
        return Frame((12 * bits // rate + padding) * 4, (version, layer, rate))
    factor = 72 if layer == 3 and version != 3 else 144
    return Frame(factor * bits // rate + padding, (version, layer, rate))


class Frames:
    """The frames of a stream that ends at *end*."""

    def __init__(self, source: BinaryIO, end: int) -> None:
        self._source, self._end = source, end
        self._window, self._origin = b"", 0
        self._strays = 0

    def find(self, at: int) -> int:
        """Return where the next run of frames starts, from *at* on; else the end."""
        while at + 4 <= self._end:
            self._load(at)
            match = _SYNC.search(self._window, at - self._origin)
            if match is None:
                at = self._origin + len(self._window) - 2
                continue
            at = self._origin + match.start()
            if self._believable(at):
                return at
            at, self._strays = at + 1, self._strays + 1
            if self._strays == _MAX_STRAYS:
                raise unreadable("no frame of sound was found in the file")
        return self._end

    def run(self, at: int) -> Run:
        """Return the frames from *at* on; the last one may be cut by the end."""
        first = self._frame(at)
        assert first is not None
        start = whole = at
        frame: Frame | None = first
        while frame and frame.kind == first.kind:
            at += frame.size
            whole = at if at <= self._end else whole
            frame = self._frame(at)
        end = min(at, self._end)
        return Run(start, whole, end, min(first.size, end - start))

    def _believable(self, at: int) -> bool:
        first = self._frame(at)
        frame, headers = first, 0
        while frame and first and frame.kind == first.kind:
            headers += 1
            at += frame.size
            if headers == _BELIEVED or at == self._end:
                return True
            frame = self._frame(at)
        return headers > 1 and at > self._end

    def _frame(self, at: int) -> Frame | None:
        if at + 4 > self._end:
            return None
        self._load(at)
        return frame_of(self._window[at - self._origin : at - self._origin + 4])

    def _load(self, at: int) -> None:
        """Have at least four bytes from *at* in the window."""
        if self._origin <= at and at + 4 <= self._origin + len(self._window):
            return
        self._origin = at
        self._window = read_at(self._source, at, min(_WINDOW, self._end - at))
