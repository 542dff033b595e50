"""Pictures and EXIF where none belongs: behind junk, in containers, under other names.

A file that is no image passes untouched, so nobody may carry a picture past the
sanitizer in it. Found is what lies there as it is, or in base64 as in mails, JSON and
data URIs. Compressed containers hide theirs from us: a ZIP or PDF that stores JPEGs as
they are is found out, one that deflates them is not. Colour profiles are no pictures.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import BinaryIO, NamedTuple

from functions.sanitizer import hidden_proofs as proofs

_Proof = Callable[[BinaryIO, int], bool]

_BLOCK = 1 << 18
# Longer than any signature, so that none is cut in two by a block's end.
_OVERLAP = 64
# Nothing honest looks so often like a picture that is none: to go on would take hours.
_MAX_DOUBTS, _ENCODED_DOUBT = 10_000, 10
_HEIF = rb"(?:mif1|mif2|msf1|miaf|hei[cxms]|hev[cxms]|avif|avis|crx )"
# Base64 in a binary file shows as a run of characters; one in 64 is looked at.
_RUN = re.compile(rb"[A-Za-z0-9+/_\s\\]{12}")


class _Candidate(NamedTuple):
    start: int
    proof: _Proof | None  # none: it is a picture
    doubt: int = 1

    def holds(self, source: BinaryIO, at: int) -> bool:
        """Whether it is a picture; its block begins at *at* in *source*."""
        return self.proof is None or self.proof(source, at + self.start)


@dataclass(frozen=True)
class _Signatures:
    """What gives pictures away; those with one letter in common are one expression.

    Attributes:
        pattern: begins with that letter, or with more, which are looked for at the
            speed of memory; what stands before is looked behind for. One expression
            for everything would be three times slower, one for each format half.
        doubtful: by the name of a group, of what turns up by chance: what looks at
            the bytes that follow, and where these begin, in bytes before the letter.
        needs: a byte without which there is none: texts are passed quickly.
    """

    pattern: bytes
    doubtful: Mapping[str, tuple[_Proof, int]] = field(default_factory=dict)
    needs: bytes = b"\0"

    def found(self, block: bytes) -> Iterator[_Candidate]:
        """Yield what may be a picture in *block*."""
        if self.needs not in block:
            return
        for match in re.finditer(self.pattern, block, re.DOTALL):
            proof, before = self.doubtful.get(match.lastgroup or "", (None, 0))
            yield _Candidate(match.start() - before, proof)


def carries_image(source: BinaryIO) -> bool:
    """Say whether *source* has an image or EXIF signature anywhere; constant memory."""
    doubts = 0
    for at, block in _blocks(source):
        if block == bytes(len(block)):  # large files are sparse more often than not
            continue
        for candidate in _candidates(block):
            doubts += candidate.doubt
            if candidate.holds(source, at) or doubts > _MAX_DOUBTS:
                return True
    return False


def _blocks(source: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield blocks and where they begin; each repeats the end of the one before."""
    at = read = 0
    while True:
        source.seek(at)
        block = source.read(_BLOCK)
        if at + len(block) <= read:
            return
        yield at, block
        read = at + len(block)
        at = max(0, read - _OVERLAP)


def _candidates(block: bytes) -> Iterator[_Candidate]:
    for signatures in _SIGNATURES:
        yield from signatures.found(block)
    if not (block.isascii() or _RUN.search(block[::64])):
        return
    for pattern in _ENCODED:
        for match in re.finditer(pattern, block):
            yield _Candidate(match.start(), _is_encoded, _ENCODED_DOUBT)


def _is_encoded(source: BinaryIO, at: int) -> bool:
    """Whether base64 around *at* is a picture from its first byte."""
    return any(
        _is_picture(proofs.decoded(source, at, size)) for size in proofs.ENCODED_BYTES
    )


def _is_picture(data: bytes) -> bool:
    head = data[:_OVERLAP]
    return proofs.begins_tiff(head) or any(
        candidate.holds(BytesIO(data), 0)
        for signatures in _SIGNATURES
        for candidate in signatures.found(head)
    )


