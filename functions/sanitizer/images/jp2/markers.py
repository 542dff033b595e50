"""Marker segments of JPEG 2000, cut to the fields that they have.

Source: ISO/IEC 15444-1 (ITU-T T.800), A.5 and A.6; ISO/IEC 15444-15, A.3 (CAP).
"""

import struct

COD, COC, QCD, QCC, RGN, POC = 0xFF52, 0xFF53, 0xFF5C, 0xFF5D, 0xFF5E, 0xFF5F
CAP, PPM, PPT = 0xFF50, 0xFF60, 0xFF61
_MOST_LEVELS = 32
_POC_BYTES = 7
# Of a picture with fewer than 257 components.
_PROGRESSION = struct.Struct(">BBHBBB")
_MOST_ORDER = 4


class Styles:
    """Knows how long a segment may be: that depends on the levels of resolution."""

    def __init__(self, components: int) -> None:
        self._components = components
        self.levels = 0

    def exact(self, marker: int, content: bytes) -> bytes:
        """Return *content* without what lies behind its last field.

        Raises:
            ValueError: it ends early, or says what no picture can mean.
        """
        size = self._size(marker, content)
        if len(content) < size:
            raise ValueError("a marker that ends early")
        if marker == POC:
            self._check_orders(content)
        return content[:size]

    def _size(self, marker: int, content: bytes) -> int:
        size = len(content)
        match marker:
            case 0xFF52:
                size = 10 + self._precincts(content[0], content[5])
            case 0xFF53:
                size = 7 + self._precincts(content[1], content[2])
            case 0xFF5C:
                size = self._steps(content[0], len(content))
            case 0xFF5D:
                size = 1 + self._steps(content[1], len(content) - 1)
            case 0xFF5E:
                size = 3
            case 0xFF5F:
                size = len(content) // _POC_BYTES * _POC_BYTES
            case 0xFF50:
                size = 4 + 2 * int.from_bytes(content[:4], "big").bit_count()
        return size

    def _precincts(self, style: int, levels: int) -> int:
        if levels > _MOST_LEVELS:
            raise ValueError("no such style")
        self.levels = max(self.levels, levels)
        return levels + 1 if style & 1 else 0

    def _steps(self, style: int, most: int) -> int:
        """Return how long step sizes may be: more than levels call for is allowed."""
        bands = 3 * self.levels + 1
        return min(most, {0: 1 + bands, 1: 3, 2: 1 + 2 * bands}.get(style & 31, 1))

    def _check_orders(self, content: bytes) -> None:
        whole = len(content) // _POC_BYTES * _POC_BYTES
        for entry in _PROGRESSION.iter_unpack(content[:whole]):
            first, component, _, last, end, order = entry
            fits = first <= _MOST_LEVELS and component < self._components
            if not fits or first >= last or component >= (end or 256):
                raise ValueError("no such progression")
            if last > _MOST_LEVELS + 1 or order > _MOST_ORDER:
                raise ValueError("no such progression")
