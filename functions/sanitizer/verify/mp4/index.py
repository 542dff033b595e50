"""Names what the indexes of an MP4 file in fragments carry besides numbers.

Source: ISO/IEC 14496-12, 8.8.9 to 8.8.11 and 8.16.3.
"""

from collections.abc import Iterator

from functions.sanitizer.verify.mp4.boxes import inside, integer, zero


def segments(content: memoryview) -> Iterator[str]:
    """Check `sidx`."""
    head = 28 if content[0] else 20
    entries = integer(content, head + 2, 2)
    reserved = bytes(content[1:4]) + bytes(content[head : head + 2])
    if any(reserved) or not zero(content[head + 4 + 12 * entries :]):
        yield "an index with more than numbers"


def access(content: memoryview) -> Iterator[str]:
    """Check `mfra`."""
    for kind, box in inside(content):
        if kind == "tfra":
            width = integer(box, 11, 1)
            entry = (16 if box[0] else 8) + 3
            entry += (width & 3) + (width >> 2 & 3) + (width >> 4)
            end = 16 + entry * integer(box, 12)
            reserved = any(box[1:4]) or any(box[8:11]) or width > 0x3F
        elif kind == "mfro":
            end, reserved = 8, any(box[:4])
        else:
            end, reserved = 0, kind != "free"
        if reserved or not zero(box[end:]):
            yield f"box mfra/{kind!r}"
