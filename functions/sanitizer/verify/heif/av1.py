"""What AV1 data in an AVIF may consist of: a sequence header, frames, their tiles."""

from collections.abc import Iterator

_HEADER, _FRAME_HEADER, _TILES, _FRAME = 1, 3, 4, 6


def configuration_carriers(content: bytes) -> Iterator[str]:
    """Name what is in an `av1C` box beside a configuration and a sequence header."""
    if len(content) < 4 or content[0] != 0x81 or content[3] & 0xE0:
        yield "a configuration with bits in reserve"
    kinds = []
    for kind, _, payload in _units(content[4:]):
        kinds.append(kind)
        yield from _header(payload)
    if kinds not in ([], [_HEADER]):
        yield "a configuration with more than a sequence header"


def picture_carriers(stream: bytes, configuration: bytes) -> Iterator[str]:
    """Name what is in an item or a sample beside one picture."""
    reduced = [bool(p[0] & 8) for _, _, p in _units(configuration[4:])]
    layers: list[int] = []
    for kind, layer, payload in _units(stream):
        if kind == _HEADER:
            yield from _header(payload)
            reduced.append(bool(payload[0] & 8))
        elif kind in (_FRAME, _FRAME_HEADER):
            first = payload[0]
            # show_existing_frame, or show_frame behind two bits of frame type
            # Samples behind the first one need no sequence header of their own.
            still = bool(reduced and reduced[-1])
            seen = still or first & 0x80 or first & 0x10
            if layers and layer <= layers[-1]:
                yield "a frame behind the one that is shown"
            if seen:
                layers.append(layer)
        elif kind != _TILES:
            yield f"a unit of type {kind}"
    if not layers:
        yield "no frame that is shown"


def _units(stream: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield type, spatial layer and content; nothing may lie between.

    Raises:
        ValueError: a header has bits in reserve, a size is longer than it has to be.
    """
    at = 0
    while at < len(stream):
        head, layer = stream[at], 0
        at += 1
        if head & 0x83 != 2:
            raise ValueError("a unit without a size")
        if head & 4:
            layer = stream[at] >> 3 & 3
            if stream[at] & 7:
                raise ValueError("bits in reserve")
            at += 1
        size = shift = 0
        while True:
            byte = stream[at]
            at += 1
            size += (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if (shift > 7 and byte == 0) or at + size > len(stream):
            raise ValueError("a size that is none")
        yield head >> 3, layer, stream[at : at + size]
        at += size


class _Bits:
    def __init__(self, payload: bytes) -> None:
        self.rest = "".join(f"{byte:08b}" for byte in payload)

    def __call__(self, count: int = 1) -> int:
        taken, self.rest = self.rest[:count], self.rest[count:]
        return int(taken, 2) if count else 0


def _header(payload: bytes) -> Iterator[str]:
    """Walk a sequence header (AV1, 5.5): a one and zeros must follow its last field."""
    if len(payload) > 512:
        yield "a sequence header of many bytes"
        return
    bits = _Bits(payload)
    profile, _, reduced = bits(3), bits(), bits()
    if reduced:
        bits(5)
    else:
        _timing(bits)
    across, down = bits(4) + 1, bits(4) + 1
    bits(across + down)
    if not reduced and bits():
        bits(7)
    bits(3)
    if not reduced:
        _tools(bits)
    bits(3)
    _colour(bits, profile)
    bits(1)
    if bits.rest.rstrip("0") != "1" or len(bits.rest) > 8:
        yield "bytes behind a sequence header"


def _timing(bits: _Bits) -> None:
    delay = 0
    if bits():
        bits(64)
        if bits():
            zeros = len(bits.rest) - len(bits.rest.lstrip("0"))
            bits(2 * zeros + 1)
        if bits():
            delay = bits(5) + 1
            bits(42)
    shown_late = bits()
    for _ in range(bits(5) + 1):
        bits(12)
        bits(1 if bits(5) > 7 else 0)
        bits(2 * delay + 1 if delay and bits() else 0)
        bits(4 if shown_late and bits() else 0)


def _tools(bits: _Bits) -> None:
    bits(4)
    ordered = bits()
    bits(2 if ordered else 0)
    screen = 1 if bits() else bits()
    if screen and not bits():
        bits()
    bits(3 if ordered else 0)


def _colour(bits: _Bits, profile: int) -> None:
    deep = bits()
    twelve = bits() if profile == 2 and deep else 0
    grey = bits() if profile != 1 else 0
    codes = bits(24) if bits() else 0
    if grey:
        bits()
        return
    if codes != 0x010D00:
        bits()
        sampled = 2 if profile == 0 else 0
        if profile == 2 and twelve and bits():
            sampled = 2 if bits() else 0
        bits(sampled)
    bits()
