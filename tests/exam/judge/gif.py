"""What a GIF holds besides its pictures (GIF89a)."""

from tests.exam.judge.scan import Scan, shown

_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_MOST_CODES = 3_000_000


def scan_gif(found: Scan) -> None:
    """Note every leak."""
    data = found.data
    flags = found.number(10, 1)
    at = 13 + _table(flags)
    while at < len(data):
        kind = data[at]
        if kind == 0x3B:
            found.tail(at + 1)
            return
        if kind == 0x21:
            at = _extension(found, at)
        elif kind == 0x2C:
            at += 10 + _table(found.number(at + 9, 1))
            end = _blocks(data, at + 1)
            _slack(found, at, end)
            at = end
        else:
            end = _next(data, at)
            found.leak("garbage", f"{end - at} bytes between blocks", at, end)
            at = end


def _table(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _next(data: bytes, at: int) -> int:
    places = [data.find(mark, at) for mark in (b"\x21", b"\x2c", b"\x3b")]
    return min([p for p in places if p >= 0], default=len(data))


def _blocks(data: bytes, at: int) -> int:
    """Return where a chain of sub-blocks ends."""
    while at < len(data) and data[at]:
        at += data[at] + 1
    return at + 1


def _extension(found: Scan, at: int) -> int:
    data = found.data
    label, end = found.number(at + 1, 1), _blocks(data, at + 2)
    if label == 0xF9 and end - at == 8:
        return end
    name = data[at + 3 : at + 14]
    loop = name in _LOOPS and end - at == 19 and data[at + 14 : at + 16] == b"\3\1"
    if label == 0xFF and (loop or name == b"ICCRGBG1012"):
        return end
    kind = "comment" if label == 0xFE else "gif_extension"
    start = min(at + 19, end) if name in _LOOPS else at
    found.leak(kind, f"{label:02X} {shown(data[at + 3 : end])}", start, end)
    return end


def _slack(found: Scan, at: int, end: int) -> None:
    """Note bytes behind the code that ends a picture."""
    coded, block = bytearray(), at + 1
    while block < end - 1 and block < len(found.data):
        size = found.data[block]
        coded += found.data[block + 1 : block + 1 + size]
        block += size + 1
    used = _used(bytes(coded), found.number(at, 1))
    if used is not None and len(coded) > used:
        where = f"{len(coded) - used} bytes behind a picture's end"
        found.leak("slack", where, at, end)


def _used(coded: bytes, least: int) -> int | None:
    """Return how many bytes of LZW codes a decoder reads; None where it gives up."""
    if not 1 <= least <= 11:
        return None
    clear, width, known = 1 << least, least + 1, (1 << least) + 2
    bits, value, at, fresh = 0, 0, 0, True
    for _ in range(_MOST_CODES):
        while bits < width:
            if at >= len(coded):
                return None
            value |= coded[at] << bits
            bits, at = bits + 8, at + 1
        code = value & (1 << width) - 1
        value, bits = value >> width, bits - width
        if code == clear + 1:
            return at
        if code == clear:
            width, known, fresh = least + 1, clear + 2, True
            continue
        # The first code behind a clear one makes no new entry.
        known += 0 if fresh or known >= 4096 else 1
        fresh = False
        if known >= 1 << width and width < 12:
            width += 1
    return None
