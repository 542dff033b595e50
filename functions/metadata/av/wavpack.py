"""WavPack: every block says how many samples there are in all, and which it holds.

Source: David Bryant, WavPack 4 & 5 binary file / block format.
"""

import struct
from typing import NamedTuple

from functions.metadata.av.sound import Sound
from functions.metadata.av.tags import start_of_trailing_tags
from functions.metadata.blocks import BLOCK, Blocks
from functions.metadata.errors import cut_off, unreadable

_RATES = (6000, 8000, 9600, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000)
_RATES_HIGH = (44_100, 48_000, 64_000, 88_200, 96_000, 192_000)
_UNKNOWN = 0xFFFFFFFF
_RATE, _CHANNELS, _DSD = 0x27, 0x0D, 0x0E
_MONO = 4
_TAIL = 3  # blocks of 64 KiB to look for the last block of sound in
_MAX_PARTS = 64
_PART_BYTES = 16  # as much as is of interest


class _Header(NamedTuple):
    size: int  # of the whole block
    total: int | None
    start: int
    samples: int
    flags: int


def measure_wavpack(blocks: Blocks) -> Sound:
    """Return the facts of a WavPack file.

    Raises:
        Rejected: samples are missing.
    """
    header = _header(blocks.read_at(0, 32))
    if header is None:
        raise unreadable("The file does not say how its sound is coded.")
    parts = _parts(blocks.read_at(32, min(header.size - 32, BLOCK // 2)))
    end = start_of_trailing_tags(blocks)
    played = _played(blocks, end)
    if header.total is not None and played is not None and played < header.total:
        raise cut_off()
    total = played if header.total is None else header.total
    rate = _rate(header, parts)
    length = (total or 0) / rate if rate else None
    # The second channel of a stream of one is left out; more are counted apart.
    channels = parts[_CHANNELS][0] if parts.get(_CHANNELS) else 0
    channels = channels or (1 if header.flags & _MONO else 2)
    sound = Sound(
        duration_seconds=length or None, samplerate=rate or None, channels=channels
    )
    return sound.averaged(end)


def _header(head: bytes) -> _Header | None:
    if len(head) < 32 or head[:4] != b"wvpk":
        return None
    size, version, high_start, high_total, total, start, samples, flags = (
        struct.unpack_from("<IHBBIIII", head, 4)
    )
    if not 0x402 <= version <= 0x410:
        return None
    count = None if total == _UNKNOWN else total + (high_total << 32) - high_total
    return _Header(size + 8, count, start + (high_start << 32), samples, flags)


def _rate(header: _Header, parts: dict[int, bytes]) -> int:
    index = header.flags >> 23 & 15
    rates = _RATES + _RATES_HIGH
    told = int.from_bytes(parts.get(_RATE, b""), "little")
    power = parts.get(_DSD, b"")[:1] or b"\0"  # bits of sound are told in bytes
    return (rates[index] if index < 15 else told) << min(power[0], 8)


def _parts(body: bytes) -> dict[int, bytes]:
    """Return the small parts of a block by their numbers."""
    parts: dict[int, bytes] = {}
    at = 0
    for _ in range(_MAX_PARTS):
        if at + 2 > len(body):
            break
        kind, size, header = body[at], body[at + 1], 2
        if kind & 0x80:
            size, header = int.from_bytes(body[at + 1 : at + 4], "little"), 4
        odd = 1 if kind & 0x40 else 0
        end = min(2 * size - odd, _PART_BYTES)
        parts[kind & 0x3F] = body[at + header : at + header + end]
        at += header + 2 * size
    return parts


def _played(blocks: Blocks, end: int) -> int | None:
    """Return the position at the end of the last whole block; None if none is near.

    Raises:
        Rejected: a block is cut.
    """
    for back in range(_TAIL):
        origin = max(0, (end - 1) // BLOCK - back) * BLOCK
        tail = blocks.read_at(origin, end - origin)
        at = len(tail)
        while (at := tail.rfind(b"wvpk", 0, at)) >= 0:
            header = _header(tail[at : at + 32])
            if header is None or not header.samples:
                continue
            if origin + at + header.size > end:
                raise cut_off()
            return header.start + header.samples
    return None