_SIGNATURES = (
    # PNG, MNG, JNG: also without the first bytes, which whoever wants to can put back.
    _Signatures(rb"NG\r\n\x1a\n\0\0\0.[A-Z][A-Za-z]{3}"),
    # TIFF and what is built on it, Canon's CRW, the header of a PNG, DICOM.
    _Signatures(
        rb"I(?:(?P<tiff>I(?:[*+]\0|R[OS]|U\0))|I\x1a\0\0\0HEAPCCDR"
        rb"|HDR(?<=\0\0\0\rIHDR)\0.{3}\0.{3}[\1\2\4\x08\x10][\0\2\3\4\6]\0\0[\0\1]"
        rb"|CM\x02\0(?<=DICM..).\0[A-Z]{2})",
        {"tiff": (proofs.is_tiff, 0)},
    ),
    # TIFF again, Minolta's MRW.
    _Signatures(
        rb"M(?:(?P<tiff>M(?:\0[*+]|OR))|RM(?<=\0MRM)\0.{3}\0PRD)",
        {"tiff": (proofs.is_tiff, 0)},
    ),
    _Signatures(rb"\xff\xd8\xff(?P<jpeg>[\xc0-\xfe])", {"jpeg": (proofs.is_jpeg, 0)}),
    # A JPEG without its start, GIF, RAW of Fuji and Sigma.
    _Signatures(
        rb"F(?:(?P<jfif>IF\0(?<=\xff\xe0..JFIF\0))|(?P<gif>8[79]a(?<=GIF8.a))"
        rb"|UJIFILMCCD-RAW \d{4}|OVb..[\1-\4]\0)",
        {"jfif": (proofs.is_headless_jpeg, 5), "gif": (proofs.is_gif, 2)},
        needs=b"",
    ),
    # BMP, Photoshop.
    _Signatures(
        rb"B(?:M.{4}\0{4}.{3}\0[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0"
        rb"|PS\0(?<=8BPS\0)[\1\2]\0{6})"
    ),
    # WebP by its first chunk: the container may say that it is something else.
    _Signatures(
        rb"VP8(?:X\x0a\0{3}.\0{3}|L.{3}\0/.{3}[\0-\x1f]| .{3}\0.{3}\x9d\x01\*)"
    ),
    # HEIF, AVIF, CR3: the brand that counts may be among the first compatible ones.
    _Signatures(rb"ftyp(?<=\0\0\0.ftyp)(?:.{8}(?:.{4}){0,3})?" + _HEIF),
    # Any of them without its brand: what its items are is said in another box.
    _Signatures(rb"hdlr\0{8}pict"),
    # JPEG 2000, JPEG XL.
    _Signatures(rb"\r\n\x87\n(?<=\0\0\0\x0c(?:jP  |JXL )\r\n\x87\n)"),
    _Signatures(rb"\xff\x4f\xff\x51(?P<size>\0)", {"size": (proofs.is_codestream, 0)}),
    _Signatures(rb"Exif\0\0(?:II\*\0|MM\0\*|(?<=\xff\xe1..Exif\0\0))"),
    _Signatures(
        rb"adobe(?:(?P<xmp>:ns:meta/)|\.com/x"
        rb"(?:ap/1\.0/\0\s{0,4}<|mp/extension/\0[0-9A-F]{32}))",
        {"xmp": (proofs.is_xmp, 0)},
        needs=b"",
    ),
)
# How base64 of a JPEG, PNG, GIF, WebP, HEIF and TIFF begins; a slash may be escaped.
_ENCODED = (
    rb"9j(?:(?<=/9j)/|(?<=/9j)\\/|(?<=_9j)_|(?<=%2F9j)%2F|(?<=%2f9j)%2f)",
    rb"iVBORw0KGgo",
    rb"R0lGOD[dl]",
    rb"UklGR",
    rb"Z0eXB",
    rb"SUkqA(?<![A-Za-z0-9+/]SUkqA)",
    rb"TU0AK(?<![A-Za-z0-9+/]TU0AK)",
)
