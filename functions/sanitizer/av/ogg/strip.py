"""Ogg: Vorbis, Opus, Speex, FLAC and Theora streams with an empty comment header.

Comments (and the pictures in them) are one packet of a stream's header, so only the
pages that hold headers are laid out anew; the pages of sound get another sequence
number and checksum. Streams may be multiplexed and chained; others, such as subtitles
and the Skeleton that lists them, go.

Sources: RFC 3533 (Ogg), RFC 7845 (Opus), the Vorbis I and Speex specifications,
xiph.org/flac/ogg_mapping.html.
"""

from typing import BinaryIO

from mutagen import MutagenError
from mutagen.ogg import OggPage

from functions.sanitizer.av.ogg.headers import THEORA, Headers, headers_of
from functions.sanitizer.av.ogg.pages import CAPTURE, encoded, laid_out, pages_of
from functions.sanitizer.av.scan import holds_bytes, read_at, size_of, unreadable
from functions.sanitizer.findings import Finding
from schemas.errors import Rejected

_MAX_HEADERS = 1 << 26  # bytes; a cover picture is in there
_MAX_STREAMS = 1_000  # recordings of radio are chained, a stream for each song


class _Stream:
    """One logical stream of sound on its way through."""

    def __init__(
        self, output: BinaryIO, bos: OggPage, headers: Headers, serial: int
    ) -> None:
        self._output, self._headers, self._serial = output, headers, serial
        self._packet = bytearray()
        self._shift = 0
        self._in_headers = True
        self.ended = False
        bos.packets = [headers.first]
        self._write(bos, 0)

    @property
    def findings(self) -> set[Finding]:
        """What went from the headers."""
        return self._headers.findings

    @property
    def complete(self) -> bool:
        """Whether all headers were there."""
        return not self._in_headers

    def take(self, page: OggPage) -> None:
        """Pass on a page of sound, or collect headers from it."""
        self.ended = page.last
        if self._in_headers:
            self._collect(page)
        else:
            self._write(page, page.sequence - self._shift & 0xFFFF_FFFF)

    def _collect(self, page: OggPage) -> None:
        for index, part in enumerate(page.packets):
            if self._headers.done:
                raise unreadable("a page holds headers and sound")
            self._packet += part
            if len(self._packet) > _MAX_HEADERS:
                raise unreadable("the headers of a stream are too long")
            if index < len(page.packets) - 1 or page.complete:
                self._headers.add(bytes(self._packet))
                self._packet.clear()
        if self._headers.done:
            self._finish(page)

    def _finish(self, page: OggPage) -> None:
        pages = laid_out(self._headers.rest)
        for clean in pages:
            self._write(clean, clean.sequence)
        self._shift = page.sequence - len(pages)
        self._in_headers = False

    def _write(self, page: OggPage, sequence: int) -> None:
        page.serial, page.sequence = self._serial, sequence
        self._output.write(encoded(page))


def holds_pictures(source: BinaryIO) -> bool:
    """Whether a stream of Theora starts with the file."""
    try:
        for _, page in pages_of(source, size_of(source)):
            if not page.first:
                break
            if page.packets[0].startswith(THEORA):
                return True
    except (Rejected, MutagenError, LookupError, EOFError):
        return False
    return False


def strip_ogg(source: BinaryIO, output: BinaryIO) -> set[Finding]:
    """Write every stream of sound or film, with nothing but gains in its comments."""
    streams: dict[int, _Stream | None] = {}
    used: set[int] = set()
    findings: set[Finding] = set()
    at, size = 0, size_of(source)
    for start, page in pages_of(source, size):
        findings |= _between(source, at, start)
        at, serial = start + page.size, page.serial
        if page.first:
            _whole(streams.get(serial))
            streams[serial] = _open(output, page, used)
        stream = streams.get(serial)
        if stream is None or stream.ended:
            findings.add(Finding.APPLICATION_DATA)
        elif not page.first:
            stream.take(page)
            findings |= stream.findings
    if not any(streams.values()):
        raise unreadable("the file holds no sound")
    for known in streams.values():
        _whole(known)
    return findings | _between(source, at, size)


def _whole(stream: _Stream | None) -> None:
    if stream and not stream.complete:
        raise unreadable("a stream ends before its first sound")


def _between(source: BinaryIO, start: int, end: int) -> set[Finding]:
    """Name bytes outside of pages; a last page that was cut is none of them."""
    cut = read_at(source, start, len(CAPTURE)) == CAPTURE
    kept = cut or not holds_bytes(source, start, end)
    return set() if kept else {Finding.TRAILING_DATA}


def _open(output: BinaryIO, page: OggPage, used: set[int]) -> _Stream | None:
    """Start a stream; one that follows another in a chain gets a number of its own."""
    if len(page.packets) != 1 or not page.complete:
        raise unreadable("a stream does not start with its first header alone")
    headers = headers_of(page.packets[0])
    if headers is None:
        return None
    if len(used) == _MAX_STREAMS:
        raise unreadable("the file consists of too many streams")
    serial = page.serial
    while serial in used:
        serial = serial + 1 & 0xFFFF_FFFF
    used.add(serial)
    return _Stream(output, page, headers, serial)
