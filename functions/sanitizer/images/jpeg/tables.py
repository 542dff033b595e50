"""A JPEG's tables as its scans use them (ITU-T T.81, B.2.4).

A table that is defined, but replaced or left before a scan needs it, is no picture.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from schemas.errors import Rejected

_DQT, _DHT, _DRI = 0xDB, 0xC4, 0xDD
_LAST_SLOT = 3
_DC, _AC = 0x00, 0x10
_MAX_DC, _MAX_AC = 11, 10  # bits that follow a symbol, at 8 bits per sample
# Sixteen tables are some 2 KB, and each scan may bring its own.
_MAX_BYTES = 1 << 20
_WHOLE_BLOCK = b"\0\x3f\0"  # what a sequential scan says it holds


@dataclass
class Tables:
    """The parts of a picture's code, in order, each table just before its first use."""

    restarts: int = 0
    restarted: bool = False  # some scan has restarts
    missing: bool = False  # a scan relies on tables that everybody knows
    odd: bool = False  # a table or a scan's header holds what no picture needs
    parts: list[bytes | memoryview] = field(default_factory=list)
    # Of each component the coefficients that are coded to their last bit.
    settled: dict[int, set[int]] = field(default_factory=dict)
    _quantisation: dict[int, bytes] = field(default_factory=dict)
    _latched: dict[int, bytes] = field(default_factory=dict)  # by slot
    _codes: dict[int, bytes] = field(default_factory=dict)
    _written: dict[int, bytes] = field(default_factory=dict)
    _written_restarts: int = 0
    _defined: int = 0  # bytes

    @property
    def quantisation(self) -> list[bytes]:
        """The segments of the quantisation tables that are used."""
        return [_segment(_DQT, table) for _, table in sorted(self._latched.items())]

    def define(self, marker: int, payload: bytes) -> bool:
        """Take in a DQT, DHT or DRI segment; say whether it is well formed.

        Raises:
            Rejected: `unreadable_image`: there are more than any picture needs.
        """
        self._defined += len(payload)
        if self._defined > _MAX_BYTES:
            raise Rejected("unreadable_image", "it has too many tables")
        if marker == _DRI:
            self.restarts = int.from_bytes(payload[:2], "big")
            return len(payload) == 2
        if marker == _DQT:
            return _split(payload, _quantisation_size, self._quantisation, 0x0F)
        return _split(payload, _codes_size, self._codes, 0xFF)

    def scan(
        self,
        components: list[tuple[int, int, int]],
        header: bytes,
        *,
        progressive: bool,
    ) -> bool:
        """Put down the tables of a scan; say whether its header is well formed."""
        if not header or len(header) != 4 + 2 * header[0] or not header[0]:
            return False
        slots = {number: slot for number, _, slot in components}
        codes = dict(zip(header[1:-3:2], header[2:-3:2], strict=True))
        if len(codes) != header[0] or not slots.keys() >= codes.keys():
            return False
        self.odd |= not progressive and header[-3:] != _WHOLE_BLOCK
        start, end, precision = header[-3:]
        latched = True
        for number in codes:
            latched &= self._latch(number, slots[number])
            if not (progressive and precision & 15):
                self.settled[number].update(range(start, min(end, 63) + 1))
        self._write_restarts()
        needed = _needed(codes, header[-3:], progressive=progressive)
        for slot in sorted(needed, key=lambda slot: (slot & 15, slot)):
            self._write_codes(slot)
        return latched

    def _latch(self, number: int, slot: int) -> bool:
        """Fix a component's table, as its first scan does."""
        if number in self.settled:
            return True
        self.settled[number] = set()
        table = self._quantisation.get(slot)
        if table is None:
            return False
        return self._latched.setdefault(slot, table) == table

    def _write_restarts(self) -> None:
        self.restarted |= self.restarts > 0
        if self.restarts != self._written_restarts:
            self._written_restarts = self.restarts
            self.parts.append(_segment(_DRI, self.restarts.to_bytes(2, "big")))

    def _write_codes(self, slot: int) -> None:
        table = self._codes.get(slot)
        self.missing |= table is None
        if table is None or self._written.get(slot) == table:
            return
        self._written[slot] = table
        self.odd |= _is_odd(table)
        self.parts.append(_segment(_DHT, table))


def _needed(codes: dict[int, int], band: bytes, *, progressive: bool) -> set[int]:
    """Return the slots of the codes that a scan reads."""
    dc = {_DC | pair >> 4 for pair in codes.values()}
    ac = {_AC | pair & 15 for pair in codes.values()}
    if not progressive:
        return dc | ac
    if band[0]:
        return ac
    return set() if band[2] >> 4 else dc  # a refined DC is bits without codes


def _is_odd(table: bytes) -> bool:
    """Whether symbols come twice, or none that could: text, rather than codes."""
    symbols = table[17:]
    most = _MAX_AC if table[0] & _AC else _MAX_DC
    too_large = any(symbol & 15 > most for symbol in symbols)
    return too_large or len(set(symbols)) != len(symbols)


def _split(
    payload: bytes,
    size: Callable[[bytes, int], int],
    slots: dict[int, bytes],
    mask: int,
) -> bool:
    """Put the tables of a segment where they belong; say whether they fill it."""
    at = 0
    while at < len(payload):
        end = at + size(payload, at)
        if payload[at] & 0x0F > _LAST_SLOT:
            return False
        slots[payload[at] & mask] = payload[at:end]
        at = end
    return at == len(payload)


def _codes_size(payload: bytes, at: int) -> int:
    return 17 + sum(payload[at + 1 : at + 17])


def _quantisation_size(payload: bytes, at: int) -> int:
    return 129 if payload[at] >> 4 else 65


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload
