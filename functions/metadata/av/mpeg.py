"""MPEG audio (MP3, MP2, MP1): all the frames that its header counts must be there.

Sources: ISO/IEC 11172-3 and 13818-3; Xing's VBR header SDK; Fraunhofer's VBRI header.
"""

from functions.metadata.av.frames import Frame, Frames
from functions.metadata.av.sound import Sound
from functions.metadata.av.tags import end_of_leading_tags, start_of_trailing_tags
from functions.metadata.blocks import Blocks, Section
from functions.metadata.errors import cut_off

_KBITS = {  # by MPEG-1 or not, and layer
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = (44_100, 48_000, 32_000)
_HALVED = {3: 0, 2: 1, 0: 2}  # how often, by the version bits
_SAMPLES = {1: 384, 2: 1152, 3: 1152}
_SEARCHED = 200  # bytes of the first frame


def measure_mpeg(blocks: Blocks) -> Sound:
    """Return the facts of an MP3 file.

    Raises:
        NotSound: there are no frames.
        Rejected: frames are missing.
    """
    start, end = end_of_leading_tags(blocks), start_of_trailing_tags(blocks)
    frames = Frames(blocks, start, end, mpeg_frame)
    counted, size = _header(blocks.read_at(frames.start, _SEARCHED))
    present = end - frames.start
    # Some encoders count the tag of 128 bytes behind the sound as well.
    if counted and size > present and size != present + 128:
        raise cut_off()
    if counted and size:
        return Sound.by_tinytag(Section(blocks, frames.start, end), "mp3")
    if counted:
        return _counted(frames.first, counted).averaged(present)
    sound, cut = frames.measure()
    if cut and end == blocks.size_bytes:
        raise cut_off()
    return sound


def _counted(frame: Frame, count: int) -> Sound:
    """Return the facts where an encoder counted frames but not bytes."""
    return Sound(
        duration_seconds=count * frame.samples / frame.rate,
        samplerate=frame.rate,
        channels=frame.channels,
    )


def mpeg_frame(head: bytes) -> Frame | None:
    """Return the frame that *head* starts, if it is one."""
    bits = int.from_bytes(head[:4].ljust(4, b"\0"), "big")
    version, layer = bits >> 19 & 3, 4 - (bits >> 17 & 3)
    rate_code, bit_code = bits >> 10 & 3, bits >> 12 & 15
    if bits >> 21 != 0x7FF or version == 1 or layer == 4 or rate_code == 3:
        return None
    if bit_code in (0, 15):
        return None
    rate = _RATES[rate_code] >> _HALVED[version]
    bitrate = _KBITS[version == 3, layer][bit_code - 1] * 1000
    padding = bits >> 9 & 1
    samples = _SAMPLES[layer] // (2 if layer == 3 and version != 3 else 1)
    slots = samples // 8 * bitrate // rate
    size = (slots // 4 + padding) * 4 if layer == 1 else slots + padding
    channels = 1 if bits >> 6 & 3 == 3 else 2
    return Frame(size, (version, layer, rate), samples, rate, channels)


def _header(frame: bytes) -> tuple[int, int]:
    """Return how many frames and bytes an encoder counted; zeros if it did not."""
    if frame[36:40] == b"VBRI" and len(frame) >= 54:
        return int.from_bytes(frame[50:54], "big"), int.from_bytes(frame[46:50], "big")
    at = max(frame.find(b"Xing", 0, 60), frame.find(b"Info", 0, 60))
    if at < 0 or len(frame) < at + 16 or not frame[at + 7] & 1:
        return 0, 0
    size = frame[at + 12 : at + 16] if frame[at + 7] & 2 else b""
    return int.from_bytes(frame[at + 8 : at + 12], "big"), int.from_bytes(size, "big")
