"""Where the last frame of a FLAC file ends: no other frame follows to tell.

Its subframes are walked bit by bit, without being decoded. Source: RFC 9639, 9.
"""

_DEPTHS = {1: 8, 2: 12, 4: 16, 5: 20, 6: 24, 7: 32}
_ESCAPED = (15, 31)  # by the width of a parameter: samples that are not Rice coded
# Which channel is a difference, and has a bit more, by the way channels are paired.
_SIDES = {8: 1, 9: 0, 10: 1}


def frame_bytes(frame: bytes, head_bytes: int, samples: int, depth: int) -> int | None:
    """Return how long the frame is that *frame* begins with; None if it is cut.

    Args:
        samples: of each channel.
        depth: bits of a sample where the frame does not say.
    """
    if len(frame) <= head_bytes:
        return None
    pairing, code = frame[3] >> 4, frame[3] >> 1 & 7
    depth = _DEPTHS.get(code, depth)
    # A one in front keeps the zeros behind it; then "0b" and that one go.
    bits = bin(int.from_bytes(b"\1" + frame[head_bytes:], "big"))[3:]
    at = 0
    try:
        for channel in range(2 if pairing in _SIDES else pairing + 1):
            wider = pairing in _SIDES and _SIDES[pairing] == channel
            at = _subframe(bits, at, samples, depth + wider)
    except (ValueError, IndexError):
        return None
    end = head_bytes + (at + 7) // 8 + 2
    return end if end <= len(frame) else None


def _subframe(bits: str, at: int, samples: int, depth: int) -> int:
    """Return where a subframe ends; a ValueError says that it is none."""
    kind, wasted = int(bits[at + 1 : at + 7], 2), bits[at + 7] == "1"
    at += 8
    if wasted:
        one = bits.index("1", at)
        depth, at = depth - (one - at + 1), one + 1
    if kind < 2 and depth > 0:
        return at + depth * (samples if kind else 1)
    if depth <= 0 or not (8 <= kind <= 12 or kind >= 32):
        raise ValueError("no subframe is coded so")
    order = kind - 8 if kind < 32 else kind - 31
    at += order * depth
    if kind >= 32:
        at += 9 + order * (int(bits[at : at + 4], 2) + 1)
    return _residual(bits, at, samples, order)


def _residual(bits: str, at: int, samples: int, order: int) -> int:
    method, parts = int(bits[at : at + 2], 2), 1 << int(bits[at + 2 : at + 6], 2)
    if method > 1 or samples % parts or samples // parts < order:
        raise ValueError("no residual is coded so")
    at, width = at + 6, 4 + method
    for part in range(parts):
        parameter = int(bits[at : at + width], 2)
        count = samples // parts - (0 if part else order)
        at += width
        if parameter == _ESCAPED[method]:
            at += 5 + count * int(bits[at : at + 5], 2)
            continue
        for _ in range(count):
            at = bits.index("1", at) + 1 + parameter
    return at
