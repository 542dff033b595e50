"""PNG and APNG: written anew around their coded pictures, which keep every bit.

Kept: header, palette and transparency as far as they are used, everything that says how
samples become colours, pixel density, the animation. All else is dropped.
"""

import struct
import zlib
from itertools import count
from typing import BinaryIO

from functions.sanitizer.findings import Finding
from functions.sanitizer.images import icc
from functions.sanitizer.images.exif import oriented
from functions.sanitizer.images.pictures import Rebuilt, View
from functions.sanitizer.images.png.pixels import (
    Coded,
    blank,
    fills_bytes,
    indices,
    level_for,
    remapped,
    settled,
    uncovered,
    upright,
    whole_bytes,
)
from functions.sanitizer.images.png.reader import SIGNATURE, Control, Png, read
from functions.sanitizer.limits import Limits

PROFILE_NAME = b"ICC profile"
_PALETTE, _WITH_ALPHA = 3, (4, 6)
_CHUNK_BYTES = 1 << 20


def rebuild(_source: BinaryIO, data: View, output: BinaryIO, limits: Limits) -> Rebuilt:
    """Write a PNG again without anything but its pictures.

    Raises:
        Rejected: `too_many_pixels`, `too_many_frames`; what else goes wrong is for
            `decoding` to name.
    """
    png = _admitted(data, limits)
    coded = _shown(png, [whole_bytes(picture) for picture in _settled(png)])
    if len(coded) == 1 and png.metadata.orientation != 1:
        coded = [upright(coded[0], png.metadata.orientation)]
    _write(png, coded, output)
    return _rebuilt(png, coded)


def strip(source: BinaryIO, data: View, output: BinaryIO, limits: Limits) -> Rebuilt:
    """Write a PNG again around its coded pictures, which keep every bit.

    One whose samples may hide something is rebuilt. Bytes behind the samples are left
    to the verification: looking for them here too would cost as much as rebuilding.

    Raises:
        Rejected: as `rebuild` does.
    """
    png = _admitted(data, limits)
    coded = _coded(png)
    if png.hides_default or png.header.colour in _WITH_ALPHA:
        return rebuild(source, data, output, limits)
    if not all(fills_bytes(picture.header) for picture in coded):
        return rebuild(source, data, output, limits)
    if png.header.colour == _PALETTE and _with_used_palette(png, coded) is not coded:
        return rebuild(source, data, output, limits)
    orientation = png.metadata.orientation if len(coded) == 1 else 1
    _write(png, coded, output, orientation)
    return _rebuilt(png, coded)


