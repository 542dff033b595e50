"""WebP: a new container (RFC 9649) around pictures that are nothing but picture.

Kept: each coded picture as it is where that is safe, its place, duration, blending and
disposal, background and loop count, a colour profile. All other chunks are dropped.
"""

import struct
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from functions.sanitizer.findings import Finding
from functions.sanitizer.images import icc
from functions.sanitizer.images.exif import Metadata, oriented
from functions.sanitizer.images.pictures import Rebuilt, View, turned_size
from functions.sanitizer.images.webp.frames import (
    MOST_CODED_PIXELS,
    Chunk,
    Picture,
    all_needed,
    chunk,
    extended,
    picture_of,
    riff,
    settled,
    split,
)
from functions.sanitizer.limits import Limits
from schemas.errors import Rejected

_ANIMATED, _XMP, _EXIF, _ALPHA, _PROFILE = 0x02, 0x04, 0x08, 0x10, 0x20
_BLEND_AND_DISPOSE = 0x03
_HEAD = 10


@dataclass
class _Frame:
    """An ANMF chunk: place, size, duration and flags stay packed."""

    place: bytes
    size: tuple[int, int]
    duration: bytes
    flags: int
    picture: Picture

    def lies_in(self, canvas: tuple[int, int]) -> bool:
        """Whether no part of it is cut off."""
        left = 2 * int.from_bytes(self.place[:3], "little")
        top = 2 * int.from_bytes(self.place[3:], "little")
        return left + self.size[0] <= canvas[0] and top + self.size[1] <= canvas[1]


@dataclass
class _Webp:
    flags: int
    canvas: tuple[int, int]
    extended: bool = False
    frames: list[_Frame] = field(default_factory=list)
    still: Picture | None = None
    animation: bytes = b""  # background and loop count
    profile: bytes = b""
    metadata: Metadata = field(default_factory=Metadata)

    @property
    def pictures(self) -> list[Picture]:
        """Everything that is shown."""
        return [self.still] if self.still else [frame.picture for frame in self.frames]


def rebuild(_source: BinaryIO, data: View, output: BinaryIO, limits: Limits) -> Rebuilt:
    """Write a WebP again without anything but its pictures.

    Raises:
        Rejected: `too_many_pixels`, `too_many_frames`; what else goes wrong is for
            `decoding` to name.
    """
    webp = _admitted(data, limits)
    orientation = webp.metadata.orientation if webp.still else 1
    turn = orientation if webp.canvas[0] * webp.canvas[1] <= MOST_CODED_PIXELS else 1
    for frame in webp.frames:
        frame.picture = _settled(webp, frame.picture, 1)
    if webp.still:
        webp.still = _settled(webp, webp.still, turn)
        webp.canvas = turned_size(webp.canvas, turn)
    # What is too large to be turned says how it is to be seen.
    output.write(riff(_written(webp, orientation if turn == 1 else 1)))
    return Rebuilt(webp.canvas, len(webp.pictures), webp.metadata.findings)


def strip(source: BinaryIO, data: View, output: BinaryIO, limits: Limits) -> Rebuilt:
    """Write a WebP again around its coded pictures, which keep every bit.

    One that may be transparent can hide colours, and is rebuilt; so is one with a part
    whose last bytes are not needed.

    Raises:
        Rejected: as `rebuild` does.
    """
    webp = _admitted(data, limits)
    if not all(not p.has_alpha and all_needed(p) for p in webp.pictures):
        return rebuild(source, data, output, limits)
    orientation = webp.metadata.orientation if webp.still else 1
    output.write(riff(_written(webp, orientation)))
    return Rebuilt(webp.canvas, len(webp.pictures), webp.metadata.findings)


def _admitted(data: View, limits: Limits) -> _Webp:
    webp = _read(data)
    limits.admit(*webp.canvas)
    for picture in webp.pictures:
        limits.admit(*picture.size)
    areas = [width * height for width, height in (p.size for p in webp.pictures)]
    limits.admit_frames(areas)
    if webp.still and webp.extended and not webp.flags & _ALPHA:
        # libwebp goes by the header, and does not look for the plane.
        webp.still = replace(webp.still, alpha=b"")
    return webp


