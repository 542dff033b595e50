"""A structural scan: what a file holds besides what it shows. Default is deny.

Written apart from the sanitizer and sharing none of its code: what both overlook has to
be overlooked twice.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Leak:
    """Something that nobody needs to see the picture or hear the sound."""

    kind: str
    where: str
    start: int = 0
    end: int = 0


@dataclass
class Scan:
    """What was found in one file.

    Attributes:
        icc: the colour profile, as it stands in the file.
        bits: per channel; zero where the structure does not tell.
        tables: where decoding tables stand: a thumbnail's recur in any picture.
        hidden_pages: pages that no viewer turns to, such as thumbnails.
    """

    data: bytes
    format: str
    leaks: list[Leak] = field(default_factory=list)
    icc: bytes = b""
    bits: int = 0
    hidden_pages: int = 0
    tables: list[tuple[int, int]] = field(default_factory=list)

    def leak(self, kind: str, where: str, start: int = 0, end: int = 0) -> None:
        """Note a leak, and where its bytes are; a file may hold many thousand."""
        if len(self.leaks) < 300:
            end = max(start, min(end, len(self.data)))
            self.leaks.append(Leak(kind, where, start, end))

    def tail(self, at: int) -> None:
        """Note what stands behind the end."""
        if at < len(self.data):
            rest = len(self.data) - at
            self.leak("trailer", f"{rest} bytes behind the end", at, at + rest)

    def number(self, at: int, size: int, order: str = "big") -> int:
        """Return an unsigned number; zero where the file has ended."""
        return int.from_bytes(
            self.data[at : at + size], "big" if order == "big" else "little"
        )


def shown(raw: bytes) -> str:
    """Return bytes as a report may print them."""
    return "".join(chr(c) if 32 <= c < 127 else "." for c in raw[:24])


_SIGNATURES = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"BM", "bmp"),
    (b"\0\0\1\0", "ico"),
    (b"\0\0\2\0", "ico"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "jp2"),
    (b"\xff\x4f\xff\x51", "jp2"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "jxl"),
    (b"\xff\x0a", "jxl"),
    (b"8BPS", "psd"),
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
    (b"ID3", "mp3"),
    (b"RIFF", "riff"),
    (b"RF64", "wav"),
    (b"FORM", "aiff"),
    (b"wvpk", "wavpack"),
    (b"MAC ", "ape"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
)
_STILL = frozenset(("jpeg", "png", "gif", "webp", "tiff", "bmp", "ico", "psd"))
IMAGES = _STILL | {"avif", "heic", "jp2", "jxl"}
SOUNDS = frozenset(
    ("wav", "flac", "ogg", "mp3", "mp4", "aiff", "asf", "wavpack", "ape", "aac")
)
_HEIC = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1"))


def sniff(data: bytes) -> str:
    """Return a file's format by its first bytes; `other` for what we do not know."""
    for signature, name in _SIGNATURES:
        if data.startswith(signature):
            return _riff(data) if name == "riff" else name
    if data[4:8] == b"ftyp":
        return _brand(data)
    if data[:1] == b"\xff" and data[1:2] > b"\xdf":
        return "aac" if data[1] & 6 == 0 else "mp3"
    return "other"


def _riff(data: bytes) -> str:
    return {b"WEBP": "webp", b"WAVE": "wav"}.get(data[8:12], "other")


def _brand(data: bytes) -> str:
    end = min(int.from_bytes(data[:4], "big"), 512)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))}
    if brands & {b"avif", b"avis"}:
        return "avif"
    return "heic" if brands & _HEIC or b"msf1" in brands else "mp4"
