"""libwebp's decoder as Pillow brings it, without Pillow's animation canvases.

Pillow decodes every WebP as an animation: two canvases, a copy and an image take 16
bytes a pixel. Decoding straight into one buffer takes 4, incremental decoding 1.5 for
lossy pictures and half the time, and it can be asked whether the last bytes are needed.
https://developers.google.com/speed/webp/docs/api
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from PIL import Image, _webp

_OK = 0
_SIZE, _POINTER, _INT = ctypes.c_size_t, ctypes.c_void_p, ctypes.c_int
_PLANE = (_POINTER, _SIZE, _INT)
_NO_PLANE = (None, 0, 0)  # let the decoder allocate it


def decoded(file: bytes, size: tuple[int, int]) -> Image.Image:
    """Return the picture of a still WebP as RGBA.

    Args:
        file: a WebP, or a bitstream alone: large ones need not be copied.

    Raises:
        ValueError: it cannot be decoded, or is larger than *size*.
    """
    width, height = size
    pixels = bytearray(4 * width * height)
    target = (ctypes.c_char * len(pixels)).from_buffer(pixels)
    decode = _libwebp().WebPDecodeRGBAInto
    if not decode(file, len(file), target, len(pixels), 4 * width):
        raise ValueError("it does not decode")
    return Image.frombuffer("RGBA", size, pixels, "raw", "RGBA", 0, 1)


def opens(bitstream: bytes) -> bool:
    """Say whether VP8 or VP8L decodes to its end."""
    with _incremental() as decoder:
        return _feed(decoder, bitstream, len(bitstream))


def ends_within(bitstream: bytes, tail_bytes: int) -> bool:
    """Say whether the decoder needs a byte of the tail; as cheap as one decoding.

    Raises:
        ValueError: it cannot be decoded.
    """
    with _incremental() as decoder:
        if _feed(decoder, bitstream, len(bitstream) - tail_bytes):
            return False
        if _feed(decoder, bitstream, len(bitstream)):
            return True
    if not opens(bitstream):  # of several partitions the first failure is final
        raise ValueError("it does not decode")
    return True


@contextmanager
def _incremental() -> Iterator[int]:
    decoder = _libwebp().WebPINewYUV(*_NO_PLANE, *_NO_PLANE, *_NO_PLANE)
    if not decoder:
        raise MemoryError
    try:
        yield decoder
    finally:
        _libwebp().WebPIDelete(decoder)


def _feed(decoder: int, bitstream: bytes, size: int) -> bool:
    """Let it read the first *size* bytes; say whether it is through."""
    return size > 0 and _libwebp().WebPIUpdate(decoder, bitstream, size) == _OK


@cache
def _libwebp() -> ctypes.CDLL:
    # Whatever libwebp Pillow's module is linked to: found through that module, which
    # is loaded already, so that the sandbox has no library to open.
    library = ctypes.CDLL(_webp.__file__)
    _declare(library.WebPDecodeRGBAInto, _POINTER, _POINTER, _SIZE, *_PLANE)
    _declare(library.WebPINewYUV, _POINTER, *_PLANE, *_PLANE, *_PLANE)
    _declare(library.WebPIUpdate, _INT, _POINTER, _POINTER, _SIZE)
    _declare(library.WebPIDelete, None, _POINTER)
    return library


def _declare(function: object, result: object, *arguments: object) -> None:
    function.restype, function.argtypes = result, arguments  # type: ignore[attr-defined]
