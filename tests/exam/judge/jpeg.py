"""What a JPEG holds besides its picture (ITU-T T.81, annex B)."""

from tests.exam.judge.scan import Scan, shown
from tests.exam.judge.tiff import harmless_exif

_TABLES = (0xC4, 0xCC, 0xDB, 0xDC, 0xDD)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def scan_jpeg(found: Scan) -> None:
    """Note every leak."""
    _Walk(found).run()


class _Walk:
    """One way through the markers; what tables are for is asked at the end."""

    def __init__(self, found: Scan) -> None:
        self.found, self.data, self.at = found, found.data, 2
        self.profile: dict[int, bytes] = {}
        self.defined: dict[tuple[str, int], int] = {}
        self.used: set[tuple[str, int]] = set()
        self.scanned = False

    def run(self) -> None:
        while (marker := self._marker()) is not None:
            # Decoders look for a picture behind an end that comes before any.
            if marker == 0xD9 and self.scanned:
                self.found.tail(self.at)
                break
            self._segment(marker)
        self.found.icc = b"".join(self.profile[n] for n in sorted(self.profile))
        for (kind, number), at in self.defined.items():
            if (kind, number) not in self.used:
                self.found.leak("unused_table", f"{kind} {number}", at, at + 16)

    def _marker(self) -> int | None:
        """Return the next marker; bytes before it belong to nothing."""
        at = self.data.find(b"\xff", self.at)
        end = len(self.data) if at < 0 else at
        if end > self.at:
            self.found.leak("garbage", f"{end - self.at} bytes", self.at, end)
        while 0 <= at < len(self.data) and self.data[at] == 0xFF:
            at += 1
        if at < 0 or at >= len(self.data):
            return None
        self.at = at + 1
        return self.data[at]

    def _segment(self, marker: int) -> None:
        if marker in (0x00, 0x01, 0xD8, 0xD9) or 0xD0 <= marker <= 0xD7:
            self.found.leak("garbage", f"marker {marker:02X}", self.at - 2, self.at)
            return
        length = max(self.found.number(self.at, 2), 2)
        start, end = (
            self.at + 2,
            max(self.at + 2, min(self.at + length, len(self.data))),
        )
        self.at += length
        body = self.data[start:end]
        if marker in _FRAMES:
            self._frame(body)
        elif marker == 0xDA:
            self._scan(body)
        elif marker in (0xC4, 0xDB):
            self._tables(marker, start, end)
        elif marker == 0xFE:
            self.found.leak("comment", "COM", start, end)
        elif 0xE0 <= marker <= 0xEF:
            self._application(marker - 0xE0, body, start, end)
        elif marker not in _TABLES or (marker == 0xDC and len(body) != 2):
            self.found.leak("garbage", f"marker {marker:02X}", start, end)

    def _frame(self, body: bytes) -> None:
        self.found.bits = body[0] if body else 8
        if len(body) != 6 + 3 * body[5]:
            self.found.leak("slack", "a frame header that is too long")
        for at in range(8, len(body), 3):
            self.used.add(("DQT", body[at]))

    def _scan(self, body: bytes) -> None:
        self.scanned = True
        if len(body) != 4 + 2 * body[0]:
            self.found.leak("slack", "a scan header that is too long")
        for at in range(2, 1 + 2 * body[0] if body else 0, 2):
            tables = body[at] if at < len(body) else 0
            self.used |= {("DHT", tables >> 4), ("DHT", 16 | tables & 15)}
        while True:
            at = self.data.find(b"\xff", self.at)
            if at < 0:
                self.at = len(self.data)
                return
            following = self.found.number(at + 1, 1)
            if following and not 0xD0 <= following <= 0xD7 and following != 0xFF:
                self.at = at
                return
            self.at = at + (1 if following == 0xFF else 2)

    def _tables(self, marker: int, start: int, end: int) -> None:
        at = start
        self.found.tables.append((start, end))
        while at < end:
            head = self.data[at]
            if marker == 0xDB:
                size, key = 129 if head >> 4 else 65, ("DQT", head & 15)
            else:
                size, key = 17 + sum(self.data[at + 1 : at + 17]), ("DHT", head)
            if key in self.defined and not self.scanned:
                self.found.leak("unused_table", f"{key[0]} twice", at, at + size)
            self.defined.setdefault(key, at)
            at += size
        if at > end:
            self.found.leak("garbage", f"table of {at - end} bytes less", start, end)

    def _application(self, number: int, body: bytes, start: int, end: int) -> None:
        if number == 0 and body[:5] == b"JFIF\0" and body[12:] == bytes(2):
            return
        if number == 14 and body[:5] == b"Adobe" and len(body) == 12:
            return
        if number == 2 and body[:12] == b"ICC_PROFILE\0" and len(body) > 14:
            self.profile[body[12]] = body[14:]
            return
        if number == 1 and body[:6] == b"Exif\0\0" and harmless_exif(body[6:]):
            return
        kind = _NAMES.get(body[:4], "app_segment")
        self.found.leak(kind, f"APP{number} {shown(body)}", start, end)


_NAMES = {
    b"Exif": "exif",
    b"http": "xmp",
    b"JFIF": "thumbnail",
    b"JFXX": "thumbnail",
    b"MPF\0": "mpf",
    b"Phot": "photoshop_irb",
}
