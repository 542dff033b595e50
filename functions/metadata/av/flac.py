"""FLAC: the last frame has to be whole, and the one that the header counts to.

Source: RFC 9639, 9.1.
"""

from io import BytesIO
from typing import NamedTuple

from fastcrc import crc8, crc16

from functions.metadata.av.sound import Sound
from functions.metadata.av.tags import end_of_leading_tags, start_of_trailing_tags
from functions.metadata.blocks import BLOCK, Blocks
from functions.metadata.errors import cut_off, unreadable

_TAIL = 3  # blocks: a frame of eight channels with 24 bits fits
_ALONE = b"fLaC\x80\0\0\x22"  # a file of nothing but its first block
_MOST_BLOCKS = 1024
_MAX_TRIES = 1000  # places that look like a frame, most of them inside of one
_SIZES = {1: 192, 2: 576, 3: 1152, 4: 2304, 5: 4608}


class _Frame(NamedTuple):
    number: int
    samples: int
    variable: bool  # then the number counts samples, not frames


def measure_flac(blocks: Blocks) -> Sound:
    """Return the facts of a FLAC file.

    Raises:
        Rejected: samples are missing.
    """
    start = end_of_leading_tags(blocks)
    info = blocks.read_at(start + 8, 34)
    if blocks.read_at(start, 4) != b"fLaC" or len(info) < 34:
        raise unreadable("The file does not say how its sound is coded.")
    total = int.from_bytes(info[13:18], "big") & 0xF_FFFF_FFFF
    # No more than that: tinytag would believe what other blocks say of their size.
    sound = Sound.by_tinytag(BytesIO(_ALONE + info), "flac")
    played = _samples(blocks, int.from_bytes(info[2:4], "big"))
    if played < total:
        raise cut_off()
    coded = blocks.size_bytes - _start_of_frames(blocks, start + 4)
    if total or not sound.samplerate:
        return sound.averaged(coded)
    # Encoders that could not seek back leave the count out.
    length = played / sound.samplerate
    sound = sound.model_copy(update={"duration_seconds": length})
    return sound.averaged(coded)


def _start_of_frames(blocks: Blocks, at: int) -> int:
    """Return where the blocks of metadata end."""
    for _ in range(_MOST_BLOCKS):
        if not blocks.affords(1):
            break  # a bitrate with a picture in it is better than none
        head = blocks.read_at(at, 4)
        at += 4 + int.from_bytes(head[1:], "big")
        if head[:1] >= b"\x80" or len(head) < 4:
            break
    return at


def _samples(blocks: Blocks, block_size: int) -> int:
    """Return how many samples there are up to the end of the last frame.

    Raises:
        Rejected: no whole frame ends where the sound does.
    """
    end = start_of_trailing_tags(blocks)
    for back in range(_TAIL):
        origin = max(0, (end - 1) // BLOCK - back) * BLOCK
        tail = blocks.read_at(origin, end - origin)
        if (samples := _played(tail, block_size)) is not None:
            return samples
    raise cut_off()


def _played(tail: bytes, block_size: int) -> int | None:
    """Return the position at the end of the frame that *tail* ends with."""
    at, tries = len(tail), 0
    while (
        tries < _MAX_TRIES
        and (at := max(tail.rfind(b"\xff\xf8", 0, at), tail.rfind(b"\xff\xf9", 0, at)))
        >= 0
    ):
        tries += 1
        frame = _frame(tail[at : at + 16])
        if frame and crc16.umts(tail[at:]) == 0:
            before = frame.number * (1 if frame.variable else block_size)
            return before + frame.samples
    return None


def _frame(data: bytes) -> _Frame | None:
    if len(data) < 6 or data[2] < 16:
        return None
    first = data[4]
    more = 0 if first < 0x80 else max(0, 7 - (first ^ 0xFF).bit_length())
    size_at = 5 + more
    size_bytes = {6: 1, 7: 2}.get(data[2] >> 4, 0)
    end = size_at + size_bytes + {12: 1, 13: 2, 14: 2}.get(data[2] & 15, 0)
    if end >= len(data) or crc8.smbus(data[:end]) != data[end]:
        return None
    number = first if not more else first & (0x3F >> more)
    for byte in data[5:size_at]:
        number = number << 6 | byte & 0x3F
    coded = int.from_bytes(data[size_at : size_at + size_bytes], "big") + 1
    code = data[2] >> 4
    samples = coded if size_bytes else _SIZES.get(code, 1 << code)
    return _Frame(number, samples, bool(data[1] & 1))