def _settled(webp: _Webp, picture: Picture, orientation: int) -> Picture:
    new, hidden = settled(picture, orientation)
    if hidden:
        webp.metadata.saw(Finding.HIDDEN_COLOURS)
    elif new is not picture and orientation == 1:
        webp.metadata.saw(Finding.TRAILING_DATA)
    return new


def _read(data: View) -> _Webp:
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise Rejected("unreadable_image", "it is truncated")
    chunks = split(data, 12, end)
    if not chunks:
        raise ValueError("no chunks")
    if chunks[0].kind == b"VP8X":
        first = chunks[0].of(data, _HEAD)
        width = int.from_bytes(first[4:7], "little") + 1
        height = int.from_bytes(first[7:10], "little") + 1
        webp = _Webp(first[0], (width, height), extended=True)
    else:
        webp = _Webp(0, picture_of(data, chunks).size)
    _take_pictures(webp, data, chunks)
    for found in chunks:
        _take(webp, data, found)
    webp.metadata.read_trailer(data, end)
    return webp


def _take_pictures(webp: _Webp, data: View, chunks: list[Chunk]) -> None:
    if not webp.flags & _ANIMATED:
        webp.still = picture_of(data, chunks)
        if webp.still.size != webp.canvas:
            raise ValueError("the picture does not fill the canvas")
        return
    webp.frames = [_frame(data, found) for found in chunks if found.kind == b"ANMF"]
    animation = next((found for found in chunks if found.kind == b"ANIM"), None)
    webp.animation = animation.of(data, 6) if animation else b""
    if not webp.frames or len(webp.animation) < 6:
        raise ValueError("no animation")
    if not all(frame.lies_in(webp.canvas) for frame in webp.frames):
        raise ValueError("a frame beyond the canvas")


def _frame(data: View, found: Chunk) -> _Frame:
    head = found.of(data, 16)
    size = (
        int.from_bytes(head[6:9], "little") + 1,
        int.from_bytes(head[9:12], "little") + 1,
    )
    picture = picture_of(data, split(data, found.start + 16, found.end))
    if picture.size != size:
        raise ValueError("the picture does not fill its frame")
    flags = head[15] & _BLEND_AND_DISPOSE
    return _Frame(head[:6], size, head[12:15], flags, picture)


def _take(webp: _Webp, data: View, found: Chunk) -> None:
    metadata = webp.metadata
    match found.kind:
        case b"VP8X" | b"VP8 " | b"VP8L" | b"ALPH" | b"ANIM" | b"ANMF":
            pass
        case b"ICCP" if webp.flags & _PROFILE and not webp.profile:
            webp.profile = found.of(data)
        case b"EXIF":
            read = metadata if webp.flags & _EXIF else Metadata()
            read.read_exif(found.of(data))
            metadata.saw(*read.findings)
        case b"XMP ":
            read = metadata if webp.flags & _XMP else Metadata()
            read.read_xmp(found.of(data))
            metadata.saw(*read.findings)
        case b"ICCP":
            metadata.saw(Finding.COLOUR_PROFILE)
        case b"C2PA":
            metadata.saw(Finding.CONTENT_CREDENTIALS)
        case _:
            metadata.saw(Finding.APPLICATION_DATA)


def _written(webp: _Webp, orientation: int = 1) -> bytes:
    profile = icc.neutral(webp.profile) if webp.profile else None
    if webp.profile and (profile is None or profile.identifying):
        webp.metadata.saw(Finding.COLOUR_PROFILE)
    colours = chunk(b"ICCP", profile.data) if profile else b""
    turned = chunk(b"EXIF", oriented(orientation)) if orientation != 1 else b""
    transparent = any(picture.has_alpha for picture in webp.pictures)
    flags = _ALPHA * transparent | _PROFILE * bool(colours) | _EXIF * bool(turned)
    if webp.still:
        plain = not colours and not webp.still.alpha and not turned
        head = b"" if plain else extended(flags, webp.canvas) + colours
        return head + webp.still.chunks() + turned
    head = extended(flags | _ANIMATED, webp.canvas) + colours
    head += chunk(b"ANIM", webp.animation)
    return head + b"".join(_packed(frame) for frame in webp.frames)


def _packed(frame: _Frame) -> bytes:
    size = b"".join((side - 1).to_bytes(3, "little") for side in frame.size)
    timing = frame.duration + struct.pack("B", frame.flags)
    return chunk(b"ANMF", frame.place + size + timing + frame.picture.chunks())
