"""AIFF: every chunk has to end before the file does.

Of a coding in packets the header counts these, not what they hold.
"""

import struct

from functions.metadata.av.sound import Sound
from functions.metadata.blocks import Blocks
from functions.metadata.errors import cut_off

_EXACT = (b"", b"NONE", b"sowt", b"twos", b"fl32", b"FL32", b"fl64", b"FL64", b"raw ")
# Samples of a packet, and its bytes of each channel: QuickTime File Format, sound.
_PACKETS = {b"ima4": (64, 34), b"MAC3": (6, 2), b"MAC6": (6, 1), b"GSM ": (160, 33)}


def measure_aiff(blocks: Blocks) -> Sound:
    """Return the facts of an AIFF or AIFF-C file.

    Raises:
        Rejected: samples are missing.
    """
    at, sample_bytes, coding = 12, 0, b""
    while len(head := blocks.read_at(at, 8)) == 8:
        name, size = struct.unpack(">4sI", head)
        if name == b"SSND" and at + 8 + size > blocks.size_bytes:
            raise cut_off()
        if name == b"SSND":
            offset = int.from_bytes(blocks.read_at(at + 8, 4), "big")
            sample_bytes = max(0, size - 8 - offset)
        if name == b"COMM":
            coding = blocks.read_at(at + 8, min(size, 22))[18:]
        if sample_bytes and name == b"COMM":
            break
        at += 8 + size + size % 2
    sound = Sound.by_tinytag(blocks, "aiff")
    if sound.duration_seconds and not sample_bytes:
        raise cut_off()
    if coding in _PACKETS:
        sound = _in_packets(sound, sample_bytes, *_PACKETS[coding])
    # A sample's bits are those that come out, whatever the coding makes of them.
    return sound if coding in _EXACT else sound.averaged(sample_bytes)


def _in_packets(sound: Sound, size: int, samples: int, packet_bytes: int) -> Sound:
    if not sound.samplerate or not sound.channels:
        return sound
    packets = size // (packet_bytes * sound.channels)
    length = packets * samples / sound.samplerate
    return sound.model_copy(update={"duration_seconds": length or None})
