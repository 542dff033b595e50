"""Ogg files that hold one recording after another."""

import itertools
from collections.abc import Callable, Iterator

from functions.metadata.av.ogg_pages import Page, page_at, pages_between
from functions.metadata.av.sound import Sound
from functions.metadata.blocks import BLOCK, Blocks
from functions.metadata.errors import cut_off

_Between = Callable[[Page, Page, int], Sound]
_SOUND = (b"\x01vorbis", b"OpusHead", b"Speex   ", b"\x7fFLAC")


def measure_chain(blocks: Blocks, between: _Between) -> Sound:
    """Return the facts of recordings in a row: how long all of them last.

    Where the blocks suffice it is exact; else it is estimated from the time that
    passes within the blocks at hand.

    Args:
        between: returns the facts of a recording by its first and its last page.
    """
    if not blocks.affords(-(-blocks.size_bytes // BLOCK)):
        return _estimated(blocks, between)
    sound: Sound | None = None
    length = 0.0
    for first, last in _links(blocks):
        link = between(first, last, blocks.size_bytes)
        length += link.duration_seconds or 0
        sound = sound or link
    if sound is None:
        raise cut_off()
    joined = sound.model_copy(update={"duration_seconds": length or None})
    return joined.averaged(blocks.size_bytes)


def _links(blocks: Blocks) -> Iterator[tuple[Page, Page]]:
    """Return first and last page of every recording."""
    openings: dict[bytes, Page] = {}
    at = 0
    while page := page_at(blocks, at):
        at = page.end
        if page.first and page.body.startswith(_SOUND):
            openings[page.serial] = page
        elif page.last and page.serial in openings:
            yield openings.pop(page.serial), page
    if openings:
        raise cut_off()


def _estimated(blocks: Blocks, between: _Between) -> Sound:
    """Compare time and bytes between the pages of the blocks that may be fetched."""
    first = page_at(blocks, 0)
    assert first is not None  # there is one, or nobody would call this a chain
    sound = between(first, first, 0)
    places, samples, seen = _places(blocks), 0, 0
    for place in places:
        end = min((place + 1) * BLOCK, blocks.size_bytes)
        pages = [p for p in pages_between(blocks, place * BLOCK, end) if p.granule > 0]
        for page, following in itertools.pairwise(pages):
            if page.serial == following.serial and page.granule < following.granule:
                samples += following.granule - page.granule
                seen += following.end - page.end
    if not samples or not sound.samplerate:
        raise cut_off()
    length = samples / seen * blocks.size_bytes / sound.samplerate
    estimated = sound.model_copy(update={"duration_seconds": length})
    return estimated.averaged(blocks.size_bytes)


def _places(blocks: Blocks) -> list[int]:
    """Return which blocks to look into: the first, the last and some between."""
    tail = (blocks.size_bytes - 1) // BLOCK
    more = blocks.budget or 0
    return sorted({0, tail} | {tail * (n + 1) // (more + 1) for n in range(more)})
