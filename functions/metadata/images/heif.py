"""HEIC and AVIF: boxes that say of every item how large it is and how it is turned.

Sources: ISO/IEC 23008-12, 6.5; ISO/IEC 14496-12, 8.11; the AVIF specification, 3 and 4.
"""

import struct
from collections.abc import Mapping
from typing import NamedTuple

from functions.metadata.av.mp4_tracks import Track, tracks
from functions.metadata.blocks import BLOCK, Blocks
from functions.metadata.boxes import Box, below, boxes, content, inside
from functions.metadata.errors import damaged_image
from functions.metadata.images.facts import MOST_FRAMES, ImageFacts

_VERSIONED = 4  # bytes before what a FullBox holds
_ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")
_MOST_ITEMS = 1 << 12


class _Property(NamedTuple):
    kind: bytes
    data: bytes


def describe_heif(blocks: Blocks) -> ImageFacts:
    """Return the facts of the primary item, or of a sequence that wants to be played.

    Raises:
        Rejected: neither is there.
    """
    top = {box.kind: box for box in boxes(blocks, 0, blocks.size_bytes)}
    movie, meta = top.get(b"moov"), top.get(b"meta")
    # Browsers play such an AVIF; of a HEIC everybody shows the still picture.
    plays = blocks.read_at(8, 4) == b"avis"
    if movie and (meta is None or plays):
        return _sequence(blocks, movie)
    if meta is None or meta.end > blocks.size_bytes:
        raise damaged_image()
    return _still(blocks, meta._replace(start=meta.start + _VERSIONED))


def _still(blocks: Blocks, meta: Box) -> ImageFacts:
    listed = _properties(blocks, meta)
    primary = below(blocks, meta, b"pitm")
    number = _number(content(blocks, primary, 8)) if primary else 0
    properties = listed.get(number, ())
    size = turns = None
    mode = "RGB"
    for kind, data in properties:
        if kind == b"ispe":
            size = struct.unpack_from(">II", data, _VERSIONED)
        elif kind == b"clap" and size:
            size = _cropped(data) or size
        elif kind == b"irot":
            turns = data[0] & 3
        elif kind == b"pixi" and data[_VERSIONED] == 1:
            mode = "L"
    if size is None:
        raise damaged_image()
    if turns in (1, 3):
        size = size[1], size[0]
    if _has_alpha(blocks, meta, number, listed):
        mode += "A"
    return ImageFacts(width=size[0], height=size[1], mode=mode)


def _cropped(data: bytes) -> tuple[int, int] | None:
    across, per, down, to = struct.unpack_from(">4I", data)
    return (across // per, down // to) if per and to else None


def _number(data: bytes) -> int:
    return int.from_bytes(data[4:8] if data[0] else data[4:6], "big")


def _properties(blocks: Blocks, meta: Box) -> Mapping[int, list[_Property]]:
    """Return what the items' properties are, in their order."""
    store = below(blocks, meta, b"iprp", b"ipco")
    home = below(blocks, meta, b"iprp")
    if store is None or home is None:
        raise damaged_image()
    known = [_Property(p.kind, content(blocks, p, 256)) for p in inside(blocks, store)]
    listed: dict[int, list[_Property]] = {}
    for box in inside(blocks, home):
        if box.kind == b"ipma":
            _assign(content(blocks, box, 4 * BLOCK), known, listed)
    return listed


def _assign(
    table: bytes, known: list[_Property], listed: dict[int, list[_Property]]
) -> None:
    wide_items, wide = table[0] >= 1, table[3] & 1
    (count,) = struct.unpack_from(">I", table, 4)
    at = 8
    for _ in range(min(count, _MOST_ITEMS)):
        (item,) = struct.unpack_from(">I" if wide_items else ">H", table, at)
        at += 4 if wide_items else 2
        size = table[at] * (2 if wide else 1)
        form = f">{table[at]}{'H' if wide else 'B'}"
        mask = 0x7FFF if wide else 0x7F  # without what marks it as essential
        indices = [n & mask for n in struct.unpack_from(form, table, at + 1)]
        at += 1 + size
        listed[item] = [
            known[index - 1] for index in indices if 0 < index <= len(known)
        ]


def _has_alpha(
    blocks: Blocks, meta: Box, number: int, listed: Mapping[int, list[_Property]]
) -> bool:
    """Say whether an item that is transparency belongs to item *number*."""
    masks = {
        item
        for item, properties in listed.items()
        if any(p.kind == b"auxC" and p.data[4:].startswith(_ALPHA) for p in properties)
    }
    references = below(blocks, meta, b"iref")
    if not masks or references is None:
        return False
    wide = content(blocks, references, 1) == b"\1"
    form = ">I" if wide else ">H"
    width = struct.calcsize(form)
    references = references._replace(start=references.start + _VERSIONED)
    for box in inside(blocks, references):
        data = content(blocks, box, 1024)
        numbers = [
            struct.unpack_from(form, data, at)[0]
            for at in (0, *range(width + 2, len(data) - width + 1, width))
        ]
        if box.kind == b"auxl" and numbers[0] in masks and number in numbers[1:]:
            return True
    return False


def _sequence(blocks: Blocks, movie: Box) -> ImageFacts:
    listed = tracks(blocks, movie)
    shown = next((t for t in listed if t.handler in (b"pict", b"vide")), None)
    if shown is None:
        raise damaged_image()
    width, height = shown.size
    if not width or not height:
        width, height = struct.unpack_from(">HH", shown.coding.ljust(36, b"\0"), 32)
    alpha = any(track.handler == b"auxv" for track in listed)
    facts = ImageFacts(
        width=width,
        height=height,
        mode="RGBA" if alpha else "RGB",
        frames=_samples(blocks, shown),
    )
    if facts.frames == 1:
        return facts
    seconds = shown.media.seconds or None
    return facts.model_copy(update={"duration_seconds": seconds})


def _samples(blocks: Blocks, track: Track) -> int:
    table = below(blocks, track.box, b"mdia", b"minf", b"stbl", b"stsz")
    data = content(blocks, table, 12) if table else b""
    return min(int.from_bytes(data[8:12], "big"), MOST_FRAMES) or 1
