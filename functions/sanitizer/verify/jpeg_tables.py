"""Which tables a JPEG's scans use: one that none uses, or an odd one, is a carrier."""

from collections.abc import Iterator
from dataclasses import dataclass, field

_MOST_BITS = {0: 11, 1: 10}  # behind a symbol: of DC, of AC


@dataclass
class Ledger:
    """Tables as they are defined, and as they are used."""

    quantisation: dict[int, bool] = field(default_factory=dict)  # whether it is used
    codes: dict[int, bool] = field(default_factory=dict)

    def unused(self) -> Iterator[str]:
        """Name what nothing uses."""
        if not all(self.quantisation.values()):
            yield "an unused quantisation table"
        if not all(self.codes.values()):
            yield "an unused Huffman table"

    def quantise(self, payload: bytes) -> Iterator[str]:
        """Take in a DQT segment."""
        at = 0
        while at < len(payload):
            if payload[at] & 15 in self.quantisation:
                yield "a quantisation table that is defined twice"
            self.quantisation[payload[at] & 15] = False
            at += 129 if payload[at] >> 4 else 65
        if at != len(payload):
            yield "bytes in a quantisation table"

    def code(self, payload: bytes) -> Iterator[str]:
        """Take in a DHT segment."""
        at = 0
        while at < len(payload):
            slot, first = payload[at], at + 17
            at = first + sum(payload[at + 1 : first])
            symbols = payload[first:at]
            if not self.codes.get(slot, True):
                yield "an unused Huffman table"
            self.codes[slot] = False
            if len(set(symbols)) != len(symbols):
                yield "a symbol with two codes"
            if any(symbol & 15 > _MOST_BITS.get(slot >> 4, -1) for symbol in symbols):
                yield "a symbol of no use"
        if at != len(payload):
            yield "bytes in a Huffman table"

    def scan(self, payload: bytes, *, progressive: bool) -> Iterator[str]:
        """Take in a SOS segment: its codes are used."""
        count = payload[0]
        if not 1 <= count <= 4 or len(payload) != 4 + 2 * count:
            yield "bytes in the scan header"
            return
        start, end, refined = payload[-3], payload[-2], payload[-1] >> 4
        if not progressive and payload[-3:] != b"\0\x3f\0":
            yield "numbers in the scan header"
        if end > 63 or start > end:
            yield "numbers in the scan header"
        for pair in payload[2:-3:2]:
            if start == 0 and not refined:
                yield from self._use(pair >> 4)
            if end > 0:
                yield from self._use(16 | pair & 15)

    def _use(self, slot: int) -> Iterator[str]:
        if slot not in self.codes:
            yield "codes without a table"
        self.codes[slot] = True
