"""What JPEG 2000 and JPEG XL files hold besides their picture."""

from tests.exam.judge.boxes import Box, boxes
from tests.exam.judge.scan import Scan, shown

_HEADER = frozenset((b"ihdr", b"bpcc", b"colr", b"pclr", b"cmap", b"cdef", b"res "))
_JXL = frozenset((b"JXL ", b"ftyp", b"jxlc", b"jxlp", b"jxll", b"jxli"))


def scan_jp2(found: Scan) -> None:
    """Note every leak (ISO/IEC 15444-1, annexes A and I)."""
    if found.data.startswith(b"\xff\x4f"):
        _codestream(found, 0, len(found.data))
        return
    end = 0
    for box in boxes(found.data, 0, len(found.data)):
        end = box.end
        if box.kind == b"jp2c":
            _codestream(found, box.start, box.end)
        elif box.kind == b"jp2h":
            _header(found, box)
        elif box.kind not in (b"jP  ", b"ftyp"):
            kind = "uuid" if box.kind == b"uuid" else "jp2_box"
            found.leak(kind, f"box {shown(box.kind)}", box.start, box.end)
    found.tail(end)


def _header(found: Scan, outer: Box) -> None:
    for box in boxes(found.data, outer.start, outer.end):
        if box.kind == b"colr" and found.data[box.start] == 2:
            found.icc = found.data[box.start + 3 : box.end]
        elif box.kind not in _HEADER:
            found.leak("jp2_box", f"jp2h {shown(box.kind)}", box.start, box.end)


def _codestream(found: Scan, start: int, end: int) -> None:
    at = start + 2
    while at + 4 <= end and found.data[at] == 0xFF:
        marker, size = found.data[at + 1], found.number(at + 2, 2)
        if marker == 0x51:
            found.bits = (found.number(at + 40, 1) & 0x7F) + 1
        elif marker == 0x64:
            found.leak("comment", "COM", at + 4, at + 2 + size)
        elif marker in (0x90, 0x93):
            break
        at += 2 + size
    finish = found.data.rfind(b"\xff\xd9", start, end)
    if finish >= 0 and finish + 2 < end:
        found.leak("trailer", "bytes behind the codestream", finish + 2, end)


def scan_jxl(found: Scan) -> None:
    """Note every leak (ISO/IEC 18181-2); codestreams only a decoder looks into."""
    if found.data.startswith(b"\xff\x0a"):
        return
    end = 0
    for box in boxes(found.data, 0, len(found.data)):
        end = box.end
        if box.kind not in _JXL:
            found.leak("jxl_box", f"box {shown(box.kind)}", box.start, box.end)
    found.tail(end)
