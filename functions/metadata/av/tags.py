"""Tags before and behind the frames of a sound: where the sound itself lies.

Sources: id3.org, ID3v2.4, 3.1 and 3.4; Lyrics3 v2.00; the APEv2 specification.
"""

from functions.metadata.blocks import Blocks


def end_of_leading_tags(blocks: Blocks) -> int:
    """Return where the ID3v2 tags at the start of the file end."""
    at = 0
    while (head := blocks.read_at(at, 10))[:3] == b"ID3" and len(head) == 10:
        at += _id3v2_size(head) + (20 if head[5] & 0x10 else 10)
    return at


def start_of_trailing_tags(blocks: Blocks) -> int:
    """Return where the tags at the end of the file start: ID3, APE and Lyrics3."""
    end = blocks.size_bytes
    while size := _trailing(blocks, end):
        end = max(0, end - size)
    return end


def _trailing(blocks: Blocks, end: int) -> int:
    if end >= 128 and blocks.read_at(end - 128, 3) == b"TAG":
        return 128
    footer = blocks.read_at(end - 32, 32) if end >= 32 else b""
    if footer[:8] == b"APETAGEX":
        head = 32 if footer[23] & 0x80 else 0
        return max(32, int.from_bytes(footer[12:16], "little") + head)
    if footer[-9:] == b"LYRICS200" and footer[-15:-9].isdigit():
        return int(footer[-15:-9]) + 15
    return _id3v2_size(footer[-10:]) + 20 if footer[-10:-7] == b"3DI" else 0


def _id3v2_size(head: bytes) -> int:
    return head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