def _admitted(data: View, limits: Limits) -> Png:
    png = read(data)
    headers = [frame.header for frame in png.frames]
    for header in headers:
        limits.admit(header.width, header.height)
    areas = [header.width * header.height for header in headers]
    limits.admit_frames(areas)
    pixel_bits = png.header.channels * png.header.depth
    limits.admit_deflated([area * pixel_bits // 8 for area in areas])
    return png


def _coded(png: Png) -> list[Coded]:
    level = level_for([frame.header for frame in png.frames])
    return [Coded(frame.header, frame.coded, level) for frame in png.frames]


def _settled(png: Png) -> list[Coded]:
    """Return the pictures without a byte behind their rows.

    An animation ends before its first broken picture, as it does in viewers.

    Raises:
        ValueError, zlib.error: the very first one is broken.
    """
    settled_ones: list[Coded] = []
    for picture in _coded(png):
        try:
            settled_ones.append(settled(picture))
        except (ValueError, zlib.error):
            if not settled_ones:
                raise
            png.end_before(len(settled_ones))
            break
        if settled_ones[-1] is not picture:
            png.metadata.saw(Finding.TRAILING_DATA)
    return settled_ones


def _rebuilt(png: Png, coded: list[Coded]) -> Rebuilt:
    size = (coded[0].header.width, coded[0].header.height)
    return Rebuilt(size, len(coded), png.metadata.findings)


def _shown(png: Png, coded: list[Coded]) -> list[Coded]:
    """Return the pictures without what nobody sees; the palette changes in place."""
    if png.hides_default:
        png.metadata.saw(Finding.HIDDEN_IMAGE)
        # Viewers without animation get its first frame, if that fills the canvas.
        fills = coded[1].header == coded[0].header
        coded = [coded[1] if fills else blank(coded[0].header), *coded[1:]]
    if png.header.colour in _WITH_ALPHA:
        shown = [uncovered(picture) for picture in coded]
    elif png.header.colour == _PALETTE:
        shown = _with_used_palette(png, coded)
    else:
        return coded
    if any(new is not old for new, old in zip(shown, coded, strict=True)):
        png.metadata.saw(Finding.HIDDEN_COLOURS)
    return shown


def _with_used_palette(png: Png, coded: list[Coded]) -> list[Coded]:
    used = set[int]().union(*(indices(picture) for picture in coded))
    size = len(png.palette) // 3
    alpha = png.transparency[:size].ljust(256, b"\xff")
    unseen = sorted(index for index in used if alpha[index] == 0)
    if len(unseen) > 1:  # one invisible entry is enough: several could draw a picture
        table = [unseen[0] if index in unseen else index for index in range(256)]
        coded = [remapped(picture, table) for picture in coded]
        used -= set(unseen[1:])
    seen = used - set(unseen)
    palette = bytearray(png.palette)
    for index in set(range(size)) - seen:
        palette[3 * index : 3 * index + 3] = bytes(3)
    opaque = bytes(alpha[i] if i in used else 255 for i in range(size))
    if palette != png.palette:
        png.metadata.saw(Finding.HIDDEN_COLOURS)
    png.palette = bytes(palette[: 3 * (max(used) + 1)])
    png.transparency = opaque.rstrip(b"\xff")
    return coded


def _write(
    png: Png, coded: list[Coded], output: BinaryIO, orientation: int = 1
) -> None:
    output.write(SIGNATURE)
    _chunk(output, b"IHDR", struct.pack(">IIBBBBB", *coded[0].header))
    _write_colours(png, output)
    if png.palette:
        _chunk(output, b"PLTE", png.palette)
    if png.transparency:
        _chunk(output, b"tRNS", png.transparency)
    if density := png.kept.get(b"pHYs"):
        _chunk(output, b"pHYs", density)
    if orientation != 1:
        _chunk(output, b"eXIf", oriented(orientation))
    if png.plays is not None:
        _chunk(output, b"acTL", struct.pack(">II", png.announced, png.plays))
    sequence = count()
    for index, (frame, picture) in enumerate(zip(png.frames, coded, strict=True)):
        if frame.control:
            _chunk(output, b"fcTL", _control(next(sequence), frame.control))
        for at in range(0, len(picture.stream), _CHUNK_BYTES):
            piece = picture.stream[at : at + _CHUNK_BYTES]
            if index == 0:
                _chunk(output, b"IDAT", piece)
            else:
                _chunk(output, b"fdAT", struct.pack(">I", next(sequence)) + piece)
    _chunk(output, b"IEND", b"")


def _write_colours(png: Png, output: BinaryIO) -> None:
    profile = icc.neutral(png.profile) if png.profile else None
    if png.profile and (profile is None or profile.identifying):
        png.metadata.saw(Finding.COLOUR_PROFILE)
    if profile:
        compressed = zlib.compress(profile.data)
        _chunk(output, b"iCCP", PROFILE_NAME + b"\0\0" + compressed)
    for kind, value in sorted(png.kept.items()):
        if kind != b"pHYs":
            _chunk(output, kind, value)


def _control(sequence: int, control: Control) -> bytes:
    disposal = control.disposal if control.disposal <= 2 else 0
    blending = control.blending if control.blending <= 1 else 0
    geometry = control[:6]
    return struct.pack(">IIIIIHHBB", sequence, *geometry, disposal, blending)


def _chunk(output: BinaryIO, kind: bytes, payload: bytes | bytearray) -> None:
    output.write(struct.pack(">I", len(payload)) + kind + payload)
    output.write(struct.pack(">I", zlib.crc32(kind + payload)))
