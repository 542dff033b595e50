"""zlib streams, of which a picture needs just so many bytes (RFC 1950)."""

import zlib

_PIECE = 1 << 16
# Behind the last row stand the end of a block, perhaps an empty one, and a checksum.
_MAX_TAIL = 64


class Inflater:
    """Inflates a zlib stream as far as it is asked to."""

    def __init__(self, stream: bytes | bytearray) -> None:
        self._stream = memoryview(stream)
        self._at = 0
        self._zlib = zlib.decompressobj()

    def read(self, size: int) -> bytes:
        """Return the next *size* bytes.

        Raises:
            ValueError, zlib.error: it ends early or is damaged.
        """
        parts, left = [], size
        while left:
            piece = self._stream[self._at : self._at + _PIECE]
            part = self._feed(piece, left)
            if not part and not piece:
                raise ValueError("the picture ends early")
            parts.append(part)
            left -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def end(self) -> int | None:
        """Where the stream ends, if it ends here and its checksum is right."""
        if not self._zlib.eof:
            try:
                extra = self._feed(self._stream[self._at : self._at + _MAX_TAIL], 1)
            except zlib.error:
                return None
            if extra or not self._zlib.eof:
                return None
        return self._at

    def _feed(self, piece: memoryview, size: int) -> bytes:
        if self._zlib.eof:
            raise ValueError("the picture ends early")
        part = self._zlib.decompress(piece, size)
        unread = self._zlib.unused_data or self._zlib.unconsumed_tail
        self._at += len(piece) - len(unread)
        return part
