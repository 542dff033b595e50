"""What of the original's metadata is found again in the result, whatever its format.

No parser of the result is asked: its bytes are searched as they are, and inflated
wherever a zlib stream can begin.
"""

import re
import zlib
from collections.abc import Iterator

from tests.exam.judge.look import coded_pixels
from tests.exam.judge.scan import Scan

_TEXT = re.compile(rb"[\x20-\x7e]{8,}")
_WIDE = re.compile(rb"(?:[\x20-\x7e]\0){8,}")
# How loud a sound is and where it ends; players need it.
_LEVEL = re.compile(rb"(?i)replaygain|itun|^[-+\d. ]+( dB)?$|^( [\dA-F]{8,16})+")
_NAMES = b"urn:mpeg:"  # what an auxiliary picture is
_STREAM = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_PLAIN = ("bmp", "tiff")  # pixels that were packed are not in the result
_MOST_STREAMS = 64
_MOST_INFLATED = 64 << 20
_MOST_TEXTS = 4_000
_WINDOW = 24


def survived(original: Scan, result: Scan, canaries: tuple[bytes, ...]) -> list[str]:
    """Return canaries, texts and runs of bytes that came through.

    Args:
        canaries: markers that may be nowhere, in no encoding.
    """
    seen = list(_layers(result.data))
    found = [
        f"canary {canary.decode(errors='replace')}"
        for canary in canaries
        if any(_holds(layer, canary) for layer in seen)
    ]
    own = [_own(result), *(_without(layer, result.icc) for layer in seen[1:])]
    kept = _kept(original)
    texts = [
        text
        for text in _texts(original)
        if not _holds(kept, text) and any(_holds(layer, text) for layer in own)
    ]
    # Bare pixels of a damaged file may hold what can be inflated: it stays, being seen.
    inside = list(_layers(kept))[1:] if texts else []
    found += [
        f"text {text[:40].decode()}"
        for text in texts
        if not any(_holds(layer, text) for layer in inside)
    ]
    if not found and (place := _window(original, own[0], kept)) is not None:
        found.append(f"bytes at {place}")
    return found[:10]


def _holds(layer: bytes, text: bytes) -> bool:
    wide = text.decode("latin-1")
    return any(
        form in layer
        for form in (text, wide.encode("utf-16-le"), wide.encode("utf-16-be"))
    )


def _layers(data: bytes) -> Iterator[bytes]:
    """Yield the bytes as they are, then what zlib streams in them unpack to."""
    yield data
    room, left, whole = _MOST_INFLATED, _MOST_STREAMS, memoryview(data)
    for match in _STREAM.finditer(data):
        unpacker = zlib.decompressobj()
        try:
            unpacked = unpacker.decompress(whole[match.start() :], room)
        except zlib.error:
            continue
        if len(unpacked) < 16:
            continue
        yield unpacked
        room, left = room - len(unpacked), left - 1
        if room <= 0 or not left:
            return


def _own(result: Scan) -> bytes:
    """Return the result without what many files have in common."""
    own = bytearray(result.data)
    for start, end in result.tables:
        own[start:end] = bytes(end - start)
    return _without(bytes(own), result.icc)


def _without(layer: bytes, profile: bytes) -> bytes:
    return layer.replace(profile, b"") if profile else layer


def _kept(original: Scan) -> bytes:
    """Return the original without its leaks: what may be found again."""
    kept = bytearray(original.data)
    for leak in original.leaks:
        kept[leak.start : leak.end] = bytes(leak.end - leak.start)
    seen = coded_pixels(original.data) if original.format in _PLAIN else ()
    return b"".join((bytes(kept), *seen))


def _texts(original: Scan) -> list[bytes]:
    found: dict[bytes, None] = {}
    for leak in original.leaks:
        block = original.data[leak.start : leak.end]
        for text in _runs(block):
            if _LEVEL.search(text) or text.startswith(_NAMES):
                continue
            # A thumbnail's coded bytes are no text: letters have to prevail.
            letters = sum(chr(byte).isalnum() or byte == 32 for byte in text)
            if 4 * letters >= 3 * len(text):
                found.setdefault(text[:64])
        if len(found) > _MOST_TEXTS:
            break
    return list(found)


def _runs(block: bytes) -> Iterator[bytes]:
    for layer in (block, *list(_layers(block))[1:]):
        yield from _TEXT.findall(layer)
        for wide in _WIDE.findall(layer):
            yield wide[::2]


def _window(original: Scan, result: bytes, kept: bytes) -> int | None:
    """Return where bytes of a leak begin that stand in the result too."""
    for leak in original.leaks:
        size = leak.end - leak.start
        hits = 0
        for at in range(leak.start, leak.end - _WINDOW + 1, max(_WINDOW, size // 300)):
            window = original.data[at : at + _WINDOW]
            if len(set(window)) < 10 or window not in result or window in kept:
                continue
            hits += 1
            # One may recur in coded pixels by chance.
            if hits == 2 or size < 4 * _WINDOW:
                return at
    return None
