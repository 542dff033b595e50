"""The header packets of codecs in Ogg, and what they are replaced by."""

import struct

from functions.sanitizer.av.ogg.setup import without_rest
from functions.sanitizer.av.scan import unreadable
from functions.sanitizer.av.tags_gain import Gains, comment_gains, comment_of
from functions.sanitizer.findings import Finding

_PICTURES = (b"METADATA_BLOCK_PICTURE=", b"COVERART=")
_VIDEO = (b"BBCD\0", b"OVP80", b"\x01video")
THEORA = b"\x80theora"
_FLAC_COMMENT, _FLAC_PICTURE, _LAST_BLOCK = 4, 6, 0x80
_FLAC_PREFIX = b"\x7fFLAC\1\0"


class Headers:
    """Collects the header packets of one stream and knows their clean form.

    Attributes:
        done: whether the next packet is sound.
        findings: the kinds of what the clean form leaves out.
    """

    prefix = b""  # of the comment packet
    packets = 2

    def __init__(self, first: bytes) -> None:
        self.first = self.identification(first)
        self.rest: list[bytes] = []
        self.gains: Gains = {}
        self.findings: set[Finding] = set()
        self._seen = 1

    @property
    def done(self) -> bool:
        """Whether every header packet was seen."""
        return self._seen >= self.packets

    def add(self, packet: bytes) -> None:
        """Take the next header packet."""
        self._seen += 1
        if self._seen > 2:
            self.rest.append(self.setup(packet))
            return
        if not packet.startswith(self.prefix):
            raise unreadable("a stream's comment header is missing")
        self._note(packet[len(self.prefix) :])
        self.rest.append(self.comment())

    def identification(self, packet: bytes) -> bytes:
        """Return the clean first packet."""
        raise NotImplementedError

    def comment(self) -> bytes:
        """Return a comment packet that says how loud to play, and nothing else."""
        return self.prefix + comment_of(self.gains)

    def setup(self, packet: bytes) -> bytes:
        """Return the clean third packet."""
        return packet

    def _note(self, comment: bytes) -> None:
        self.gains = self.gains or comment_gains(comment)
        self.findings |= _found(comment, comment_of(self.gains))


class _Vorbis(Headers):
    prefix = b"\x03vorbis"
    packets = 3

    def identification(self, packet: bytes) -> bytes:
        return _exactly(packet, 30)

    def comment(self) -> bytes:
        return super().comment() + b"\1"  # the framing bit

    def setup(self, packet: bytes) -> bytes:
        if not packet.startswith(b"\x05vorbis"):
            raise unreadable("a stream's set-up header is missing")
        clean = without_rest(packet, self.first[11])
        self.findings |= {Finding.PADDING} if clean != packet else set()
        return clean


class _Theora(Headers):
    prefix = b"\x81theora"
    packets = 3

    def identification(self, packet: bytes) -> bytes:
        return _exactly(packet, 42)

    def setup(self, packet: bytes) -> bytes:
        if not packet.startswith(b"\x82theora"):
            raise unreadable("a stream's set-up header is missing")
        return packet


class _Opus(Headers):
    prefix = b"OpusTags"

    def identification(self, packet: bytes) -> bytes:
        if len(packet) < 19:
            raise unreadable("a stream's first header is cut off")
        return _exactly(packet, 21 + packet[9] if packet[18] else 19)


class _Speex(Headers):
    def identification(self, packet: bytes) -> bytes:
        clean = _exactly(packet, 80)
        if clean[68:72] != bytes(4):
            raise unreadable("a stream has headers that are not on the list")
        return clean[:8] + b"1.2".ljust(20, b"\0") + clean[28:72] + bytes(8)


class _Flac(Headers):
    """Blocks of FLAC metadata, one a packet; the last one says so."""

    def identification(self, packet: bytes) -> bytes:
        clean = _exactly(packet, 51)
        if clean[9:17] not in (b"fLaC\0\0\0\x22", b"fLaC\x80\0\0\x22"):
            raise unreadable("a stream's first header is broken")
        self._last = False
        return _FLAC_PREFIX + b"\0\1fLaC\0" + clean[14:]

    @property
    def done(self) -> bool:
        return self._last

    def add(self, packet: bytes) -> None:
        if len(packet) < 4 or packet[0] in (0x7F, 0xFF):
            raise unreadable("a stream's header is broken")
        self._last = bool(packet[0] & _LAST_BLOCK)
        kind = packet[0] & 0x7F
        if kind == _FLAC_COMMENT:
            self._note(packet[4:])
        elif kind == _FLAC_PICTURE:
            self.findings.add(Finding.COVER_PICTURE)
        elif any(packet[4:]):
            self.findings.add(Finding.APPLICATION_DATA)
        comment = self.comment()
        head = bytes([_FLAC_COMMENT | _LAST_BLOCK]) + len(comment).to_bytes(3, "big")
        self.rest = [head + comment]


_CODECS = (
    (b"\x01vorbis", _Vorbis),
    (THEORA, _Theora),
    (b"OpusHead", _Opus),
    (b"Speex   ", _Speex),
    (_FLAC_PREFIX, _Flac),
)


def headers_of(packet: bytes) -> Headers | None:
    """Return what collects a stream's headers; None if it is neither sound nor film.

    Raises:
        Rejected: it is video of a codec that is not on the list, or a broken header.
    """
    if packet.startswith(_VIDEO):
        raise unreadable("the pictures are coded in a way that is not on the list")
    for magic, codec in _CODECS:
        if packet.startswith(magic):
            return codec(packet)
    return None


def _exactly(packet: bytes, size: int) -> bytes:
    if len(packet) < size:
        raise unreadable("a stream's first header is cut off")
    return packet[:size]


def _found(comment: bytes, clean: bytes) -> set[Finding]:
    """Name what a Vorbis comment holds; one that can't be read holds something."""
    if comment.startswith(clean) and not any(comment[len(clean) + 1 :]):
        return set()
    try:
        (vendor,) = struct.unpack_from("<I", comment)
        (count,) = struct.unpack_from("<I", comment, 4 + vendor)
    except struct.error:
        return {Finding.AUDIO_TAGS}
    findings = {Finding.AUDIO_TAGS} if count else set()
    if any(name in comment.upper() for name in _PICTURES):
        findings.add(Finding.COVER_PICTURE)
    tail = comment[8 + vendor :] if not count else b""
    return findings | ({Finding.PADDING} if any(tail[1:]) else set())
