"""What WebP, BMP and ICO hold besides their pictures."""

from tests.exam.judge.png import scan_png
from tests.exam.judge.scan import Scan, shown
from tests.exam.judge.tiff import harmless_exif

_WEBP = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))
_WEBP_KINDS = {b"EXIF": "exif", b"XMP ": "xmp"}


def scan_webp(found: Scan) -> None:
    """Note every leak (RFC 9649)."""
    end = min(found.number(4, 4, "little") + 8, len(found.data))
    _chunks(found, 12, end)
    found.tail(end)


def _chunks(found: Scan, at: int, end: int) -> None:
    pictures = 0
    while at + 8 <= end:
        kind, size = found.data[at : at + 4], found.number(at + 4, 4, "little")
        start, stop = at + 8, min(at + 8 + size, end)
        if kind == b"ICCP":
            found.icc = found.data[start:stop]
        elif kind == b"ANMF":
            _chunks(found, start + 16, stop)
        elif kind not in _WEBP and not _turns(found, kind, start, stop):
            name = _WEBP_KINDS.get(kind, "webp_chunk")
            found.leak(name, f"chunk {shown(kind)}", start, stop)
        pictures += kind in (b"VP8 ", b"VP8L")
        if pictures == 2:
            found.leak("hidden_image", "a second picture", start, stop)
        if size % 2 and found.data[stop : stop + 1].strip(b"\0"):
            found.leak("slack", "a padding byte", stop, stop + 1)
        at = start + size + size % 2
    if at < end:
        found.leak("garbage", "bytes that are no chunk", at, end)


def _turns(found: Scan, kind: bytes, start: int, stop: int) -> bool:
    block = found.data[start:stop].removeprefix(b"Exif\0\0")
    return kind == b"EXIF" and harmless_exif(block)


def scan_bmp(found: Scan) -> None:
    """Note every leak (BITMAPFILEHEADER, BITMAPV5HEADER)."""
    head, offset = found.number(14, 4, "little"), found.number(10, 4, "little")
    if found.data[6:10].strip(b"\0"):
        found.leak("slack", "reserved bytes", 6, 10)
    start = 14 + head + _bmp_palette(found, head)
    if start < offset and found.data[start:offset].strip(b"\0"):
        found.leak("slack", "bytes before the rows", start, offset)
    end = offset + _bmp_rows(found, head)
    if head >= 124:
        end = max(end, _bmp_profile(found))
    if end > offset:
        found.tail(end)


def _bmp_palette(found: Scan, head: int) -> int:
    if head == 12:
        bits = found.number(24, 2, "little")
        return 3 << bits if bits <= 8 else 0
    bits, colours = found.number(28, 2, "little"), found.number(46, 4, "little")
    found.bits = 8
    masks = {3: 12, 6: 16}.get(found.number(30, 4, "little"), 0) if head == 40 else 0
    if bits <= 8:
        colours = colours or 1 << bits
    return masks + 4 * min(colours, 256)


def _bmp_rows(found: Scan, head: int) -> int:
    if head == 12:
        width, height = found.number(18, 2, "little"), found.number(20, 2, "little")
        bits, packing = found.number(24, 2, "little"), 0
    else:
        width, height = (_signed(found.number(at, 4, "little")) for at in (18, 22))
        bits, packing = found.number(28, 2, "little"), found.number(30, 4, "little")
    if packing not in (0, 3, 6):
        return found.number(34, 4, "little")
    return (width * bits + 31) // 32 * 4 * height


def _signed(number: int) -> int:
    return (1 << 32) - number if number >> 31 else number


def _bmp_profile(found: Scan) -> int:
    at, size = found.number(126, 4, "little") + 14, found.number(130, 4, "little")
    space = found.data[70:74]
    if space == b"KNIL" and size:
        found.leak("icc_path", "a profile's path", at, at + size)
    if space == b"DEBM":
        found.icc = found.data[at : at + size]
    return at + size if space in (b"KNIL", b"DEBM") else 0


def scan_ico(found: Scan) -> None:
    """Note every leak."""
    count = found.number(4, 2, "little")
    end = last = 6 + 16 * count
    entries = []
    for number in range(min(count, 256)):
        entry = 6 + 16 * number + 8
        entries.append((found.number(entry + 4, 4, "little"), entry))
    for start, entry in sorted(entries):
        if last < start and found.data[last:start].strip(b"\0"):
            found.leak("slack", "bytes between pictures", last, start)
        last = start + found.number(entry, 4, "little")
        end = max(end, last)
        inner = Scan(found.data[start:last], "png")
        if inner.data.startswith(b"\x89PNG"):
            scan_png(inner)
        for leak in inner.leaks:
            found.leak(leak.kind, leak.where, start + leak.start, start + leak.end)
    found.tail(end)
