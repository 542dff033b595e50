"""Where a Vorbis set-up header ends: nothing says how long its tables are.

So they are walked, bit by bit; what follows the last one is read by no player.

Source: the Vorbis I specification, 4.2.4 and what it refers to.
"""

from functions.sanitizer.av.scan import unreadable

_MAX_BYTES = 1 << 18  # encoders write 3 to 8 KiB
_PREFIX = 7
_SYNC = 0x564342


class _Bits:
    """Reads numbers, lowest bit first.

    Attributes:
        at: the position, in bits.
    """

    def __init__(self, data: bytes) -> None:
        self._data, self.at = data, 0

    def take(self, bits: int) -> int:
        """Return the next number of so many bits."""
        start, self.at = self.at, self.at + bits
        if self.at > 8 * len(self._data):
            raise unreadable("a stream's set-up header is cut off")
        part = self._data[start // 8 : (self.at + 7) // 8]
        return int.from_bytes(part, "little") >> start % 8 & (1 << bits) - 1

    def skip(self, bits: int) -> None:
        """Move on without looking."""
        self.at += bits


def without_rest(packet: bytes, channels: int) -> bytes:
    """Return a Vorbis set-up header without what follows its framing bit."""
    if len(packet) > _MAX_BYTES:
        raise unreadable("a stream's set-up header is too long")
    bits = _Bits(packet[_PREFIX:])
    for _ in range(bits.take(8) + 1):
        _codebook(bits)
    bits.skip(16 * (bits.take(6) + 1))
    for _ in range(bits.take(6) + 1):
        _floor(bits)
    for _ in range(bits.take(6) + 1):
        _residue(bits)
    for _ in range(bits.take(6) + 1):
        _mapping(bits, channels)
    bits.skip(41 * (bits.take(6) + 1))
    if not bits.take(1):
        raise unreadable("a stream's set-up header has no end")
    size = (bits.at + 7) // 8
    last = packet[_PREFIX + size - 1] & (1 << (bits.at - 1) % 8 + 1) - 1
    return packet[: _PREFIX + size - 1] + bytes([last])


def _codebook(bits: _Bits) -> None:
    if bits.take(24) != _SYNC:
        raise unreadable("a stream's set-up header is broken")
    dimensions, entries = bits.take(16), bits.take(24)
    if bits.take(1):
        _ordered(bits, entries)
    elif bits.take(1):
        for _ in range(entries):
            bits.skip(5 if bits.take(1) else 0)
    else:
        bits.skip(5 * entries)
    kind = bits.take(4)
    if kind == 0:
        return
    bits.skip(64)
    width = bits.take(4) + 1
    bits.skip(1)
    values = _root(entries, dimensions) if kind == 1 else entries * dimensions
    bits.skip(width * values)


def _ordered(bits: _Bits, entries: int) -> None:
    """Pass over how many entries have each length; even none takes a number's bits."""
    bits.skip(5)
    while entries > 0:
        entries -= bits.take(entries.bit_length())


def _root(entries: int, dimensions: int) -> int:
    """Return the largest number whose *dimensions*th power is at most *entries*."""
    if dimensions < 1:
        raise unreadable("a stream's set-up header is broken")
    root = int(entries ** (1 / dimensions)) + 1
    while root**dimensions > entries:
        root -= 1
    while (root + 1) ** dimensions <= entries:
        root += 1
    return root


def _floor(bits: _Bits) -> None:
    if bits.take(16) == 0:
        bits.skip(8 + 16 + 16 + 6 + 8)
        bits.skip(8 * (bits.take(4) + 1))
        return
    classes = [bits.take(4) for _ in range(bits.take(5))]
    dimensions = []
    for _ in range(max(classes, default=-1) + 1):
        dimensions.append(bits.take(3) + 1)
        subclasses = bits.take(2)
        bits.skip((8 if subclasses else 0) + (8 << subclasses))
    bits.skip(2)
    width = bits.take(4)
    bits.skip(width * sum(dimensions[number] for number in classes))


def _residue(bits: _Bits) -> None:
    bits.skip(16 + 24 + 24 + 24)
    count = bits.take(6) + 1
    bits.skip(8)
    books = 0
    for _ in range(count):
        low = bits.take(3)
        high = bits.take(5) if bits.take(1) else 0
        books += (high << 3 | low).bit_count()
    bits.skip(8 * books)


def _mapping(bits: _Bits, channels: int) -> None:
    bits.skip(16)
    submaps = bits.take(4) + 1 if bits.take(1) else 1
    if bits.take(1):
        steps = bits.take(8) + 1
        bits.skip(2 * steps * (channels - 1).bit_length())
    bits.skip(2)
    if submaps > 1:
        bits.skip(4 * channels)
    bits.skip(24 * submaps)
