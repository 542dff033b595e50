"""Raw AAC: ADTS frames one after the other (ISO/IEC 14496-3, 1.A.2.2).

tinytag takes them for MP3 and is silently wrong.
"""

from functions.metadata.av.frames import Frame, Frames
from functions.metadata.av.sound import Sound
from functions.metadata.av.tags import end_of_leading_tags, start_of_trailing_tags
from functions.metadata.blocks import Blocks
from functions.metadata.errors import cut_off

_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000)
_RATES_LOW = (22_050, 16_000, 12_000, 11_025, 8_000, 7_350)
_SAMPLES = 1024  # of each of the frame's blocks


def measure_adts(blocks: Blocks) -> Sound:
    """Return the facts of a raw AAC file.

    Raises:
        Rejected: the last frame is cut.
    """
    start, end = end_of_leading_tags(blocks), start_of_trailing_tags(blocks)
    sound, cut = Frames(blocks, start, end, adts_frame).measure()
    if cut:
        raise cut_off()
    return sound


def adts_frame(head: bytes) -> Frame | None:
    """Return the frame that *head* starts, if it is one."""
    bits = int.from_bytes(head[:7].ljust(7, b"\0"), "big")
    sync, layer, index = bits >> 44, bits >> 41 & 3, bits >> 34 & 15
    channels, size = bits >> 30 & 7, bits >> 13 & 0x1FFF
    rates = _RATES + _RATES_LOW
    if sync != 0xFFF or layer or index >= len(rates) or size < 7:
        return None
    samples = _SAMPLES * ((bits & 3) + 1)
    kind = (bits >> 34 & 0x3FF, channels)
    return Frame(
        size, kind, samples, rates[index], {0: 2, 7: 8}.get(channels, channels)
    )
