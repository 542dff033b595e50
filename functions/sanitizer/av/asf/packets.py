"""The data packets of an ASF file: payloads stay, what lies around them is zeroed.

Every packet has the same length. A packet says where its payloads are; padding, bytes
behind the last payload and payloads of streams that nobody described are read by no
player. Of what precedes a payload only size, time and listed extensions stay.

Source: Microsoft, Advanced Systems Format (ASF) Specification, 5.2.
"""

import re
from collections.abc import Mapping

from functions.sanitizer.av.scan import unreadable

_LENGTHS = (0, 1, 2, 4)  # bytes of a number, by the two bits that say so
USER_DATA = re.compile(rb"\x00\x00\x01[\x1b-\x1f]")  # in VC-1: SMPTE 421M, annex E


class Packets:
    """Cleans packet after packet.

    Args:
        size: bytes of every packet.
        extensions: bytes of extensions before a payload, by stream number.
        start_coded: the streams in which text may hide behind start codes.
    """

    def __init__(
        self, size: int, extensions: Mapping[int, int], start_coded: set[int]
    ) -> None:
        self._size, self._extensions = size, extensions
        self._tails = dict.fromkeys(start_coded, b"")
        self._packet = bytearray()
        self._at = 0
        self.blanked = False

    def clean(self, packet: bytes) -> bytes:
        """Return *packet* with nothing but payloads.

        A packet in which the file ends stays as far as it can be followed.
        """
        self._packet, self._at = bytearray(packet), 0
        try:
            self._walk()
        except IndexError:
            if len(packet) == self._size:
                raise unreadable("a packet is shorter than it says") from None
        return bytes(self._packet)

    def _walk(self) -> None:
        correction = self._packet[0]
        if correction & 0x80:
            if correction & 0x70:
                raise unreadable("a packet's error correction is not on the list")
            self._at = 1 + (correction & 15)
        lengths, properties = self._number(1), self._number(1)
        size = self._number(_LENGTHS[lengths >> 5 & 3])
        self._number(_LENGTHS[lengths >> 1 & 3])
        padding = self._number(_LENGTHS[lengths >> 3 & 3])
        self._at += 6
        end = (size or self._size) - padding
        if lengths & 0x80 or not self._at <= end <= self._size:
            raise unreadable("a packet's lengths do not fit")
        if lengths & 1:
            flags = self._number(1)
            if not flags >> 6:
                raise unreadable("the payloads of a packet have no lengths")
            for _ in range(flags & 63):
                self._payload(properties, _LENGTHS[flags >> 6], end)
        else:
            self._payload(properties, 0, end)
        self._blank(self._at, len(self._packet))

    def _payload(self, properties: int, length_bytes: int, end: int) -> None:
        number = self._number(1) & 0x7F
        self._number(_LENGTHS[properties >> 4 & 3])
        self._number(_LENGTHS[properties >> 2 & 3])
        told = self._number(_LENGTHS[properties & 3])
        start = self._at
        self._at += told
        size = self._number(length_bytes) if length_bytes else end - self._at
        if size < 0 or self._at + size > end:
            raise unreadable("a payload is longer than its packet")
        known = number in self._extensions
        if told > 8:
            self._blank(start + 8 + self._extensions.get(number, 0), start + told)
        if not known:
            self._blank(self._at, self._at + size)
        elif number in self._tails:
            self._look(number, bytes(self._packet[self._at : self._at + size]))
        self._at += size

    def _number(self, size: int) -> int:
        part = self._packet[self._at : self._at + size]
        if len(part) < size:
            raise IndexError
        self._at += size
        return int.from_bytes(part, "little")

    def _blank(self, start: int, end: int) -> None:
        part = self._packet[start:end]
        if any(part):
            self._packet[start : start + len(part)] = bytes(len(part))
            self.blanked = True

    def _look(self, number: int, payload: bytes) -> None:
        coded = self._tails[number] + payload
        if USER_DATA.search(coded):
            raise unreadable("the pictures carry text")
        self._tails[number] = coded[-3:]
